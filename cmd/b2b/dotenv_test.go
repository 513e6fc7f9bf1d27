package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// TestDotEnvFault reads malformed files. The error must name the line of the fault, and show nothing of the
// file.
func TestDotEnvFault(t *testing.T) {
	t.Chdir(t.TempDir())
	for content, line := range map[string]int{
		"MY-VAR=1\nJWT_SECRET=s3cret\nDB_PASSWORD=s3cret":   1,
		"A=1\n\n# s3cret\nB='x\ny'\nJWT SECRET;s3cret\nC=1": 6,
		"A=1\nJWT_SECRET=\"s3cret\nB=2\nC=s3cret\n":         2,
		"A=1\r\nJWT_SECRET='s3cret":                         2,
		"A=1\ns3cret":                                       2,
		"A=1\n=s3cret\nB=2\n":                               2,
		"\uFEFFs3cret\n":                                    1,
		"\xff\xfes\x003\x00c\x00r\x00e\x00t\x00\n\x00":      1, // UTF-16
	} {
		if err := os.WriteFile(".env", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := run(t.Context(), []string{"token"}, io.Discard)
		want := fmt.Sprintf(".env cannot be read: line %d is not NAME=VALUE", line)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "3") {
			t.Errorf("%q: %v, want %s", content, err, want)
		}
	}
}

// TestDotEnvByteOrderMark reads a file with a byte order mark and \r\n, as some editors on Windows write it.
// The first variable must be read.
func TestDotEnvByteOrderMark(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("DB_DRIVER", "") // Setenv restores the variable after the test
	os.Unsetenv("DB_DRIVER")
	if err := os.WriteFile(".env", []byte("\uFEFFDB_DRIVER=novel\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(t.Context(), []string{"migrate"}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), `DB_DRIVER is "novel"`) {
		t.Error(err)
	}
}

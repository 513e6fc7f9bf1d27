package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// full is a writer that fails after a number of bytes, like a disk without free space.
type full struct{ free int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.free)
	if f.free -= n; n < len(p) {
		return n, errFull
	}
	return n, nil
}

// TestUnwrittenOutput runs the commands whose result is their output. Each command must fail when the output
// cannot be written.
func TestUnwrittenOutput(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("JWT_SECRET", "a-secret-of-32-bytes-for-this-test")
	t.Setenv("DB_PATH", "b2b.db")
	if err := run(t.Context(), []string{"migrate"}, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"version", "--version", "--help", "token --help", "token --sub erp --scope orders:read", "office", "doctor",
		"doctor --json",
	} {
		for _, free := range []int{0, 10} {
			if version := strings.Contains(line, "version"); version && free > 0 {
				continue // a version may have fewer than 10 bytes, so that its output can be written
			}
			if err := run(t.Context(), strings.Fields(line), &full{free}); !errors.Is(err, errFull) {
				t.Errorf("b2b %s after %d bytes: %v", line, free, err)
			}
		}
	}
}

// TestUnwrittenSummary imports a file. The command must fail when the summary cannot be written.
func TestUnwrittenSummary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "products.csv")
	if err := os.WriteFile(path, []byte("sku;name\nA;One\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := callInto(t.Context(), t, &full{}, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-ndjson")
		io.WriteString(w, `{"row":1,"result":"created","id":2}`+"\n"+`{"summary":{"complete":true,"dry_run":false,`+
			`"rows":1,"created":1,"updated":0,"unchanged":0,"refused":0}}`)
	}, "import "+path)
	if !errors.Is(err, errFull) {
		t.Error(err)
	}
}

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const maxColumns = 120 // with tabs of 4 columns

// longLine matches the lines without a limit: URLs, struct tags, and lines with nothing but a string literal.
var longLine = regexp.MustCompile("https?://|`[a-z]+:\"|^\\s*(\"(\\\\.|[^\"\\\\])*\"|`[^`]*`)[,)}]* ?\\+?$")

// tableRow matches a row of a table in a test: a line of values, from a literal or a brace to a comma.
var tableRow = regexp.MustCompile("^\\s*[\"'`{].*,( //.*)?$")

// TestLineLength checks that hand-written Go files have no line of more than 120 columns.
func TestLineLength(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" ||
			strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".gen.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		inTest := strings.HasSuffix(path, "_test.go")
		for i, line := range strings.Split(string(text), "\n") {
			columns := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    "))
			if columns > maxColumns && !longLine.MatchString(line) && !(inTest && tableRow.MatchString(line)) {
				t.Errorf("%s:%d has %d columns", path, i+1, columns)
			}
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files: %v", files, err)
	}
}

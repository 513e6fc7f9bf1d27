// Command office minifies the scripts and the style sheet of the back office. It reads orchestrator/office/page,
// and writes orchestrator/office/generated, which the orchestrator serves. It shortens the names of local
// variables, and keeps the names at a module's top level, because stack traces show them.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"

	"example.com/b2b/v2/internal/generate"
)

func main() { generate.Run(run) }

func run(root string) error {
	office := filepath.Join(root, "orchestrator", "office")
	from, to := filepath.Join(office, "page"), filepath.Join(office, "generated")
	if err := os.RemoveAll(to); err != nil { // removes the scripts of deleted sources, too
		return err
	}
	for pattern, minify := range map[string]func([]byte) ([]byte, error){
		"*.js": minifiedScript, "screens/*.js": minifiedScript, "*.css": minifiedStyle,
	} {
		folder := filepath.Join(to, filepath.Dir(pattern))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		names, err := filepath.Glob(filepath.Join(from, pattern))
		if err != nil {
			return err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if text, err = minify(text); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := os.WriteFile(filepath.Join(folder, filepath.Base(name)), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// indentation matches a line break and the blanks around it, which have no meaning in these scripts. They
// could have a meaning only in a template literal, and each template literal of several lines is HTML:
// TestMinified of package office checks this.
var indentation = regexp.MustCompile(`[ \t]*\n[ \t]*`)

func minifiedScript(script []byte) ([]byte, error) {
	var b bytes.Buffer
	err := js.Minify(minify.New(), &b, bytes.NewReader(indentation.ReplaceAllLiteral(script, []byte("\n"))), nil)
	return b.Bytes(), err
}

func minifiedStyle(sheet []byte) ([]byte, error) {
	var b bytes.Buffer
	err := css.Minify(minify.New(), &b, bytes.NewReader(sheet), nil)
	return b.Bytes(), err
}

// Command office minifies the scripts of the back office. It reads orchestrator/office/page, and writes
// orchestrator/office/generated, which the orchestrator serves. It shortens the names of local variables, and
// keeps the names at a module's top level, because stack traces show them.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/tdewolff/minify/v2"
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
	for _, folder := range []string{"", "screens"} {
		if err := os.MkdirAll(filepath.Join(to, folder), 0o755); err != nil {
			return err
		}
		scripts, err := filepath.Glob(filepath.Join(from, folder, "*.js"))
		if err != nil {
			return err
		}
		for _, script := range scripts {
			text, err := os.ReadFile(script)
			if err != nil {
				return err
			}
			if text, err = minified(text); err != nil {
				return fmt.Errorf("%s: %w", script, err)
			}
			if err := os.WriteFile(filepath.Join(to, folder, filepath.Base(script)), text, 0o644); err != nil {
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

func minified(script []byte) ([]byte, error) {
	var b bytes.Buffer
	err := js.Minify(minify.New(), &b, bytes.NewReader(indentation.ReplaceAllLiteral(script, []byte("\n"))), nil)
	return b.Bytes(), err
}

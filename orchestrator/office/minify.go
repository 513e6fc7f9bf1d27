package office

import (
	"bytes"
	"embed"
	"io/fs"
	"regexp"
	"sync"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/js"
)

// forBrowsers holds the files as browsers get them: the pages' own scripts minified, all others as embedded.
type forBrowsers struct{ embed.FS }

// ReadFile implements [fs.ReadFileFS].
func (f forBrowsers) ReadFile(name string) ([]byte, error) {
	if text, ok := minified()[name]; ok {
		return text, nil
	}
	return f.FS.ReadFile(name)
}

// minified returns the minified scripts by their names. It shortens the names of local variables, and keeps
// those of a module's top level, which stack traces show. It leaves out a script that has an error, which is
// then served as embedded; TestMinified finds it. The scripts are minified at the first request, in about
// 10 ms, so that the program starts fast.
var minified = sync.OnceValue(func() map[string][]byte {
	texts, m := map[string][]byte{}, minify.New()
	for _, name := range scripts() {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			continue
		}
		var b bytes.Buffer
		if js.Minify(m, &b, bytes.NewReader(indentation.ReplaceAllLiteral(text, []byte("\n"))), nil) == nil {
			texts[name] = b.Bytes()
		}
	}
	return texts
})

// indentation matches a line break and the blanks around it. They mean nothing in a script outside of
// templates. TestMinified holds that templates of several lines are html`…`, in which they mean nothing, too.
var indentation = regexp.MustCompile(`[ \t]*\n[ \t]*`)

// scripts returns the names of the pages' own scripts, without those of the SDK and the vendored one.
func scripts() []string {
	own, _ := fs.Glob(files, "page/*.js")
	screens, _ := fs.Glob(files, "page/screens/*.js")
	return append(own, screens...)
}

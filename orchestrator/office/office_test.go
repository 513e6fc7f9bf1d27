package office

import (
	"bytes"
	"io/fs"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"

	"example.com/b2b/v2/internal/docs"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/orchestratorapi"
)

// sources is the folder of the package.
var sources = os.DirFS(".")

// serve serves the back office, and returns its address.
func serve(t *testing.T, issuer string) string {
	t.Helper()
	o := webtest.Options()
	o.Service, o.Document = "orchestrator", api.Document
	o.Others = []docs.Linked{
		{Name: "orders", Title: "Orders API", Base: "https://api.example.com/orders"},
		{Name: "customers", Title: "Customers API", Base: "http://customers-api:3001"},
	}
	engine := web.New(o)
	Serve(engine.Engine, o, SignIn{Issuer: issuer, Client: "office", Scope: "openid"})
	s := httptest.NewServer(engine)
	t.Cleanup(s.Close)
	return s.URL
}

// TestServe checks that each path below /office is a screen with links to the files of the page, and that
// each file has the right type. Scripts and the style sheet must be minified, and all other
// files unchanged.
func TestServe(t *testing.T) {
	base := serve(t, "")
	for at, root := range map[string]string{
		"/office": "office/", "/office/": "./", "/office/orders": "./",
		"/office/orders/3": "./../", "/office/a/b/c": "./../../",
	} {
		status, body, header := webtest.Do(t, "GET", base+at, "")
		page := string(body)
		if status != 200 || !strings.Contains(page, `src="`+root+`main.js"`) {
			t.Errorf("%s: %d %s", at, status, page)
		}
		if !strings.Contains(page, `data-orders="https://api.example.com/orders"`) ||
			!strings.Contains(page, `data-customers="http://127.0.0.1:3001"`) {
			t.Errorf("%s: not the addresses of the services: %s", at, page)
		}
		policy := header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: %s", at, policy)
		}
	}
	types := map[string]string{".js": "text/javascript", ".css": "text/css", ".txt": "text/plain"}
	served := 0
	err := fs.WalkDir(sources, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) == ".html" {
			return err
		}
		want, err := fs.ReadFile(sources, strings.Replace(name, "page/", "generated/", 1))
		if err != nil {
			want, _ = fs.ReadFile(sources, name)
		}
		_, body, header := webtest.Do(t, "GET", base+"/office"+strings.TrimPrefix(name, "page"), "")
		if !bytes.Equal(body, want) || !strings.HasPrefix(header.Get("Content-Type"), types[path.Ext(name)]) {
			t.Errorf("%s: %d bytes of %d, %s", name, len(body), len(want), header.Get("Content-Type"))
		}
		served++
		return nil
	})
	if err != nil || served < 20 {
		t.Errorf("%d files: %v", served, err)
	}
}

// TestBudget checks that the HTML, the style sheet and all scripts, without the SDK, have less than 150 000
// bytes before compression. It leaves out the licenses, which no page loads.
func TestBudget(t *testing.T) {
	base, sum := serve(t, ""), 0
	err := fs.WalkDir(sources, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(name, "page/generated/") || path.Ext(name) == ".txt" {
			return err
		}
		status, body, _ := webtest.Do(t, "GET", base+"/office"+strings.TrimPrefix(name, "page"), "")
		if status != 200 || len(body) == 0 {
			t.Errorf("%s: %d, %d bytes", name, status, len(body))
		}
		sum += len(body)
		return nil
	})
	if err != nil || sum >= 150_000 {
		t.Errorf("%d bytes: %v", sum, err)
	}
}

// TestMinified checks that each script has a minified script with the same exports. A template of several
// lines must be html`…`, because minifying removes the indentation of its lines.
func TestMinified(t *testing.T) {
	exported := regexp.MustCompile(`(?m)(?:^|[;}])export\s([^=(]*)`)
	names := func(text []byte) (found []string) {
		for _, m := range exported.FindAllSubmatch(text, -1) {
			found = append(found, strings.ReplaceAll(strings.TrimSpace(string(m[1])), "function* ", "function*"))
		}
		return found
	}
	own, _ := fs.Glob(sources, "page/*.js")
	screens, _ := fs.Glob(sources, "page/screens/*.js")
	for _, name := range append(own, screens...) {
		text, err := fs.ReadFile(sources, name)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := js.Parse(parse.NewInputBytes(bytes.Clone(text)), js.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		templates := 0
		js.Walk(templateVisitor(func(e *js.TemplateExpr) {
			templates++
			if tag, _ := e.Tag.(*js.Var); (tag == nil || tag.String() != "html") && hasLines(e) {
				t.Errorf("%s: a template of several lines is not html`…`: %s", name, e)
			}
		}), tree)
		if (templates > 0) != bytes.ContainsRune(text, '`') {
			t.Errorf("%s: found %d templates", name, templates)
		}
		served, err := fs.ReadFile(sources, strings.Replace(name, "page/", "generated/", 1))
		if err != nil || len(served) >= len(text) || !slices.Equal(names(served), names(text)) {
			t.Errorf("%s: %d bytes of %d, exports %q of %q",
				name, len(served), len(text), names(served), names(text))
		}
	}
}

// templateVisitor is called for each template of a script.
type templateVisitor func(*js.TemplateExpr)

// Enter implements [js.IVisitor].
func (v templateVisitor) Enter(n js.INode) js.IVisitor {
	if e, ok := n.(*js.TemplateExpr); ok {
		v(e)
	}
	return v
}

// Exit implements [js.IVisitor].
func (templateVisitor) Exit(js.INode) {}

// hasLines reports whether the texts of a template, without its expressions, have a line break.
func hasLines(e *js.TemplateExpr) bool {
	for _, part := range e.List {
		if bytes.ContainsRune(part.Value, '\n') {
			return true
		}
	}
	return bytes.ContainsRune(e.Tail, '\n')
}

// TestSignIn serves the page with and without an issuer. Only with an issuer may the page name the issuer,
// and may the header Content-Security-Policy allow calls to the issuer.
func TestSignIn(t *testing.T) {
	for issuer, allowed := range map[string]string{
		"":                                     "connect-src 'self' https://api.example.com ",
		"https://login.example.com/realms/b2b": "connect-src 'self' https://login.example.com https://api.example.com ",
	} {
		_, body, header := webtest.Do(t, "GET", serve(t, issuer)+"/office/", "")
		if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, allowed) {
			t.Errorf("%q: %s", issuer, policy)
		}
		if strings.Contains(string(body), `data-issuer="`+issuer+`" data-client="office"`) != (issuer != "") {
			t.Errorf("%q: %s", issuer, body)
		}
	}
}

// unsafe matches JavaScript that turns a text into markup or code, and addresses of other hosts.
var unsafe = regexp.MustCompile(
	`innerHTML|outerHTML|insertAdjacent|dangerouslySet|document\.write|\beval\(|new Function|https?://`)

// TestNoMarkupOfTexts checks that no script of the pages turns text into markup, or has the URL of another
// host.
func TestNoMarkupOfTexts(t *testing.T) {
	scripts, _ := fs.Glob(sources, "page/*.js")
	screens, _ := fs.Glob(sources, "page/screens/*.js")
	for _, name := range append(scripts, screens...) {
		text, err := fs.ReadFile(sources, name)
		if err != nil {
			t.Fatal(err)
		}
		if found := unsafe.Find(text); found != nil {
			t.Errorf("%s has %s", name, found)
		}
	}
	if len(screens) < 8 {
		t.Errorf("%d screens", len(screens))
	}
}

// TestImports checks that the scripts import each other by relative paths to sources that exist.
func TestImports(t *testing.T) {
	imported := regexp.MustCompile(`(?m)^(?:import|export) .*from '([^']+)'`)
	err := fs.WalkDir(sources, "page", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".js" {
			return err
		}
		text, _ := fs.ReadFile(sources, name)
		for _, m := range imported.FindAllSubmatch(text, -1) {
			target := path.Join(path.Dir(name), string(m[1]))
			if _, err := fs.Stat(sources, target); err != nil || !strings.HasPrefix(string(m[1]), ".") {
				t.Errorf("%s imports %s", name, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Package docs makes the documentation of a service: the OpenAPI document for callers, a page with Swagger
// UI, and a page of error codes. The pages work without internet access.
package docs

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/swaggest/swgui/v5/static"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/buildinfo"
)

// Linked is another service that a page links to.
type Linked struct {
	Name  string // name of the contract, such as orders
	Title string
	Does  string // description of the service, on the start page
	Base  string // address at which this process reaches the service
}

// Files has the templates, style sheets and scripts of the pages, in the folder files.
//
//go:embed files
var Files embed.FS

// Templates of the pages; Page returns their data.
var (
	IndexPage  = template.Must(template.ParseFS(Files, "files/index.html"))
	withCode   = template.New("errors.html").Funcs(template.FuncMap{"code": asHTML})
	ErrorsPage = template.Must(withCode.ParseFS(Files, "files/errors.html"))
)

// HasFile reports whether Files has a file of this name that is not the template of a page.
func HasFile(name string) bool { return isFile(Files, "files/"+name) && path.Ext(name) != ".html" }

// HasSwaggerFile reports whether Swagger UI has the file of this name.
func HasSwaggerFile(name string) bool {
	return isFile(static.FS, name) || isFile(static.FS, name+".gz")
}

func isFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular()
}

type link struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	Here bool   `json:"-"`
}

// Page returns the data of the templates, for a browser that has called the host. With the parameter front,
// the index page also shows the documents of the other services, and links to a start page. The parameter
// root is the relative path from the page to the root of the service, such as .. for /docs/errors. Links are
// relative, because a gateway may serve the pages below a path of its own.
func Page(title string, others []Linked, front bool, host, root string) map[string]any {
	documents := []link{{Name: title, URL: root + "/openapi.yaml"}} // YAML keeps the order of the fields
	links := []link{{Name: title, URL: root + "/docs", Here: true}}
	for _, other := range others {
		base := ForBrowser(other.Base, host)
		links = append(links, link{Name: other.Title, URL: base + "/docs"})
		if front {
			documents = append(documents, link{Name: other.Title, URL: base + "/openapi.yaml"})
		}
	}
	encoded, err := json.Marshal(documents)
	if err != nil {
		panic(err)
	}
	return map[string]any{
		"Title": title, "Front": front, "Root": root, "Links": links,
		"Documents": string(encoded), "Codes": errorCodes(),
	}
}

// errorCode has all entries of the catalogue with this name.
type errorCode struct {
	Name  string
	Codes []entry
}

type entry struct {
	*apperr.Code
	Message string
}

func errorCodes() []errorCode {
	var all []errorCode
	for _, c := range apperr.Catalogue() {
		at := slices.IndexFunc(all, func(e errorCode) bool { return e.Name == c.Name })
		if at < 0 {
			at, all = len(all), append(all, errorCode{Name: c.Name})
		}
		all[at].Codes = append(all[at].Codes, entry{c, c.New(c.Args...).Message})
	}
	return all
}

// asHTML turns a sentence of the catalogue from Markdown into HTML.
func asHTML(sentence string) template.HTML {
	escaped := template.HTMLEscapeString(sentence)
	return template.HTML(codeSpan.ReplaceAllString(escaped, "<code>$1</code>"))
}

var codeSpan = regexp.MustCompile("`([^`]*)`")

// ForBrowser returns the address of a service for a browser that has called the host. The host of base may
// have a name without a dot, such as localhost or the name of a container, which the browser may not know. If
// base also has a port, the parameter host replaces this name.
func ForBrowser(base, host string) string {
	u, err := url.Parse(base)
	if err != nil || strings.Contains(u.Hostname(), ".") || u.Port() == "" {
		return base
	}
	u.Host = net.JoinHostPort((&url.URL{Host: host}).Hostname(), u.Port())
	return u.String()
}

// Served returns the document for callers, as YAML and as a model, with the version of this program. The
// parameter currency replaces the currency of the document, unless it is "". With the parameter open,
// operations do not require a caller's token. Callers must not change the results, because calls with the
// same parameters share them: tests make hundreds of engines. Served panics when the document cannot be read,
// because the document is part of the program.
func Served(document []byte, open bool, currency string) ([]byte, *openapi3.T) {
	read := sync.OnceValues(func() ([]byte, *openapi3.T) { return serve(document, open, currency) })
	first, _ := served.LoadOrStore(parameters{string(document), open, currency}, read)
	return first.(func() ([]byte, *openapi3.T))()
}

type parameters struct {
	document string
	open     bool
	currency string
}

// served caches the results of Served. Its keys are parameters, and its values are functions that return the
// results.
var served sync.Map

func serve(document []byte, open bool, currency string) ([]byte, *openapi3.T) {
	if open {
		document = bearerAuth.ReplaceAll(document, []byte("$1- {}\n$0"))
	}
	if currency != "" {
		document = currencyCode.ReplaceAll(document, []byte("${1}"+currency))
	}
	spec, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		panic(err)
	}
	placeholder, version := "version: "+spec.Info.Version, "version: "+strconv.Quote(buildinfo.Version())
	spec.Info.Version = buildinfo.Version()
	return bytes.Replace(document, []byte(placeholder), []byte(version), 1), spec
}

// Below returns the document of a service, in YAML or JSON, for callers who reach the service below base,
// such as /b2b, instead of at the root of the host.
func Below(base string, document []byte) []byte {
	if base == "" {
		return document
	}
	return server.ReplaceAllFunc(document, func(root []byte) []byte {
		return slices.Concat(bytes.TrimSuffix(root, []byte("/")), []byte(base))
	})
}

// server matches the address / of the server in a document, with the text before the address.
var server = regexp.MustCompile(`(?:"url":"|(?m:^) +(?:- )?url: )/`)

// currencyCode matches the currency in the info of a document.
var currencyCode = regexp.MustCompile(`(?m)^(  x-currency: )[A-Z]{3}$`)

// bearerAuth matches the line that requires a caller's token for an operation.
var bearerAuth = regexp.MustCompile(`(?m)^( +)- bearerAuth:`)

// Package docs makes the documentation of a service: its OpenAPI document as served, the page of Swagger UI,
// which works without a network, and the page of error codes.
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

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/swaggest/swgui/v5/static"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/buildinfo"
)

// Linked is another service, linked from a page.
type Linked struct {
	Name  string // of its contract, such as orders
	Title string
	Base  string // address, as this process knows it
}

// Files has the style sheets and scripts of the pages, below files/.
//
//go:embed files
var Files embed.FS

// The templates of the pages, for the data of Page.
var (
	IndexPage  = template.Must(template.ParseFS(Files, "files/index.html"))
	withCode   = template.New("errors.html").Funcs(template.FuncMap{"code": asHTML})
	ErrorsPage = template.Must(withCode.ParseFS(Files, "files/errors.html"))
)

// HasFile reports whether a page may load the file of this name from Files.
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

// Page returns the data of both pages for a browser that has asked host. On the front, where callers begin, the
// index also shows the documents of the other services, and links to a start page.
func Page(title string, others []Linked, front bool, host string) map[string]any {
	documents := []link{{Name: title, URL: "/openapi.yaml"}} // YAML keeps the author's order
	links := []link{{Name: title, URL: "/docs", Here: true}}
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
		"Title": title, "Front": front, "Links": links, "Documents": string(encoded), "Codes": errorCodes(),
	}
}

// errorCode has the entries of the catalogue under one name.
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

// ForBrowser returns the address of a service for a browser at host. A base with a host known only to this
// machine or its container network (a name without a dot) becomes the same port of host.
func ForBrowser(base, host string) string {
	u, err := url.Parse(base)
	if err != nil || strings.Contains(u.Hostname(), ".") || u.Port() == "" {
		return base
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	u.Host = net.JoinHostPort(host, u.Port())
	return u.String()
}

// Served returns a document for callers, as YAML and as a model, with the version of this program; with open,
// callers need no token. It panics when the document, a part of the program, cannot be read.
func Served(document []byte, open bool) ([]byte, *openapi3.T) {
	if open {
		document = bearerAuth.ReplaceAll(document, []byte("$1- {}\n$0"))
	}
	spec, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		panic(err)
	}
	placeholder, version := "version: "+spec.Info.Version, "version: "+strconv.Quote(buildinfo.Version())
	spec.Info.Version = buildinfo.Version()
	return bytes.Replace(document, []byte(placeholder), []byte(version), 1), spec
}

// bearerAuth matches the beginning of an operation's security by a caller's token.
var bearerAuth = regexp.MustCompile(`(?m)^( +)- bearerAuth:`)

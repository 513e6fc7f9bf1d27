package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui/v5/static"
	"github.com/swaggest/swgui/v5emb"

	"example.com/b2b/internal/apperr"
)

// Documented is a service to whose documentation another's links.
type Documented struct {
	Title string
	Base  string // its address, as this process knows it
}

//go:embed docs
var docs embed.FS

var (
	docsPage   = template.Must(template.ParseFS(docs, "docs/index.html"))
	errorsPage = template.Must(template.New("errors.html").Funcs(template.FuncMap{"code": code}).ParseFS(docs, "docs/errors.html"))
)

// serveDocs adds the document itself and Swagger UI for it, with all its files: it works offline.
func serveDocs(e Engine, o Options) {
	asJSON := sync.OnceValues(o.spec.MarshalJSON) // when it is asked for: a start need not wait for it
	e.GET("/openapi.json", func(c *gin.Context) {
		document, err := asJSON()
		if err != nil {
			Fail(c, err)
			return
		}
		c.Data(http.StatusOK, "application/json", document)
	})
	e.GET("/openapi.yaml", func(c *gin.Context) { c.Data(http.StatusOK, "application/yaml", o.Document) })
	index := func(c *gin.Context) { ServePage(c, docsPage, o.page(c.Request.Host)) }
	swagger := gin.WrapH(v5emb.New("", "", "/docs/"))
	e.GET("/docs", index)
	e.GET("/docs/*file", func(c *gin.Context) {
		switch name := strings.TrimPrefix(c.Param("file"), "/"); {
		case name == "":
			index(c)
		case name == "errors":
			shown := o.page(c.Request.Host)
			shown["Codes"] = errorCodes()
			ServePage(c, errorsPage, shown)
		case isFile(docs, "docs/"+name) && path.Ext(name) != ".html":
			ServeFile(c, docs, "docs/"+name)
		case isFile(static.FS, name), isFile(static.FS, name+".gz"):
			swagger(c)
		default:
			notFound(c)
		}
	})
}

// ServePage answers with a page of HTML.
func ServePage(c *gin.Context, page *template.Template, data any) {
	var b bytes.Buffer
	if err := page.Execute(&b, data); err != nil {
		Fail(c, err)
		return
	}
	c.Data(http.StatusOK, "text/html; charset=utf-8", b.Bytes())
}

// ServeFile answers with a file of the program.
func ServeFile(c *gin.Context, files fs.FS, name string) {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		Fail(c, err)
		return
	}
	c.Data(http.StatusOK, mime.TypeByExtension(path.Ext(name)), content)
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

// page returns what the documentation pages show to a browser that has asked host.
func (o Options) page(host string) map[string]any {
	// Swagger UI gets a document as it was written: in its author's order.
	here := link{Name: o.spec.Info.Title, URL: "/openapi.yaml"}
	documents, links := []link{here}, []link{{Name: here.Name, URL: "/docs", Here: true}}
	for _, other := range o.Others {
		base := ForBrowser(other.Base, host)
		links = append(links, link{Name: other.Title, URL: base + "/docs"})
		if o.Front {
			documents = append(documents, link{Name: other.Title, URL: base + "/openapi.yaml"})
		}
	}
	encoded, err := json.Marshal(documents)
	if err != nil {
		panic(err)
	}
	return map[string]any{"Title": here.Name, "Front": o.Front, "Links": links, "Documents": string(encoded)}
}

// errorCode is all that the catalogue has under one name.
type errorCode struct {
	Name  string
	Codes []shownCode
}

type shownCode struct {
	*apperr.Code
	Message string
}

func errorCodes() (all []errorCode) {
	for _, c := range apperr.Catalogue() {
		at := slices.IndexFunc(all, func(e errorCode) bool { return e.Name == c.Name })
		if at < 0 {
			at, all = len(all), append(all, errorCode{Name: c.Name})
		}
		all[at].Codes = append(all[at].Codes, shownCode{c, c.New(c.Args...).Message})
	}
	return all
}

// code turns a sentence of the catalogue, which is Markdown, into HTML.
func code(sentence string) template.HTML {
	escaped := template.HTMLEscapeString(sentence)
	return template.HTML(codeSpan.ReplaceAllString(escaped, "<code>$1</code>"))
}

var codeSpan = regexp.MustCompile("`([^`]*)`")

// ForBrowser turns a base that only this machine or its container network knows (a host without a dot) into
// the same port of the host that the browser has asked.
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

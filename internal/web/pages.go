package web

import (
	"bytes"
	"context"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui/v5emb"

	"example.com/b2b/v2/internal/docs"
)

// serveDocs serves the documentation of a service: its document, in YAML and in JSON, and the pages.
func serveDocs(e Engine, document []byte, spec *openapi3.T, others []docs.Linked, front bool) {
	asJSON := sync.OnceValues(spec.MarshalJSON) // encoded at the first request, so that the start is fast
	e.GET("/openapi.json", func(c *gin.Context) {
		document, err := asJSON()
		if err != nil {
			Fail(c, err)
			return
		}
		c.Data(http.StatusOK, "application/json", docs.Below(basePath(c), document))
	})
	e.GET("/openapi.yaml", func(c *gin.Context) {
		c.Data(http.StatusOK, "application/yaml", docs.Below(basePath(c), document))
	})
	serve := func(c *gin.Context, page *template.Template) {
		root := ".."
		if c.Request.URL.Path == "/docs" {
			root = "."
		}
		ServePage(c, page, docs.Page(spec.Info.Title, others, front, c.Request.Host, root))
	}
	index := func(c *gin.Context) { serve(c, docs.IndexPage) }
	swagger := gin.WrapH(v5emb.New("", "", "/docs/"))
	e.GET("/docs", index)
	e.GET("/docs/*file", func(c *gin.Context) {
		switch name := strings.TrimPrefix(c.Param("file"), "/"); {
		case name == "":
			index(c)
		case name == "errors":
			serve(c, docs.ErrorsPage)
		case docs.HasFile(name):
			ServeFile(c, docs.Files, "files/"+name)
		case docs.HasSwaggerFile(name):
			swagger(c)
		default:
			notFound(c)
		}
	})
}

type basePathKey struct{}

// WithBasePath returns a context for a request that the caller has sent to a path below base, and that
// arrives without base in its path. Links in the answer and the service's document then begin with base. The
// base is "", or a path such as /b2b.
func WithBasePath(ctx context.Context, base string) context.Context {
	return context.WithValue(ctx, basePathKey{}, base)
}

func basePath(c *gin.Context) string {
	base, _ := c.Request.Context().Value(basePathKey{}).(string)
	return base
}

// ServePage answers with the HTML of a template and its data.
func ServePage(c *gin.Context, page *template.Template, data any) {
	var b bytes.Buffer
	if err := page.Execute(&b, data); err != nil {
		Fail(c, err)
		return
	}
	c.Data(http.StatusOK, "text/html; charset=utf-8", b.Bytes())
}

// ServeFile answers with a file that is embedded in the program.
func ServeFile(c *gin.Context, files fs.FS, name string) {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		Fail(c, err)
		return
	}
	c.Data(http.StatusOK, mime.TypeByExtension(path.Ext(name)), content)
}

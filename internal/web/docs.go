package web

import (
	"io/fs"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5/static"
	"github.com/swaggest/swgui/v5emb"
)

// serveDocs adds the document itself and Swagger UI for it, with all its files: it works offline.
func serveDocs(e Engine, o Options) {
	json, err := o.spec.MarshalJSON()
	if err != nil {
		panic(err)
	}
	e.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", json) })
	e.GET("/openapi.yaml", func(c *gin.Context) { c.Data(http.StatusOK, "application/yaml", o.Document) })
	// Swagger UI gets the document as it was written: in its author's order.
	ui := gin.WrapH(v5emb.NewHandlerWithConfig(swgui.Config{
		Title: o.spec.Info.Title, SwaggerJSON: "/openapi.yaml", BasePath: "/docs/",
		AppendHead: `<meta name="viewport" content="width=device-width, initial-scale=1">`,
	}))
	e.GET("/docs", ui)
	e.GET("/docs/*file", func(c *gin.Context) {
		name := strings.TrimPrefix(c.Param("file"), "/")
		if name != "" && !isFile(name) && !isFile(name+".gz") {
			notFound(c)
			return
		}
		ui(c)
	})
}

// isFile reports whether Swagger UI has that file.
func isFile(name string) bool {
	info, err := fs.Stat(static.FS, name)
	return err == nil && info.Mode().IsRegular()
}

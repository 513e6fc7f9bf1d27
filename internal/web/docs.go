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
func serveDocs(e *gin.Engine, o Options) {
	json, err := o.Spec.MarshalJSON()
	if err != nil {
		panic(err)
	}
	e.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", json) })
	e.GET("/openapi.yaml", func(c *gin.Context) { c.Data(http.StatusOK, "application/yaml", o.YAML) })
	// Swagger UI gets the document as it was written: in its author's order.
	ui := gin.WrapH(v5emb.NewHandlerWithConfig(swgui.Config{
		Title: o.Spec.Info.Title, SwaggerJSON: "/openapi.yaml", BasePath: "/docs/",
	}))
	e.GET("/docs", ui)
	e.GET("/docs/*file", func(c *gin.Context) {
		name := strings.TrimPrefix(c.Param("file"), "/")
		_, plain := fs.Stat(static.FS, name)
		_, compressed := fs.Stat(static.FS, name+".gz")
		if name != "" && plain != nil && compressed != nil {
			notFound(c)
			return
		}
		ui(c)
	})
}

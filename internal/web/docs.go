package web

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui"
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
	ui := gin.WrapH(v5emb.NewHandlerWithConfig(swgui.Config{
		Title: o.Spec.Info.Title, SwaggerJSON: "/openapi.json", BasePath: "/docs/",
	}))
	e.GET("/docs", ui)
	e.GET("/docs/*file", ui)
}

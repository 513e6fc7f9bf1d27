// Package office serves the back office: pages for people who find, place, cancel, receive, price and import.
// The pages call the services as any client does, so a page can do nothing that the API cannot.
package office

import (
	"embed"
	"html/template"
	"io/fs"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/docs"
	"example.com/b2b/v2/internal/web"
)

//go:embed page
var files embed.FS

var page = template.Must(template.ParseFS(files, "page/index.html"))

// Serve adds the pages below /office to the orchestrator's engine, with the options o. The field o.Others has
// the addresses of the other services. Every path that is no file answers with the same HTML, because the
// scripts choose the screen by the path.
func Serve(engine *gin.Engine, o web.Options) {
	e := web.Engine{Engine: engine}
	serve := func(c *gin.Context, root string) { web.ServePage(c, page, describe(c.Request.Host, o, root)) }
	e.GET("/office", func(c *gin.Context) { serve(c, "office/") })
	e.GET("/office/*path", func(c *gin.Context) {
		name := strings.TrimPrefix(c.Param("path"), "/")
		if path.Ext(name) != ".html" && isFile("page/"+name) {
			web.ServeFile(c, files, "page/"+name)
			return
		}
		serve(c, "./"+strings.Repeat("../", strings.Count(name, "/")))
	})
}

// describe returns the data of the page's template, for a browser that has called the host. The parameter root
// leads from the page to /office/: links are relative, because a proxy may serve the pages below a path of its
// own.
func describe(host string, o web.Options, root string) any {
	bases := map[string]string{}
	for _, other := range o.Others {
		bases[other.Name] = docs.ForBrowser(other.Base, host)
	}
	return map[string]string{
		"Root": root, "Customers": bases["customers"], "Orders": bases["orders"], "Currency": o.Currency,
	}
}

func isFile(name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular()
}

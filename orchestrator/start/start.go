// Package start serves the start page for newcomers: the state of the services, a first order, and links to
// the documentation.
package start

import (
	"embed"
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/docs"
	"example.com/b2b/internal/web"
	"example.com/b2b/openapi"
	"example.com/b2b/postman"
)

//go:embed index.html start.css start.js snippets
var files embed.FS

var page = template.Must(template.ParseFS(files, "index.html"))

// snippets lists the examples of a first order. The code of an example is in snippets/ID.txt.
var snippets = []snippet{
	{ID: "curl", Name: "curl"},
	{ID: "typescript", Name: "TypeScript", Needs: "the package of sdk/typescript"},
	{ID: "python", Name: "Python", Needs: "the package of sdk/python"},
	{ID: "go", Name: "Go", Needs: "the package sdk/go of this module"},
	{ID: "java", Name: "Java", Needs: "the package of sdk/java"},
}

// Serve adds pages to the orchestrator's engine: the start page as GET /, the Postman collection and
// environment, and the joined document of all services, as /openapi/all.yaml and /openapi/all.json. o has the
// options of the engine; customersBase and ordersBase are the addresses of the other services. The start page
// loads nothing from other sites and has no inline scripts.
func Serve(engine *gin.Engine, o web.Options, customersBase, ordersBase string) {
	e := web.Engine{Engine: engine}
	e.GET("/", func(c *gin.Context) {
		web.ServePage(c, page, describe(c.Request, customersBase, ordersBase))
	})
	for _, name := range []string{"start.css", "start.js"} {
		e.GET("/start/"+name, func(c *gin.Context) { web.ServeFile(c, files, name) })
	}
	e.GET("/postman/collection.json", func(c *gin.Context) {
		c.Data(http.StatusOK, "application/json", postman.Collection)
	})
	e.GET("/postman/environment.json", func(c *gin.Context) {
		host := c.Request.Host
		c.Data(http.StatusOK, "application/json", postman.Environment(
			docs.ForBrowser(customersBase, host), docs.ForBrowser(ordersBase, host), address(c.Request)))
	})
	asYAML, spec := docs.Served(openapi.Document, o.Open)
	asJSON, err := spec.MarshalJSON()
	if err != nil {
		panic(err)
	}
	for name, document := range map[string][]byte{"yaml": asYAML, "json": asJSON} {
		e.GET("/openapi/all."+name, func(c *gin.Context) {
			host := c.Request.Host
			addresses := openapi.Addresses(
				docs.ForBrowser(customersBase, host), docs.ForBrowser(ordersBase, host), address(c.Request))
			c.Data(http.StatusOK, "application/"+name, []byte(addresses.Replace(string(document))))
		})
	}
}

type service struct{ Title, Does, Base string }

type snippet struct{ ID, Name, Needs, Code string }

// describe returns the data for the template of the start page.
func describe(r *http.Request, customersBase, ordersBase string) any {
	customers, orders := docs.ForBrowser(customersBase, r.Host), docs.ForBrowser(ordersBase, r.Host)
	addresses := openapi.Addresses(customers, orders, address(r))
	var all []snippet
	for _, s := range snippets {
		code, err := files.ReadFile("snippets/" + s.ID + ".txt")
		if err != nil {
			panic(err)
		}
		s.Code = addresses.Replace(string(code))
		all = append(all, s)
	}
	return map[string]any{
		"Customers": customers, "Orders": orders, "Snippets": all,
		"Services": []service{
			{"Orchestrator", "place and confirm an order in one call", ""},
			{"Orders API", "products, stock and orders", orders},
			{"Customers API", "customers", customers},
		},
	}
}

// address returns the address of this service for the browser that sent r.
func address(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// Package start is the page where newcomers begin: the state of the services, a first order, and links to
// everything else.
package start

import (
	"embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/web"
	"example.com/b2b/openapi"
	"example.com/b2b/postman"
)

//go:embed index.html start.css start.js snippets
var files embed.FS

var page = template.Must(template.ParseFS(files, "index.html"))

// snippets are the first order in several languages; their files have these names.
var snippets = []snippet{
	{ID: "curl", Name: "curl"},
	{ID: "typescript", Name: "TypeScript", Needs: "the package of sdk/typescript"},
	{ID: "python", Name: "Python", Needs: "the package of sdk/python"},
	{ID: "go", Name: "Go", Needs: "the package sdk/go of this module"},
	{ID: "java", Name: "Java", Needs: "the package of sdk/java"},
}

// Serve answers GET / with the page, on the engine of the orchestrator that has these options; the addresses
// are those of the other services. It works without a network and without inline scripts. Beside the page are
// the Postman collection, and the documents of all services joined into one, below /openapi/ because
// /openapi.json is the orchestrator's own, as at every service.
func Serve(engine *gin.Engine, o web.Options, customersBase, ordersBase string) {
	e := web.Engine{Engine: engine}
	e.GET("/", func(c *gin.Context) {
		web.ServePage(c, page, describe(c.Request, customersBase, ordersBase))
	})
	for _, name := range []string{"start.css", "start.js"} {
		e.GET("/start/"+name, func(c *gin.Context) { web.ServeFile(c, files, name) })
	}
	e.GET("/postman/collection.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", postman.Collection) })
	e.GET("/postman/environment.json", func(c *gin.Context) {
		host := c.Request.Host
		c.Data(http.StatusOK, "application/json", postman.Environment(web.ForBrowser(customersBase, host), web.ForBrowser(ordersBase, host), address(c.Request)))
	})
	asYAML, spec := o.Served(openapi.Document)
	asJSON, err := spec.MarshalJSON()
	if err != nil {
		panic(err)
	}
	for name, document := range map[string][]byte{"yaml": asYAML, "json": asJSON} {
		e.GET("/openapi/all."+name, func(c *gin.Context) {
			host := c.Request.Host
			here := addresses(c.Request, web.ForBrowser(customersBase, host), web.ForBrowser(ordersBase, host))
			c.Data(http.StatusOK, "application/"+name, []byte(here.Replace(string(document))))
		})
	}
}

// addresses replaces the services' default addresses by their actual addresses.
func addresses(r *http.Request, customers, orders string) *strings.Replacer {
	return strings.NewReplacer(openapi.OrchestratorAddress, address(r), openapi.CustomersAddress, customers, openapi.OrdersAddress, orders)
}

type service struct{ Title, Does, Base string }

type snippet struct{ ID, Name, Needs, Code string }

// describe returns what the page shows to a browser.
func describe(r *http.Request, customersBase, ordersBase string) any {
	customers, orders := web.ForBrowser(customersBase, r.Host), web.ForBrowser(ordersBase, r.Host)
	var all []snippet
	for _, s := range snippets {
		code, err := files.ReadFile("snippets/" + s.ID + ".txt")
		if err != nil {
			panic(err)
		}
		s.Code = addresses(r, customers, orders).Replace(string(code))
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

// address is where the browser has found this service.
func address(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

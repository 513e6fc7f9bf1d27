// Package start serves the start page for newcomers: the state of the services, a first order, and links to
// the documentation.
package start

import (
	"embed"
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/docs"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/openapi"
	"example.com/b2b/v2/postman"
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

// Serve adds the start page to the orchestrator's engine as GET /, with the options o. It also adds the
// Postman collection and its environment, and the joined document of all services as /openapi/all.yaml and
// /openapi/all.json. The field o.Others has the addresses of the other services. With the parameter office,
// the page links to the back office. The page loads nothing from other sites, and has no inline scripts.
func Serve(engine *gin.Engine, o web.Options, office bool) {
	e := web.Engine{Engine: engine}
	asYAML, spec := docs.Served(openapi.Document, o.Open, o.Currency)
	currency := spec.Info.Extensions["x-currency"]
	e.GET("/", func(c *gin.Context) { web.ServePage(c, page, describe(c.Request, o.Others, office, currency)) })
	for _, name := range []string{"start.css", "start.js"} {
		e.GET("/start/"+name, func(c *gin.Context) { web.ServeFile(c, files, name) })
	}
	e.GET("/postman/collection.json", func(c *gin.Context) {
		c.Data(http.StatusOK, "application/json", postman.Collection)
	})
	e.GET("/postman/environment.json", func(c *gin.Context) {
		c.Data(http.StatusOK, "application/json", postman.Environment(addresses(c.Request, o.Others)))
	})
	asJSON, err := spec.MarshalJSON()
	if err != nil {
		panic(err)
	}
	for name, document := range map[string][]byte{"yaml": asYAML, "json": asJSON} {
		e.GET("/openapi/all."+name, func(c *gin.Context) {
			own := openapi.Addresses(addresses(c.Request, o.Others)).Replace(string(document))
			c.Data(http.StatusOK, "application/"+name, []byte(own))
		})
	}
}

type service struct{ Title, Does, Base string }

type snippet struct{ ID, Name, Needs, Code string }

// describe returns the data of the page's template.
func describe(r *http.Request, others []docs.Linked, office bool, currency any) any {
	bases := addresses(r, others)
	services := []service{{"Orchestrator", "place and confirm an order in one call", ""}}
	for _, other := range others {
		services = append(services, service{other.Title, other.Does, bases[other.Name]})
	}
	var all []snippet
	for _, s := range snippets {
		code, err := files.ReadFile("snippets/" + s.ID + ".txt")
		if err != nil {
			panic(err)
		}
		s.Code = openapi.Addresses(bases).Replace(string(code))
		all = append(all, s)
	}
	return map[string]any{
		"Customers": bases["customers"], "Orders": bases["orders"], "Events": bases["events"],
		"Snippets": all, "Services": services, "Office": office, "Currency": currency,
	}
}

// addresses returns the addresses of all services as seen by the browser.
func addresses(r *http.Request, others []docs.Linked) map[string]string {
	all := map[string]string{"orchestrator": address(r)}
	for _, other := range others {
		all[other.Name] = docs.ForBrowser(other.Base, r.Host)
	}
	return all
}

// address returns the address of this service as seen by the browser.
func address(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

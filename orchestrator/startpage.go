package orchestrator

import (
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// ServeStartPage answers GET / with a page that links to the documentation of all three services.
func ServeStartPage(e *gin.Engine, customersBase, ordersBase string) {
	e.Match([]string{http.MethodGet, http.MethodHead}, "/", func(c *gin.Context) {
		c.Header("Content-Type", "text/html; charset=utf-8")
		c.Status(http.StatusOK)
		_ = startPage.Execute(c.Writer, map[string]string{
			"Customers": forBrowser(customersBase, c.Request.Host),
			"Orders":    forBrowser(ordersBase, c.Request.Host),
		})
	})
}

// forBrowser turns a base that only this machine or its container network knows (a host without a dot) into the same port of
// the host that the browser has asked.
func forBrowser(base, host string) string {
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

var startPage = template.Must(template.New("start").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>B2B order management</title>
<link rel="icon" href="data:,">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
td { padding: .25rem 1.5rem .25rem 0 }
a { white-space: nowrap }
@media (max-width: 40rem) { td { display: inline-block; padding: 0 1rem 0 0 } td:first-child { display: block; padding-top: .75rem } }
</style>
<h1>B2B order management</h1>
<p>Three services. Explore and try each in Swagger UI, or take its OpenAPI document.</p>
<table>
<tr><td>Orchestrator: place and confirm an order in one call<td><a href="/docs">Swagger UI</a><td><a href="/openapi.yaml">openapi.yaml</a>
<tr><td>Orders API: products, stock and orders<td><a href="{{.Orders}}/docs">Swagger UI</a><td><a href="{{.Orders}}/openapi.yaml">openapi.yaml</a>
<tr><td>Customers API: customers<td><a href="{{.Customers}}/docs">Swagger UI</a><td><a href="{{.Customers}}/openapi.yaml">openapi.yaml</a>
</table>
</html>
`))

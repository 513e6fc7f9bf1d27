// Package office serves the back office: pages on which people find, place and cancel orders, receive goods,
// change prices and import files. The pages call the services as any client does, so a page can do nothing
// that the API cannot.
package office

import (
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/docs"
	"example.com/b2b/v2/internal/web"
)

// files has the files of the pages. The minified scripts and style sheet are in the folder generated, and
// everything else is in the folder page.
//
//go:embed page/index.html page/vendor page/generated generated
var files embed.FS

var page = template.Must(template.ParseFS(files, "page/index.html"))

// SignIn configures how clerks sign in. Without an Issuer, a clerk enters a token. The services must accept
// the access tokens of the Issuer.
type SignIn struct {
	Issuer string // address of an OpenID Connect issuer; its token endpoint must have the same origin
	Client string // id of a public client with authorization code, PKCE, and redirection to /office/
	Scope  string // scopes to request, separated by spaces
}

// Serve adds the pages below /office to the orchestrator's engine. The field o.Others has the addresses of
// the other services. A path below /office that names no file gets the HTML of the back office, whose scripts
// choose the screen by the path.
func Serve(engine *gin.Engine, o web.Options, at SignIn) {
	e := web.Engine{Engine: engine}
	serve := func(c *gin.Context, root string) {
		at.allow(c.Writer.Header())
		web.ServePage(c, page, describe(c.Request.Host, o, root, at))
	}
	e.GET("/office", func(c *gin.Context) { serve(c, "office/") })
	e.GET("/office/*path", func(c *gin.Context) {
		name := strings.TrimPrefix(c.Param("path"), "/")
		for _, folder := range []string{"generated/", "page/"} {
			if path.Ext(name) != ".html" && isFile(folder+name) {
				web.ServeFile(c, files, folder+name)
				return
			}
		}
		serve(c, "./"+strings.Repeat("../", strings.Count(name, "/")))
	})
}

// describe returns the data of the page's template. The parameter host is the host in the browser's request.
// The parameter root is the relative path from the page to /office/. Links must be relative, because a proxy
// may serve the pages below another path.
func describe(host string, o web.Options, root string, at SignIn) any {
	bases := map[string]string{}
	for _, other := range o.Others {
		bases[other.Name] = docs.ForBrowser(other.Base, host)
	}
	return map[string]any{
		"Root": root, "Customers": bases["customers"], "Orders": bases["orders"], "Currency": o.Currency,
		"SignIn": at,
	}
}

// allow lets the page call the issuer: it adds the origin of the issuer to the header
// Content-Security-Policy.
func (s SignIn) allow(h http.Header) {
	issuer, err := url.Parse(s.Issuer)
	if err != nil || s.Issuer == "" {
		return
	}
	const policy = "Content-Security-Policy"
	own := "connect-src 'self'"
	h.Set(policy, strings.Replace(h.Get(policy), own, own+" "+issuer.Scheme+"://"+issuer.Host, 1))
}

func isFile(name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular()
}

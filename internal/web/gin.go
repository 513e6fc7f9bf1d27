package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// Engine is a gin engine in which each route for GET also answers HEAD: RFC 9110, section 9.3.2.
type Engine struct{ *gin.Engine }

// GET registers the handlers for GET and HEAD.
func (e Engine) GET(path string, handlers ...gin.HandlerFunc) gin.IRoutes {
	e.HEAD(path, handlers...)
	return e.Engine.GET(path, handlers...)
}

// ServeHTTP matches a path by its decoded form, unless a slash in the path is escaped: RFC 3986, section
// 6.2.2.2, makes /orders/%71uote and /orders/quote equal.
func (e Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(strings.ToLower(r.URL.RawPath), "%2f") {
		r.URL.RawPath = ""
	}
	e.Engine.ServeHTTP(w, r)
}

// newGin returns an engine without middlewares. The parameter proxies lists addresses and networks:
// X-Forwarded-For counts only in requests from them. newGin panics when an entry is neither an address nor a
// network.
func newGin(proxies []string) Engine {
	gin.SetMode(gin.ReleaseMode)
	e := Engine{gin.New()}
	e.ContextWithFallback = true // the end of the request's context also ends a handler's SQL
	e.HandleMethodNotAllowed = true
	e.UseRawPath = true          // an idempotency key in a path may have an escaped slash
	e.UnescapePathValues = false // gin would turn + into a space; see unescapePath
	// A path with a wrong slash at its end gets an error in JSON; gin's redirect would have an HTML body.
	e.RedirectTrailingSlash = false
	if err := e.SetTrustedProxies(proxies); err != nil {
		panic(err)
	}
	e.RemoteIPHeaders = []string{forwardedFor} // not X-Real-IP, because a caller may send any value
	return e
}

// unescapePath unescapes the parameters of the path: RFC 3986, section 2.1.
func unescapePath(c *gin.Context) {
	if c.Request.URL.RawPath == "" {
		return // gin has matched URL.Path, which net/url has unescaped
	}
	for i, p := range c.Params {
		if value, err := url.PathUnescape(p.Value); err == nil {
			c.Params[i].Value = value
		}
	}
}

// CopyContext is a middleware for the generated strict server. It gives handlers a copy of gin's context,
// because gin reuses contexts: a database driver may watch a context after gin has given it to another
// request.
func CopyContext[H ~func(*gin.Context, any) (any, error)](next H, _ string) H {
	return func(c *gin.Context, request any) (any, error) { return next(c.Copy(), request) }
}

package web

import (
	"net/url"

	"github.com/gin-gonic/gin"
)

// Engine is a gin engine on which every GET answers HEAD, too: RFC 9110, section 9.3.2.
type Engine struct{ *gin.Engine }

// GET registers the handlers for GET and HEAD.
func (e Engine) GET(path string, handlers ...gin.HandlerFunc) gin.IRoutes {
	e.HEAD(path, handlers...)
	return e.Engine.GET(path, handlers...)
}

// newGin returns an engine without middlewares. Only the X-Forwarded-For of these proxies counts.
func newGin(proxies []string) Engine {
	gin.SetMode(gin.ReleaseMode)
	e := Engine{gin.New()}
	e.ContextWithFallback = true // a handler's ctx is the request's: its deadline and cancellation reach SQL
	e.HandleMethodNotAllowed = true
	e.UseRawPath = true             // an idempotency key in a path may hold a slash
	e.UnescapePathValues = false    // gin would take a + for a space; see unescapePath
	e.RedirectTrailingSlash = false // an error is JSON; a redirect would be HTML
	if err := e.SetTrustedProxies(proxies); err != nil {
		panic(err)
	}
	e.RemoteIPHeaders = []string{forwardedFor} // a caller may send any X-Real-IP
	return e
}

// unescapePath unescapes the path's parameters: RFC 3986, section 2.1.
func unescapePath(c *gin.Context) {
	if c.Request.URL.RawPath == "" {
		return // gin has matched the path that net/url has unescaped
	}
	for i, p := range c.Params {
		if value, err := url.PathUnescape(p.Value); err == nil {
			c.Params[i].Value = value
		}
	}
}

// CopyContext is a strict middleware that gives handlers a copy of gin's context. The generated strict server
// passes gin's pooled context as ctx, and a database driver may still watch it when gin has given it to
// another request.
func CopyContext[H ~func(*gin.Context, any) (any, error)](next H, _ string) H {
	return func(c *gin.Context, request any) (any, error) { return next(c.Copy(), request) }
}

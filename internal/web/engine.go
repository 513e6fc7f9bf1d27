// Package web is the HTTP engine of every service: a chain of middlewares that holds each request to the
// service's OpenAPI document, and the one place where errors become HTTP.
package web

import (
	"cmp"
	"log/slog"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/buildinfo"
	"example.com/b2b/internal/docs"
	"example.com/b2b/openapi/contract"
)

// Options configure an engine.
type Options struct {
	Document []byte        // the service's OpenAPI document, in YAML
	Open     bool          // callers without a token may do all that the document does not keep for services
	Tokens   auth.Tokens   // accepted tokens
	Log      *slog.Logger  // gets a line of at most 4 KB for each request
	Timeout  time.Duration // of a request, once its body is read; of a file, without a byte read or written
	// BodyTimeout is for a body, and for each 64 KiB of a file that is received or sent; 0 is ten seconds.
	BodyTimeout time.Duration
	Limits      Limits
	Browsers    Browsers

	// CorrelationIDInBody is for the orchestrator: the correlation id may come as `correlation_id` in the body,
	// and every error has it as `correlationId`.
	CorrelationIDInBody bool

	Others []docs.Linked // the documentation page links to them
	Front  bool          // callers begin here: see docs.Index
}

// Engine is a gin engine on which every GET answers HEAD, too: RFC 9110, section 9.3.2.
type Engine struct{ *gin.Engine }

// GET registers the handlers for GET and HEAD.
func (e Engine) GET(path string, handlers ...gin.HandlerFunc) gin.IRoutes {
	e.HEAD(path, handlers...)
	return e.Engine.GET(path, handlers...)
}

// New returns an engine for the generated handlers. It panics when the document, a part of the program, cannot
// be read, or Limits.Proxies are not addresses.
func New(o Options) Engine {
	document, spec := docs.Served(o.Document, o.Open)
	operations := newOperations(spec)
	bodyTimeout := cmp.Or(o.BodyTimeout, 10*time.Second)

	e := newGin(o.Limits.Proxies)
	e.Use(
		unescapePath,
		readForwarded,
		beginCall(operations, o.CorrelationIDInBody),
		accessLog(o.Log),
		bufferResponse,
		recoverPanics,
		securityHeaders(pagePolicy(o.Browsers, o.Others)),
		guardBrowsers(o.Browsers),
		forOperations(operations.refuseMethod),
		forOperations(announceSunset),
		forOperations(authorize(o.Tokens, newRateLimiter(o.Limits))),
		forOperations(validate(bodyTimeout, o.CorrelationIDInBody)),
		forOperations(limitTime(o.Timeout, bodyTimeout)),
		forOperations(limitWork(newWorkLimits(o.Limits))),
		forOperations(keepConnection),
	)
	e.NoRoute(notFound)
	e.NoMethod(methodNotAllowed)
	serveDocs(e, document, spec, o.Others, o.Front)
	return e
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

func notFound(c *gin.Context) { Fail(c, apperr.NotFound.New(c.Request.URL.Path)) }

// methodNotAllowed expects the header Allow to be set, by gin for example.
func methodNotAllowed(c *gin.Context) { Fail(c, apperr.MethodNotAllowed.New(c.Request.Method)) }

// CopyContext is a strict middleware that gives handlers a copy of gin's context. The generated strict server
// passes gin's pooled context as ctx, and a database driver may still watch it when gin has given it to another
// request.
func CopyContext[H ~func(*gin.Context, any) (any, error)](next H, _ string) H {
	return func(c *gin.Context, request any) (any, error) { return next(c.Copy(), request) }
}

// Health returns a service's answer to /health and /ready.
func Health(service string) contract.Health {
	return contract.Health{Status: "ok", Service: service, Version: buildinfo.Version()}
}

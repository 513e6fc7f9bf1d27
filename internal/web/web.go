// Package web is the gin engine that every service runs on: correlation id, log line, recovery, time limit, validation and
// authentication by the service's own OpenAPI document, the documentation pages, and the one place where errors become HTTP.
package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/buildinfo"
)

// Options says what an engine serves.
type Options struct {
	Document     []byte        // the OpenAPI document that requests are held to, in YAML
	ServiceToken string        // what the bearer of `serviceToken` security must present; nobody does when it is empty
	Log          *slog.Logger  // one line a request, of at most 4 KB
	Timeout      time.Duration // of a request, once its body is read
	BodyTimeout  time.Duration // how long a caller may take to send the body; 0 is ten seconds

	// CorrelationIDInBody is for the orchestrator: its callers may give the id as `correlation_id` in the body, and find it as
	// `correlationId` in every error.
	CorrelationIDInBody bool

	spec *openapi3.T // Document, read
}

// CorrelationHeader names a call across services. See CorrelationID.
const CorrelationHeader = "X-Correlation-Id"

// Engine is a gin engine on which every GET answers HEAD, too: RFC 9110, section 9.3.2.
type Engine struct{ *gin.Engine }

// GET registers the handlers for GET and HEAD.
func (e Engine) GET(path string, handlers ...gin.HandlerFunc) gin.IRoutes {
	e.HEAD(path, handlers...)
	return e.Engine.GET(path, handlers...)
}

// New returns an engine to register the generated handlers on. It panics when the document cannot be used: it is part of the
// program.
func New(o Options) Engine {
	var err error
	o.Document = withVersion(o.Document, buildinfo.Version())
	if o.spec, err = openapi3.NewLoader().LoadFromData(o.Document); err != nil {
		panic(err)
	}
	o.BodyTimeout = cmp.Or(o.BodyTimeout, bodyTimeout)
	gin.SetMode(gin.ReleaseMode)
	e := Engine{gin.New()}
	e.ContextWithFallback = true // a handler's ctx is the request's: its deadline and cancellation reach SQL
	e.HandleMethodNotAllowed = true
	e.UseRawPath = true             // an idempotency key in a path may hold a slash
	e.RedirectTrailingSlash = false // an error is JSON; a redirect would be HTML
	v := newValidator(o)
	e.Use(withoutBody, o.observe, o.recover, v.validate)
	e.NoRoute(notFound)
	e.NoMethod(func(c *gin.Context) { // gin has set Allow
		Fail(c, apperr.MethodNotAllowed.New(c.Request.Method))
	})
	serveDocs(e, o)
	return e
}

func notFound(c *gin.Context) {
	Fail(c, apperr.NotFound.New(c.Request.URL.Path))
}

// withoutBody answers HEAD with the headers of GET.
func withoutBody(c *gin.Context) {
	if c.Request.Method != http.MethodHead {
		return
	}
	w := c.Writer
	held := hold(c)
	c.Next()
	c.Writer = w
	if held.body.Len() > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(held.body.Len()))
	}
	w.WriteHeader(held.status)
	w.WriteHeaderNow()
}

// observe names the call, and logs it in one line once it is answered.
func (o Options) observe(c *gin.Context) {
	start := time.Now()
	call := &call{correlationID: c.GetHeader(CorrelationHeader), inBody: o.CorrelationIDInBody, stopClock: func() {}}
	defer func() { call.stopClock() }()
	if !saneCorrelationID.MatchString(call.correlationID) {
		call.correlationID = rand.Text()
	}
	c.Header(CorrelationHeader, call.correlationID)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), callKey{}, call))
	c.Next()

	level, status := slog.LevelInfo, c.Writer.Status()
	err := c.Errors.Last()
	if err != nil && errors.Is(c.Request.Context().Err(), context.Canceled) {
		status = statusCallerGone
	}
	attrs := []slog.Attr{
		slog.String("method", clip(c.Request.Method, 20)),
		slog.String("path", clip(c.Request.URL.Path, 500)),
		slog.Int("status", status),
		slog.Float64("ms", float64(time.Since(start).Microseconds())/1000),
		slog.String("correlation_id", call.correlationID),
	}
	if key := c.GetHeader(IdempotencyHeader); key != "" {
		attrs = append(attrs, slog.String("idempotency_key", clip(key, 300)), slog.Bool("replayed", c.Writer.Header().Get("Idempotency-Replayed") != ""))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", clip(err.Error(), 2500)))
		if status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	} else if c.FullPath() == "/health" || c.FullPath() == "/ready" {
		level = slog.LevelDebug
	}
	o.Log.LogAttrs(c.Request.Context(), level, "request", attrs...)
}

// clip cuts s where it would take more than about limit bytes in a line of the log, where some characters are escaped.
func clip(s string, limit int) string {
	for i, r := range s {
		switch {
		case r == '"' || r == '\\' || r == '\n' || r == '\t':
			limit -= 2
		case r < ' ' || r > '~':
			limit -= 6
		default:
			limit--
		}
		if limit < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// startClock limits the time of the request from now on.
func startClock(c *gin.Context, limit time.Duration) {
	ctx, stop := context.WithTimeout(c.Request.Context(), limit)
	c.Request.Context().Value(callKey{}).(*call).stopClock = stop
	c.Request = c.Request.WithContext(ctx)
}

func (o Options) recover(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			Fail(c, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	c.Next()
}

// call is what is known of a request before its handler runs.
type call struct {
	correlationID string
	inBody        bool   // errors carry it in the body too
	stopClock     func() // frees what limits its time
}

type callKey struct{}

// saneCorrelationID keeps what could forge a log line or a header out of both.
var saneCorrelationID = regexp.MustCompile(`^[A-Za-z0-9._:/+=@-]{1,128}$`)

// CorrelationID returns the id of the call that ctx belongs to: the caller's when it sent a sane one, else one made up.
func CorrelationID(ctx context.Context) string {
	if call, ok := ctx.Value(callKey{}).(*call); ok {
		return call.correlationID
	}
	return ""
}

// adoptCorrelationID takes the id from the body of the orchestrator's callers.
func adoptCorrelationID(c *gin.Context, body any) {
	fields, _ := body.(map[string]any)
	if id, _ := fields["correlation_id"].(string); saneCorrelationID.MatchString(id) {
		c.Request.Context().Value(callKey{}).(*call).correlationID = id
		c.Header(CorrelationHeader, id)
	}
}

// CopyContext is a strict middleware. The generated strict server hands gin's pooled context to the handler as its ctx, and a
// database driver may still watch that after gin has given it to another request; so the handler gets a copy.
func CopyContext[H ~func(*gin.Context, any) (any, error)](next H, _ string) H {
	return func(c *gin.Context, request any) (any, error) { return next(c.Copy(), request) }
}

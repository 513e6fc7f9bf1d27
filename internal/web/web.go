// Package web is the gin engine that every service runs on: correlation id, log line, recovery, time limit, validation and
// authentication by the service's own OpenAPI document, the documentation pages, and the one place where errors become HTTP.
package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
)

// Options says what an engine serves.
type Options struct {
	Spec         *openapi3.T  // the document that requests are held to
	YAML         []byte       // the same, as it was written
	ServiceToken string       // what the bearer of `serviceToken` security must present
	Log          *slog.Logger // one line a request
	Timeout      time.Duration

	// CorrelationIDInBody is for the orchestrator: its callers may give the id as `correlation_id` in the body, and find it as
	// `correlationId` in every error.
	CorrelationIDInBody bool
}

// CorrelationHeader names a call across services. See CorrelationID.
const CorrelationHeader = "X-Correlation-Id"

// New returns an engine to register the generated handlers on. It panics when the document cannot be used: it is part of the
// program.
func New(o Options) *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.ContextWithFallback = true // a handler's ctx is the request's: its deadline and cancellation reach SQL
	e.HandleMethodNotAllowed = true
	e.UseRawPath = true             // an idempotency key in a path may hold a slash
	e.RedirectTrailingSlash = false // an error is JSON; a redirect would be HTML
	v := newValidator(o)
	e.Use(o.observe, o.recover, v.validate)
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

// observe names the call, limits its time, and logs it in one line once it is answered.
func (o Options) observe(c *gin.Context) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(c.Request.Context(), o.Timeout)
	defer cancel()
	call := &call{correlationID: c.GetHeader(CorrelationHeader), inBody: o.CorrelationIDInBody}
	if !saneCorrelationID.MatchString(call.correlationID) {
		call.correlationID = rand.Text()
	}
	c.Header(CorrelationHeader, call.correlationID)
	c.Request = c.Request.WithContext(context.WithValue(ctx, callKey{}, call))
	c.Next()

	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("method", c.Request.Method),
		slog.String("path", c.Request.URL.Path),
		slog.Int("status", c.Writer.Status()),
		slog.Float64("ms", float64(time.Since(start).Microseconds())/1000),
		slog.String("correlation_id", call.correlationID),
	}
	if key := c.GetHeader(IdempotencyHeader); key != "" {
		attrs = append(attrs, slog.String("idempotency_key", key), slog.Bool("replayed", c.Writer.Header().Get("Idempotency-Replayed") != ""))
	}
	if err := c.Errors.Last(); err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
		if c.Writer.Status() >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	} else if c.FullPath() == "/health" || c.FullPath() == "/ready" {
		level = slog.LevelDebug
	}
	o.Log.LogAttrs(ctx, level, "request", attrs...)
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
	inBody        bool // errors carry it in the body too
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
func adoptCorrelationID(c *gin.Context, body []byte) {
	var named struct {
		CorrelationID string `json:"correlation_id"`
	}
	if json.Unmarshal(body, &named) == nil && saneCorrelationID.MatchString(named.CorrelationID) {
		c.Request.Context().Value(callKey{}).(*call).correlationID = named.CorrelationID
		c.Header(CorrelationHeader, named.CorrelationID)
	}
}

// CopyContext is a strict middleware. The generated strict server hands gin's pooled context to the handler as its ctx, and a
// database driver may still watch that after gin has given it to another request; so the handler gets a copy.
func CopyContext[H ~func(*gin.Context, any) (any, error)](next H, _ string) H {
	return func(c *gin.Context, request any) (any, error) { return next(c.Copy(), request) }
}

// Package web is the gin engine that every service runs on: correlation id, log line, recovery, time limit,
// validation and authentication by the service's own OpenAPI document, the documentation pages, and the one
// place where errors become HTTP.
package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/buildinfo"
	"example.com/b2b/internal/formats"
	"example.com/b2b/openapi/contract"
)

// Options says what an engine serves.
type Options struct {
	Document    []byte        // the OpenAPI document that requests are held to, in YAML
	Tokens      auth.Tokens   // which tokens are accepted
	Open        bool          // callers without a token are let in, except to what is for services: the document says so
	Log         *slog.Logger  // one line a request, of at most 4 KB
	Timeout     time.Duration // of a request, once its body is read
	BodyTimeout time.Duration // how long a caller may take to send the body, or to send or take 64 KiB of a file; 0 is ten seconds
	Limits      Limits
	Browsers    Browsers

	// CorrelationIDInBody is for the orchestrator: its callers may give the id as `correlation_id` in the
	// body, and find it as `correlationId` in every error.
	CorrelationIDInBody bool

	Others []Documented // its documentation page links to theirs
	Front  bool         // callers begin here: the page shows the documents of the others, too, and links to a start page

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

// New returns an engine to register the generated handlers on. It panics when the document, a part of the
// program, cannot be read, or Limits.Proxies are not addresses.
func New(o Options) Engine {
	o.Document, o.spec = o.Served(o.Document)
	o.BodyTimeout = cmp.Or(o.BodyTimeout, 10*time.Second)
	gin.SetMode(gin.ReleaseMode)
	e := Engine{gin.New()}
	e.ContextWithFallback = true // a handler's ctx is the request's: its deadline and cancellation reach SQL
	e.HandleMethodNotAllowed = true
	e.UseRawPath = true             // an idempotency key in a path may hold a slash
	e.UnescapePathValues = false    // gin would take a + for a space; see unescapePath
	e.RedirectTrailingSlash = false // an error is JSON; a redirect would be HTML
	v := newValidator(o)
	if err := e.SetTrustedProxies(o.Limits.Proxies); err != nil {
		panic(err)
	}
	e.RemoteIPHeaders = []string{forwardedFor} // X-Real-IP may be the caller's own
	e.Use(unescapePath, readForwarded, o.accessLog, v.bufferResponse, answerPanics, v.securityHeaders, v.browser.check, v.validate)
	e.NoRoute(notFound)
	e.NoMethod(func(c *gin.Context) { Fail(c, apperr.MethodNotAllowed.New(c.Request.Method)) }) // gin has set Allow
	v.browser.allowPages(o.Others)
	serveDocs(e, o)
	return e
}

// Served returns a document as it is served, in YAML and read: it says which version of the program serves
// it, and when o is open, that callers need no token. It panics when the document cannot be read.
func (o Options) Served(document []byte) ([]byte, *openapi3.T) {
	if o.Open {
		document = anyToken.ReplaceAll(document, []byte("$1- {}\n$0"))
	}
	spec, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		panic(err)
	}
	placeholder, version := "version: "+spec.Info.Version, "version: "+strconv.Quote(buildinfo.Version())
	spec.Info.Version = buildinfo.Version()
	return bytes.Replace(document, []byte(placeholder), []byte(version), 1), spec
}

// anyToken begins the security of an operation that needs a caller's token.
var anyToken = regexp.MustCompile(`(?m)^( +)- bearerAuth:`)

func notFound(c *gin.Context) { Fail(c, apperr.NotFound.New(c.Request.URL.Path)) }

// unescapePath makes of the path's parameters what they mean: RFC 3986, section 2.1.
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

// accessLog names the call, and logs it in one line once it is answered.
func (o Options) accessLog(c *gin.Context) {
	start := time.Now()
	call := &call{correlationID: c.GetHeader(CorrelationHeader), inBody: o.CorrelationIDInBody}
	if !formats.IsCorrelationID(call.correlationID) {
		call.correlationID = rand.Text()
	}
	c.Header(CorrelationHeader, call.correlationID)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), callKey{}, call))
	c.Next()

	level, status, err := slog.LevelInfo, c.Writer.Status(), c.Errors.Last()
	switch {
	case err != nil && call.left:
		status = 499 // the caller has hung up; nginx made the number customary
	case err != nil && status >= http.StatusInternalServerError:
		level = slog.LevelError
	case err == nil && (c.FullPath() == "/health" || c.FullPath() == "/ready"):
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{
		slog.String("method", loggable(c.Request.Method, 20)),
		slog.String("path", loggable(c.Request.URL.Path, 500)),
		slog.Int("status", status),
		slog.Float64("ms", float64(time.Since(start).Microseconds())/1000),
		slog.String("correlation_id", loggable(call.correlationID, 128)),
	}
	if key := c.GetHeader(IdempotencyHeader); key != "" {
		replayed := c.Writer.Header().Get("Idempotency-Replayed") != ""
		attrs = append(attrs, slog.String("idempotency_key", loggable(key, 300)), slog.Bool("replayed", replayed))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", loggable(err.Error(), 2500)))
	}
	o.Log.LogAttrs(c.Request.Context(), level, "request", attrs...)
	if call.cut {
		panic(http.ErrAbortHandler) // the connection ends, and the caller sees that the answer is not whole
	}
}

// etag names a representation by the hash of its JSON, which changes with whatever the caller can see: RFC
// 9110, section 8.8.3.
func etag(body []byte) string {
	sum := sha256.Sum256(bytes.TrimSpace(body))
	return fmt.Sprintf(`"%x"`, sum[:16])
}

// entityTag is one of a list: RFC 9110, section 8.8.3. It may hold commas.
var entityTag = regexp.MustCompile(`(?:W/)?"[!#-~\x80-\x{10ffff}]*"`)

// names reports whether the value of If-Match or If-None-Match has this tag, or is *. A weak tag (W/) never
// names a strong one. The quotes around a single tag may be left out, as some clients do; what is no list of
// tags names nothing.
func names(list, tag string) bool {
	list = strings.TrimSpace(list)
	return list == "*" || `"`+list+`"` == tag || slices.Contains(entityTag.FindAllString(list, -1), tag)
}

// Precondition returns 412 precondition_failed when ifMatch, if given, does not name current, the body that a
// read would answer with. Ask it while nobody else can change the thing.
func Precondition(ifMatch *string, current any) error {
	if ifMatch == nil {
		return nil
	}
	body, err := json.Marshal(current)
	if err == nil && !names(*ifMatch, etag(body)) {
		return apperr.PreconditionFailed.New()
	}
	return err
}

// bufferResponse keeps every answer but files back until all of it is known. HEAD gets the headers of GET
// without the body. Where the document promises an ETag on 200, hold adds it, and answers 304 when the caller
// has that state already.
func (v *validator) bufferResponse(c *gin.Context) {
	if v.operation(c).streams {
		c.Next()
		return
	}
	isHead, tagged := c.Request.Method == http.MethodHead, v.operation(c).tagged
	w, held := c.Writer, &heldAnswer{ResponseWriter: c.Writer}
	c.Writer = held
	c.Next()
	c.Writer = w
	body := held.body.Bytes()
	if tagged && w.Status() == http.StatusOK {
		tag := etag(body)
		w.Header().Set("ETag", tag)
		// If-None-Match compares weakly: RFC 9110, section 13.1.2.
		seen := strings.ReplaceAll(c.GetHeader("If-None-Match"), "W/", "")
		if (isHead || c.Request.Method == http.MethodGet) && names(seen, tag) {
			w.Header().Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			body = nil
		}
	}
	if isHead && len(body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = nil
	}
	if w.WriteHeaderNow(); len(body) > 0 {
		_, _ = w.Write(body)
	}
}

// heldAnswer takes an answer's body.
type heldAnswer struct {
	gin.ResponseWriter
	body bytes.Buffer
}

func (h *heldAnswer) Write(b []byte) (int, error)       { return h.body.Write(b) }
func (h *heldAnswer) WriteString(s string) (int, error) { return h.body.WriteString(s) }
func (h *heldAnswer) Written() bool                     { return h.body.Len() > 0 }
func (h *heldAnswer) WriteHeaderNow()                   {}
func (h *heldAnswer) Unwrap() http.ResponseWriter       { return h.ResponseWriter } // the deadline of a body is its connection's

func answerPanics(c *gin.Context) {
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
	cut           bool // an answer ended in the middle
	left          bool // the caller's connection ended, and the work with it
}

type callKey struct{}

// CorrelationID returns the id of the call that ctx belongs to: the caller's when it sent a sane one, else
// one made up.
func CorrelationID(ctx context.Context) string {
	if call, ok := ctx.Value(callKey{}).(*call); ok {
		return call.correlationID
	}
	return ""
}

// LoggedCorrelationID returns CorrelationID as the access log shows it.
func LoggedCorrelationID(ctx context.Context) string { return loggable(CorrelationID(ctx), 128) }

// CopyContext is a strict middleware. The generated strict server hands gin's pooled context to the handler
// as its ctx, and a database driver may still watch that after gin has given it to another request; so the
// handler gets a copy.
func CopyContext[H ~func(*gin.Context, any) (any, error)](next H, _ string) H {
	return func(c *gin.Context, request any) (any, error) { return next(c.Copy(), request) }
}

// Health is what a service answers to /health and /ready.
func Health(service string) contract.Health {
	return contract.Health{Status: "ok", Service: service, Version: buildinfo.Version()}
}

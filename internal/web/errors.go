package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/correlation"
)

// envelope is the body of every error.
type envelope struct {
	Success       bool            `json:"success"`
	Error         string          `json:"error"`
	Code          string          `json:"code"`
	CorrelationID string          `json:"correlationId,omitempty"`
	Details       []apperr.Detail `json:"details,omitempty"`
}

// Fail answers with the public part of err (see apperr.Public), and keeps err for the access log. After the
// first bytes of a file, Fail cannot send another answer: accessLog then closes the connection, unless the
// file itself has reported err (see bulk.ErrReported).
func Fail(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
	call, public := callOf(c), apperr.Public(c.Request.Context(), err)
	call.code = "other" // for an error with a code that only another service has: see apperr.Relayed
	if slices.Contains(apperr.Catalogue(), public.Code) {
		call.code = public.Name
	}
	if c.Writer.Written() { // too late for another answer
		_, isFile := c.Writer.(*fileWriter)
		call.cut = call.cut || isFile && !errors.As(err, new(bulk.ErrReported))
		return
	}
	if call.operation != nil && call.operation.row != nil && c.Request.ContentLength < 0 {
		// Before net/http sends the answer to an upload of unknown length, it reads the rest of the upload, up to
		// 256 KB. Limit this time.
		_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(restTimeout))
	}
	if public.Retry == apperr.Later && c.Writer.Header().Get("Retry-After") == "" {
		c.Header("Retry-After", "1") // a second
	}
	if apperr.IsHeld(err) && auth.From(c.Request.Context()).ByService {
		c.Header(apperr.HeldHeader, "true")
	}
	// The header Link has the form of RFC 8288. The page has an anchor for each code.
	c.Header("Link", "<"+basePath(c)+"/docs/errors#"+public.Name+`>; rel="help"`)
	if public.Status == http.StatusUnauthorized {
		challenge := "Bearer" // RFC 6750, section 3
		if c.GetHeader("Authorization") != "" {
			challenge += ` error="invalid_token"`
		}
		c.Header("WWW-Authenticate", challenge)
	}
	body := envelope{Error: public.Message, Code: public.Name, Details: public.Details}
	if call.correlateBody {
		body.CorrelationID = correlation.ID(c.Request.Context())
	}
	encoded, _ := json.Marshal(body)
	c.Data(public.Status, "application/json", append(encoded, '\n'))
}

// restTimeout limits the time to receive the rest of a refused upload. It is long enough for a small file. It
// is shorter than BodyTimeout, because the answer must be sent within BodyTimeout.
const restTimeout = 500 * time.Millisecond

// FailBinding answers 400 validation_failed when the generated strict server cannot bind a validated value.
// No known value causes this error.
func FailBinding(c *gin.Context, err error) { Fail(c, apperr.ValidationFailed.Because(err)) }

// FailParameter is FailBinding in the form that the generated gin server needs.
func FailParameter(c *gin.Context, err error, _ int) { FailBinding(c, err) }

func notFound(c *gin.Context) { Fail(c, apperr.NotFound.New(c.Request.URL.Path)) }

// methodNotAllowed answers 405 method_not_allowed. The caller must set the header Allow first; gin sets the
// header for NoMethod.
func methodNotAllowed(c *gin.Context) { Fail(c, apperr.MethodNotAllowed.New(c.Request.Method)) }

// recoverPanics answers a panic with 500 internal, and logs the stack.
func recoverPanics(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			Fail(c, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	c.Next()
}

package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/bulk"
	"example.com/b2b/internal/correlation"
)

// envelope is the body of every error.
type envelope struct {
	Success       bool            `json:"success"`
	Error         string          `json:"error"`
	Code          string          `json:"code"`
	CorrelationID string          `json:"correlationId,omitempty"`
	Details       []apperr.Detail `json:"details,omitempty"`
}

// Fail answers with err, as far as the caller may see it (see apperr.Public), and keeps it for the access
// log. After the first bytes of a file it cuts the connection instead, unless the file reports the error
// itself.
func Fail(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
	call := callOf(c)
	if c.Writer.Written() { // too late for another answer
		_, isFile := c.Writer.(*fileWriter)
		call.cut = call.cut || isFile && !errors.As(err, new(bulk.ErrReported))
		return
	}
	public := apperr.Public(c.Request.Context(), err)
	if public.Retry == apperr.Later && c.Writer.Header().Get("Retry-After") == "" {
		c.Header("Retry-After", "1") // second
	}
	c.Header("Link", "</docs/errors#"+public.Name+`>; rel="help"`) // RFC 8288; an anchor of the page
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

// FailBinding is for the generated strict server: a validated value could not be bound, which happens to no
// known value.
func FailBinding(c *gin.Context, err error) { Fail(c, apperr.ValidationFailed.Because(err)) }

// FailParameter is FailBinding for the generated gin server.
func FailParameter(c *gin.Context, err error, _ int) { FailBinding(c, err) }

func notFound(c *gin.Context) { Fail(c, apperr.NotFound.New(c.Request.URL.Path)) }

// methodNotAllowed expects the header Allow to be set, by gin for example.
func methodNotAllowed(c *gin.Context) { Fail(c, apperr.MethodNotAllowed.New(c.Request.Method)) }

// recoverPanics answers a panic with 500 internal, and logs its stack.
func recoverPanics(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			Fail(c, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	c.Next()
}

package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
)

// envelope is the body of every error, in the words of the contract.
type envelope struct {
	Success       bool            `json:"success"`
	Error         string          `json:"error"`
	Code          string          `json:"code"`
	CorrelationID string          `json:"correlationId,omitempty"`
	Details       []apperr.Detail `json:"details,omitempty"`
}

// The longest that a document allows, in characters, and the most details.
const (
	maxError   = 2000
	maxField   = 500
	maxMessage = 1000
	mostFields = 1000
)

// statusCallerGone is for the log only: the caller has hung up. nginx made the number customary.
const statusCallerGone = 499

// Fail answers with err and keeps it for the log line. What is not an *apperr.Error is a defect, or time that ran out, or a caller
// who has gone or has closed its half of the connection; the caller learns nothing more of it.
func Fail(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
	if c.Writer.Written() {
		return // too late for another answer; the log has it
	}
	var refusal *apperr.Error
	if !errors.As(err, &refusal) {
		refusal = apperr.Internal.New()
	}
	switch ended := c.Request.Context().Err(); {
	case refusal.Status >= http.StatusInternalServerError && errors.Is(ended, context.DeadlineExceeded) && refusal.Status != http.StatusGatewayTimeout:
		refusal = apperr.Timeout.New()
	case refusal.Status == http.StatusInternalServerError && errors.Is(ended, context.Canceled):
		refusal = apperr.Unavailable.New()
	}
	if wait := refusal.RetryAfter(); wait > 0 {
		c.Header("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	if refusal.Status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", "Bearer") // RFC 6750, section 3
	}
	body := envelope{Error: shorten(refusal.Message, maxError), Code: refusal.Name}
	for _, d := range refusal.Details[:min(len(refusal.Details), mostFields)] {
		body.Details = append(body.Details, apperr.Detail{Field: shorten(d.Field, maxField), Message: shorten(d.Message, maxMessage)})
	}
	if call, ok := c.Request.Context().Value(callKey{}).(*call); ok && call.inBody {
		body.CorrelationID = call.correlationID
	}
	encoded, _ := json.Marshal(body)
	c.Data(refusal.Status, "application/json", append(encoded, '\n'))
}

// shorten cuts s to so many characters.
func shorten(s string, most int) string {
	characters := 0
	for i := range s {
		if characters++; characters == most && utf8.RuneCountInString(s[i:]) > 1 {
			return s[:i] + "…"
		}
	}
	return s
}

// FailBinding answers for a value that passed validation and could not be bound all the same, which no known value does. It is an
// error handler of the generated strict server.
func FailBinding(c *gin.Context, err error) { Fail(c, apperr.ValidationFailed.Because(err)) }

// FailParameter is the same for the generated gin server.
func FailParameter(c *gin.Context, err error, _ int) { FailBinding(c, err) }

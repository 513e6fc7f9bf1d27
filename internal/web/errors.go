package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

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

// statusCallerGone is for the log only: the caller has hung up. nginx made the number customary.
const statusCallerGone = 499

// Fail answers with err and keeps it for the log line. What is not an *apperr.Error is a defect, or time that ran out; the
// caller learns nothing more of it.
func Fail(c *gin.Context, err error) {
	_ = c.Error(err)
	if errors.Is(c.Request.Context().Err(), context.Canceled) {
		c.AbortWithStatus(statusCallerGone)
		return
	}
	if c.Writer.Written() {
		c.Abort() // too late for another answer; the log has it
		return
	}
	var refusal *apperr.Error
	if !errors.As(err, &refusal) {
		refusal = apperr.Internal.New()
	}
	if refusal.Status >= http.StatusInternalServerError && errors.Is(c.Request.Context().Err(), context.DeadlineExceeded) && refusal.Status != http.StatusGatewayTimeout {
		refusal = apperr.Timeout.New()
	}
	if wait := refusal.RetryAfter(); wait > 0 {
		c.Header("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	body := envelope{Error: refusal.Message, Code: refusal.Name, Details: refusal.Details}
	if call, ok := c.Request.Context().Value(callKey{}).(*call); ok && call.inBody {
		body.CorrelationID = call.correlationID
	}
	encoded, _ := json.Marshal(body)
	c.Abort()
	c.Data(refusal.Status, "application/json", append(encoded, '\n'))
}

// FailBinding answers for a value that passed validation and could not be bound all the same: a whole number that is written
// as 10.0 or 1e2. It is an error handler of the generated strict server.
func FailBinding(c *gin.Context, err error) {
	refusal := apperr.ValidationFailed.New()
	refusal.Cause = err
	var number *json.UnmarshalTypeError
	if errors.As(err, &number) {
		refusal.With("/"+strings.ReplaceAll(number.Field, ".", "/"), "must be written as a whole number, without fraction or exponent")
	}
	Fail(c, refusal)
}

// FailParameter is the same for the generated gin server.
func FailParameter(c *gin.Context, err error, _ int) { FailBinding(c, err) }

package b2b

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"example.com/b2b/v2/openapi/contract"
)

// Codes of the SDK. An Error has one of these codes or a code of the services.
const (
	NoAnswer         contract.ErrorCode = "no_answer"         // no answer came; a write may have happened
	NotModified      contract.ErrorCode = "not_modified"      // 304: the version in If-None-Match is current
	UnexpectedAnswer contract.ErrorCode = "unexpected_answer" // another program answered, such as a proxy
)

// Error describes a failed call: a service refused the request or failed, or did not answer.
type Error struct {
	Operation string             // operation id in the OpenAPI document, such as createOrder
	Code      contract.ErrorCode // programs branch on the code; services may get new codes at any time
	Status    int                // HTTP status; 0 without an answer
	Message   string             // sentence for people
	Details   []contract.APIErrorDetail

	CorrelationID  string // identifies the call in the logs of all services
	IdempotencyKey string // key to repeat the call or look up the result; "" for operations without keys
	Retryable      bool   // a repetition with the same key may succeed, and has no second effect

	cause error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s (%s)", e.Operation, e.Message, e.Code) }

// Unwrap returns the cause of NoAnswer, such as context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.cause }

// call is a request with the operation and the idempotency key.
type call struct {
	operation
	*http.Request
	idempotencyKey string
}

// repeatable reports whether c can be sent again without a second effect.
func (c call) repeatable() bool { return c.Method == http.MethodGet || c.idempotencyKey != "" }

// answer returns res with the parameter body as its body when the call was successful, and an *Error
// otherwise. err is the error of the request, if there was no answer.
func (c call) answer(res *http.Response, body []byte, err error) (*http.Response, error) {
	if err != nil {
		return nil, c.noAnswer(err)
	}
	var succeeded struct{ Success bool }
	if slices.Contains(c.ok, res.StatusCode) && json.Unmarshal(body, &succeeded) == nil && succeeded.Success {
		res.Body = io.NopCloser(bytes.NewReader(body))
		return res, nil
	}
	e := c.failure(res.StatusCode)
	var sent contract.ErrorBody
	switch {
	case res.StatusCode == http.StatusNotModified:
		e.Code, e.Message = NotModified, "it has not changed"
	case json.Unmarshal(body, &sent) != nil || sent.Code == "":
		e.Code = UnexpectedAnswer
		e.Message = fmt.Sprintf("somebody else has answered, with status %d", res.StatusCode)
	default:
		e.Code, e.Message = sent.Code, sent.Error
		if sent.Details != nil {
			e.Details = *sent.Details
		}
	}
	e.CorrelationID = cmp.Or(res.Header.Get(correlationHeader), e.CorrelationID)
	return nil, e
}

func (c call) noAnswer(cause error) *Error {
	e := c.failure(0)
	e.Code, e.Message, e.cause = NoAnswer, fmt.Sprintf("no answer came: %v", cause), cause
	return e
}

func (c call) failure(status int) *Error {
	nothingDone := status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
	mayRecover := status == 0 || status == http.StatusInternalServerError || temporary(status)
	return &Error{
		Operation: cmp.Or(c.name, c.Method+" "+c.URL.Path), Status: status,
		CorrelationID: c.Header.Get(correlationHeader), IdempotencyKey: c.idempotencyKey,
		Retryable: nothingDone || mayRecover && c.repeatable(),
	}
}

package b2b

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"example.com/b2b/openapi/contract"
)

// Codes of an Error, in addition to the codes of the services.
const (
	NoAnswer         contract.ErrorCode = "no_answer"         // without an answer; a write may have happened
	NotModified      contract.ErrorCode = "not_modified"      // 304: the version of If-None-Match is current
	UnexpectedAnswer contract.ErrorCode = "unexpected_answer" // not from a service; from a proxy, for example
)

// Error describes a failed call: a service refused the request, or did not answer.
type Error struct {
	Operation string             // operation id of the document, such as createOrder
	Code      contract.ErrorCode // programs branch on the code; more codes may be added at any time
	Status    int                // HTTP status; 0 without an answer
	Message   string             // a sentence for a person
	Details   []contract.APIErrorDetail

	CorrelationID  string // identifies the call in the logs of all services
	IdempotencyKey string // key to repeat the call or look up its result; "" for operations without keys
	Retryable      bool   // repeating the call with the key may succeed, and has no second effect

	cause error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s (%s)", e.Operation, e.Message, e.Code) }

// Unwrap returns the cause of NoAnswer, such as context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.cause }

// call is a request with its operation and key.
type call struct {
	operation
	*http.Request
	idempotencyKey string
}

// repeatable reports whether a second request has no second effect.
func (c call) repeatable() bool { return c.Method == http.MethodGet || c.idempotencyKey != "" }

// answer returns the response of a successful call, with body as its body, else an *Error.
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
	var sent contract.APIError
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

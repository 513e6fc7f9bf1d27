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

// Codes of an Error besides those of the services.
const (
	NoAnswer         contract.ErrorCode = "no_answer"         // none came; a write may have been done all the same
	NotModified      contract.ErrorCode = "not_modified"      // 304: what If-None-Match names is current
	UnexpectedAnswer contract.ErrorCode = "unexpected_answer" // somebody else has answered, such as a proxy
)

// Error is why a call has failed: a service refused it, or none answered.
type Error struct {
	Operation string             // as the documents call it, such as createOrder
	Code      contract.ErrorCode // to branch on; others may be added at any time
	Status    int                // of HTTP; 0 when no answer came
	Message   string             // one sentence for a person
	Details   []contract.APIErrorDetail

	CorrelationID  string // names the call in the logs of every service
	IdempotencyKey string // with which the call was made, to repeat it or to ask what became of it; empty when the operation takes none
	Retryable      bool   // the same call, with that key, may succeed later and does nothing twice

	cause error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s (%s)", e.Operation, e.Message, e.Code) }

// Unwrap returns why no answer came, such as context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.cause }

// call is a request on its way.
type call struct {
	operation
	*http.Request
	idempotencyKey string
}

// repeatable reports whether a second request does nothing that the first has done.
func (c call) repeatable() bool { return c.Method == http.MethodGet || c.idempotencyKey != "" }

// answer returns the answer to a call that has succeeded, else an *Error.
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
		e.Code, e.Message = UnexpectedAnswer, fmt.Sprintf("somebody else has answered, with status %d", res.StatusCode)
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
	mayPass := status == 0 || status == http.StatusInternalServerError || passing(status)
	return &Error{
		Operation: cmp.Or(c.name, c.Method+" "+c.URL.Path), Status: status,
		CorrelationID: c.Header.Get(correlationHeader), IdempotencyKey: c.idempotencyKey,
		Retryable: nothingDone || mayPass && c.repeatable(),
	}
}

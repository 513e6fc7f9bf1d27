package b2b

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"example.com/b2b/v2/openapi/contract"
)

// Codes of the SDK. An Error has one of these codes or a code of the services.
const (
	NoAnswer         contract.ErrorCode = "no_answer"         // no answer came; a write may have taken effect
	NotModified      contract.ErrorCode = "not_modified"      // 304: If-None-Match has the current version
	UnexpectedAnswer contract.ErrorCode = "unexpected_answer" // not an answer of the service; maybe a proxy's
)

// Error describes a failed call: a service refused the request or failed, or did not answer.
type Error struct {
	Operation string             // operation id in the OpenAPI document, such as createOrder
	Code      contract.ErrorCode // services may get new codes at any time
	Status    int                // HTTP status; 0 without an answer
	Message   string             // sentence for people
	Details   []contract.APIErrorDetail

	CorrelationID  string // identifies the call in the logs of all services
	IdempotencyKey string // key to repeat the call or look up the result; "" for operations without keys
	Retryable      bool   // a repetition with the same key may succeed, and has no second effect

	cause error
}

// Error implements error. The text has the code and the details.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s (%s)", e.Operation, e.Message, e.Code)
	for _, d := range e.Details {
		text += fmt.Sprintf(" %s %s.", d.Field, d.Message)
	}
	return text
}

// Unwrap returns why no answer came, such as context.DeadlineExceeded, or why the answer was unexpected. It
// returns nil when the service refused the call.
func (e *Error) Unwrap() error { return e.cause }

// call is a request with the operation and the idempotency key.
type call struct {
	operation
	*http.Request
	idempotencyKey string
}

// repeatable reports whether c can be sent again without a second effect.
func (c call) repeatable() bool { return c.Method == http.MethodGet || c.idempotencyKey != "" }

// answer returns res when the answer is a success, and otherwise an *Error. The body of the returned response
// is the parameter body. The parameter err is the error of the request, or nil.
func (c call) answer(res *http.Response, body []byte, err error) (*http.Response, error) {
	if err != nil {
		return nil, c.noAnswer(err)
	}
	oddity := c.check(res, body)
	if oddity == nil {
		res.Header.Set("Content-Type", jsonType) // the generated clients expect exactly this text
		res.Body, res.Request = io.NopCloser(bytes.NewReader(body)), c.Request
		return res, nil
	}
	var sent map[string]json.RawMessage
	_ = json.Unmarshal(body, &sent) // when body is not a JSON object, sent stays empty
	code := text(sent["code"])
	switch {
	case res.StatusCode == http.StatusNotModified:
		return nil, c.fail(res, NotModified, "it has not changed", nil)
	case code == "":
		return nil, c.unexpected(res, oddity)
	}
	message := cmp.Or(text(sent["error"]), fmt.Sprintf("refused with status %d", res.StatusCode))
	e := c.fail(res, contract.ErrorCode(code), message, nil)
	if res.Header.Get(correlationHeader) == "" {
		e.CorrelationID = cmp.Or(text(sent["correlationId"]), e.CorrelationID)
	}
	var details []json.RawMessage
	_ = json.Unmarshal(sent["details"], &details)
	for _, d := range details {
		if detail, err := decode[contract.APIErrorDetail](d); err == nil {
			e.Details = append(e.Details, detail)
		}
	}
	return nil, e
}

func (c call) noAnswer(cause error) *Error {
	return c.fail(nil, NoAnswer, fmt.Sprintf("no answer came: %v", cause), cause)
}

func (c call) unexpected(res *http.Response, oddity error) *Error {
	message := fmt.Sprintf("the answer, with status %d, is not the service's: %v", res.StatusCode, oddity)
	return c.fail(res, UnexpectedAnswer, message, oddity)
}

// fail returns the error of the failed call c, and decides whether the error is Retryable. The parameter res
// is nil when no answer came.
func (c call) fail(res *http.Response, code contract.ErrorCode, message string, cause error) *Error {
	e := &Error{
		Operation: cmp.Or(c.name, c.Method+" "+c.URL.Path), Code: code, Message: message,
		CorrelationID: c.Header.Get(correlationHeader), IdempotencyKey: c.idempotencyKey, cause: cause,
	}
	if res != nil {
		e.Status = res.StatusCode
		e.CorrelationID = cmp.Or(res.Header.Get(correlationHeader), e.CorrelationID)
	}
	nothingDone := e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooManyRequests
	mayRecover := e.Status == 0 || e.Status == http.StatusInternalServerError || temporary(e.Status)
	e.Retryable = nothingDone || mayRecover && c.repeatable()
	return e
}

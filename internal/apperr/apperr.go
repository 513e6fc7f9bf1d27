// Package apperr holds the one error type with which this system refuses a request or reports a fault. It is made where the
// reason is known and mapped to HTTP in package web only.
package apperr

import (
	"fmt"
	"time"
)

// Kind says in which way a request failed; web gives each its HTTP status.
type Kind int

const (
	KindInternal      Kind = iota // a defect of ours
	KindInvalid                   // the request breaks a rule, or the state of things forbids it
	KindUnauthorized              // who calls is not known
	KindNotFound                  // the thing, or the path, does not exist
	KindNotAllowed                // the path exists, the method does not
	KindConflict                  // it would break uniqueness
	KindPrecondition              // the thing has changed since the caller saw it
	KindTooLarge                  // the body is too large
	KindUnsupported               // the body has another media type
	KindUnprocessable             // the idempotency key stands for another request
	KindUnavailable               // a passing fault: trying again may help
	KindTimeout                   // time ran out
)

// Codes that more than one package uses. They are part of the contract: each spec lists those that it can answer.
const (
	CodeInternal              = "internal"
	CodeMalformedJSON         = "malformed_json"
	CodeValidationFailed      = "validation_failed"
	CodeNotFound              = "not_found"
	CodeUnavailable           = "unavailable"
	CodeTimeout               = "timeout"
	CodeCustomerNotFound      = "customer_not_found"
	CodeIdempotencyKeyMissing = "idempotency_key_required"
)

// Detail says what is wrong with one field.
type Detail struct {
	Field   string `json:"field"` // JSON pointer into the body, or /query/…, /path/…, /header/…
	Message string `json:"message"`
}

// Error is a refusal or a fault, as the caller shall see it, with its cause for the log.
type Error struct {
	Kind       Kind
	Code       string // stable, snake_case
	Message    string // one sentence for a person
	Details    []Detail
	RetryAfter time.Duration // when to try again; 0 says nothing
	Cause      error         // for the log only
}

// New returns an error whose message is formatted from format and args.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Unavailable returns the error for a passing fault of something that this service needs.
func Unavailable(cause error) *Error {
	return &Error{Kind: KindUnavailable, Code: CodeUnavailable, RetryAfter: time.Second, Cause: cause,
		Message: "The service cannot do this right now; try again."}
}

// Validation returns the 400 for fields that break a rule.
func Validation(details ...Detail) *Error {
	return &Error{Kind: KindInvalid, Code: CodeValidationFailed, Message: "The request is not valid.", Details: details}
}

// With adds a detail and returns e.
func (e *Error) With(field, format string, args ...any) *Error {
	e.Details = append(e.Details, Detail{Field: field, Message: fmt.Sprintf(format, args...)})
	return e
}

// Error is what the log shows.
func (e *Error) Error() string {
	text := e.Code + ": " + e.Message
	for _, d := range e.Details {
		text += " " + d.Field + " " + d.Message + "."
	}
	if e.Cause != nil {
		text += " Cause: " + e.Cause.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Cause }

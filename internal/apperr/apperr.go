// Package apperr holds the error type for refusals and faults, and the catalogue of error codes. The function
// that finds the reason of a failure makes the error. Only package web turns errors into HTTP answers.
package apperr

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Detail describes a problem with a single field.
type Detail struct {
	Field   string `json:"field"` // JSON pointer into the body, or /query/…, /path/… or /header/…
	Message string `json:"message"`
	Params  Params `json:"params,omitempty"` // values in Message; another service may send none
}

// Params holds the values that a message mentions, so that programs can read them. Values are strings,
// numbers or booleans. The keys are part of the contract. The value of the key "rule" is the rule that the
// field breaks.
type Params map[string]any

// Error is a refusal of a request or a fault of the system, with a text for the caller and the cause for the
// log.
type Error struct {
	*Code
	Message string // sentence for people
	Details []Detail
	Cause   error // underlying error, for the log; never sent to the caller
}

// New returns an error with code c. The args are the arguments of the format c.Sentence.
func (c *Code) New(args ...any) *Error {
	return &Error{Code: c, Message: fmt.Sprintf(c.Sentence, args...)}
}

// Because returns an error like New, with a cause for the log.
func (c *Code) Because(cause error, args ...any) *Error {
	e := c.New(args...)
	e.Cause = cause
	return e
}

// From returns the first *Error in the chain of err. When the chain has none, From returns a new error with
// err as its cause: 503 unavailable if an error in the chain has a method Unavailable that returns true, as
// errors of package db have, or else 500 internal.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var passing interface{ Unavailable() bool }
	if errors.As(err, &passing) && passing.Unavailable() {
		return Unavailable.Because(err)
	}
	return Internal.Because(err)
}

// HeldHeader marks the error answer to a call of another service when IsHeld is true for the error. The mark
// tells the other service that only calls for the held row fail, and that all other calls still succeed.
const HeldHeader = "X-Row-Held"

// IsHeld reports whether err comes from a row that another transaction holds: an error in its chain has a
// method Held that returns true, as db.ErrLocked has.
func IsHeld(err error) bool {
	var held interface{ Held() bool }
	return errors.As(err, &held) && held.Held()
}

// IsFault reports whether c is a fault of this system or of a service that this system calls. Any other code
// is a refusal of the request.
func (c *Code) IsFault() bool { return c.Status >= http.StatusInternalServerError }

// Relayed returns an error of another service, to be passed on unchanged. A code that is not in this
// catalogue, such as a code of a newer version of the other service, keeps its name and status.
func Relayed(status int, name, message string) *Error {
	for _, c := range catalogue {
		if c.Name == name && c.Status == status {
			return &Error{Code: c, Message: message}
		}
	}
	return &Error{Code: &Code{Name: name, Status: status}, Message: message}
}

// With adds a detail to e and returns e. The parameters format and args make the message of the detail.
func (e *Error) With(field string, params Params, format string, args ...any) *Error {
	e.Details = append(e.Details, Detail{field, fmt.Sprintf(format, args...), params})
	return e
}

// Error returns the text for the log.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Name + ": " + e.Message)
	for _, d := range e.Details {
		b.WriteString(" " + d.Field + " " + d.Message + ".")
	}
	if e.Cause != nil {
		b.WriteString(" Cause: " + e.Cause.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }

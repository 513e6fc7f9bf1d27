// Package apperr holds the error type of refusals and faults, and the catalogue of error codes. An error is
// made where its reason is known; only package web maps errors to HTTP.
package apperr

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Detail describes the problem of a single field.
type Detail struct {
	Field   string `json:"field"` // JSON pointer into the body, or /query/…, /path/…, /header/…
	Message string `json:"message"`
	Params  Params `json:"params,omitempty"` // empty only in relayed errors
}

// Params are the values of a message for programs: strings, numbers and booleans under names of the contract.
// "rule" names the broken rule of the document.
type Params map[string]any

// Error is a refusal or a fault, as shown to the caller, with its cause for the log.
type Error struct {
	*Code
	Message string // a sentence for a person
	Details []Detail
	Cause   error // for the log; never sent to the caller
}

// New returns an error of code c. args are the arguments of the format Code.Sentence.
func (c *Code) New(args ...any) *Error {
	return &Error{Code: c, Message: fmt.Sprintf(c.Sentence, args...)}
}

// Because returns an error of code c with a cause for the log.
func (c *Code) Because(cause error, args ...any) *Error {
	e := c.New(args...)
	e.Cause = cause
	return e
}

// From returns the *Error in err's chain. An error without an *Error is 503 unavailable if the chain has a
// method Unavailable, as errors of package db have, and 500 internal otherwise.
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

// IsFault reports whether the error is a fault of this system or of a service behind it, and no refusal of
// the request.
func (c *Code) IsFault() bool { return c.Status >= http.StatusInternalServerError }

// Relayed returns an error from the answer of another service, to be passed on unchanged. Codes of a newer
// version of that service keep their name and status.
func Relayed(status int, name, message string) *Error {
	for _, c := range catalogue {
		if c.Name == name && c.Status == status {
			return &Error{Code: c, Message: message}
		}
	}
	return &Error{Code: &Code{Name: name, Status: status}, Message: message}
}

// With adds a detail and returns e.
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

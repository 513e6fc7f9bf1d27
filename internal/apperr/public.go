package apperr

import (
	"context"
	"errors"
	"net/http"
	"unicode/utf8"
)

// Public returns the part of err that the caller may see, cut to the lengths that the OpenAPI documents
// allow. ctx is the context of the request. After the deadline of ctx, a fault becomes 504 timeout, unless
// the fault has the status 504 already. After a cancellation of ctx, 500 internal becomes 503 unavailable.
// The function From chooses the code for an error without a code.
func Public(ctx context.Context, err error) *Error {
	e := From(err)
	switch ended := ctx.Err(); {
	case errors.Is(ended, context.DeadlineExceeded) &&
		e.IsFault() && e.Status != http.StatusGatewayTimeout:
		e = Timeout.New()
	case errors.Is(ended, context.Canceled) && e.Status == http.StatusInternalServerError:
		e = Unavailable.New()
	}
	public := *e
	public.Message, public.Details = shorten(e.Message, 1999), nil
	for _, d := range e.Details[:min(len(e.Details), 1000)] {
		short := Detail{shorten(d.Field, 499), shorten(d.Message, 999), d.Params}
		public.Details = append(public.Details, short)
	}
	return &public
}

// shorten returns s, or the first limit characters of s and an ellipsis when s is longer.
func shorten(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	for i := range s {
		if limit == 0 {
			return s[:i] + "…"
		}
		limit--
	}
	return s
}

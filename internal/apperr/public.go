package apperr

import (
	"context"
	"errors"
	"net/http"
	"unicode/utf8"
)

// Public returns the part of err that its caller may see, within the lengths that the documents allow. ctx is
// the request's: an error after its end is 504 timeout, or 503 unavailable when the work was canceled. Any
// other error without a code is 500 internal.
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

// shorten returns at most limit characters of s, and an ellipsis when s has more.
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

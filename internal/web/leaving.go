package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"example.com/b2b/internal/auth"
)

// How long a request goes on when its caller's connection ends: net/http does not say whether the caller has gone, or has closed its
// half only and waits for the answer.
const (
	readsGoOn   = time.Second
	changesGoOn = 5 * time.Second // about as long as the slowest call to a service behind takes
)

// within returns the context of a request's work, which ends after Timeout, at the deadline of ctx, and when
// the caller has gone: of a service, which closes its connection only when it no longer waits, at once; of
// anybody else some time after the end of the connection.
func (v *validator) within(ctx context.Context, r *http.Request) (context.Context, context.CancelFunc) {
	if auth.From(ctx).ByService {
		return context.WithTimeout(ctx, v.Timeout)
	}
	end := time.Now().Add(v.Timeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	goOn := changesGoOn
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		goOn = readsGoOn
	}
	work, stop := context.WithDeadline(context.WithoutCancel(ctx), end)
	forget := context.AfterFunc(ctx, func() {
		if isCanceled(ctx) {
			time.AfterFunc(goOn, stop)
		}
	})
	return work, func() { forget(); stop() }
}

func isCanceled(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

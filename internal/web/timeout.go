package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/auth"
)

// How long a request goes on after its caller's connection has ended: net/http does not say whether the
// caller has left, or has closed only its half and waits for the answer.
const (
	readsGoOn   = time.Second
	changesGoOn = 5 * time.Second // about as long as the slowest call of another service takes
)

// limitTime bounds the time of a request's work, which begins when its body has come.
func limitTime(timeout, bodyTimeout time.Duration) func(*gin.Context, *operation) {
	return func(c *gin.Context, op *operation) {
		request := c.Request
		if request.Body == http.NoBody { // a body has lifted its own deadline
			liftReadDeadline(c)
		}
		var ctx context.Context
		var stop context.CancelFunc
		if op.streams {
			ctx, stop = startFile(c, timeout, bodyTimeout)
		} else {
			ctx, stop = workContext(request, timeout)
		}
		defer stop()
		c.Request = request.WithContext(ctx)
		defer func() {
			callOf(c).callerLeft = isCanceled(request.Context()) && (op.streams || isCanceled(ctx))
			c.Request = request // else the end of ctx would look like the caller's
		}()
		c.Next()
	}
}

// workContext returns the context of a request's work. It ends after timeout, at the deadline of the
// request's context, and when the caller has left: at once for a service, which closes a connection only when
// it does not wait any more; for any other caller some time after the end of the connection.
func workContext(r *http.Request, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx := r.Context()
	if auth.From(ctx).ByService {
		return context.WithTimeout(ctx, timeout)
	}
	end := time.Now().Add(timeout)
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

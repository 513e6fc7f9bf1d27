package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/timing"
)

// The time for which the work on a request continues after the caller's connection has ended. net/http does
// not say whether the caller has left, or has only closed its sending side and still waits for the answer.
const (
	readsGoOn   = time.Second
	changesGoOn = 5 * time.Second // as long as the longest call to another service
)

// callerFirst is how much longer the work for another service may take than that service waits for the
// answer. The other service then usually closes its call before the work times out. The log would show a
// time-out as a fault of this service.
const callerFirst = 100 * time.Millisecond

// limitTime gives the work on a request a context that ends after the time timeout: see workContext, and
// startFile for files. The time begins after a JSON body has been read.
func limitTime(timeout, bodyTimeout time.Duration) func(*gin.Context, *operation) {
	return func(c *gin.Context, op *operation) {
		request := c.Request
		if request.Body == http.NoBody { // with a body, readBody or fileReader removes the deadline
			liftReadDeadline(c)
		}
		var ctx context.Context
		var stop context.CancelFunc
		if op.streams {
			ctx, stop = startFile(c, timeout, bodyTimeout)
			if op.waits { // otherwise a stream whose reader has left would keep its slot until the next event
				defer context.AfterFunc(request.Context(), stop)()
			}
		} else {
			ctx, stop = workContext(request, timeout)
		}
		defer stop()
		c.Request = request.WithContext(ctx)
		defer func() {
			callOf(c).callerLeft = isCanceled(request.Context()) && (op.streams || isCanceled(ctx))
			// Restore the request: otherwise the outer middlewares would take the end of ctx for the end of
			// the caller's connection.
			c.Request = request
		}()
		c.Next()
	}
}

// workContext returns the context for the work on r. The context ends after the time timeout, or earlier at
// the deadline of r's context.
//
// When the caller is a service, the context also ends callerFirst after the service stops waiting (see
// timing.LeftHeader), and at once when the service closes its connection. For any other caller, the context
// ends readsGoOn or changesGoOn after the end of the caller's connection, because the caller may still wait.
func workContext(r *http.Request, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx := r.Context()
	if auth.From(ctx).ByService {
		return context.WithTimeout(ctx, min(timeout, timing.Left(r.Header, timeout)+callerFirst))
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

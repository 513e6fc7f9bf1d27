package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// InProcessTransport calls a handler in this process without a connection. The handler treats the call like
// any request: with validation, authentication, limits, deadlines and a log line. When the caller's context
// ends, the caller stops waiting, and the handler's context ends, too. The handler gets nothing else from the
// caller's context. The caller gets the whole answer at once, so do not use the transport for files.
type InProcessTransport struct {
	handler http.Handler
	log     *slog.Logger
	workers workers
	calls   *semaphore.Weighted // a slot for each call in progress
	stopped atomic.Bool         // set by Drain, never reset
}

const maxCalls = math.MaxInt64

var errNotServing = errors.New("the service has stopped")

// NewInProcessTransport returns a transport to a handler. Panics of the handler go to the logger log.
func NewInProcessTransport(handler http.Handler, log *slog.Logger) *InProcessTransport {
	return &InProcessTransport{
		handler: handler, log: log, workers: workers{make(chan func())}, calls: semaphore.NewWeighted(maxCalls),
	}
}

// RoundTrip implements http.RoundTripper, with one exception: the handler may change the headers of req.
func (t *InProcessTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.stopped.Load() || !t.calls.TryAcquire(1) {
		return nil, errNotServing
	}
	ctx, stop := context.WithCancel(context.Background())
	detach := context.AfterFunc(req.Context(), stop) // the handler's context ends with the caller's context
	answered, received := make(chan *answer, 1), asReceived(ctx, req)
	t.workers.run(func() {
		defer t.calls.Release(1)
		defer detach()
		defer stop()
		answered <- t.serve(received)
	})
	select {
	case a := <-answered:
		if a == nil {
			return nil, io.ErrUnexpectedEOF
		}
		return a.response(req), nil
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// Drain refuses new calls for good, and waits until the calls in progress have ended. It returns the error of
// ctx when ctx ends first.
func (t *InProcessTransport) Drain(ctx context.Context) error {
	t.stopped.Store(true)
	return t.calls.Acquire(ctx, maxCalls)
}

// serve lets the handler answer req. It returns nil after a panic, because the answer may then be incomplete.
func (t *InProcessTransport) serve(req *http.Request) (a *answer) {
	defer func() {
		if p := recover(); p != nil {
			a = nil
			if p != http.ErrAbortHandler { // net/http does not log ErrAbortHandler
				t.log.Warn("panic", "error", fmt.Sprintf("%v\n%s", p, debug.Stack()))
			}
		}
	}()
	a = &answer{header: make(http.Header, 16)}
	t.handler.ServeHTTP(a, req)
	return a
}

// asReceived turns a client's request into the request that a server gets.
func asReceived(ctx context.Context, req *http.Request) *http.Request {
	r := req.WithContext(ctx)
	u := *req.URL
	r.RequestURI, r.RemoteAddr = u.RequestURI(), "127.0.0.1:0"
	u.Scheme, u.Host, u.User = "", "", nil
	r.URL, r.GetBody = &u, nil
	if r.Body == nil {
		r.Body = http.NoBody
	}
	return r
}

// answer is the http.ResponseWriter of a call.
type answer struct {
	header http.Header
	status int // 0 before WriteHeader
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

// SetReadDeadline is called by http.ResponseController. It does nothing: the body is already in memory.
func (a *answer) SetReadDeadline(time.Time) error { return nil }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

func (a *answer) response(req *http.Request) *http.Response {
	a.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: req,
	}
}

// idleTime is the time for which an idle goroutine waits for the next function.
const idleTime = time.Second

// workers are goroutines that run functions, each many functions in sequence. The stack of a new goroutine
// must grow, and each step copies it. With a new goroutine for each call, a call within the process would
// take two thirds more time.
type workers struct{ next chan func() }

// run runs fn in an idle goroutine, or in a new goroutine when no goroutine is idle.
func (w workers) run(fn func()) {
	select {
	case w.next <- fn:
	default:
		go w.work(fn)
	}
}

func (w workers) work(fn func()) {
	idle := time.NewTimer(idleTime)
	defer idle.Stop()
	for {
		fn()
		idle.Reset(idleTime)
		select {
		case fn = <-w.next:
		case <-idle.C:
			return
		}
	}
}

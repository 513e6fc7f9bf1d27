package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

// InProcessTransport is a service for the others of its process: their typed clients call its handler without
// a connection. Whatever holds a call over a connection holds this one: contract, authentication, limits,
// deadlines, the log line. Nothing of the caller's context but its end reaches the handler, and a caller is
// never kept longer than its context lasts, whatever the handler does. An answer comes as a whole: files are
// not for it.
type InProcessTransport struct {
	Handler http.Handler
	Log     *slog.Logger

	once sync.Once
	work chan func()  // to goroutines that have called the handler before, and have the stack for it
	open sync.RWMutex // held for reading by each call at work, and for ever, once it may be written, by drain
}

var errNotServing = errors.New("the service has stopped")

// RoundTrip implements http.RoundTripper. The handler may change the request.
func (n *InProcessTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !n.open.TryRLock() {
		return nil, errNotServing
	}
	ctx, stop := context.WithCancel(context.Background())
	detach := context.AfterFunc(req.Context(), stop) // as when a caller closes its connection
	answered, sent := make(chan *nearAnswer, 1), received(ctx, req)
	n.do(func() {
		defer n.open.RUnlock()
		defer detach()
		defer stop()
		answered <- n.serve(sent)
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

// do runs fn beside its caller, in a goroutine that waits for more or in a new one: a new one's stack grows
// in steps, of which each copies it, and that costs as much as the whole of RoundTrip.
func (n *InProcessTransport) do(fn func()) {
	n.once.Do(func() { n.work = make(chan func()) })
	select {
	case n.work <- fn:
		return
	default:
	}
	go func() {
		idle := time.NewTimer(time.Second)
		defer idle.Stop()
		for {
			fn()
			fn = nil
			idle.Reset(time.Second)
			select {
			case fn = <-n.work:
			case <-idle.C:
				return
			}
		}
	}()
}

// serve returns nil for an answer that ended in the middle.
func (n *InProcessTransport) serve(req *http.Request) (a *nearAnswer) {
	defer func() {
		if p := recover(); p != nil {
			a = nil
			if p != http.ErrAbortHandler { // as net/http does
				n.Log.Warn("panic", "error", fmt.Sprintf("%v\n%s", p, debug.Stack()))
			}
		}
	}()
	a = &nearAnswer{header: make(http.Header, 16)}
	n.Handler.ServeHTTP(a, req)
	return a
}

// drain takes no more calls, and returns once those at work have ended, or with an error when ctx ends.
func (n *InProcessTransport) drain(ctx context.Context) error {
	if n == nil {
		return nil
	}
	idle := make(chan struct{})
	go func() { n.open.Lock(); close(idle) }()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// received is a request as a server gets it that a client has sent.
func received(ctx context.Context, req *http.Request) *http.Request {
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

// nearAnswer takes an answer.
type nearAnswer struct {
	header http.Header
	status int // 0 until it is known
	body   bytes.Buffer
}

func (a *nearAnswer) Header() http.Header { return a.header }

// SetReadDeadline is for http.ResponseController: the whole body is here.
func (a *nearAnswer) SetReadDeadline(time.Time) error { return nil }

func (a *nearAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *nearAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

func (a *nearAnswer) response(req *http.Request) *http.Response {
	a.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: req,
	}
}

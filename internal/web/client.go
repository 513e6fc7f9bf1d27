package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"

	"example.com/b2b/internal/apperr"
)

// ErrPeerDown is the error of a call that was not made, because the last ones to that peer have all failed. A moment later some
// calls are let through again: their success ends it, and the first failure begins it anew.
var ErrPeerDown = errors.New("is down and was not called")

const (
	tripAfter = 10                     // failures in a row; as many calls are let through to see whether the peer is back
	openFor   = 500 * time.Millisecond // shorter than a caller's tries take, so that a restart of the peer costs no answer
)

// NewPeerClient returns the HTTP client with which one service calls one other, its peer: it presents the service token and
// passes the correlation id on. It gives each call at most timeout, answer included, and at most half of the time that its
// context has left, so that a call which hangs leaves time to try again. It spares a peer that is down: see ErrPeerDown.
func NewPeerClient(name, token string, timeout time.Duration) *http.Client {
	return newPeerClient(name, token, timeout, openFor)
}

func newPeerClient(name, token string, timeout, openFor time.Duration) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = t.MaxIdleConns // one peer gets all the calls
	return &http.Client{Transport: peerTransport{t, name, token, timeout, gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{
		Timeout:     openFor,
		MaxRequests: tripAfter, // not one: after a quiet time several callers come at once, and the peer may be well
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) || errors.Is(err, errHurried) },
	})}}
}

type peerTransport struct {
	http.RoundTripper
	name, token string
	timeout     time.Duration
	breaker     *gobreaker.CircuitBreaker[*http.Response]
}

var (
	errFaulty  = errors.New("an answer that speaks against the peer")
	errHurried = errors.New("the caller had no more time to wait")
)

func (p peerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	err := req.Context().Err()
	if err == nil {
		var res *http.Response
		res, err = p.breaker.Execute(func() (*http.Response, error) { return p.call(req, p.patience(req.Context())) })
		if err == nil || errors.Is(err, errFaulty) {
			return res, nil
		}
		if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
			err = fmt.Errorf("the %s %w", p.name, ErrPeerDown)
		}
	}
	if req.Body != nil {
		req.Body.Close()
	}
	return nil, err
}

// patience is how long a call may take.
func (p peerTransport) patience(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(p.timeout, time.Until(deadline)/2)
	}
	return p.timeout
}

// call makes the call and reads the whole answer: one that ends early is none. A peer that does not answer is at fault only when
// it had nearly all the time that a call may take; else the limit was the caller's.
func (p peerTransport) call(req *http.Request, patience time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), patience)
	defer cancel()
	res, err := p.exchange(req.Clone(ctx))
	if errors.Is(err, context.DeadlineExceeded) && patience < p.timeout*3/4 {
		err = fmt.Errorf("%w: %w", errHurried, err)
	}
	return res, err
}

func (p peerTransport) exchange(req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+p.token)
	if id := CorrelationID(req.Context()); id != "" {
		req.Header.Set(CorrelationHeader, id)
	}
	res, err := p.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if faulty(res.StatusCode, body) {
		err = errFaulty
	}
	return res, err
}

// faulty reports whether an answer speaks against the peer as a whole. A 5xx does, unless its code is one of that service's own,
// as the Orders API's customers_unavailable: then the peer works and somebody behind it does not, and to stop calling the peer
// would take from everybody what it can still do, such as confirming orders.
func faulty(status int, body []byte) bool {
	var e envelope
	if status < http.StatusInternalServerError || json.Unmarshal(body, &e) != nil {
		return status >= http.StatusInternalServerError
	}
	switch e.Code {
	case "", apperr.Internal.Name, apperr.Unavailable.Name, apperr.Timeout.Name:
		return true
	}
	return false
}

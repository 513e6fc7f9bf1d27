package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/sony/gobreaker/v2"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/openapi/contract"
)

// ErrPeerDown is the error of a call that was not made, because the last ones to that peer have all failed. A
// moment later some calls are let through again: their success ends it, and the first failure begins it anew.
var ErrPeerDown = errors.New("is down and was not called")

const (
	tripAfter = 10                     // failures in a row; as many calls are let through to see whether the peer is back
	openFor   = 500 * time.Millisecond // shorter than a caller's tries take, so that a restart of the peer costs no answer
)

// Peer says where another service is, and how it is called.
type Peer struct {
	Base    string // address, without a slash at the end
	Token   string // the service token
	Timeout time.Duration
	Near    *InProcessTransport // the service itself, when it is one of this process; nil when it is not
}

// Client returns the HTTP client for calls of the peer with this name: see NewPeerClient. It opens no
// connection to one that is near.
func (p Peer) Client(name string) *http.Client {
	if p.Near != nil {
		return newPeerClient(p.Near, name, p.Token, p.Timeout, openFor)
	}
	return NewPeerClient(name, p.Token, p.Timeout)
}

// NewPeerClient returns the HTTP client with which one service calls one other, its peer: it presents the
// service token, and passes the caller's identity and the correlation id on. It gives each call at most
// timeout, answer included, and at most half of the time that its context has left, so that a call which
// hangs leaves time to try again. It spares a peer that is down: see ErrPeerDown.
func NewPeerClient(name, token string, timeout time.Duration) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = t.MaxIdleConns // one peer gets all the calls
	return newPeerClient(t, name, token, timeout, openFor)
}

func newPeerClient(t http.RoundTripper, name, token string, timeout, openFor time.Duration) *http.Client {
	return &http.Client{Transport: peerTransport{t, name, token, timeout, gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Timeout:     openFor,
		MaxRequests: tripAfter, // not one: after a quiet time several callers come at once, and the peer may be well
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) }, // the caller's doing
	})}}
}

type peerTransport struct {
	http.RoundTripper
	name, token string
	timeout     time.Duration
	breaker     *gobreaker.TwoStepCircuitBreaker[any]
}

// RoundTrip reads the whole answer: one that ends early is none. A peer that does not answer is at fault only
// when it had nearly all the time that a call may take; else the limit was the caller's.
func (p peerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close() // nobody else does when the call is not made
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	done, err := p.breaker.Allow()
	if err != nil {
		return nil, fmt.Errorf("the %s %w", p.name, ErrPeerDown)
	}
	patience := p.timeout
	if deadline, ok := req.Context().Deadline(); ok {
		patience = min(patience, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(req.Context(), patience)
	defer cancel()
	req = req.Clone(ctx)
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
		if caller := auth.From(ctx).ActingFor(); caller != "" {
			req.Header.Set(auth.ActingForHeader, caller)
		}
	}
	if id := CorrelationID(ctx); id != "" {
		req.Header.Set(CorrelationHeader, id)
	}
	var body []byte
	res, err := p.RoundTripper.RoundTrip(req)
	if err == nil {
		whole := bytes.NewBuffer(make([]byte, 0, max(0, min(res.ContentLength, maxBody))+bytes.MinRead))
		_, err = whole.ReadFrom(res.Body)
		body = whole.Bytes()
		res.Body.Close()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) && patience < p.timeout*3/4:
		done(context.Canceled)
	case err == nil && faulty(res.StatusCode, body):
		done(errors.New("an answer that speaks against the peer"))
	default:
		done(err)
	}
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusBadRequest && contract.Unmarshal(body, new(contract.APIError)) != nil {
		res.Header.Del("Content-Type") // somebody else's JSON: a generated client that tried to read it would lose the status
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// faulty reports whether an answer speaks against the peer as a whole. A 5xx does, unless its code is one of
// that service's own, as the Orders API's customers_unavailable: then somebody behind the peer is down, and
// the peer can still do much, as confirm orders.
func faulty(status int, body []byte) bool {
	if status < http.StatusInternalServerError {
		return false
	}
	var e envelope
	_ = contract.Unmarshal(body, &e) // what is not one of our errors has no code
	return slices.Contains([]string{"", apperr.Internal.Name, apperr.Unavailable.Name, apperr.Timeout.Name}, e.Code)
}

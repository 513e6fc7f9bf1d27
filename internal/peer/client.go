// Package peer calls the other services: with a circuit breaker, over connections or within the process.
package peer

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
	"example.com/b2b/internal/correlation"
	"example.com/b2b/openapi/contract"
)

// ErrDown is the error of an omitted call: the last calls of the peer have all failed. A moment later some
// calls are let through again: a success closes the breaker, a failure opens it anew.
var ErrDown = errors.New("is down and was not called")

const (
	tripAfter = 10                     // failures in a row; as many calls try the peer again
	openFor   = 500 * time.Millisecond // less than a caller's retries take, so a peer may restart unnoticed
	sizeHint  = 1 << 20                // bytes of an answer that are allocated by its Content-Length alone
)

// Peer says where another service is, and how to call it.
type Peer struct {
	Base      string // address, without a slash at the end
	Token     string // the service token
	Timeout   time.Duration
	InProcess *InProcessTransport // to the service in this process; nil for a service elsewhere
}

// Client returns the HTTP client for calls of the peer, which errors call by name. It presents the service
// token, and passes on the caller's identity and the correlation id. Each call takes at most Timeout, answer
// included, and at most half of its context's remaining time, so a hanging call leaves time for another try.
// Errors: ErrDown.
func (p Peer) Client(name string) *http.Client {
	if p.InProcess != nil {
		return newClient(p.InProcess, name, p.Token, p.Timeout, openFor)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = t.MaxIdleConns // all calls go to one host
	return newClient(t, name, p.Token, p.Timeout, openFor)
}

func newClient(t http.RoundTripper, name, token string, timeout, openFor time.Duration) *http.Client {
	breaker := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Timeout:     openFor,
		MaxRequests: tripAfter, // several, because after a quiet time several callers come at once
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) }, // the caller's doing
	})
	return &http.Client{Transport: transport{t, name, token, timeout, breaker}}
}

type transport struct {
	http.RoundTripper
	name, token string
	timeout     time.Duration
	breaker     *gobreaker.TwoStepCircuitBreaker[any]
}

// RoundTrip reads the whole answer: an early end is an error.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close() // also for a call that is not made
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	done, err := t.breaker.Allow()
	if err != nil {
		return nil, fmt.Errorf("the %s %w", t.name, ErrDown)
	}
	timeout := t.timeout
	if deadline, ok := req.Context().Deadline(); ok {
		timeout = min(timeout, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(req.Context(), timeout)
	defer cancel()
	res, body, err := t.send(ctx, req)
	done(t.verdict(res, body, err, timeout))
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusBadRequest && contract.Unmarshal(body, new(contract.APIError)) != nil {
		// Somebody else's JSON, such as a gateway's: a generated client that tries to read it loses the
		// status.
		res.Header.Del("Content-Type")
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// send sends the request for the caller of ctx, and reads the whole answer.
func (t transport) send(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	req = req.Clone(ctx)
	if t.token != "" {
		req.Header.Set("Authorization", "Bearer "+t.token)
		if caller := auth.From(ctx).ActingFor(); caller != "" {
			req.Header.Set(auth.ActingForHeader, caller)
		}
	}
	if id := correlation.ID(ctx); id != "" {
		req.Header.Set(correlation.Header, id)
	}
	res, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body := bytes.NewBuffer(make([]byte, 0, max(0, min(res.ContentLength, sizeHint))+bytes.MinRead))
	_, err = body.ReadFrom(res.Body)
	return res, body.Bytes(), err
}

// verdict returns the error of a call for the breaker. A late peer is at fault only when the call had nearly
// all its possible time; else the caller's limit ended the call.
func (t transport) verdict(res *http.Response, body []byte, err error, timeout time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) && timeout < t.timeout*3/4 {
		return context.Canceled
	}
	if err == nil && isFaulty(res.StatusCode, body) {
		return fmt.Errorf("the %s answered %d", t.name, res.StatusCode)
	}
	return err
}

// isFaulty reports whether an answer speaks against the peer as a whole: a 5xx, unless the code is the
// service's own. After the Orders API's customers_unavailable, for example, another service is down, and the
// Orders API can still confirm orders.
func isFaulty(status int, body []byte) bool {
	if status < http.StatusInternalServerError {
		return false
	}
	var e struct {
		Code string `json:"code"`
	}
	_ = contract.Unmarshal(body, &e) // an answer of a gateway has no code of ours
	ofThePeer := []string{"", apperr.Internal.Name, apperr.Unavailable.Name, apperr.Timeout.Name}
	return slices.Contains(ofThePeer, e.Code)
}

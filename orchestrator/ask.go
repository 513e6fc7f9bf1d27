package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/openapi/contract"
)

// peer is a service behind this one.
type peer struct{ name, base string } // base is the variable that says where it is

var (
	customersPeer = peer{"Customers API", "CUSTOMERS_API_BASE"}
	ordersPeer    = peer{"Orders API", "ORDERS_API_BASE"}
)

// reply is what the responses of the generated clients have in common.
type reply interface {
	StatusCode() int
	GetBody() []byte
}

// tries bounds how often a step is tried; with the waits between it is over within two seconds when a peer
// fails at once.
const tries = 5

// ask makes a call until it has an answer, a bounded number of times and within ctx. Only what may pass is
// tried again: no answer, one that cannot be read, 408, 425, 429 and 5xx; when the tries are over it is 503
// or 504 upstream_unavailable. A refusal of the caller's request is returned at once, as the peer's own
// error. A refusal of ours, because this deployment has a wrong token or address, is 503 upstream_unavailable
// at once, with a cause that says where to look.
func ask[R reply, T any](ctx context.Context, p peer, call func() (R, error), success func(R) *T) (R, error) {
	wait := backoff.NewExponentialBackOff() // jittered
	wait.InitialInterval, wait.MaxInterval = 100*time.Millisecond, 2*time.Second
	options := []backoff.RetryOption{backoff.WithBackOff(wait), backoff.WithMaxTries(tries)}
	if deadline, ok := ctx.Deadline(); ok { // no wait so close to it that the next try had no chance: the caller can have the answer now
		options = append(options, backoff.WithMaxElapsedTime(time.Until(deadline)*3/4))
	}
	answer, err := backoff.Retry(ctx, func() (R, error) {
		res, err := call()
		if err == nil && success(res) == nil {
			err = p.failure(res, auth.From(ctx))
		}
		return res, err
	}, options...)
	var refused *apperr.Error
	switch {
	case err == nil:
		return answer, nil
	case errors.As(err, &refused):
		return answer, refused
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return answer, apperr.UpstreamTimeout.Because(err, p.name)
	}
	return answer, apperr.UpstreamUnavailable.Because(err, p.name)
}

// failure says what an answer that is no success means, as an error for backoff.Retry. A 403 is about the
// caller for whom the call was made, when there is one.
func (p peer) failure(res reply, caller auth.Principal) error {
	status := res.StatusCode()
	answered := fmt.Errorf("the %s answered %d", p.name, status)
	var body contract.APIError // the services' envelopes are alike
	readable := contract.Unmarshal(res.GetBody(), &body) == nil && body.Code != ""
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		return answered
	case status == http.StatusUnauthorized, status == http.StatusForbidden && !(caller.Known() && string(body.Code) == apperr.Forbidden.Name):
		return p.misconfigured("%w: SERVICE_TOKEN or AUTH_MODE differs between the services", answered)
	case status == http.StatusNotFound && (!readable || string(body.Code) == apperr.NotFound.Name), status == http.StatusMethodNotAllowed:
		return p.misconfigured("%w: %s is not where it is", answered, p.base)
	case status == http.StatusPreconditionFailed, string(body.Code) == apperr.IdempotencyKeyRequired.Name:
		return p.misconfigured("%w %s: it has not understood what was sent", answered, body.Code)
	case status < http.StatusBadRequest, !readable:
		return fmt.Errorf("%w, and what cannot be read", answered)
	}
	refused := apperr.Relayed(status, string(body.Code), body.Error)
	if body.Details != nil {
		for _, d := range *body.Details {
			params := apperr.Params{}
			if d.Params != nil {
				params = *d.Params
			}
			refused.With(d.Field, params, "%s", d.Message)
		}
	}
	return backoff.Permanent(refused)
}

func (p peer) misconfigured(format string, args ...any) error {
	return backoff.Permanent(apperr.UpstreamUnavailable.Because(fmt.Errorf(format, args...), p.name))
}

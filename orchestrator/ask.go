package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/openapi/contract"
)

// upstream is a service that the orchestrator calls.
type upstream struct {
	name     string
	variable string // environment variable that has the service's address; log lines name it
}

var (
	customersAPI = upstream{"Customers API", "CUSTOMERS_API_BASE"}
	ordersAPI    = upstream{"Orders API", "ORDERS_API_BASE"}
)

// response has the methods that the responses of all generated clients have in common.
type response interface {
	StatusCode() int
	GetBody() []byte
}

// maxTries limits the tries of a call. Five tries that fail at once, and the pauses between them, take less
// than two seconds.
const maxTries = 5

// ask makes a call to an upstream service and returns the answer. The function success returns the body of a
// successful answer, and nil for any other answer.
//
// The function ask repeats the call when there is no answer, when the answer is unreadable, and after 408,
// 425, 429 and 5xx. With an error, it also returns the last answer. Errors:
//   - the upstream's own error, at once, when the upstream refuses the caller's request
//   - 503 upstream_unavailable, at once, when the upstream refuses the service token, does not have the path,
//     or does not understand the request; the cause, for the log, says what is wrong
//   - 503 or 504 upstream_unavailable, after the last try or at the end of ctx
func ask[R response, T any](
	ctx context.Context, u upstream, call func() (R, error), success func(R) *T,
) (R, error) {
	pauses := backoff.NewExponentialBackOff() // the pauses have jitter
	pauses.InitialInterval, pauses.MaxInterval = 100*time.Millisecond, 2*time.Second
	options := []backoff.RetryOption{backoff.WithBackOff(pauses), backoff.WithMaxTries(maxTries)}
	if deadline, ok := ctx.Deadline(); ok {
		// Begin no try in the last quarter of the time, because an answer would hardly come in time.
		options = append(options, backoff.WithMaxElapsedTime(time.Until(deadline)*3/4))
	}
	answer, err := backoff.Retry(ctx, func() (R, error) {
		res, err := call()
		if err == nil && success(res) == nil {
			err = u.failure(res, auth.From(ctx))
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
		return answer, apperr.UpstreamTimeout.Because(err, u.name)
	}
	return answer, apperr.UpstreamUnavailable.Because(err, u.name)
}

// failure returns the error for an unsuccessful answer. The function ask repeats the request, unless the error
// is a backoff.PermanentError.
func (u upstream) failure(res response, caller auth.Principal) error {
	status := res.StatusCode()
	answered := fmt.Errorf("the %s answered %d", u.name, status)
	var body contract.ErrorBody
	readable := contract.Unmarshal(res.GetBody(), &body) == nil && body.Code != ""
	code := string(body.Code)
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly,
		status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		return answered
	case status == http.StatusUnauthorized,
		// 403 forbidden refuses a known caller. Any other 403 means that the service token is wrong.
		status == http.StatusForbidden && !(caller.Known() && code == apperr.Forbidden.Name):
		return u.misconfigured("%w: SERVICE_TOKEN or AUTH_MODE differs between the services", answered)
	case status == http.StatusNotFound && (!readable || code == apperr.NotFound.Name),
		status == http.StatusMethodNotAllowed:
		return u.misconfigured("%w: %s is not where it is", answered, u.variable)
	case status == http.StatusPreconditionFailed, code == apperr.IdempotencyKeyRequired.Name:
		return u.misconfigured("%w %s: it has not understood what was sent", answered, code)
	case status < http.StatusBadRequest, !readable:
		return fmt.Errorf("%w, and what cannot be read", answered)
	}
	refused := apperr.Relayed(status, code, body.Error)
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

func (u upstream) misconfigured(format string, args ...any) error {
	return backoff.Permanent(apperr.UpstreamUnavailable.Because(fmt.Errorf(format, args...), u.name))
}

// Package peer calls other services through a circuit breaker, over connections or within the process.
package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/sony/gobreaker/v2"
	"github.com/tidwall/gjson"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/timing"
	"example.com/b2b/v2/openapi/contract"
)

var (
	callSeconds = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "b2b_peer_call_duration_seconds",
		Help:    "Time of calls to another service, by the status of the answer, or error without an answer.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
	}, []string{"peer", "status"})
	breakerOpen = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "b2b_peer_breaker_open",
		Help: "1 while the circuit breaker of another service is open, so that it is not called.",
	}, []string{"peer"})
)

var tracer = otel.Tracer("example.com/b2b/v2/internal/peer")

// ErrDown is the error of a call that was not made, because of the circuit breaker of the peer. The breaker
// opens after tripAfter failed calls in a row. After openFor it lets up to tripAfter trial calls through. It
// closes when tripAfter trial calls have succeeded, and opens again after a failed trial call.
var ErrDown = errors.New("is down and was not called")

const (
	// Failed calls in a row that open the breaker, and successful trial calls that close it.
	tripAfter = 10
	// Callers retry for a longer time, so they do not notice a restart of the peer.
	openFor = 500 * time.Millisecond
	// The most memory that is reserved for an answer because of its Content-Length, before any byte arrives.
	sizeHint = 1 << 20
)

// Peer says where another service is, and how to call it.
type Peer struct {
	Base      string // address, without a slash at the end
	Token     string // the service token
	Timeout   time.Duration
	InProcess *InProcessTransport // transport to a service in this process; nil for a service elsewhere
}

// Client returns an HTTP client for calls to the peer; the parameter name is the peer's name in errors. The
// client sends the service token, the caller's identity and the correlation id with each call. A call takes
// at most Timeout, until its whole answer is there. It also takes at most half of the time left in its
// context, so that there is time for a second call. Error of a call: ErrDown.
func (p Peer) Client(name string) *http.Client {
	if p.InProcess != nil {
		return newClient(p.InProcess, name, p.Token, p.Timeout, openFor)
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = t.MaxIdleConns // all calls go to the same host
	return newClient(t, name, p.Token, p.Timeout, openFor)
}

func newClient(t http.RoundTripper, name, token string, timeout, openFor time.Duration) *http.Client {
	breaker := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Timeout:     openFor,
		MaxRequests: tripAfter, // several trial calls, because several callers may come at the same time
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			breakerOpen.WithLabelValues(name).Set(openness(to))
		},
		// A call with this error says nothing about the peer: see transport.verdict.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
	})
	breakerOpen.WithLabelValues(name).Set(openness(gobreaker.StateClosed))
	return &http.Client{
		Transport: transport{t, name, token, timeout, breaker},
		// A redirect would take the token to another host, and make a POST a GET.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// openness is the value of the metric breakerOpen.
func openness(state gobreaker.State) float64 {
	if state == gobreaker.StateOpen {
		return 1
	}
	return 0
}

type transport struct {
	http.RoundTripper
	name, token string
	timeout     time.Duration
	breaker     *gobreaker.TwoStepCircuitBreaker[any]
}

// RoundTrip sends req and reads the whole answer. An answer that ends early is an error.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close() // RoundTrip must close the body, even without a call
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
	begin := time.Now()
	res, body, err := t.send(ctx, req)
	took := time.Since(begin)
	timing.From(ctx).Call(took)
	callSeconds.WithLabelValues(t.name, outcome(res, err)).Observe(took.Seconds())
	done(t.verdict(req, res, body, err, timeout))
	if err != nil {
		return nil, err
	}
	if !isOfPeer(req, res.StatusCode, body) {
		// A generated client does not parse a body without Content-Type, and then returns the status.
		res.Header.Del("Content-Type")
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// isOfPeer reports whether the peer itself has sent the answer: a success has the field success, and an error
// has a code. Any other answer comes from a program between the services, such as the maintenance page of a
// gateway. The answers to /health and /ready are not checked, because they have other forms.
func isOfPeer(req *http.Request, status int, body []byte) bool {
	switch {
	case asksReadiness(req), strings.HasSuffix(req.URL.Path, "/health"):
		return true
	case status < http.StatusBadRequest:
		return gjson.ValidBytes(body) && gjson.GetBytes(body, "success").Type == gjson.True
	}
	var e contract.ErrorBody
	return contract.Unmarshal(body, &e) == nil && e.Code != ""
}

func asksReadiness(req *http.Request) bool { return strings.HasSuffix(req.URL.Path, "/ready") }

// outcome returns the status of an answer, or "error" without an answer.
func outcome(res *http.Response, err error) string {
	if err != nil {
		return "error"
	}
	return strconv.Itoa(res.StatusCode)
}

// send sends req with the identity of the caller in ctx, and reads the whole answer.
func (t transport) send(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	span := trace.SpanFromContext(ctx)
	if span.IsRecording() {
		ctx, span = tracer.Start(ctx, req.Method+" "+t.name, trace.WithSpanKind(trace.SpanKindClient))
		defer span.End()
	}
	req = req.Clone(ctx)
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(req.Header))
	if t.token != "" {
		req.Header.Set("Authorization", "Bearer "+t.token)
		caller := auth.From(ctx)
		if actingFor := caller.ActingFor(); actingFor != "" {
			req.Header.Set(auth.ActingForHeader, actingFor)
		}
		if caller.Network != "" {
			req.Header.Set(auth.NetworkHeader, caller.Network)
		}
	}
	if id := correlation.ID(ctx); id != "" {
		req.Header.Set(correlation.Header, id)
	}
	timing.SetLeft(ctx, req.Header)
	res, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		span.SetStatus(codes.Error, "no answer")
		return nil, nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", res.StatusCode))
	defer res.Body.Close()
	body := bytes.NewBuffer(make([]byte, 0, max(0, min(res.ContentLength, sizeHint))+bytes.MinRead))
	_, err = body.ReadFrom(res.Body)
	return res, body.Bytes(), err
}

// verdict returns the result of a call for the circuit breaker: err, an error for a faulty answer, or nil. It
// returns context.Canceled, which the breaker ignores, for a call to /ready: a peer that is about to stop is
// not ready, and still answers all other calls. It also returns context.Canceled for a call that ran out of
// time after less than three quarters of t.timeout, because the caller's deadline was too short. An answer
// with apperr.HeldHeader is not faulty, because only the held row is the reason.
func (t transport) verdict(
	req *http.Request, res *http.Response, body []byte, err error, timeout time.Duration,
) error {
	if asksReadiness(req) {
		return context.Canceled
	}
	if errors.Is(err, context.DeadlineExceeded) && timeout < t.timeout*3/4 {
		return context.Canceled
	}
	if err == nil && res.Header.Get(apperr.HeldHeader) == "" && isFaulty(res.StatusCode, body) {
		return fmt.Errorf("the %s answered %d", t.name, res.StatusCode)
	}
	return err
}

// isFaulty reports whether an answer shows a fault of the whole peer: a 5xx without a code, or with the code
// internal, unavailable or timeout. With another code, the peer can still do other work. For example, the
// Orders API can still confirm orders after customers_unavailable.
func isFaulty(status int, body []byte) bool {
	if status < http.StatusInternalServerError {
		return false
	}
	var e struct {
		Code string `json:"code"`
	}
	_ = contract.Unmarshal(body, &e) // the answer of a gateway leaves e.Code empty
	ofThePeer := []string{"", apperr.Internal.Name, apperr.Unavailable.Name, apperr.Timeout.Name}
	return slices.Contains(ofThePeer, e.Code)
}

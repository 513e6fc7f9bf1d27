package web

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	requestSeconds = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "b2b_http_request_duration_seconds",
		Help:    "Time to answer requests; operation is the operationId, or other for pages and unknown paths.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25},
	}, []string{"service", "operation", "status"})
	requestErrors = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "b2b_http_errors_total",
		Help: "Answers with an error code.",
	}, []string{"service", "operation", "code"})
	requestsInFlight = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "b2b_http_requests_in_flight",
		Help: "Requests at work.",
	}, []string{"service"})
	requestsShed = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "b2b_http_requests_shed_total",
		Help: "Requests refused because of a limit: rate, or the slots for requests, large bodies, searches, " +
			"imports, exports or readers of events.",
	}, []string{"service", "limit"})
	replays = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "b2b_http_replays_total",
		Help: "Answers repeated for an idempotency key.",
	}, []string{"service", "operation"})
)

// measure counts requests and their times, for Prometheus.
func measure(service string) gin.HandlerFunc {
	inFlight := requestsInFlight.WithLabelValues(service)
	for _, limit := range []string{"rate", "bodies", "requests", "searches", "imports", "exports", "readers"} {
		requestsShed.WithLabelValues(service, limit).Add(0) // so that the first refusal shows as an increase
	}
	return func(c *gin.Context) {
		inFlight.Inc()
		defer inFlight.Dec()
		begin := time.Now()
		c.Next()
		call := callOf(c)
		name, status := call.name(), strconv.Itoa(loggedStatus(c))
		requestSeconds.WithLabelValues(service, name, status).Observe(time.Since(begin).Seconds())
		if call.code != "" {
			requestErrors.WithLabelValues(service, name, call.code).Inc()
		}
		if c.Writer.Header().Get("Idempotency-Replayed") != "" {
			replays.WithLabelValues(service, name).Inc()
		}
		if call.limit != "" {
			requestsShed.WithLabelValues(service, call.limit).Inc()
		}
	}
}

// name returns the operationId, or "other" for HTML pages and unknown paths.
func (c *call) name() string {
	if c.operation == nil {
		return "other"
	}
	return c.operation.Operation.OperationID
}

package web

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"example.com/b2b/v2/internal/correlation"
)

var tracer = otel.Tracer("example.com/b2b/v2/internal/web")

// traceRequest puts the trace that the header traceparent names into the request's context, for the log and
// for other services: see https://www.w3.org/TR/trace-context. When spans are recorded, the request has a
// span in this trace: see https://opentelemetry.io/docs/specs/semconv/http/http-spans.
func traceRequest(service string, recorded bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		call, r := callOf(c), c.Request
		ctx := r.Context()
		if r.Header["Traceparent"] != nil {
			ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
			c.Request = r.WithContext(ctx)
		}
		if !recorded {
			return
		}
		ctx, span := tracer.Start(ctx, call.name(), trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		c.Request = r.WithContext(ctx)
		c.Next()
		if !span.IsRecording() {
			return
		}
		status := loggedStatus(c)
		span.SetAttributes(
			attribute.String("b2b.service", service),
			attribute.String("b2b.correlation_id", loggable(correlation.ID(c.Request.Context()), 128)),
			attribute.String("http.request.method", loggable(r.Method, 20)),
			attribute.String("http.route", c.FullPath()),
			attribute.Int("http.response.status_code", status))
		if call.code != "" {
			span.SetAttributes(attribute.String("error.type", call.code))
		}
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, call.code)
		}
	}
}

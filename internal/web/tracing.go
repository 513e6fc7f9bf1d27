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

// traceRequest makes a span of each request, within the trace that the header traceparent names: see
// https://www.w3.org/TR/trace-context and https://opentelemetry.io/docs/specs/semconv/http/http-spans. Without
// an exporter, the trace only passes through, to the log and to other services.
func traceRequest(service string) gin.HandlerFunc {
	return func(c *gin.Context) {
		call, r := callOf(c), c.Request
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
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

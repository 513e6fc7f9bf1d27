package options

import (
	"context"
	"log/slog"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"example.com/b2b/v2/internal/buildinfo"
)

// Traces returns a provider that exports spans by OTLP over HTTP when an OTEL_EXPORTER_OTLP_* variable names
// an endpoint, and nil when no spans are recorded. The OpenTelemetry library itself reads the standard
// variables of the exporter, the sampler and the resource; package config does not:
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables.
func Traces(ctx context.Context, log *slog.Logger) (*trace.TracerProvider, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")+os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" ||
		os.Getenv("OTEL_SDK_DISABLED") == "true" || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return nil, nil
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err) }))
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	process, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "b2b"), attribute.String("service.version", buildinfo.Version())),
		// WithFromEnv comes last, so that OTEL_SERVICE_NAME has precedence.
		resource.WithHost(), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(process))
	otel.SetTracerProvider(provider)
	return provider, nil
}

package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"example.com/b2b/v2/internal/buildinfo"
)

// exportTraces exports spans by OTLP over HTTP when an OTEL_EXPORTER_OTLP_* variable names an endpoint. The
// standard variables configure the exporter, the sampler and the resource, not package config:
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables. The function stop sends
// the last spans, within five seconds; it is nil when no spans are recorded.
func exportTraces(ctx context.Context, log *slog.Logger) (stop func(), err error) {
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
		resource.WithHost(), resource.WithFromEnv()) // OTEL_SERVICE_NAME wins
	if err != nil {
		return nil, err
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(process))
	otel.SetTracerProvider(provider)
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			log.Warn("the last spans could not be sent", "error", err)
		}
	}, nil
}

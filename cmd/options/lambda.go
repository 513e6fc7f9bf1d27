package options

import (
	"context"
	"log/slog"
	"os"

	"example.com/b2b/v2/internal/buildinfo"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/web"
)

// LambdaLog returns the log of a Lambda function, in JSON. The Lambda library also logs there.
func LambdaLog(s *config.Settings, service string) *slog.Logger {
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: s.LogLevel})).
		With("service", service, "version", buildinfo.Version())
	slog.SetDefault(log)
	return log
}

// Lambda returns the options of a service that runs as a Lambda function. The function flush sends the spans
// that wait; it is nil when no spans are recorded.
func Lambda(ctx context.Context, s *config.Settings, service string) (
	o web.Options, flush func(context.Context) error, err error,
) {
	log := LambdaLog(s, service)
	traces, err := Traces(ctx, log)
	if err != nil {
		return o, nil, err
	}
	if o, err = Options(ctx, s, log); err != nil {
		return o, nil, err
	}
	o.Service, o.Traced = service, traces != nil
	if traces != nil {
		flush = traces.ForceFlush
	}
	return o, flush, nil
}

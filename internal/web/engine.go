// Package web is the HTTP engine of every service: a chain of middlewares that holds each request to the
// service's OpenAPI document, and the one place where errors become HTTP.
package web

import (
	"cmp"
	"log/slog"
	"time"

	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/buildinfo"
	"example.com/b2b/internal/docs"
	"example.com/b2b/openapi/contract"
)

// Options configure an engine.
type Options struct {
	Document []byte        // the service's OpenAPI document, in YAML
	Open     bool          // callers without a token may do all that the document does not keep for services
	Tokens   auth.Tokens   // accepted tokens
	Log      *slog.Logger  // gets a line of at most 4 KB for each request
	Timeout  time.Duration // of a request, once its body is read; of a file, without a byte read or written
	// BodyTimeout is for a body, and for each 64 KiB of a file that is received or sent; 0 is ten seconds.
	BodyTimeout time.Duration
	Limits      Limits
	Browsers    Browsers

	// CorrelationIDInBody is for the orchestrator: the correlation id may come as `correlation_id` in the
	// body, and every error has it as `correlationId`.
	CorrelationIDInBody bool

	Others []docs.Linked // the documentation page links to them
	Front  bool          // callers begin here: see docs.Index
}

// New returns an engine for the generated handlers. It panics when the document, a part of the program,
// cannot be read, or Limits.Proxies are not addresses.
func New(o Options) Engine {
	document, spec := docs.Served(o.Document, o.Open)
	operations := newOperations(spec)
	bodyTimeout := cmp.Or(o.BodyTimeout, 10*time.Second)

	e := newGin(o.Limits.Proxies)
	e.Use(
		unescapePath,
		readForwarded,
		beginCall(operations, o.CorrelationIDInBody),
		accessLog(o.Log),
		bufferResponse,
		recoverPanics,
		securityHeaders(pagePolicy(o.Browsers, o.Others)),
		guardBrowsers(o.Browsers),
		refuseMethod(operations.allow),
		forOperations(announceSunset),
		forOperations(authorize(o.Tokens, newRateLimiter(o.Limits.Rate, o.Limits.Burst))),
		forOperations(validate(bodyTimeout, o.CorrelationIDInBody)),
		forOperations(limitTime(o.Timeout, bodyTimeout)),
		forOperations(limitWork(newWorkLimits(o.Limits))),
		forOperations(keepConnection),
	)
	e.NoRoute(notFound)
	e.NoMethod(methodNotAllowed)
	serveDocs(e, document, spec, o.Others, o.Front)
	return e
}

// Health returns a service's answer to /health and /ready.
func Health(service string) contract.Health {
	return contract.Health{Status: "ok", Service: service, Version: buildinfo.Version()}
}

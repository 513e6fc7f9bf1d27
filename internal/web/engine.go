// Package web is the HTTP engine of every service: a chain of middlewares. It refuses requests that break the
// service's OpenAPI document, and no other package turns errors into HTTP answers.
package web

import (
	"cmp"
	"log/slog"
	"time"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/buildinfo"
	"example.com/b2b/v2/internal/docs"
	"example.com/b2b/v2/openapi/contract"
)

// Options configure an engine.
type Options struct {
	Service  string       // name of the service in metrics and traces
	Traced   bool         // spans of requests are recorded
	Document []byte       // the service's OpenAPI document, in YAML
	Open     bool         // callers need no token, except for operations that need the service token
	Tokens   auth.Tokens  // accepted tokens
	Log      *slog.Logger // gets a line of at most 4 KB for each request
	// Timeout bounds the work on a request, counted from the end of the body. For a file it bounds the time
	// in which the handler neither reads nor writes.
	Timeout time.Duration
	// BodyTimeout bounds the time to receive a JSON body, and the time to receive or send each 64 KiB of a
	// file; 0 means ten seconds.
	BodyTimeout time.Duration
	Currency    string // currency of all amounts, to show in the document; "" changes nothing
	Limits      Limits
	Browsers    Browsers
	Stopping    func() bool // reports whether the service is about to stop; nil means never

	// CorrelationIDInBody is for the orchestrator: the body of a request may have the correlation id, as
	// `correlation_id`, and the body of each error has the id, as `correlationId`.
	CorrelationIDInBody bool

	Others []docs.Linked // services that the documentation page links to
	Front  bool          // the service has the start page, and its /docs also shows the documents of Others
}

// New returns an engine for the generated handlers. It panics when the document cannot be read, because the
// document is part of the program, and when an entry of Limits.Proxies is neither an address nor a network.
func New(o Options) Engine {
	document, spec := docs.Served(o.Document, o.Open, o.Currency)
	operations := newOperations(spec)
	bodyTimeout := cmp.Or(o.BodyTimeout, 10*time.Second)
	limits := newWorkLimits(o.Limits)

	e := newGin(o.Limits.Proxies)
	e.Use(
		unescapePath,
		readForwarded,
		beginCall(operations, o.CorrelationIDInBody),
		traceRequest(o.Service, o.Traced),
		accessLog(o.Log),
		measure(o.Service),
		bufferResponse,
		recoverPanics,
		securityHeaders(pagePolicy(o.Browsers, o.Others)),
		guardBrowsers(o.Browsers),
		refuseMethod(operations.allow),
		announceStop(o.Stopping),
		forOperations(announceSunset),
		forOperations(authorize(o.Tokens, newRateLimiter(o.Limits.Rate, o.Limits.Burst))),
		forOperations(validate(limits.bodies, bodyTimeout, o.CorrelationIDInBody)),
		forOperations(limitTime(o.Timeout, bodyTimeout)),
		forOperations(limitWork(limits)),
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

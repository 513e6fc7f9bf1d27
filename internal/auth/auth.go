// Package auth says who calls. Package web puts the principal into the request's context once it has looked at the token; what
// is decided by it is decided where the data is.
package auth

import "context"

// Principal is who makes a call.
type Principal struct {
	Subject string // who it is, for the log and the keys: Anonymous or Service
}

// The principals there are.
var (
	Anonymous = Principal{Subject: "anonymous"} // no token was asked for
	Service   = Principal{Subject: "service"}   // holds the service token
)

// KeySpace names the caller to whom an idempotency key belongs. All principals share one: a partner who looks for a key finds
// what the orchestrator did with it.
func (Principal) KeySpace() string { return "public" }

type contextKey struct{}

// With returns a context whose calls are made by p.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns who makes the call that ctx belongs to; Anonymous when nobody said.
func From(ctx context.Context) Principal {
	if p, ok := ctx.Value(contextKey{}).(Principal); ok {
		return p
	}
	return Anonymous
}

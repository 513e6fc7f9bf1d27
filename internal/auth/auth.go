// Package auth identifies the caller of a request. Package web checks the token and the scopes, and stores
// the principal in the context of the request. The services check, where they read or write data, for which
// customer the principal may act.
package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// Principal is the caller of a request.
type Principal struct {
	Subject   string // the actor in the history: `sub` of the token, or anonymous, service or system
	Customer  int64  // the only customer for whom the caller may act; 0 means all customers
	Scope     string // the granted scopes, separated by spaces
	ByService bool   // the call came from another service, with the service token
	Network   string // the network of a caller without a token: see server.Network; "" for other callers
}

// The principals without a JWT.
var (
	// Anonymous is a caller without a token.
	Anonymous = Principal{Subject: "anonymous"}
	// Service is another service that calls for itself: with the service token, without X-Acting-For.
	Service = Principal{Subject: "service", Scope: Admin, ByService: true}
	// System is the program itself, for example when an order expires.
	System = Principal{Subject: "system", Scope: Admin}
)

// Admin is the scope that includes all other scopes.
const Admin = "admin"

// Scopes lists the scopes that the OpenAPI documents require, and Admin.
var Scopes = []string{"customers:read", "customers:write", "products:read", "products:write",
	"orders:read", "orders:write", "events:read", "webhooks:read", "webhooks:write", Admin}

// Known reports whether the caller has identified itself. It is false for Anonymous, even when another
// service passes on the call of an anonymous caller.
func (p Principal) Known() bool { return p.Subject != Anonymous.Subject }

// Lacks returns the required scopes that p does not have.
func (p Principal) Lacks(required []string) (missing []string) {
	granted := strings.Split(p.Scope, " ")
	if slices.Contains(granted, Admin) {
		return nil
	}
	for _, scope := range required {
		if !slices.Contains(granted, scope) {
			missing = append(missing, scope)
		}
	}
	return missing
}

// ActsFor reports whether p may act for the customer.
func (p Principal) ActsFor(customer int64) bool { return p.Customer == 0 || p.Customer == customer }

// KeySpace returns the namespace of p's idempotency keys, at most 64 ASCII characters. Tokens for different
// customers have different namespaces, even with the same subject.
func (p Principal) KeySpace() string {
	switch p.Subject {
	case Anonymous.Subject:
		return "public"
	case Service.Subject:
		return p.Subject
	}
	sum := sha256.Sum256([]byte(strconv.FormatInt(p.Customer, 10) + " " + p.Subject))
	return "sub " + hex.EncodeToString(sum[:24])
}

// ShareKey returns the name under which rate limits and fair shares count the work for p. The name is the
// network for a caller without a token, and the key space for any other caller.
func (p Principal) ShareKey() string {
	if p.Network != "" {
		return p.Network
	}
	return p.KeySpace()
}

type contextKey struct{}

// With returns a context with p as the caller.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns the caller that With has stored in ctx. Without a stored caller, it returns Anonymous.
func From(ctx context.Context) Principal {
	if p, ok := ctx.Value(contextKey{}).(Principal); ok {
		return p
	}
	return Anonymous
}

// Package auth identifies the caller of a request. Package web stores the principal in the request's context
// after it has checked the token; the services decide where the data is read or written.
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
	Subject   string // the token's `sub`, or that of Anonymous, Service or System: the actor in the history
	Customer  int64  // the only customer for whom the caller may act; 0 for all customers
	Scope     string // the granted scopes, separated by spaces
	ByService bool   // the service token was sent: another service calls, for itself or for this principal
}

// The principals without a JWT.
var (
	// Anonymous sent no token.
	Anonymous = Principal{Subject: "anonymous"}
	// Service sent the service token and no X-Acting-For.
	Service = Principal{Subject: "service", Scope: Admin, ByService: true}
	// System is the program itself, for example when an order expires.
	System = Principal{Subject: "system", Scope: Admin}
)

// Admin is the scope that includes all others.
const Admin = "admin"

// Scopes are all scopes that the documents require, and Admin.
var Scopes = []string{"customers:read", "customers:write", "products:read", "products:write",
	"orders:read", "orders:write", "events:read", Admin}

// Known reports whether p is identified by a token.
func (p Principal) Known() bool { return p.Subject != Anonymous.Subject }

// Lacks returns the required scopes that are not granted to p.
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

// KeySpace returns the namespace of p's idempotency keys, at most 64 ASCII characters. Tokens with the same
// subject and different customers have different namespaces.
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

type contextKey struct{}

// With returns a context with p as the caller.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns the caller that With stored in ctx, else Anonymous.
func From(ctx context.Context) Principal {
	if p, ok := ctx.Value(contextKey{}).(Principal); ok {
		return p
	}
	return Anonymous
}

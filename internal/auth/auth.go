// Package auth says who calls. Package web puts the principal into the request's context once it has looked
// at the token; what is decided by it is decided where the data is.
package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// Principal is who makes a call, and for whom.
type Principal struct {
	Subject   string // the token's `sub`, or that of Anonymous, Service or System: the actor in the history
	Customer  int64  // the one customer for whom it acts; 0 when it is bound to none
	Scope     string // what it may do, separated by spaces
	ByService bool   // the call came with the service token, on this principal's behalf or the service's own
}

// The principals that no JWT names.
var (
	Anonymous = Principal{Subject: "anonymous"}                              // no token was sent
	Service   = Principal{Subject: "service", Scope: Admin, ByService: true} // holds the service token, and says not for whom it acts
	System    = Principal{Subject: "system", Scope: Admin}                   // the program itself, such as its sweep
)

// Admin is the scope that includes all others.
const Admin = "admin"

// Scopes are those that the operations of the documents ask for, and Admin.
var Scopes = []string{"customers:read", "customers:write", "products:read", "products:write", "orders:read", "orders:write", "events:read", Admin}

// Known reports whether a token says who p is.
func (p Principal) Known() bool { return p.Subject != Anonymous.Subject }

// Lacks returns those of the scopes that p does not have.
func (p Principal) Lacks(scopes []string) (missing []string) {
	has := strings.Split(p.Scope, " ")
	if slices.Contains(has, Admin) {
		return nil
	}
	for _, scope := range scopes {
		if !slices.Contains(has, scope) {
			missing = append(missing, scope)
		}
	}
	return missing
}

// ActsFor reports whether p may act for a customer.
func (p Principal) ActsFor(customer int64) bool { return p.Customer == 0 || p.Customer == customer }

// KeySpace names the caller to whom an idempotency key belongs, in at most 64 ASCII characters. A subject
// that is bound to another customer is another caller.
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

// Package correlation carries the id of a call from service to service: in a header of each request, and in
// the context of the work for it.
package correlation

import "context"

// Header names the correlation id in requests and answers.
const Header = "X-Correlation-Id"

type contextKey struct{}

// With returns a context of the call with this id.
func With(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// ID returns the id of the call that ctx belongs to: the caller's own, or a random id; "" outside a call.
func ID(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
}

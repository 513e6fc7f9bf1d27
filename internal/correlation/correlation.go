// Package correlation carries the correlation id of a call from service to service: in a header of each
// request, and in the context of the work on the request.
package correlation

import "context"

// Header names the correlation id in requests and answers.
const Header = "X-Correlation-Id"

type contextKey struct{}

// With returns a context with the correlation id.
func With(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// ID returns the correlation id in ctx: the id that the caller has sent, or else a random id. It returns ""
// when ctx has no id.
func ID(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
}

package web

import (
	"context"
	"crypto/rand"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/correlation"
	"example.com/b2b/internal/formats"
)

// call is the state of a request that its middlewares share, in the request's context.
type call struct {
	operation     *operation // nil for pages and unknown paths
	correlateBody bool       // errors carry the correlation id in the body, too
	caller        string     // the subject that may call, as events name the actor; "" until it is known
	cut           bool       // a file ended in the middle
	callerLeft    bool       // the caller's connection has ended, and the work with it
}

type callKey struct{}

// beginCall puts the operation of a request and its correlation id into the request's context. The id is the
// caller's, when the header has a valid id, else a random id.
func beginCall(all operations, correlateBody bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		id := c.GetHeader(correlation.Header)
		if !formats.IsCorrelationID(id) {
			id = rand.Text()
		}
		begun := &call{operation: all.find(c), correlateBody: correlateBody}
		setCorrelationID(c, context.WithValue(c.Request.Context(), callKey{}, begun), id)
	}
}

func setCorrelationID(c *gin.Context, ctx context.Context, id string) {
	c.Request = c.Request.WithContext(correlation.With(ctx, id))
	c.Header(correlation.Header, id)
}

// callOf returns the call of a request, an empty call outside an engine.
func callOf(c *gin.Context) *call {
	if begun, ok := c.Request.Context().Value(callKey{}).(*call); ok {
		return begun
	}
	return &call{}
}

// forOperations makes a middleware for requests of the document's operations alone.
func forOperations(middleware func(c *gin.Context, op *operation)) gin.HandlerFunc {
	return func(c *gin.Context) {
		if op := callOf(c).operation; op != nil {
			middleware(c, op)
		}
	}
}

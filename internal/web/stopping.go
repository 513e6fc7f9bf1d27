package web

import (
	"errors"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/apperr"
)

var errStopping = errors.New("the service is about to stop")

// announceStop tells callers that the service is about to stop: /ready answers 503 unavailable, so that load
// balancers send new requests to other instances, and every answer closes its connection.
func announceStop(stopping func() bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		if stopping == nil || !stopping() {
			return
		}
		c.Header("Connection", "close")
		if c.FullPath() == "/ready" {
			Fail(c, apperr.Unavailable.Because(errStopping))
		}
	}
}

package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
)

// etag names a representation: the hash of its JSON. It needs no version column and changes with whatever the caller can see.
// RFC 9110, section 8.8.3.
func etag(body []byte) string {
	sum := sha256.Sum256(bytes.TrimSpace(body))
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// Precondition returns 412 precondition_failed when ifMatch, if given, does not name current, the body that a read would answer
// with. Ask it while nobody else can change the thing.
func Precondition(ifMatch *string, current any) error {
	if ifMatch == nil {
		return nil
	}
	body, err := json.Marshal(current)
	if err != nil {
		return err
	}
	if !names(*ifMatch, etag(body)) {
		return apperr.PreconditionFailed.New()
	}
	return nil
}

// names reports whether the list of entity tags has this one. A weak tag (W/) never names a strong one.
func names(list, tag string) bool {
	for t := range strings.SplitSeq(list, ",") {
		if t = strings.TrimSpace(t); t == tag || t == "*" {
			return true
		}
	}
	return false
}

// tagAnswers adds the ETag to what a handler answers, and makes it 304 without a body when the caller has that state already.
// It wraps the operations whose document promises an ETag on 200.
func tagAnswers(c *gin.Context) {
	w := c.Writer
	held := &heldAnswer{ResponseWriter: w, status: http.StatusOK}
	c.Writer = held
	defer func() { c.Writer = w }() // after a panic too, which is answered further out
	c.Next()
	if held.status == http.StatusOK {
		tag := etag(held.body.Bytes())
		w.Header().Set("ETag", tag)
		// If-None-Match compares weakly: RFC 9110, section 13.1.2.
		if seen := c.GetHeader("If-None-Match"); seen != "" && c.Request.Method == http.MethodGet && names(strings.ReplaceAll(seen, "W/", ""), tag) {
			w.Header().Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			w.WriteHeaderNow()
			return
		}
	}
	w.WriteHeader(held.status)
	_, _ = w.Write(held.body.Bytes())
}

// heldAnswer keeps an answer back until its tag is known.
type heldAnswer struct {
	gin.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) WriteHeader(status int)            { h.status = status }
func (h *heldAnswer) Write(b []byte) (int, error)       { return h.body.Write(b) }
func (h *heldAnswer) WriteString(s string) (int, error) { return h.body.WriteString(s) }
func (h *heldAnswer) Status() int                       { return h.status }
func (h *heldAnswer) Size() int                         { return h.body.Len() }
func (h *heldAnswer) Written() bool                     { return h.body.Len() > 0 }
func (h *heldAnswer) WriteHeaderNow()                   {}

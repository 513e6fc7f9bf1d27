package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
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

// A list of entity tags: RFC 9110, sections 8.8.3 and 5.6.1.2. An opaque tag may hold commas.
const entityTag = `(?:W/)?"[!#-~\x80-\x{10ffff}]*"`

var (
	oneTag = regexp.MustCompile(entityTag)
	tags   = regexp.MustCompile(`^[ \t,]*` + entityTag + `(?:[ \t]*,(?:[ \t]*` + entityTag + `)?)*[ \t]*$`)
)

func validTags(s string) bool { return strings.TrimSpace(s) == "*" || tags.MatchString(s) }

// names reports whether the list of entity tags has this one, or is *. A weak tag (W/) never names a strong one.
func names(list, tag string) bool {
	return strings.TrimSpace(list) == "*" || slices.Contains(oneTag.FindAllString(list, -1), tag)
}

// tagAnswers adds the ETag to what a handler answers, and makes it 304 without a body when the caller has that state already.
// It wraps the operations whose document promises an ETag on 200.
func tagAnswers(c *gin.Context) {
	w := c.Writer
	held := hold(c)
	defer func() { c.Writer = w }() // after a panic too, which is answered further out
	c.Next()
	if held.status == http.StatusOK {
		tag := etag(held.body.Bytes())
		w.Header().Set("ETag", tag)
		// If-None-Match compares weakly: RFC 9110, section 13.1.2.
		if seen := c.GetHeader("If-None-Match"); seen != "" && reads(c.Request.Method) && names(strings.ReplaceAll(seen, "W/", ""), tag) {
			w.Header().Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			w.WriteHeaderNow()
			return
		}
	}
	w.WriteHeader(held.status)
	_, _ = w.Write(held.body.Bytes())
}

func reads(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// hold makes what follows answer into what it returns.
func hold(c *gin.Context) *heldAnswer {
	held := &heldAnswer{ResponseWriter: c.Writer, status: http.StatusOK}
	c.Writer = held
	return held
}

// heldAnswer keeps an answer back until all of it is known.
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

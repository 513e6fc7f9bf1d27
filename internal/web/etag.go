package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
)

// etag names a representation: the hash of its JSON. It needs no version column and changes with whatever the caller can see.
// RFC 9110, section 8.8.3.
func etag(body []byte) string {
	sum := sha256.Sum256(bytes.TrimSpace(body))
	return fmt.Sprintf(`"%x"`, sum[:16])
}

// Precondition returns 412 precondition_failed when ifMatch, if given, does not name current, the body that a read would answer
// with. Ask it while nobody else can change the thing.
func Precondition(ifMatch *string, current any) error {
	if ifMatch == nil {
		return nil
	}
	body, err := json.Marshal(current)
	if err == nil && !names(*ifMatch, etag(body)) {
		return apperr.PreconditionFailed.New()
	}
	return err
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

// hold keeps every answer back until all of it is known. HEAD gets the headers of GET without the body. Where the
// document promises an ETag on 200, hold adds it, and answers 304 when the caller has that state already.
func (v *validator) hold(c *gin.Context) {
	isHead, tagged := c.Request.Method == http.MethodHead, v.operation(c).tagged
	w, held := c.Writer, &heldAnswer{ResponseWriter: c.Writer}
	c.Writer = held
	c.Next()
	c.Writer = w
	body := held.body.Bytes()
	if tagged && w.Status() == http.StatusOK {
		tag := etag(body)
		w.Header().Set("ETag", tag)
		// If-None-Match compares weakly: RFC 9110, section 13.1.2.
		seen := strings.ReplaceAll(c.GetHeader("If-None-Match"), "W/", "")
		if (isHead || c.Request.Method == http.MethodGet) && names(seen, tag) {
			w.Header().Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			body = nil
		}
	}
	if isHead && len(body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = nil
	}
	_, _ = w.Write(body)
}

// heldAnswer takes an answer's body.
type heldAnswer struct {
	gin.ResponseWriter
	body bytes.Buffer
}

func (h *heldAnswer) Write(b []byte) (int, error)       { return h.body.Write(b) }
func (h *heldAnswer) WriteString(s string) (int, error) { return h.body.WriteString(s) }
func (h *heldAnswer) Written() bool                     { return h.body.Len() > 0 }
func (h *heldAnswer) WriteHeaderNow()                   {}
func (h *heldAnswer) Unwrap() http.ResponseWriter       { return h.ResponseWriter } // the deadline of a body is its connection's

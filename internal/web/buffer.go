package web

import (
	"bytes"
	"math"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/etag"
)

// bufferResponse keeps an answer in memory until the handler has ended. It buffers neither files nor pages,
// because many slow readers of large files and pages would fill the memory. HEAD gets the headers of GET
// without the body. An answer 200 gets an ETag if the document declares this header. A GET or HEAD with the
// same tag in If-None-Match gets 304.
func bufferResponse(c *gin.Context) {
	op := callOf(c).operation
	isHead := c.Request.Method == http.MethodHead
	if op == nil && !isHead || op != nil && op.streams {
		return
	}
	w, buffer := c.Writer, &responseBuffer{ResponseWriter: c.Writer, sent: func() {}}
	defer func() { buffer.sent() }()
	c.Writer = buffer
	c.Next()
	c.Writer = w
	body := buffer.body.Bytes()
	setAge(c)
	if op != nil && op.hasETag && w.Status() == http.StatusOK {
		tag := etag.Of(body)
		w.Header().Set("ETag", tag)
		isRead := isHead || c.Request.Method == http.MethodGet
		if isRead && etag.NotModified(c.GetHeader("If-None-Match"), tag) {
			w.Header().Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			body = nil
		}
	}
	if isHead && len(body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = nil
	}
	if w.WriteHeaderNow(); len(body) > 0 {
		_, _ = w.Write(body)
	}
}

// setAge sets the header Age of an answer with data from a replica: RFC 9111, section 5.1. The age is rounded
// up, so that it is never too small.
func setAge(c *gin.Context) {
	call := callOf(c)
	if call.operation == nil || !call.operation.mayLag || c.Writer.Status() != http.StatusOK {
		return
	}
	if age := call.times.Parts().Age; age > 0 {
		c.Writer.Header().Set("Age", strconv.Itoa(int(math.Ceil(age.Seconds()))))
	}
}

// responseBuffer keeps the body of an answer in memory.
type responseBuffer struct {
	gin.ResponseWriter
	body bytes.Buffer
	sent func() // called after the answer has been written
}

func (b *responseBuffer) Write(p []byte) (int, error)       { return b.body.Write(p) }
func (b *responseBuffer) WriteString(s string) (int, error) { return b.body.WriteString(s) }
func (b *responseBuffer) Written() bool                     { return b.body.Len() > 0 }
func (b *responseBuffer) WriteHeaderNow()                   {}

// Unwrap lets http.ResponseController set the deadlines of the connection.
func (b *responseBuffer) Unwrap() http.ResponseWriter { return b.ResponseWriter }

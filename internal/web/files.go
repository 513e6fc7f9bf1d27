package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/server"
)

// minTransfer is the number of bytes of a file that must pass in each period of the length BodyTimeout. A
// period counts only the time of waiting for the other side: see pace. With the default BodyTimeout this is
// 52 kbit/s, so an EDGE line is fast enough.
const minTransfer = 64 << 10

// sendBuffer is the size of the kernel's send buffer for a file, in bytes. The kernel wakes a waiting writer
// when a third of the buffer is free. A small buffer shows early that nobody reads. In a buffer of megabytes,
// a slow but acceptable reader could not free a third within BodyTimeout.
const sendBuffer = 128 << 10

// pace ends a transfer when fewer than minTransfer bytes pass in a window of time, by a deadline on the
// connection. A window counts only the time of waiting for the other side, and not the time in which the
// handler reads or makes rows.
type pace struct {
	window      time.Duration
	setDeadline func(time.Time) error // sets the deadline of the connection
	bytes       int                   // bytes transferred since the window began
	waited      time.Duration         // time of waiting since the window began
}

// transfer calls the function move, which reads or writes some bytes. Error: os.ErrDeadlineExceeded when the
// other side is too slow.
func (p *pace) transfer(move func() (int, error)) (int, error) {
	began := time.Now()
	_ = p.setDeadline(began.Add(p.window - p.waited))
	n, err := move()
	p.waited += time.Since(began)
	if p.bytes += n; p.bytes >= minTransfer {
		p.bytes, p.waited = 0, 0
	}
	return n, err
}

// upload returns the body of a request with a file, for the handler to read. The query parameter encoding
// takes precedence over the charset, because some HTTP clients add a charset on their own. Errors, because of
// the headers: 413 payload_too_large, 415 unsupported_media_type.
func upload(c *gin.Context, query url.Values, row *openapi3.Schema, window time.Duration) (*bulk.Upload, error) {
	if c.GetHeader("Content-Encoding") != "" {
		return nil, refuseEncoding(c, apperr.NoRows)
	}
	err := refuseMedia(c.Request.Header, apperr.NoRows, bulk.Encodings(), bulk.CSV, bulk.NDJSON)
	if err != nil {
		return nil, err
	}
	if c.Request.ContentLength > bulk.MaxFile {
		return nil, bulk.FileTooLarge()
	}
	media, charset := contentType(c.Request.Header)
	body := &fileReader{
		ReadCloser: http.MaxBytesReader(c.Writer, c.Request.Body, bulk.MaxFile),
		pace:       pace{window: window, setDeadline: http.NewResponseController(c.Writer).SetReadDeadline},
	}
	encoding := cmp.Or(query.Get("encoding"), charset)
	return &bulk.Upload{ReadCloser: body, Media: media, Encoding: encoding, Row: row}, nil
}

// fileReader reads a file from a caller, and ends an upload that is too slow: see the type pace.
type fileReader struct {
	io.ReadCloser
	pace     pace
	progress func() // called at each read, so that the time limit of the handler begins anew
}

// Read reads from the file. Errors: 408 request_timeout when the caller sends too slowly, 413
// payload_too_large, 400 malformed_row when the file ends early.
func (r *fileReader) Read(b []byte) (int, error) {
	r.progress()
	n, err := r.pace.transfer(func() (int, error) { return r.ReadCloser.Read(b) })
	switch {
	case errors.Is(err, io.EOF):
		_ = r.pace.setDeadline(time.Time{}) // a deadline that passes later would end the request's context
	case err != nil:
		err = readError(err, bulk.FileTooLarge(), apperr.MalformedRow)
	}
	return n, err
}

// startFile replaces c.Writer, so that a file is sent while the handler writes it. The returned context ends
// when the handler has neither read nor written for the time timeout, and at the deadline of the request;
// only Lambda sets a deadline. The context does not end when the caller leaves: the next write then fails.
// The type pace describes the parameter window.
func startFile(c *gin.Context, timeout, window time.Duration) (context.Context, context.CancelFunc) {
	server.SetWriteBuffer(c.Request.Context(), sendBuffer)
	ctx, stop := context.WithCancel(context.WithoutCancel(c.Request.Context()))
	if deadline, ok := c.Request.Context().Deadline(); ok {
		ctx, stop = context.WithDeadline(ctx, deadline)
	}
	stalled := time.AfterFunc(timeout, stop)
	progress := func() { stalled.Reset(timeout) }
	controller := http.NewResponseController(c.Writer)
	c.Writer = &fileWriter{
		ResponseWriter: c.Writer, ctx: ctx, progress: progress, setAge: func() { setAge(c) },
		pace:        pace{window: window, setDeadline: controller.SetWriteDeadline},
		headersOnly: c.Request.Method == http.MethodHead,
	}
	if file, ok := c.Request.Body.(*bulk.Upload); ok {
		file.ReadCloser.(*fileReader).progress = progress
	}
	return ctx, func() {
		stalled.Stop()
		stop()
		// net/http sends the end of the file after this, within the time window. For the next request,
		// net/http sets a new deadline itself.
		_ = controller.SetWriteDeadline(time.Now().Add(window))
	}
}

// fileWriter sends a file while the handler writes it.
type fileWriter struct {
	gin.ResponseWriter
	ctx         context.Context
	pace        pace
	progress    func()      // called at each write, so that the time limit of the handler begins anew
	setAge      func()      // sets the header Age; called at each write, but only effective at the first
	search      *searchTurn // slot of the search for the file's rows; nil without a search
	headersOnly bool        // whether the request is HEAD
}

// Write sends b, and waits until the caller has read enough of the earlier bytes. Meanwhile another search
// may use the slot of this file's search. For HEAD the error is http.ErrBodyNotAllowed.
func (w *fileWriter) Write(b []byte) (int, error) {
	w.progress()
	w.setAge()
	w.WriteHeaderNow()
	if w.headersOnly {
		return 0, http.ErrBodyNotAllowed
	}
	if w.search != nil {
		w.search.release()
	}
	n, err := w.pace.transfer(func() (int, error) {
		n, err := w.ResponseWriter.Write(b)
		w.Flush()
		return n, err
	})
	if w.search != nil && err == nil {
		_ = w.search.acquire(w.ctx) // fails only when w.ctx has ended; then the handler's next query fails, too
	}
	w.progress()
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *fileWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

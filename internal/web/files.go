package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/bulk"
	"example.com/b2b/internal/server"
)

// minTransfer is how many bytes of a file must pass within each BodyTimeout of waiting for the other side.
// The default comes to 52 kbit/s; the slowest mobile line and a modem reach that.
const minTransfer = 64 << 10

// sendBuffer is the kernel's buffer for a file on its way to a caller. A small buffer shows early when nobody
// reads: the kernel lets a writer go on when a third of its buffer is free, and of a buffer grown to
// megabytes a slow reader would not free a third within a window of pace.
const sendBuffer = 128 << 10

// pace ends a transfer slower than minTransfer, by a deadline of the connection. Only the time of waiting for
// the other side counts, not the time of reading or making rows.
type pace struct {
	window      time.Duration
	setDeadline func(time.Time) error // of the connection
	bytes       int                   // since the window began
	waited      time.Duration         // since the window began
}

// transfer moves some bytes. Its error is os.ErrDeadlineExceeded when the other side is too slow.
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

// upload returns the body of a request with a file, to be read by the handler. It refuses a file by its
// headers.
func upload(c *gin.Context, row *openapi3.Schema, window time.Duration) (*bulk.Upload, error) {
	if c.GetHeader("Content-Encoding") != "" {
		return nil, refuseEncoding(c, apperr.NoRows)
	}
	if err := refuseMedia(c.Request.Header, apperr.NoRows, bulk.CSV, bulk.NDJSON); err != nil {
		return nil, err
	}
	if c.Request.ContentLength > bulk.MaxFile {
		return nil, apperr.TooManyRows.New()
	}
	media, _ := contentType(c.Request.Header)
	body := &fileReader{
		ReadCloser: http.MaxBytesReader(c.Writer, c.Request.Body, bulk.MaxFile),
		pace:       pace{window: window, setDeadline: http.NewResponseController(c.Writer).SetReadDeadline},
	}
	return &bulk.Upload{ReadCloser: body, Media: media, Row: row}, nil
}

// fileReader reads a file from a caller who must send it fast enough.
type fileReader struct {
	io.ReadCloser
	pace     pace
	progress func() // called at each read
}

// Read returns 408 request_timeout, 413 payload_too_large or 400 malformed_row when the file does not arrive.
func (r *fileReader) Read(b []byte) (int, error) {
	r.progress()
	n, err := r.pace.transfer(func() (int, error) { return r.ReadCloser.Read(b) })
	switch {
	case errors.Is(err, io.EOF):
		_ = r.pace.setDeadline(time.Time{}) // else the deadline would end the handler's context, too
	case err != nil:
		err = readError(err, apperr.TooManyRows, apperr.MalformedRow)
	}
	return n, err
}

// startFile makes the answer a file, sent while the handler makes it. The returned context ends when nothing
// has been read or written for timeout; a caller who leaves makes the next write fail.
func startFile(c *gin.Context, timeout, window time.Duration) (context.Context, context.CancelFunc) {
	server.SetWriteBuffer(c.Request.Context(), sendBuffer)
	ctx, stop := context.WithCancel(context.WithoutCancel(c.Request.Context()))
	stalled := time.AfterFunc(timeout, stop)
	progress := func() { stalled.Reset(timeout) }
	controller := http.NewResponseController(c.Writer)
	c.Writer = &fileWriter{
		ResponseWriter: c.Writer, ctx: ctx, progress: progress,
		pace:        pace{window: window, setDeadline: controller.SetWriteDeadline},
		headersOnly: c.Request.Method == http.MethodHead,
	}
	if file, ok := c.Request.Body.(*bulk.Upload); ok {
		file.ReadCloser.(*fileReader).progress = progress
	}
	return ctx, func() {
		stalled.Stop()
		stop()
		_ = controller.SetWriteDeadline(time.Time{}) // the connection may serve another request
	}
}

// fileWriter sends a file while the handler makes it.
type fileWriter struct {
	gin.ResponseWriter
	ctx         context.Context
	pace        pace
	progress    func()      // called at each write
	search      *searchTurn // of the search for the file's content; nil for none
	headersOnly bool        // for HEAD
}

// Write waits until the reader has taken earlier writes. Meanwhile the file's search is not at work.
func (w *fileWriter) Write(b []byte) (int, error) {
	w.progress()
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
		err = w.search.acquire(w.ctx)
	}
	w.progress()
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *fileWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

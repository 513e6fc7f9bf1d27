package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
)

// The media types of files. Both have one row after the other; the document's x-row is the schema of each.
const (
	CSV    = "text/csv"
	NDJSON = "application/x-ndjson"
)

// Bounds of a file that is sent: the sentence of apperr.TooManyRows has them.
const (
	maxRows = 100_000
	maxRow  = 64 << 10 // bytes
	maxFile = 64 << 20
)

// RowSchema is that of the rows of a file.
func RowSchema(spec *openapi3.T, file *openapi3.MediaType) *openapi3.Schema {
	ref := file.Extensions["x-row"].(map[string]any)["$ref"].(string)
	return spec.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")].Value
}

// upload is the body of an operation that takes rows, which nobody has read yet.
type upload struct {
	io.ReadCloser
	*validator
	media      string
	row        *openapi3.Schema
	connection *http.ResponseController
	pace       pace
	progress   func()
}

// receive refuses a file by what its headers say of it.
func (v *validator) receive(c *gin.Context, row *openapi3.Schema) (*upload, error) {
	media := mediaType(c.Request.Header)
	switch {
	case c.GetHeader("Content-Encoding") != "":
		return nil, refuseEncoding(c, apperr.NoRows)
	case media != CSV && media != NDJSON:
		return nil, apperr.NoRows.New()
	case c.Request.ContentLength > maxFile:
		return nil, apperr.TooManyRows.New()
	}
	connection := http.NewResponseController(c.Writer)
	return &upload{http.MaxBytesReader(c.Writer, c.Request.Body, maxFile), v, media, row, connection, pace{window: v.BodyTimeout, deadline: connection.SetReadDeadline}, nil}, nil
}

// Read ends at a deadline when the file comes too slowly.
func (u *upload) Read(b []byte) (int, error) {
	u.progress()
	return u.pace.transfer(func() (int, error) { return u.ReadCloser.Read(b) })
}

// minTransfer is how many bytes of a file must pass within each BodyTimeout that is spent waiting for the
// other side. With the default that is 52 kbit/s, which the slowest mobile line and a modem have.
const minTransfer = 64 << 10

// pace ends a transfer whose other side is slower than minTransfer, by a deadline of the connection. Only the
// time counts that is spent waiting for the other side: not that in which rows are read or written here.
type pace struct {
	window   time.Duration
	deadline func(time.Time) error // sets that of the connection
	bytes    int                   // since the window began
	waited   time.Duration         // since then
}

// transfer moves some bytes. Its error is os.ErrDeadlineExceeded when the other side is too slow.
func (p *pace) transfer(move func() (int, error)) (int, error) {
	began := time.Now()
	_ = p.deadline(began.Add(p.window - p.waited))
	n, err := move()
	p.waited += time.Since(began)
	if p.bytes += n; p.bytes >= minTransfer {
		p.bytes, p.waited = 0, 0
	}
	return n, err
}

// Rows are those of a file, valid by its document's schema.
type Rows struct {
	*upload
	file    *os.File
	left    int // bytes of the file that may still be read for the row
	text    *bufio.Reader
	table   *csv.Reader // nil for NDJSON
	columns []string
	line    int
	count   int
}

// Row is one of a file.
type Row struct {
	Line    int           // on which it begins, from 1
	JSON    []byte        // until the next row is read
	Refused *apperr.Error // why there is no JSON
}

// OpenRows receives a whole file, the body of an operation whose document gives it an x-row, on disk: a
// client that does not read the answer before it has sent the file cannot keep it from being worked on, and
// of a file that does not arrive nothing is done. Close the rows. Errors: 400 malformed_row and 400
// validation_failed for the line that names the columns, 408 request_timeout, 413 payload_too_large, 503
// unavailable.
func OpenRows(body io.Reader) (*Rows, error) {
	u := body.(*upload)
	file, err := os.CreateTemp("", "b2b-rows-")
	if err != nil {
		return nil, apperr.Unavailable.Because(err)
	}
	_ = os.Remove(file.Name()) // a kill leaves nothing, where a file can go while it is open
	r := &Rows{upload: u, file: file, left: maxRow}
	size, err := io.Copy(file, u)
	if err == nil {
		_ = u.connection.SetReadDeadline(time.Time{}) // it would end the handler's context, too
		_, err = file.Seek(0, io.SeekStart)
	}
	switch {
	case errors.As(err, new(*fs.PathError)):
		err = apperr.Unavailable.Because(err)
	case err != nil:
		err = notReceived(err, apperr.TooManyRows, apperr.MalformedRow)
	case size == 0:
		err = apperr.ValidationFailed.New().With(wholeBody, apperr.Params{"rule": "required"}, "is required: send rows")
	}
	r.text = bufio.NewReaderSize(readerFunc(r.readFile), maxRow)
	if bom, _ := r.text.Peek(3); string(bom) == "\uFEFF" { // as Excel writes it
		_, _ = r.text.Discard(3)
	}
	if err == nil && u.media == CSV {
		err = r.readColumns()
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close removes the file.
func (r *Rows) Close() {
	_ = r.file.Close()
	_ = os.Remove(r.file.Name())
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// readFile keeps a CSV row that does not end from being read into memory.
func (r *Rows) readFile(b []byte) (int, error) {
	if r.left <= 0 {
		return 0, apperr.TooManyRows.New()
	}
	n, err := r.file.Read(b[:min(len(b), r.left)])
	r.left -= n
	return n, err
}

// readColumns reads the line that names the columns.
func (r *Rows) readColumns() error {
	r.table = csv.NewReader(r.text)
	names, err := r.table.Read()
	switch {
	case errors.As(err, new(*csv.ParseError)), errors.Is(err, io.EOF):
		return apperr.MalformedRow.Because(err, "the first line does not name columns")
	case err != nil:
		return err
	}
	var found []apperr.Detail
	for i, name := range names {
		field := pointer([]string{strings.ToValidUTF8(name, "\uFFFD")})
		if r.row.Properties[name] == nil {
			found = append(found, apperr.Detail{Field: field, Message: "is not a known field", Params: apperr.Params{"rule": "unknown_field"}})
		} else if slices.Contains(names[:i], name) {
			found = append(found, apperr.Detail{Field: field, Message: "was given more than once", Params: apperr.Params{"rule": "repeated"}})
		}
	}
	for _, name := range r.row.Required {
		if !slices.Contains(names, name) {
			found = append(found, apperr.Detail{Field: pointer([]string{name}), Message: isRequired, Params: apperr.Params{"rule": "required"}})
		}
	}
	r.columns, r.table.ReuseRecord = names, true
	return refusal(found, 0)
}

// Next returns the next row, which may be refused: 400 malformed_row or 400 validation_failed. Its errors end
// the file: io.EOF, 413 payload_too_large, or another one of reading.
func (r *Rows) Next() (row Row, err error) {
	r.left = maxRow
	read := r.nextLine
	if r.table != nil {
		read = r.nextRecord
	}
	if row, err = read(); err != nil {
		return row, err
	}
	if r.count++; r.count > maxRows {
		return row, apperr.TooManyRows.New()
	}
	if row.Refused != nil {
		return row, nil
	}
	b, err := r.parse(row.JSON, r.row, apperr.MalformedRow)
	if err == nil {
		err = refusal(r.checkBody(r.row, b), b.more)
	}
	errors.As(err, &row.Refused)
	return row, nil
}

// nextLine reads a row of NDJSON.
func (r *Rows) nextLine() (Row, error) {
	for {
		text, err := r.text.ReadSlice('\n')
		r.line++
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return Row{}, apperr.TooManyRows.New()
		case err != nil && (len(text) == 0 || !errors.Is(err, io.EOF)):
			return Row{}, err
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return Row{Line: r.line, JSON: text}, nil
		}
	}
}

// nextRecord reads a row of CSV.
func (r *Rows) nextRecord() (Row, error) {
	cells, err := r.table.Read()
	var broken *csv.ParseError
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		errors.As(err, &broken)
		return Row{Line: broken.StartLine, Refused: apperr.MalformedRow.New("it has more or fewer cells than the first line")}, nil
	case errors.As(err, &broken) && broken.Line > broken.StartLine: // the rows between have no answer of their own
		why := fmt.Sprintf("a quote is where CSV has none, or missing; the row was taken to go on to line %d", broken.Line)
		return Row{Line: broken.StartLine, Refused: apperr.MalformedRow.New(why)}, nil
	case errors.As(err, &broken):
		return Row{Line: broken.StartLine, Refused: apperr.MalformedRow.New("a quote is where CSV has none, or missing")}, nil
	case err != nil:
		return Row{}, err
	}
	row := Row{}
	row.Line, _ = r.table.FieldPos(0)
	object := []byte{'{'}
	for i, cell := range cells {
		s := r.row.Properties[r.columns[i]].Value
		if !utf8.ValidString(cell) {
			row.Refused = apperr.MalformedRow.New("it is not UTF-8")
		}
		if cell == "" && !s.Nullable {
			continue
		}
		name, _ := json.Marshal(r.columns[i])
		if len(object) > 1 {
			object = append(object, ',')
		}
		object = append(append(append(object, name...), ':'), valueOf(cell, s)...)
	}
	row.JSON = append(object, '}')
	return row, nil
}

// valueOf is the value of a cell as JSON: what is not of the schema's type is a string, which the schema
// refuses. An empty one is null.
func valueOf(cell string, s *openapi3.Schema) []byte {
	isNumber := strings.IndexAny(cell, "-0123456789") == 0 && json.Valid([]byte(cell))
	lower := strings.ToLower(cell) // spreadsheets write TRUE
	switch {
	case cell == "":
		return []byte("null")
	case s.Type.Is(openapi3.TypeInteger) && isNumber:
		return []byte(cell)
	case s.Type.Is(openapi3.TypeBoolean) && (lower == "true" || lower == "false"):
		return []byte(lower)
	}
	text, _ := json.Marshal(cell)
	return text
}

// File is an answer that is written while it is made.
type File struct {
	ContentType string
	Write       func(w *bufio.Writer) error // the caller gets what has been flushed
}

// ErrReported is an error after which an answer ends that has told of it.
type ErrReported struct{ Cause error }

func (t ErrReported) Error() string { return t.Cause.Error() }
func (t ErrReported) Unwrap() error { return t.Cause }

// Respond answers with the file, as the generated servers do. After an error before the first byte there may
// be another answer; a later one breaks the connection off, unless it is an ErrReported.
func (f File) Respond(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", f.ContentType)
	out := bufio.NewWriterSize(w, 32<<10)
	err := f.Write(out)
	if err == nil || errors.As(err, new(ErrReported)) {
		err = errors.Join(err, out.Flush())
	}
	if errors.Is(err, errHeadersOnly) {
		return nil
	}
	if answer, ok := w.(gin.ResponseWriter); ok && err != nil && !answer.Written() {
		w.Header().Del("Content-Type") // gin keeps one that is there
	}
	return err
}

// fileWriter passes a file on as it is made.
type fileWriter struct {
	gin.ResponseWriter
	ctx         context.Context
	pace        pace
	progress    func()
	search      *searchTurn // of which the file is; nil when it is of none
	headersOnly bool
}

var errHeadersOnly = errors.New("HEAD has no body")

// streamBuffer is what the kernel keeps of a file that is sent, so that one that nobody reads is noticed. The
// kernel lets a writer go on when a third of its buffer is free: of one that has grown to megabytes, a slow
// reader would not free that within a window of pace.
const streamBuffer = 128 << 10

// stream makes of the answer one that is passed on as it is made. The returned context ends when nothing has
// been read or written for Timeout.
func (v *validator) stream(c *gin.Context, search *searchTurn) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(c.Request.Context())
	if own, isOurs := ctx.Value(connectionKey{}).(*connection); isOurs {
		if tcp, isTCP := own.Conn.(*net.TCPConn); isTCP {
			_ = tcp.SetWriteBuffer(streamBuffer)
		}
	}
	controller := http.NewResponseController(c.Writer)
	stalled := time.AfterFunc(v.Timeout, stop)
	progress := func() { stalled.Reset(v.Timeout) }
	c.Writer = &fileWriter{c.Writer, ctx, pace{window: v.BodyTimeout, deadline: controller.SetWriteDeadline}, progress, search, c.Request.Method == http.MethodHead}
	if u, isUpload := c.Request.Body.(*upload); isUpload {
		u.progress = progress
	}
	return ctx, func() {
		stalled.Stop()
		stop()
		_ = controller.SetWriteDeadline(time.Time{}) // the connection may serve another call
	}
}

// Write waits for a reader who takes what was written before. A search is not at work meanwhile.
func (w *fileWriter) Write(b []byte) (int, error) {
	w.progress()
	w.WriteHeaderNow()
	if w.headersOnly {
		return 0, errHeadersOnly
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

func (w *fileWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

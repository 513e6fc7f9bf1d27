package bulk

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/validation"
)

// Media types of files. In both types, a file is a sequence of rows. The extension x-row in the OpenAPI
// document names the schema of a row.
const (
	CSV    = "text/csv"
	NDJSON = "application/x-ndjson"
)

// MaxFile is the largest size of an uploaded file, in bytes. The text of apperr.TooManyRows and the messages
// of this package repeat the numbers in MaxFile, maxRows and maxRow.
const MaxFile = 64 << 20

const (
	maxRows = 100_000
	maxRow  = 64 << 10 // most bytes of a row
)

// FileTooLarge returns the error for a file of more than MaxFile bytes.
func FileTooLarge() *apperr.Error { return apperr.TooManyRows.New("it has more than 64 MiB") }

// errLongRow is the error of reading a row that has more than maxRow bytes. A format knows the line of the
// row, and returns the error of longRow to the caller instead.
var errLongRow = errors.New("the row is too long")

// longRow returns the error for a row that has more than maxRow bytes. The parameter which begins its message
// with the name of the row, and hint ends it.
func longRow(which, hint string) *apperr.Error {
	return apperr.TooManyRows.New(which + " is longer than 64 KiB" + hint)
}

// RowSchema returns the schema of the rows of a file.
func RowSchema(spec *openapi3.T, file *openapi3.MediaType) *openapi3.Schema {
	ref := file.Extensions["x-row"].(map[string]any)["$ref"].(string)
	return spec.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")].Value
}

// Upload is the body of a request with a file of rows. Read returns errors with codes for the caller.
type Upload struct {
	io.ReadCloser
	Media    string // CSV or NDJSON
	Encoding string // name of the encoding: see OpenText
	Row      *openapi3.Schema
}

// Rows reads the rows of an uploaded file, and checks each row against the schema.
type Rows struct {
	format
	schema *openapi3.Schema
	file   *os.File
	left   int // bytes that may still be read for the current row
	count  int
}

// format reads the next row of a file. The type table refuses a row that is not CSV. Rows checks the JSON and
// the schema of each row.
type format interface {
	next() (Record, error)
}

// Record is a row of a file.
type Record struct {
	Line    int           // number of the line on which the row begins, from 1; 0 for a row without content
	JSON    []byte        // valid until the next row is read
	Refused *apperr.Error // why the row is refused; nil for a valid row

	faults []apperr.Detail // faults of CSV cells that have no value in JSON
}

// OpenRows receives the body, which must be an *Upload, and returns its rows. The caller must close the rows.
// OpenRows writes the whole file to disk before it returns, so a client may send the whole file before it
// reads the answer, and a truncated file changes nothing. Errors: 400 malformed_row for a text that is not in
// its encoding, 400 malformed_row or validation_failed for faulty columns of a CSV file, 400
// validation_failed for an empty file, 503 unavailable when the disk is full or fails, and the errors of
// Upload.Read.
func OpenRows(body io.Reader) (*Rows, error) {
	upload := body.(*Upload)
	file, err := os.CreateTemp("", "b2b-rows-")
	if err != nil {
		return nil, apperr.Unavailable.Because(err)
	}
	// A killed process leaves no file. On Windows this fails, and Close removes the file.
	_ = os.Remove(file.Name())
	r := &Rows{schema: upload.Row, file: file, left: maxRow}
	if err = receive(file, upload); err == nil {
		r.format, err = r.open(upload)
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// receive writes an upload to the file, rewinds the file, and checks the text: see CheckText. So a file in
// another encoding is refused before its first row is applied.
func receive(file *os.File, upload *Upload) error {
	size, err := io.Copy(file, upload)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = CheckText(file, upload.Encoding)
	}
	if errors.As(err, new(*fs.PathError)) {
		return apperr.Unavailable.Because(err)
	}
	if err == nil && size == 0 {
		return validation.Empty("send rows")
	}
	return err
}

func (r *Rows) open(upload *Upload) (format, error) {
	text := OpenText(readerFunc(r.readFile), upload.Encoding)
	if upload.Media == CSV {
		return openCSV(text, r.schema)
	}
	return &lines{text: text}, nil
}

// Close removes the file.
func (r *Rows) Close() {
	_ = r.file.Close()
	_ = os.Remove(r.file.Name())
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// readFile reads from the file, at most maxRow bytes for the current row. Error: errLongRow when the row
// needs more bytes, so that an endless row of CSV is not read.
func (r *Rows) readFile(b []byte) (int, error) {
	if r.left <= 0 {
		return 0, errLongRow
	}
	n, err := r.file.Read(b[:min(len(b), r.left)])
	r.left -= n
	return n, err
}

// Next returns the next row. The row's Refused is 400 malformed_row or 400 validation_failed when the row
// breaks the format or the schema. After an error no rows follow. Errors: io.EOF at the end, 413
// payload_too_large, or an error of reading.
func (r *Rows) Next() (row Record, err error) {
	for row.Line == 0 {
		r.left = maxRow
		if row, err = r.next(); err != nil {
			return row, err
		}
	}
	if r.count++; r.count > maxRows {
		return row, apperr.TooManyRows.New("it has more than 100 000 rows")
	}
	if row.Refused == nil {
		_ = errors.As(r.check(row), &row.Refused)
	}
	return row, nil
}

// check returns the reason why a row is not JSON or breaks the schema, or nil.
func (r *Rows) check(row Record) error {
	text, err := validation.Parse(row.JSON, r.schema, apperr.MalformedRow)
	if err != nil {
		return err
	}
	return validation.Refusal(append(row.faults, text.Faults()...), text.More)
}

// lines reads NDJSON.
type lines struct {
	text *Text
	line int
}

// next reads the next line. For an empty line, the Line of the Record is 0.
func (l *lines) next() (Record, error) {
	text, err := l.text.ReadSlice('\n')
	l.line++
	switch {
	case errors.Is(err, bufio.ErrBufferFull), errors.Is(err, errLongRow):
		return Record{}, longRow(fmt.Sprintf("the row on line %d", l.line), "")
	case err != nil && (len(text) == 0 || !errors.Is(err, io.EOF)):
		return Record{}, err
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return Record{}, nil
	}
	return Record{Line: l.line, JSON: text}, nil
}

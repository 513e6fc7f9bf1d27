package b2b

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"example.com/b2b/v2/openapi/contract"
)

// Imported is the result of a row of an import.
type Imported[T any] struct {
	Index  int // position of the row in the import, from 0
	Row    T   // the row as the caller sent it
	Result contract.ImportLineResult
	// ID is the id of the product or customer; 0 for a refused row, and for a new row in a dry run.
	ID int64

	Code    contract.ErrorCode // says why the row was refused; "" for a row that was not refused
	Message string
	Details []contract.APIErrorDetail
}

const ndjson = "application/x-ndjson"

// export calls fetch and iterates over the rows of the NDJSON answer, while the answer arrives.
func export[T any](operationID string, fetch func() (*http.Response, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		res, err := fetch()
		if err != nil {
			yield(*new(T), err)
			return
		}
		defer res.Body.Close()
		lines[T](callOf(operationID, res), res)(yield)
	}
}

// imports sends rows as an NDJSON file and iterates over the results. It keeps all rows in memory. An error
// ends the iteration, and a row without a result may have been imported or not.
func imports[T any](
	operationID string, rows iter.Seq[T], send func(file io.Reader) (*http.Response, error),
) iter.Seq2[Imported[T], error] {
	return func(yield func(Imported[T], error) bool) {
		file := &upload[T]{}
		file.next, file.stop = iter.Pull(rows)
		defer file.Close()
		res, err := send(file)
		if err != nil {
			yield(Imported[T]{}, err)
			return
		}
		defer res.Body.Close()
		c := callOf(operationID, res)
		for line, err := range lines[contract.ImportLine](c, res) {
			if err == nil && line.Summary != nil {
				if s := line.Summary; !s.Complete {
					yield(Imported[T]{}, c.fail(res, value(s.Code), value(s.Error), nil))
				}
				return
			}
			var row Imported[T]
			if err == nil {
				row, err = file.result(line)
			}
			if err != nil {
				var failed *Error
				if !errors.As(err, &failed) {
					err = c.unexpected(res, err)
				}
				yield(Imported[T]{}, err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		yield(Imported[T]{}, c.noAnswer(io.ErrUnexpectedEOF))
	}
}

// lines iterates over the lines of a successful answer in NDJSON. The iteration ends after the first error.
func lines[T any](c call, res *http.Response) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for answers := jsontext.NewDecoder(res.Body); ; {
			line, err := answers.ReadValue()
			if errors.Is(err, io.EOF) {
				return
			}
			var decoded T
			var malformed *jsontext.SyntacticError
			switch {
			case errors.As(err, &malformed) && !errors.Is(err, io.ErrUnexpectedEOF):
				err = c.unexpected(res, err)
			case err != nil:
				err = c.noAnswer(err)
			default:
				if decoded, err = decode[T](line); err != nil {
					err = c.unexpected(res, err)
				}
			}
			if !yield(decoded, err) || err != nil {
				return
			}
		}
	}
}

// upload is an NDJSON file. It encodes a row when the HTTP client reads the next bytes. The client may still
// read or close the file while the answer is read, so a mutex protects the fields.
type upload[T any] struct {
	mu     sync.Mutex
	next   func() (T, bool)
	stop   func()
	sent   []T
	buffer bytes.Buffer // encoded bytes that are not read yet
}

// Read implements io.Reader.
func (u *upload[T]) Read(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.buffer.Len() == 0 {
		row, found := u.next()
		if !found {
			return 0, io.EOF
		}
		u.sent = append(u.sent, row)
		if err := json.NewEncoder(&u.buffer).Encode(row); err != nil {
			return 0, err
		}
	}
	return u.buffer.Read(p)
}

// Close implements io.Closer.
func (u *upload[T]) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stop()
	return nil
}

// result converts a line of the answer to the result of the row that the line names.
func (u *upload[T]) result(line contract.ImportLine) (Imported[T], error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := int(value(line.Row)) - 1
	if i < 0 || i >= len(u.sent) || line.Result == nil {
		return Imported[T]{}, fmt.Errorf("a line of the answer has row %d, of %d, and result %q",
			i+1, len(u.sent), value(line.Result))
	}
	return Imported[T]{
		Index: i, Row: u.sent[i], Result: *line.Result, ID: value(line.ID),
		Code: value(line.Code), Message: value(line.Error), Details: value(line.Details),
	}, nil
}

// value returns *p, and the zero value for nil.
func value[T any](p *T) T {
	if p == nil {
		p = new(T)
	}
	return *p
}

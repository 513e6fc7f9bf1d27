// Package bulk moves many things in one call: it works through the rows of a file, and makes files of what a
// database holds. It knows no service.
package bulk

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"

	"github.com/tidwall/gjson"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/web"
	"example.com/b2b/openapi/contract"
)

// Import works through a file whose rows are generated types R, which a service reads as V.
type Import[R, V any] struct {
	DryRun bool
	Value  func(R) V
	Names  func(V) []Name // what a row names: no two rows of a file may name the same
	// Apply says of each row what becomes of it, and changes that in one transaction, unless it is a dry run.
	// ErrApart makes Import try fewer rows at once; another error ends the file.
	Apply func(ctx context.Context, rows []*Row[V]) error
}

// Name is what a row says of whom it means, in which field.
type Name struct{ Field, Value string }

// ErrApart says that rows cannot be applied in one transaction, which one after the other can.
var ErrApart = errors.New("rows stand in each other's way")

// batch is how many rows are applied in a transaction: their statements are well below what SQLite and MySQL
// take.
const batch = 250

// Row is one of a file, and what becomes of it.
type Row[V any] struct {
	Value V

	line    int
	result  contract.ImportLineResult
	id      int64
	refused *apperr.Error
}

// Is says what becomes of a row that is not refused. The id is 0 for what a dry run would create.
func (r *Row[V]) Is(result contract.ImportLineResult, id int64) {
	r.result, r.id, r.refused = result, id, nil
}

// Refuse says why nothing becomes of a row.
func (r *Row[V]) Refuse(why *apperr.Error) {
	r.result, r.id, r.refused = contract.Refused, 0, why
}

// File answers for each row of body what has become of it, and works through them meanwhile. ctx is the
// call's. Errors: those of web.OpenRows.
func (i Import[R, V]) File(ctx context.Context, body io.Reader) (web.File, error) {
	rows, err := web.OpenRows(body)
	if err != nil {
		return web.File{}, err
	}
	return web.File{ContentType: web.NDJSON, Write: func(out *bufio.Writer) error {
		defer rows.Close()
		w := &work[R, V]{Import: i, ctx: ctx, out: json.NewEncoder(out), named: map[[16]byte]int{}}
		w.summary.DryRun = i.DryRun
		err := w.all(rows, out)
		if err != nil && w.summary.Rows == 0 && web.Refusal(ctx, err).IsFault() {
			return err // which is an answer, too
		}
		if w.summary.Complete = err == nil; err != nil {
			why := web.Refusal(ctx, err)
			w.summary.Code, w.summary.Error = new(contract.ErrorCode(why.Name)), &why.Message
			err = web.ErrReported{Cause: err}
		}
		return errors.Join(err, w.out.Encode(contract.ImportLine{Summary: &w.summary})) // which Respond flushes
	}}, nil
}

// work is an import under way.
type work[R, V any] struct {
	Import[R, V]
	ctx     context.Context
	out     *json.Encoder
	named   map[[16]byte]int // the lines of the rows that are not refused, by the hashes of what they name
	summary contract.ImportSummary
}

// all applies batch after batch, and flushes out after each.
func (w *work[R, V]) all(rows *web.Rows, out *bufio.Writer) error {
	for ended := error(nil); ended == nil; {
		var read, valid []*Row[V]
		for len(read) < batch {
			var row web.Row
			if row, ended = rows.Next(); ended != nil {
				break
			}
			r := w.row(row)
			if read = append(read, r); r.refused == nil {
				valid = append(valid, r)
			}
		}
		if len(valid) > 0 {
			if err := w.apply(valid); err != nil {
				return err
			}
		}
		for _, r := range read {
			if err := w.tell(r); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if ended != nil && !errors.Is(ended, io.EOF) {
			return ended
		}
		if ended != nil {
			return nil
		}
	}
	return nil
}

// row reads one, and refuses one that names what another one does.
func (w *work[R, V]) row(row web.Row) *Row[V] {
	r := &Row[V]{line: row.Line}
	if row.Refused != nil {
		r.Refuse(row.Refused)
		return r
	}
	var generated R
	if err := json.Unmarshal(row.JSON, &generated); err != nil {
		r.Refuse(apperr.MalformedRow.Because(err, "it is not as the document says")) // no valid one
		return r
	}
	r.Value = w.Value(generated)
	repeated := apperr.ValidationFailed.New()
	names := w.Names(r.Value)
	for _, n := range names {
		if first := w.named[n.hash()]; first > 0 {
			repeated.With(n.Field, apperr.Params{"rule": "repeated", "row": first}, "is in row %d already", first)
		}
	}
	if len(repeated.Details) > 0 {
		r.Refuse(repeated)
		return r
	}
	for _, n := range names {
		w.named[n.hash()] = row.Line
	}
	return r
}

// hash is short for what may be long, because all of a file are remembered.
func (n Name) hash() [16]byte {
	sum := sha256.Sum256([]byte(n.Field + " " + n.Value))
	return [16]byte(sum[:16])
}

// apply halves rows that stand in each other's way: one after the other they do not.
func (w *work[R, V]) apply(rows []*Row[V]) error {
	err := w.Apply(w.ctx, rows)
	if half := len(rows) / 2; half > 0 && errors.Is(err, ErrApart) {
		if err = w.apply(rows[:half]); err == nil {
			err = w.apply(rows[half:])
		}
	}
	return err
}

// tell writes a row's line.
func (w *work[R, V]) tell(r *Row[V]) error {
	line := contract.ImportLine{Row: new(int32(r.line)), Result: &r.result}
	w.summary.Rows++
	switch r.result {
	case contract.Created:
		w.summary.Created++
	case contract.Updated:
		w.summary.Updated++
	case contract.Unchanged:
		w.summary.Unchanged++
	case contract.Refused:
		w.summary.Refused++
		why := web.Refusal(w.ctx, r.refused)
		line.Code, line.Error, line.Details = new(contract.ErrorCode(why.Name)), &why.Message, details(why)
	}
	if r.id != 0 {
		line.ID = &r.id
	}
	return w.out.Encode(line)
}

func details(why *apperr.Error) *[]contract.APIErrorDetail {
	if len(why.Details) == 0 {
		return nil
	}
	all := make([]contract.APIErrorDetail, len(why.Details))
	for i, d := range why.Details {
		all[i] = contract.APIErrorDetail{Field: d.Field, Message: d.Message, Params: (*map[string]any)(&d.Params)}
	}
	return &all
}

// PageSize is how many things an export reads at once.
const PageSize = 500

// Export makes a file of pages of generated types, which have all their fields always. page returns the one
// behind a cursor, and the cursor of the next: nil behind the last. asCSV gives the file the names of the
// fields as its first line.
func Export[T any](asCSV bool, page func(cursor *int64) ([]T, *int64, error)) web.File {
	if !asCSV {
		return web.File{ContentType: web.NDJSON, Write: func(out *bufio.Writer) error {
			lines := json.NewEncoder(out)
			return each(page, func(thing T) error { return lines.Encode(thing) }, out.Flush)
		}}
	}
	return web.File{ContentType: web.CSV, Write: func(out *bufio.Writer) error {
		table := csv.NewWriter(out)
		table.UseCRLF = true // RFC 4180
		var none T
		names, _, err := cells(none)
		if err == nil {
			err = table.Write(names)
		}
		if err != nil {
			return err
		}
		write := func(thing T) error {
			_, values, err := cells(thing)
			return errors.Join(err, table.Write(values))
		}
		return each(page, write, func() error { table.Flush(); return table.Error() })
	}}
}

// each writes page after page.
func each[T any](page func(cursor *int64) ([]T, *int64, error), write func(T) error, flush func() error) error {
	for cursor, more := (*int64)(nil), true; more; {
		things, next, err := page(cursor)
		if err != nil {
			return err
		}
		for _, thing := range things {
			if err := write(thing); err != nil {
				return err
			}
		}
		if err := flush(); err != nil {
			return err
		}
		cursor, more = next, next != nil
	}
	return nil
}

// cells are the names and values of a thing's fields: nothing for null, JSON for what is not a plain value.
func cells(thing any) (names, values []string, err error) {
	encoded, err := json.Marshal(thing)
	gjson.ParseBytes(encoded).ForEach(func(name, value gjson.Result) bool {
		names, values = append(names, name.Str), append(values, value.String())
		return true
	})
	return names, values, err
}

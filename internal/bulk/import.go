// Package bulk moves many rows in a call, as CSV or NDJSON: rows of a file into a database, and rows of a
// database into a file. It knows no service.
package bulk

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/openapi/contract"
)

// Import applies a file of rows of the generated type R; a service reads each as V.
type Import[R, V any] struct {
	DryRun bool
	Value  func(R) V
	Names  func(V) []Name // of the things in a row: two rows of a file must not share a name
	// Apply decides on each row, with Is or Refuse, and changes the database in a transaction, except in a
	// dry run. After ErrApart it gets fewer rows; another error ends the file.
	Apply func(ctx context.Context, rows []*Row[V]) error
}

// Name is a value by which a row names a thing, and its field.
type Name struct{ Field, Value string }

// hash is short, because the names of a whole file are kept.
func (n Name) hash() [16]byte {
	sum := sha256.Sum256([]byte(n.Field + " " + n.Value))
	return [16]byte(sum[:16])
}

// ErrApart is Apply's error for rows that need several transactions.
var ErrApart = errors.New("rows stand in each other's way")

// batchSize is how many rows are applied in a transaction: their statements stay well below the limits of
// SQLite and MySQL.
const batchSize = 250

// Row is a row of an import, and its result.
type Row[V any] struct {
	Value V

	line    int
	result  contract.ImportLineResult
	id      int64
	refused *apperr.Error
}

// Is sets the result of a row. The id is 0 for a new thing in a dry run.
func (r *Row[V]) Is(result contract.ImportLineResult, id int64) {
	r.result, r.id, r.refused = result, id, nil
}

// Refuse leaves a row out, and says why.
func (r *Row[V]) Refuse(why *apperr.Error) {
	r.result, r.id, r.refused = contract.Refused, 0, why
}

// File applies the rows of body and meanwhile answers with a line for each row, and a summary at the end. ctx
// is the request's. Errors: those of OpenRows.
func (i Import[R, V]) File(ctx context.Context, body io.Reader) (File, error) {
	rows, err := OpenRows(body)
	if err != nil {
		return File{}, err
	}
	return File{ContentType: NDJSON, Write: func(out *bufio.Writer) error {
		defer rows.Close()
		r := run[R, V]{Import: i, ctx: ctx, rows: rows, out: out, lineOf: map[[16]byte]int{}}
		r.encoder = json.NewEncoder(out)
		return r.run()
	}}, nil
}

// run is an import at work.
type run[R, V any] struct {
	Import[R, V]
	ctx     context.Context
	rows    *Rows
	out     *bufio.Writer
	encoder *json.Encoder
	lineOf  map[[16]byte]int // lines of the valid rows, by the hashes of their names
	summary contract.ImportSummary
}

// run writes all lines and the summary. Its error is an ErrReported, unless the server failed before the
// first row.
func (r *run[R, V]) run() error {
	r.summary.DryRun = r.DryRun
	err := r.applyAll()
	r.summary.Complete = err == nil
	if err != nil {
		public := apperr.Public(r.ctx, err)
		if r.summary.Rows == 0 && public.IsFault() {
			return err
		}
		r.summary.Code, r.summary.Error = new(contract.ErrorCode(public.Name)), &public.Message
		err = ErrReported{Cause: err}
	}
	return errors.Join(err, r.encoder.Encode(contract.ImportLine{Summary: &r.summary})) // Respond flushes
}

// applyAll applies batch after batch, and sends the lines of each.
func (r *run[R, V]) applyAll() error {
	for {
		batch, end := r.readBatch()
		if err := r.applyBatch(batch); err != nil {
			return err
		}
		if errors.Is(end, io.EOF) {
			return nil
		}
		if end != nil {
			return end
		}
	}
}

// readBatch returns the next rows, with the error at the end of the file: io.EOF at its end.
func (r *run[R, V]) readBatch() (batch []*Row[V], end error) {
	for len(batch) < batchSize {
		record, err := r.rows.Next()
		if err != nil {
			return batch, err
		}
		batch = append(batch, r.read(record))
	}
	return batch, nil
}

// read refuses a row that shares a name with an earlier row.
func (r *run[R, V]) read(record Record) *Row[V] {
	row := &Row[V]{line: record.Line}
	if record.Refused != nil {
		row.Refuse(record.Refused)
		return row
	}
	var generated R
	if err := json.Unmarshal(record.JSON, &generated); err != nil {
		row.Refuse(apperr.MalformedRow.Because(err, "it is not as the document says")) // no known row
		return row
	}
	row.Value = r.Value(generated)
	names, repeated := r.Names(row.Value), apperr.ValidationFailed.New()
	for _, n := range names {
		if first := r.lineOf[n.hash()]; first > 0 {
			params := apperr.Params{"rule": "repeated", "row": first}
			repeated.With(n.Field, params, "is in row %d already", first)
		}
	}
	if len(repeated.Details) > 0 {
		row.Refuse(repeated)
		return row
	}
	for _, n := range names {
		r.lineOf[n.hash()] = record.Line
	}
	return row
}

// applyBatch applies the valid rows, and sends the lines of all rows.
func (r *run[R, V]) applyBatch(batch []*Row[V]) error {
	var valid []*Row[V]
	for _, row := range batch {
		if row.refused == nil {
			valid = append(valid, row)
		}
	}
	if len(valid) > 0 {
		if err := r.apply(valid); err != nil {
			return err
		}
	}
	for _, row := range batch {
		if err := r.writeLine(row); err != nil {
			return err
		}
	}
	return r.out.Flush()
}

// apply halves the rows on ErrApart, down to single rows.
func (r *run[R, V]) apply(rows []*Row[V]) error {
	err := r.Apply(r.ctx, rows)
	half := len(rows) / 2
	if half == 0 || !errors.Is(err, ErrApart) {
		return err
	}
	if err := r.apply(rows[:half]); err != nil {
		return err
	}
	return r.apply(rows[half:])
}

func (r *run[R, V]) writeLine(row *Row[V]) error {
	line := contract.ImportLine{Row: new(int32(row.line)), Result: &row.result}
	r.summary.Rows++
	switch row.result {
	case contract.Created:
		r.summary.Created++
	case contract.Updated:
		r.summary.Updated++
	case contract.Unchanged:
		r.summary.Unchanged++
	case contract.Refused:
		r.summary.Refused++
		public := apperr.Public(r.ctx, row.refused)
		line.Code, line.Error = new(contract.ErrorCode(public.Name)), &public.Message
		line.Details = details(public)
	}
	if row.id != 0 {
		line.ID = &row.id
	}
	return r.encoder.Encode(line)
}

func details(refused *apperr.Error) *[]contract.APIErrorDetail {
	if len(refused.Details) == 0 {
		return nil
	}
	all := make([]contract.APIErrorDetail, len(refused.Details))
	for i, d := range refused.Details {
		params := (*map[string]any)(&d.Params)
		all[i] = contract.APIErrorDetail{Field: d.Field, Message: d.Message, Params: params}
	}
	return &all
}

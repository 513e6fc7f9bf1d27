// Package bulk reads and writes files of many rows, in CSV or NDJSON: imports of a file into a database, and
// exports of a database to a file. It depends on no service.
package bulk

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/openapi/contract"
)

// Import applies the rows of a file. A row has the generated type R; Value converts a row to the service's
// type V.
type Import[R, V any] struct {
	DryRun bool
	Value  func(R) V
	Names  func(V) []Name // names of the object that no other row of the file may have
	// Apply calls Row.Is or Row.Refuse for each row, and changes the database in a transaction, except in a
	// dry run. After ErrApart it is called again with fewer rows; any other error ends the import.
	Apply func(ctx context.Context, rows []*Row[V]) error
}

// Name is a value that identifies the object of a row, such as an email, and the field of the value. Two rows
// of a file must not share a Name.
type Name struct{ Field, Value string }

// hash returns a short hash, because the import keeps the hashes of all rows in memory.
func (n Name) hash() [16]byte {
	sum := sha256.Sum256([]byte(n.Field + " " + n.Value))
	return [16]byte(sum[:16])
}

// ErrApart is the error of Apply when the rows must be applied in several transactions.
var ErrApart = errors.New("rows stand in each other's way")

// batchSize is the number of rows in a transaction. The statements for so many rows stay well below the
// limits of SQLite and MySQL.
const batchSize = 250

// Row is a row of an import, and its result.
type Row[V any] struct {
	Value V

	line    int
	result  contract.ImportLineResult
	id      int64
	refused *apperr.Error
	settled bool // the row was refused before it was applied, or was applied and committed
}

// Is sets the result of a row. The parameter id is the id of the row's object, or 0 for a new row of a dry
// run.
func (r *Row[V]) Is(result contract.ImportLineResult, id int64) {
	r.result, r.id, r.refused = result, id, nil
}

// Refuse sets the result of a row to refused, with the reason.
func (r *Row[V]) Refuse(why *apperr.Error) {
	r.result, r.id, r.refused = contract.Refused, 0, why
}

// File receives the parameter body, and returns the answer: a file whose Write applies the rows, and writes a
// line for each row and a summary at the end. ctx is the request's context. Errors: the errors of OpenRows.
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

// run is an import in progress.
type run[R, V any] struct {
	Import[R, V]
	ctx     context.Context
	rows    *Rows
	out     *bufio.Writer
	encoder *json.Encoder
	lineOf  map[[16]byte]int // line numbers of the valid rows, by the hashes of their names
	summary contract.ImportSummary
}

// run applies all rows, and writes a line for each row, and the summary. After an error, the summary reports
// the error, and run returns an ErrReported. A fault of the service before the first line is returned
// unchanged, without a summary.
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
	// Respond flushes the summary.
	return errors.Join(err, r.encoder.Encode(contract.ImportLine{Summary: &r.summary}))
}

// applyAll applies all batches. It sends the answer's lines of a batch as soon as the batch is applied.
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

// readBatch returns the next rows, at most batchSize. The error end says that no more rows follow; it is
// io.EOF at the end of the file.
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

// read converts a record to a row. It refuses a row that shares a Name with an earlier valid row.
func (r *run[R, V]) read(record Record) *Row[V] {
	row := &Row[V]{line: record.Line}
	if record.Refused != nil {
		row.Refuse(record.Refused)
		return row
	}
	var generated R
	if err := json.Unmarshal(record.JSON, &generated); err != nil {
		// No row is known to cause this error, because Rows has checked the row against the schema.
		row.Refuse(apperr.MalformedRow.Because(err, "it is not as the document says"))
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

// applyBatch applies the valid rows, and sends the answer's line for each row. After an error it sends the
// lines up to the first row that was not applied.
func (r *run[R, V]) applyBatch(batch []*Row[V]) error {
	var valid []*Row[V]
	for _, row := range batch {
		if row.settled = row.refused != nil; !row.settled {
			valid = append(valid, row)
		}
	}
	var failed error
	if len(valid) > 0 {
		failed = r.apply(valid)
	}
	for _, row := range batch {
		if !row.settled {
			break
		}
		if err := r.writeLine(row); err != nil {
			return errors.Join(failed, err)
		}
	}
	return errors.Join(failed, r.out.Flush())
}

// apply applies the rows. After ErrApart it applies each half of the rows by itself, down to single rows.
func (r *run[R, V]) apply(rows []*Row[V]) error {
	err := r.Apply(r.ctx, rows)
	for _, row := range rows {
		row.settled = err == nil
	}
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

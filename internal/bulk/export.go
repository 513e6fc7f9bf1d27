package bulk

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tidwall/gjson"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/openapi/contract"
)

// PageSize is the number of rows that an export reads at once.
const PageSize = 500

// Layout has the parameters for the form of an export. All parameters except Format are for CSV only.
type Layout struct {
	Format    contract.FileFormat
	BOM       *bool
	Delimiter *contract.CSVDelimiter
	Lines     *bool // this package only checks the field; the caller chooses the rows by it
}

// check returns 400 validation_failed with a detail for each parameter that is for CSV only, when the file is
// not CSV.
func (l Layout) check() error {
	if l.Format == contract.Csv {
		return nil
	}
	refusal := apperr.ValidationFailed.New()
	for _, p := range []struct {
		name  string
		given bool
	}{{"bom", l.BOM != nil}, {"delimiter", l.Delimiter != nil}, {"lines", l.Lines != nil}} {
		if p.given {
			refusal.With("/query/"+p.name, apperr.Params{"rule": "needs_csv"}, "is only for format=csv")
		}
	}
	if refusal.Details != nil {
		return refusal
	}
	return nil
}

// Export returns a file of all rows that the function page returns. The name of the file has the parameter
// rows and today's date in UTC. The function page returns the rows after a cursor, and the cursor for the
// next call, which is nil after the last page. In CSV the first line names the fields, so the generated type
// T must not have optional fields. Error: 400 validation_failed for parameters of CSV without format=csv.
func Export[T any](rows string, l Layout, page func(cursor *int64) ([]T, *int64, error)) (File, error) {
	if err := l.check(); err != nil {
		return File{}, err
	}
	f := File{Name: fmt.Sprintf("%s-%s.%s", rows, time.Now().UTC().Format(time.DateOnly), l.Format)}
	if l.Format == contract.Csv {
		f.ContentType, f.Write = CSV, func(out *bufio.Writer) error { return exportCSV(out, l, page) }
		return f, nil
	}
	f.ContentType, f.Write = NDJSON, func(out *bufio.Writer) error {
		lines := json.NewEncoder(out)
		return eachPage(page, func(thing T) error { return lines.Encode(thing) }, out.Flush)
	}
	return f, nil
}

// delimiters maps the values of the parameter delimiter to characters.
var delimiters = map[contract.CSVDelimiter]rune{
	contract.Comma: ',', contract.Semicolon: ';', contract.Tab: '\t',
}

func exportCSV[T any](out *bufio.Writer, l Layout, page func(cursor *int64) ([]T, *int64, error)) error {
	if l.BOM != nil && *l.BOM {
		_, _ = out.WriteString("\uFEFF") // the writer returns the error again when it is flushed
	}
	table := csv.NewWriter(out)
	table.UseCRLF = true // RFC 4180
	if l.Delimiter != nil {
		table.Comma = delimiters[*l.Delimiter]
	}
	var zero T
	names, _, err := cells(zero)
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
	flush := func() error { table.Flush(); return table.Error() }
	return eachPage(page, write, flush)
}

// eachPage writes all pages, and flushes after each page.
func eachPage[T any](
	page func(cursor *int64) ([]T, *int64, error), write func(T) error, flush func() error,
) error {
	var cursor *int64
	for {
		things, next, err := page(cursor)
		if err != nil {
			return err
		}
		for _, thing := range things {
			if err := write(thing); err != nil {
				return err
			}
		}
		if err := flush(); err != nil || next == nil {
			return err
		}
		cursor = next
	}
}

// cells returns the names and the values of a row's fields. A value is "" for null, and JSON for objects and
// arrays. This JSON has & and < as they are: people search for R&D, and not for R\u0026D.
func cells(thing any) (names, values []string, err error) {
	var encoded bytes.Buffer
	object := json.NewEncoder(&encoded)
	object.SetEscapeHTML(false)
	err = object.Encode(thing)
	gjson.ParseBytes(encoded.Bytes()).ForEach(func(name, value gjson.Result) bool {
		names, values = append(names, name.Str), append(values, value.String())
		return true
	})
	return names, values, err
}

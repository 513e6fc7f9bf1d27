package bulk

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	Lines     *bool // refused without CSV; the function page must read the rows that Lines asks for

	Columns any // zero value of the type whose fields are the columns; nil means the type of the rows
}

// check returns 400 validation_failed when the file is not CSV and has parameters for CSV. The error has a
// detail for each of these parameters.
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

// Export returns a file of all rows that the function page returns. The parameter rows begins the file's
// name, before today's date in UTC. The function page returns the rows after a cursor, and the cursor for the
// next call, which is nil after the last page. In CSV the fields of a row are the columns, so the generated
// type of a row must not have optional fields. Error: 400 validation_failed for parameters of CSV without
// format=csv.
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
		_, _ = out.WriteString("\uFEFF") // Flush returns the error of this write again
	}
	table := csv.NewWriter(out)
	table.UseCRLF = true // lines end with \r\n: RFC 4180
	if l.Delimiter != nil {
		table.Comma = delimiters[*l.Delimiter]
	}
	columns := l.Columns
	if columns == nil {
		columns = *new(T)
	}
	names, err := columnsOf(columns)
	if err == nil {
		err = table.Write(names)
	}
	if err != nil {
		return err
	}
	write := func(thing T) error {
		row, err := cells(thing, names)
		return errors.Join(err, table.Write(row))
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

// columnsOf returns the names of the fields of a row.
func columnsOf(row any) (names []string, err error) {
	encoded, err := json.Marshal(row)
	gjson.ParseBytes(encoded).ForEach(func(name, _ gjson.Result) bool {
		names = append(names, name.Str)
		return true
	})
	return names, err
}

// cells returns the values of the fields of a row, in the order of names. It returns "" for null, and JSON
// for objects and arrays. The characters & and < are not escaped in this JSON, because people search for R&D,
// and not for R\u0026D. The function returns an error when the row lacks a field.
func cells(row any, names []string) ([]string, error) {
	var encoded bytes.Buffer
	object := json.NewEncoder(&encoded)
	object.SetEscapeHTML(false)
	if err := object.Encode(row); err != nil {
		return nil, err
	}
	values, found := make([]string, len(names)), 0
	gjson.ParseBytes(encoded.Bytes()).ForEach(func(name, value gjson.Result) bool {
		if i := slices.Index(names, name.Str); i >= 0 {
			values[i] = value.String()
			found++
		}
		return true
	})
	if found != len(names) {
		return nil, fmt.Errorf("a row of %T has %d of the columns %v", row, found, names)
	}
	return values, nil
}

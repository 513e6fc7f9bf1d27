package bulk

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"

	"github.com/tidwall/gjson"
)

// PageSize is the number of rows that an export reads at once.
const PageSize = 500

// Export returns a file of all rows that the function page returns. The generated type T must not have
// optional fields. The function page returns the rows after a cursor, and the cursor for the next call: nil
// after the last page. In CSV the first line names the fields.
func Export[T any](asCSV bool, page func(cursor *int64) ([]T, *int64, error)) File {
	if asCSV {
		return File{ContentType: CSV, Write: func(out *bufio.Writer) error { return exportCSV(out, page) }}
	}
	return File{ContentType: NDJSON, Write: func(out *bufio.Writer) error {
		lines := json.NewEncoder(out)
		return eachPage(page, func(thing T) error { return lines.Encode(thing) }, out.Flush)
	}}
}

func exportCSV[T any](out *bufio.Writer, page func(cursor *int64) ([]T, *int64, error)) error {
	table := csv.NewWriter(out)
	table.UseCRLF = true // RFC 4180
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
// arrays.
func cells(thing any) (names, values []string, err error) {
	encoded, err := json.Marshal(thing)
	gjson.ParseBytes(encoded).ForEach(func(name, value gjson.Result) bool {
		names, values = append(names, name.Str), append(values, value.String())
		return true
	})
	return names, values, err
}

package bulk

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/validation"
)

// table reads CSV. Each row becomes a JSON object, with the columns as its fields.
type table struct {
	*csv.Reader
	schema  *openapi3.Schema
	columns []string
}

// openCSV reads the first line, with the names of the columns. Errors: 400 malformed_row, 400
// validation_failed for unknown, missing or repeated columns.
func openCSV(text *bufio.Reader, schema *openapi3.Schema) (*table, error) {
	t := &table{Reader: csv.NewReader(text), schema: schema}
	var err error
	t.columns, err = t.Read()
	switch {
	case errors.As(err, new(*csv.ParseError)), errors.Is(err, io.EOF):
		return nil, apperr.MalformedRow.Because(err, "the first line does not name columns")
	case err != nil:
		return nil, err
	}
	t.ReuseRecord = true
	return t, t.checkColumns()
}

func (t *table) checkColumns() error {
	var faults []apperr.Detail
	refuse := func(column, message string, params apperr.Params) {
		field := validation.Pointer(strings.ToValidUTF8(column, "\uFFFD"))
		faults = append(faults, apperr.Detail{Field: field, Message: message, Params: params})
	}
	for i, name := range t.columns {
		if t.schema.Properties[name] == nil {
			refuse(name, "is not a known field", validation.UnknownField)
		} else if slices.Contains(t.columns[:i], name) {
			refuse(name, "was given more than once", validation.Repeated)
		}
	}
	for _, name := range t.schema.Required {
		if !slices.Contains(t.columns, name) {
			refuse(name, "is required", validation.Required)
		}
	}
	return validation.Refusal(faults, 0)
}

func (t *table) next() (Record, error) {
	cells, err := t.Read()
	var broken *csv.ParseError
	if errors.As(err, &broken) {
		return Record{Line: broken.StartLine, Refused: apperr.MalformedRow.New(reason(broken))}, nil
	}
	if err != nil {
		return Record{}, err
	}
	row := Record{JSON: []byte{'{'}}
	row.Line, _ = t.FieldPos(0)
	for i, cell := range cells {
		schema := t.schema.Properties[t.columns[i]].Value
		if !utf8.ValidString(cell) {
			row.Refused = apperr.MalformedRow.New("it is not UTF-8")
		}
		if cell == "" && !schema.Nullable {
			continue
		}
		if len(row.JSON) > 1 {
			row.JSON = append(row.JSON, ',')
		}
		name, _ := json.Marshal(t.columns[i])
		row.JSON = append(append(row.JSON, name...), ':')
		row.JSON = append(row.JSON, cellValue(cell, schema)...)
	}
	row.JSON = append(row.JSON, '}')
	return row, nil
}

// reason returns the message for a row that is not CSV. When a missing quote makes the row take several
// lines, the message names the last line, because the lines between get no answers.
func reason(err *csv.ParseError) string {
	const quote = "a quote is where CSV has none, or missing"
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		return "it has more or fewer cells than the first line"
	case err.Line > err.StartLine:
		return fmt.Sprintf(quote+"; the row was taken to go on to line %d", err.Line)
	}
	return quote
}

// cellValue returns a cell as JSON. An empty cell is null. A cell of another type than the schema's becomes a
// string, which the schema validator refuses.
func cellValue(cell string, s *openapi3.Schema) []byte {
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

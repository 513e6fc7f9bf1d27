package bulk

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"golang.org/x/text/currency"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/validation"
)

// table reads CSV. Each row becomes a JSON object, with the columns as its fields.
type table struct {
	*Sheet
	text    *Text
	columns []column
}

// column is a column of a table. Amounts are in cents in the API: a column with the name of its field, such
// as price_cents, is in cents, too, and a column named price is in units, such as 12.99.
//
// A column without a name is not read, nor is a column whose field has the extension x-not-read in the
// OpenAPI document: a clerk may have put numbers of his own into the column id.
type column struct {
	name    string // the name in the first line of the file
	field   []byte // name of the field as JSON, with a colon; nil for a column that is not read
	schema  *openapi3.Schema
	inUnits bool // the amounts in the column are in units
	inCents bool // the amounts in the column are in cents
}

// missingQuote ends the message for a row that is too long. A cell without its closing quote goes on into the
// rows below, so the row becomes too long.
const missingQuote = "; a quote is probably missing"

// openCSV reads the first line, which has the names of the columns. Errors: 400 malformed_row; 400
// validation_failed for unknown, missing or repeated columns; 413 payload_too_large.
func openCSV(text *Text, schema *openapi3.Schema) (*table, error) {
	known := func(name string) bool { field, _ := fieldOf(name, schema); return schema.Properties[field] != nil }
	sheet, err := OpenSheet(text.Reader, known)
	if errors.Is(err, errLongRow) {
		return nil, longRow("the line that names the columns", missingQuote)
	} else if err != nil {
		return nil, err
	}
	sheet.ReuseRecord = true
	t := &table{Sheet: sheet, text: text}
	return t, t.readColumns(schema)
}

// fieldOf returns the name of the field for a column. The case of the column's name does not matter. When the
// schema has no field price, but a field price_cents, the column price has amounts in units for price_cents,
// and inUnits is true.
func fieldOf(column string, schema *openapi3.Schema) (field string, inUnits bool) {
	field = strings.ToLower(strings.TrimSpace(column))
	if cents := field + "_cents"; schema.Properties[field] == nil && schema.Properties[cents] != nil {
		return cents, true
	}
	return field, false
}

func (t *table) readColumns(schema *openapi3.Schema) error {
	var faults []apperr.Detail
	var fields []string
	refuse := func(column, message string, params apperr.Params) {
		faults = append(faults, apperr.Detail{Field: validation.Pointer(column), Message: message, Params: params})
	}
	for _, name := range t.Columns {
		field, inUnits := fieldOf(name, schema)
		c := column{name: strings.TrimSpace(name), inUnits: inUnits}
		c.inCents = !inUnits && strings.HasSuffix(field, "_cents")
		if property := schema.Properties[field]; property != nil {
			if property.Value.Extensions["x-not-read"] != true {
				quoted, _ := json.Marshal(field)
				c.field, c.schema = append(quoted, ':'), property.Value
			}
			if slices.Contains(fields, field) {
				refuse(c.name, "was given more than once", validation.Repeated)
			}
		} else if len(t.Columns) == 1 || strings.ContainsAny(name, ",;\t|:") {
			refuse(name, "is not a known field: columns are separated by commas, semicolons or tabs, "+
				"or by what a first line such as sep=| says", validation.UnknownField)
		} else if c.name != "" {
			refuse(name, "is not a known field", validation.UnknownField)
		}
		t.columns, fields = append(t.columns, c), append(fields, field)
	}
	for _, name := range schema.Required {
		if !slices.Contains(fields, name) {
			refuse(name, "is required", validation.Required)
		}
	}
	if len(faults) > 0 && !slices.ContainsFunc(t.columns, func(c column) bool { return c.field != nil }) &&
		strings.HasPrefix(t.text.encoding, "utf-16") {
		return apperr.MalformedRow.New("the first line, read as UTF-16, names no known column")
	}
	return validation.Refusal(faults, 0)
}

// next reads the next row. For a row of empty cells, the Line of the Record is 0.
func (t *table) next() (Record, error) {
	cells, line, err := t.Row()
	var broken *csv.ParseError
	switch {
	case errors.As(err, &broken):
		return Record{Line: line, Refused: apperr.MalformedRow.New(t.reason(broken))}, nil
	case errors.Is(err, errLongRow):
		return Record{}, longRow(fmt.Sprintf("the row on line %d", t.ended+1), missingQuote)
	case err != nil || line == 0:
		return Record{}, err
	}
	row := Record{Line: line, JSON: []byte{'{'}}
	for i, cell := range cells {
		c := t.columns[i]
		if c.field == nil || cell == "" && !c.schema.Nullable {
			continue
		}
		value, fault := c.value(cell)
		if fault != nil {
			row.faults = append(row.faults, *fault)
			continue
		}
		if len(row.JSON) > 1 {
			row.JSON = append(row.JSON, ',')
		}
		row.JSON = append(append(row.JSON, c.field...), value...)
	}
	row.JSON = append(row.JSON, '}')
	return row, nil
}

// words maps the words that people and spreadsheets write for booleans, in English, Spanish and German, to
// JSON.
var words = map[string]string{
	"true": "true", "yes": "true", "y": "true", "1": "true", "verdadero": "true", "sí": "true", "si\u0301": "true",
	"si": "true", "s": "true", "wahr": "true", "ja": "true", "j": "true",
	"false": "false", "no": "false", "n": "false", "0": "false", "falso": "false", "falsch": "false", "nein": "false",
}

// value returns a cell as JSON: null for an empty cell, an integer, a boolean, an amount in cents, or else a
// string. The schema validator refuses a string in a field of integers. For a wrong amount or boolean, value
// returns a fault, because the message of the validator would not suit a spreadsheet.
func (c column) value(cell string) ([]byte, *apperr.Detail) {
	fault := &apperr.Detail{Field: validation.Pointer(c.name)}
	switch {
	case cell == "":
		return []byte("null"), nil
	case c.inUnits:
		if amount := cents(cell); amount != nil {
			return amount, nil
		}
		fault.Message = "must be an amount such as 1299.90, 1.299,90 or EUR 5, not 1.299, which has two meanings"
		fault.Params = apperr.Params{"rule": "format", "format": "amount"}
		return nil, fault
	case c.schema.Type.Is(openapi3.TypeBoolean):
		if word := words[strings.ToLower(strings.TrimSpace(cell))]; word != "" {
			return []byte(word), nil
		}
		fault.Message = "must be a word such as yes or no, true or false"
		fault.Params = apperr.Params{"rule": "type", "type": openapi3.TypeBoolean}
		return nil, fault
	case c.inCents && strings.ContainsAny(cell, ".,") && cents(cell) != nil:
		fault.Message = "must be a whole number of cents: a column " +
			strings.TrimSuffix(strings.ToLower(c.name), "_cents") + " takes amounts such as 1299.90"
		fault.Params = apperr.Params{"rule": "whole_number"}
		return nil, fault
	case c.schema.Type.Is(openapi3.TypeInteger):
		number := strings.TrimSpace(cell) // Excel's accounting format writes spaces around a number
		if strings.IndexAny(number, "-0123456789") == 0 && json.Valid([]byte(number)) {
			return []byte(number), nil
		}
	}
	text, _ := json.Marshal(cell)
	return text, nil
}

// symbol matches how spreadsheets write a currency: €, US$, kr, S/, or EUR, which isCurrency looks up. It
// matches no other letters, because they may multiply the amount, as in 5 k€, 5 M$ and 5 mil.
const symbol = `(?:\p{Sc}|(?:US|AR|AU|CA|CL|CO|HK|MX|NT|NZ|RD|SG|TT|[ABCJRS])\$|([A-Z]{3})|[BS]/\.?|R|` +
	`(?i:din|euro|fr|ft|kč|kr|lei|rm|rp|rs|sfr|tl|zł|грн|лв|руб)\.?)`

// newCodes holds the codes of ISO 4217 that package currency does not have yet.
var newCodes = []string{"MRU", "SLE", "UYW", "VED", "VES", "XAD", "XCG", "ZWG"}

// isCurrency reports whether a code is a code of ISO 4217, new or old. Other words of three capitals may
// multiply the amount: 2 TSD is 2000 in German, and 5 MIO is five million.
func isCurrency(code string) bool {
	_, err := currency.ParseISO(code)
	return err == nil || slices.Contains(newCodes, code)
}

// amount matches an amount in units, with at most two decimals after a point or a comma, with or without a
// currency. It does not match 1.234 or 1,234: either may mean a thousand or a little more than one.
var amount = regexp.MustCompile(`^` + symbol + `?\p{Zs}*` +
	`((?:\d+|\d{1,3}(?:[\p{Zs}'’]\d{3})+)(?:[.,]\d\d?)?|[.,]\d\d?|` +
	`\d{1,3}(?:\.\d{3})+,\d\d?|\d{1,3}(?:\.\d{3}){2,}|` +
	`\d{1,3}(?:,\d{3})+\.\d\d?|\d{1,3}(?:,\d{3}){2,})` +
	`\p{Zs}*` + symbol + `?$`)

var (
	decimals = regexp.MustCompile(`[.,](\d\d?)$`)
	noDigit  = regexp.MustCompile(`\D`)
)

// maxAmount is the largest length of an amount, in bytes. A cell may have 64 KB: matching all of it would
// take longer than all other work on the row.
const maxAmount = 60

// cents converts an amount in units to cents, as JSON. It returns nil for a text that is not an amount.
func cents(cell string) []byte {
	cell = strings.TrimSpace(cell)
	if len(cell) > maxAmount {
		return nil
	}
	match := amount.FindStringSubmatch(cell)
	if match == nil {
		return nil
	}
	for _, code := range []string{match[1], match[3]} {
		if code != "" && !isCurrency(code) {
			return nil
		}
	}
	units, hundredths := match[2], "00"
	if m := decimals.FindStringSubmatch(units); m != nil {
		units, hundredths = strings.TrimSuffix(units, m[0]), (m[1] + "0")[:2]
	}
	digits := strings.TrimLeft(noDigit.ReplaceAllString(units, "")+hundredths, "0")
	return []byte(cmp.Or(digits, "0"))
}

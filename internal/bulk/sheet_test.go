package bulk_test

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/ordersapi"
)

// TestSheet writes random tables with each separator, in several encodings. OpenSheet must read the same
// tables back.
func TestSheet(t *testing.T) {
	marked := unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	encodings := map[string]encoding.Encoding{
		"utf-8": encoding.Nop, "windows-1252": charmap.Windows1252, "macintosh": charmap.Macintosh, "": marked,
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range encodings {
			yield(name)
		}
	})
	rapid.Check(t, func(r *rapid.T) {
		cell := rapid.StringOfN(rapid.SampledFrom([]rune("aZ09,;\t|\"'\n ñß€=.")), 0, 12, -1)
		columns := []string{"sku", "name", "price"}
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 3, 3), 0, 8).Draw(r, "rows")
		comma := rapid.SampledFrom([]rune(",;\t|")).Draw(r, "comma")
		name := rapid.SampledFrom(names).Draw(r, "encoding")

		var file strings.Builder
		lines := []int{2}
		if comma == '|' {
			file.WriteString("sep=|\r\n")
			lines[0]++
		}
		table := csv.NewWriter(&file)
		table.Comma, table.UseCRLF = comma, rapid.Bool().Draw(r, "CRLF")
		_ = table.WriteAll(append([][]string{columns}, rows...))
		for _, row := range rows {
			lines = append(lines, lines[len(lines)-1]+1+strings.Count(strings.Join(row, ""), "\n"))
		}
		encoded, err := encodings[name].NewEncoder().String(file.String())
		if err != nil {
			r.Fatal(err)
		}

		text := bulk.OpenText(strings.NewReader(encoded), name)
		sheet, err := bulk.OpenSheet(text.Reader, func(string) bool { return false })
		if err != nil || !slices.Equal(sheet.Columns, columns) {
			r.Fatalf("%v %v", err, sheet)
		}
		for i, row := range rows {
			cells, line, err := sheet.Row()
			want := lines[i]
			if strings.Join(row, "") == "" {
				want = 0
			}
			if err != nil || line != want || !slices.Equal(cells, row) {
				r.Fatalf("line %d, want %d: %q %v, want %q", line, want, cells, err, row)
			}
		}
		if _, _, err := sheet.Row(); !errors.Is(err, io.EOF) || sheet.Offset() != int64(file.Len()) {
			r.Fatalf("%v at %d of %d", err, sheet.Offset(), file.Len())
		}
	})
}

// TestLongAmounts reads texts that are too long for an amount. The texts must be refused before the pattern
// is tried, because it would take half a minute for a large file. Spaces around an amount do not add to its
// length.
func TestLongAmounts(t *testing.T) {
	schema := webtest.Spec(t, ordersapi.Document).Components.Schemas["ProductImportRow"].Value
	for cell, want := range map[string]string{
		strings.Repeat(" ", 9000) + "1 234,50 €": `{"sku":"A","price_cents":123450}`,
		strings.Repeat("9", 60000):               "/price", strings.Repeat("1.", 30000) + "50": "/price",
	} {
		file := io.NopCloser(strings.NewReader("sku;price\nA;" + cell + "\n"))
		rows, err := bulk.OpenRows(&bulk.Upload{ReadCloser: file, Media: bulk.CSV, Row: schema})
		if err != nil {
			t.Fatal(err)
		}
		row, err := rows.Next()
		rows.Close()
		got := string(row.JSON)
		if row.Refused != nil {
			got = row.Refused.Details[0].Field
		}
		if err != nil || got != want {
			t.Errorf("%.20q: %.200s, %v, want %s", cell, got, err, want)
		}
	}
}

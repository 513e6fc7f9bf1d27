package bulk_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/ordersapi"
)

// FuzzRows reads any bytes as a file of products. Each error must have a code. The type Sheet, with which b2b
// import reads CSV, must find the same rows on the same lines, apart from rows of empty cells.
func FuzzRows(f *testing.F) {
	for _, file := range []string{
		"SKU,name,price,active\nA,B,\"1,5\",ja\n", "sep=|\r\nsku|name\r\nA|B\r\n|\r\n", "sku;name\rA;B\r",
		"sep=\x00\nsku\x00name\n", "sep=\xff\nsku\xffname\n", "sep=\"\nsku\"name\n",
		"active,sku\n,A\"1\n,,\n,\n", "\xff\xfes\x00k\x00u\x00\n\x00A\x00", "\n\nsku\n\nA\n", ";;\n\n;\nsku;name;price\n;;\nA\n", "PK\x03\x04",
		"{\"sku\":\"A\"}\n\n{",
	} {
		f.Add([]byte(file), byte(0))
		f.Add([]byte(file), byte(5))
	}
	schema := webtest.Spec(f, ordersapi.Document).Components.Schemas["ProductImportRow"].Value
	known := func(name string) bool { return schema.Properties[strings.ToLower(name)] != nil }
	encodings := append(bulk.Encodings(), "")
	f.Fuzz(func(t *testing.T, file []byte, options byte) {
		upload := &bulk.Upload{ReadCloser: io.NopCloser(bytes.NewReader(file)), Row: schema,
			Media: []string{bulk.CSV, bulk.NDJSON}[options%2], Encoding: encodings[int(options/2)%len(encodings)]}
		rows, err := bulk.OpenRows(upload)
		next := func() int { return 0 }
		if err == nil {
			defer rows.Close()
			if upload.Media == bulk.CSV {
				sheet, err := bulk.OpenSheet(bulk.OpenText(bytes.NewReader(file), upload.Encoding).Reader, known)
				if err != nil {
					t.Fatal(err)
				}
				next = func() int { return nextLine(sheet) }
			}
		}
		var row bulk.Record
		for last := 0; err == nil; last = row.Line {
			row, err = rows.Next()
			if want := next(); want != row.Line && upload.Media == bulk.CSV && !errors.As(err, new(*apperr.Error)) {
				t.Fatalf("line %d, want %d", row.Line, want)
			}
			if err == nil && row.Line <= last {
				t.Fatalf("line %d after line %d", row.Line, last)
			}
		}
		if !errors.Is(err, io.EOF) && !errors.As(err, new(*apperr.Error)) {
			t.Fatalf("without a code: %v", err)
		}
	})
}

// nextLine returns the line of the next row that is malformed or has a cell with text, or 0 at the end.
func nextLine(sheet *bulk.Sheet) int {
	for {
		if _, line, err := sheet.Row(); line > 0 || err != nil {
			return line
		}
	}
}

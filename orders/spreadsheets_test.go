package orders_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/ordersapi"
)

var utf16LE = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)

// encoded returns the bytes of the text in the encoding e.
func encoded(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	converted, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return converted
}

// TestSpreadsheets imports the same three products from files of LibreOffice and Excel. The files in
// testdata/spreadsheets are from LibreOffice 7.4 (soffice --headless --convert-to csv). Their sheet has
// amounts, booleans, and empty cells below and beside the products. The test composes the files of Excel
// itself.
func TestSpreadsheets(t *testing.T) {
	const want = `LO-1 Größe, "klein"; blau 129990 15 true, LO-2 Niño 5€ 50 0 false, ` +
		`00010 Führende Null 123450 7 true`
	const german = "sku;name;price;stock;active\r\nLO-1;\"Größe, \"\"klein\"\"; blau\";1.299,90 €;15;WAHR\r\n" +
		"LO-2;Niño 5€;0,50 €;0;FALSCH\r\n00010;Führende Null;1.234,50 €;7;WAHR\r\n;;;;\r\n;;;;\r\n"
	const spanish = "sku;name;price;stock;active\r\nLO-1;\"Größe, \"\"klein\"\"; blau\";1299,9;15;VERDADERO\r\n" +
		"LO-2;Niño 5€;,5;0;FALSO\r\n00010;Führende Null;1234,50;7;sí\r\n;;;;\r\n;;;;\r\n"
	const english = "SKU,Name,Price,Stock,Active\r\nLO-1,\"Größe, \"\"klein\"\"; blau\",\" $1,299.90 \",15,TRUE\r\n" +
		"LO-2,Niño 5€, $0.50 ,0,FALSE\r\n00010,Führende Null,\" $1,234.50 \",7,yes\r\n,,,,\r\n"
	tabs := strings.NewReplacer("; blau", "; blau", ";", "\t").Replace(german)
	bars := strings.NewReplacer("; blau", "; blau", ";", "|").Replace(german)
	ansi := encoded(t, charmap.Windows1252, german)
	file := func(name string) string {
		content, err := os.ReadFile("testdata/spreadsheets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		for name, c := range map[string]struct{ query, charset, file string }{
			"LibreOffice, semicolon":        {"", "", file("libreoffice-semicolon.csv")},
			"LibreOffice, UTF-16 and tab":   {"", "", file("libreoffice-utf-16.csv")},
			"LibreOffice, all quoted":       {"", "", file("libreoffice-quoted.csv")},
			"LibreOffice, Windows-1252":     {"encoding=windows-1252", "", file("libreoffice-windows-1252.csv")},
			"Excel in German, CSV UTF-8":    {"", "", "\uFEFF" + german},
			"Excel in German, CSV":          {"encoding=windows-1252", "", ansi},
			"Excel in Spanish, CSV":         {"encoding=windows-1252", "", encoded(t, charmap.Windows1252, spanish)},
			"Excel in English, CSV UTF-8":   {"", "", "\uFEFF" + english},
			"Excel in English, CSV":         {"encoding=windows-1252", "", encoded(t, charmap.Windows1252, english)},
			"Excel, Unicode Text":           {"", "", encoded(t, utf16LE, tabs)},
			"Excel for Mac, CSV":            {"encoding=macintosh", "", encoded(t, charmap.Macintosh, strings.ReplaceAll(german, "\r\n", "\r"))},
			"charset":                       {"", "; charset=Windows-1252", ansi},
			"the parameter counts more":     {"encoding=windows-1252", "; charset=utf-8", ansi},
			"the byte order mark, too":      {"encoding=macintosh", "; charset=ibm850", "\uFEFF" + german},
			"UTF-16 without mark":           {"encoding=utf-16", "", encoded(t, utf16LE, german)[2:]},
			"sep=":                          {"", "", "\uFEFFsep=;\r\n" + german},
			"empty cells above":             {"", "", ";;;;\r\n;;\r\n" + german},
			"sep= above the mark":           {"", "", "sep=;\r\n\uFEFF" + german},
			"sep= and empty cells above":    {"", "", "sep=;\r\n;;;;\r\n" + german},
			"empty cells above, and tabs":   {"", "", encoded(t, utf16LE, "\t\t\t\t\r\n"+tabs)},
			"sep= in quotes, with a bar":    {"", "", "\"sep=|\"\n" + bars},
			"an index without a name, bars": {"", "", "sep=|\n|" + strings.ReplaceAll(strings.TrimRight(bars, "|\r\n"), "\r\n", "\r\n7|")},
		} {
			t.Run(name, func(t *testing.T) {
				for _, table := range []string{"stock_adjustments", "products"} {
					if err := g.Exec("DELETE FROM " + table).Error; err != nil {
						t.Fatal(err)
					}
				}
				lines, summary := imported(t, s.base+"/products/import?"+c.query, "text/csv"+c.charset, c.file)
				if summary.Rows != 3 || summary.Created != 3 {
					t.Fatalf("%s: %s", counts(summary), words(lines))
				}
				var got []string
				_, exported, _ := webtest.Do(t, "GET", s.base+"/products/export", "")
				for line := range strings.Lines(string(exported)) {
					var p api.Product
					if err := json.Unmarshal([]byte(line), &p); err != nil {
						t.Fatal(err)
					}
					got = append(got, fmt.Sprint(p.Sku, " ", p.Name, " ", p.PriceCents, " ", p.Stock, " ", p.Active))
				}
				if joined := strings.Join(got, ", "); joined != want {
					t.Errorf("%s\nwant %s", joined, want)
				}
			})
		}
	})
}

// TestCells imports files with a single amount or boolean, in valid and invalid spellings.
func TestCells(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		for header, cells := range map[string]map[string]string{
			"price": {
				"0": "0", "12": "1200", "12,5": "1250", "12.5": "1250", "12,05": "1205", "12.50 €": "1250", "€12": "1200",
				"EUR 12": "1200", "1.299,90": "129990", "1,299.90": "129990", "1 299,90": "129990", "1\u202f299": "129900",
				"1'299.90": "129990", "1.299.900": "129990000", "0012": "1200", "10000000": "1000000000",
				"10000000,01": "/price_cents maximum", "1.234": "/price format", "1,234": "/price format",
				"1.29.90": "/price format", "1,299,90": "/price format", "-1": "/price format", "1e3": "/price format",
				"many": "/price format", "12,505": "/price format", "€": "/price format", "1.299,90.00": "/price format",
				"99999999999999999999999": "/price_cents format", "12 ,5": "/price format", ",50": "50", ".5": "50",
				"R$ 1.299,90": "129990", "US$ 12.50": "1250", "S/ 1,299.90": "129990", "S/.12": "1200", "1 299,90 kr": "129990",
				"12,50 kr.": "1250", "1\u00a0299,90 Kč": "129990", "1 299,90 zł": "129990", "12 Ft": "1200", "Fr. 12.50": "1250",
				"Rs.1,299.00": "129900", "R 1 299,90": "129990", "12 Euro": "1200", "C$12": "1200", "12 лв.": "1200",
				"12 k€": "/price format", "5 M$": "/price format", "5 Mio": "/price format", "12 mil": "/price format",
				"12 kg": "/price format", "1.299 kr": "/price format", "kr": "/price format", "T€ 5": "/price format",
				"2 TSD": "/price format", "5 MIO": "/price format", "12 MIL": "/price format", "MRD 3": "/price format",
				"EUR 2 TSD": "/price format", "12 PEN": "1200", "12,50 VES": "1250", "DEM 12": "1200",
			},
			"stock":       {" 15 ": "15", "\u00a015": "15", "1 5": "/stock type", "15,00": "/stock type", " ": "/stock type"},
			"price_cents": {"12": "12", " 12 ": "12", "12,50": "/price_cents whole_number", "12.50": "/price_cents whole_number", "many": "/price_cents type"},
			"active": {
				"true": "true", "TRUE": "true", "yes": "true", "1": "true", "sí": "true", "SI\u0301": "true", "SÍ": "true",
				"Si": "true", "Verdadero": "true", "ja": "true", "WAHR": "true", "false": "false", "No": "false", "0": "false",
				"Falso": "false", "nein": "false", "Falsch": "false", "perhaps": "/active type", "2": "/active type",
			},
		} {
			field := strings.Replace(header, "price", "price_cents", 1)
			field = strings.Replace(field, "cents_cents", "cents", 1)
			for cell, want := range cells {
				id := s.product(t, 1, 1)
				file := fmt.Sprintf("sku;%s\nSKU-%d;%s\n", header, skus.Load(), cell)
				lines, _ := imported(t, s.base+"/products/import", "text/csv", file)
				product := webtest.Data(t, "GET", fmt.Sprint(s.base, "/products/", id), nil)
				got := fmt.Sprint(product[field])
				if refused := lines[0].Details; refused != nil {
					got = fmt.Sprint((*refused)[0].Field, " ", (*(*refused)[0].Params)["rule"])
					if header == "active" && !strings.Contains((*refused)[0].Message, "yes or no") {
						t.Error((*refused)[0].Message)
					}
					says := (*refused)[0].Message
					if want == "/price_cents whole_number" && !strings.Contains(says, "a column price") {
						t.Error(says)
					}
				} else if n, ok := product[field].(float64); ok {
					got = fmt.Sprintf("%.0f", n)
				}
				if got != want {
					t.Errorf("%s %q: %s, want %s", header, cell, got, want)
				}
			}
		}
	})
}

// TestOneErrorAtTheHeader imports files that the service cannot read. The answer must be an error for the
// whole file that says what is wrong, such as the separator or the encoding.
func TestOneErrorAtTheHeader(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		const sheet = "sku;n\u00famina;price_cents\n"
		rows := strings.Repeat("A;B;1\n", 500)
		for name, c := range map[string]struct {
			query, file string
			code        string
			says        []string
		}{
			"another separator":       {"", "sku|name\n" + rows, "validation_failed", []string{"/sku|name", "separated by commas, semicolons or tabs"}},
			"a rare separator":        {"", "sku^name\n" + rows, "validation_failed", []string{"/sku^name", "separated by commas, semicolons or tabs"}},
			"columns of fixed width":  {"", "sku  name\n" + rows, "validation_failed", []string{"/sku  name", "separated by commas, semicolons or tabs"}},
			"mixed separators":        {"", "sku;name,price_cents\n" + rows, "validation_failed", []string{"/sku;name", "separated by commas"}},
			"names in German":         {"", "Artikelnummer;Preis\n" + rows, "validation_failed", []string{"/Artikelnummer", "/Preis", "/sku"}},
			"price and price_cents":   {"", "sku;price;price_cents\n" + rows, "validation_failed", []string{"/price_cents", "more than once"}},
			"Windows-1252":            {"", encoded(t, charmap.Windows1252, sheet), "malformed_row", []string{"encoding=windows-1252"}},
			"UTF-16 without mark":     {"", encoded(t, utf16LE, sheet)[2:], "malformed_row", []string{"encoding=utf-16"}},
			"UTF-8 as UTF-16":         {"encoding=utf-16", "sku,names\n" + rows, "malformed_row", []string{"read as UTF-16"}},
			"half of a UTF-16 letter": {"", "\xff\xfes\x00k\x00u", "malformed_row", []string{"not utf-16"}},
			"an old workbook":         {"", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + rows, "malformed_row", []string{"save its sheet as CSV"}},
			"a workbook as ANSI":      {"encoding=windows-1252", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + rows, "malformed_row", []string{"save its sheet as CSV"}},
			"a workbook":              {"", "PK\x03\x04\x14\x00\x06\x00\x08\x00" + rows, "malformed_row", []string{"save its sheet as CSV"}},
			"an impossible separator": {"", "sep=\"\nsku\n" + rows, "malformed_row", []string{"does not name columns"}},
			"an unknown encoding":     {"encoding=latin1", "sku\n", "validation_failed", []string{"/query/encoding", "windows-1252"}},
		} {
			url := s.base + "/products/import?" + c.query
			status, body, _ := webtest.Do(t, "POST", url, c.file, "Content-Type", "text/csv")
			if status != 400 || !strings.Contains(string(body), `"`+c.code+`"`) || slices.ContainsFunc(c.says,
				func(word string) bool { return !strings.Contains(string(body), word) }) {
				t.Errorf("%s: %d %s", name, status, body)
			}
		}
	})
}

// TestBytesThatAreNoText imports files with bytes that are invalid in their encoding, and UTF-8 files that
// the request declares as another encoding. The answer must refuse the whole file and name the line, and the
// service must not import the rows before this line.
func TestBytesThatAreNoText(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		good := "sku,name,price_cents,stock\n" + strings.Repeat("GOOD,Good,1,1\n", 1000)
		for _, c := range []struct{ query, media, file, says string }{
			{"", "text/csv", "sku,n\xfamina\nA,B\n", "line 1 is not UTF-8"},
			{"", "text/csv", "sku,\xff\nA,B\n", "line 1 is not UTF-8"},
			{"", "text/csv", "\xfa\nA,B\n", "line 1 is not UTF-8"},
			{"", "text/csv", "sku;\xc3\nA,B\n", "line 1 is not UTF-8"},
			{"", "text/csv", "sku,name\xed\xa0\x80\nA,B\n", "line 1 is not UTF-8"},
			{"", "text/csv", good + "A,n\xfamina,1,1\n", "line 1002 is not UTF-8; if the file is in another encoding, name it, such as encoding=windows-1252"},
			{"", "text/csv", good + "B,\xed\xa0\x80,1,1\n", "line 1002 is not UTF-8"},
			{"", "text/csv", good + "\xff,B,1,1\n", "line 1002 is not UTF-8"},
			{"", "text/csv", good + "A,\x00,1,1\n", "line 1002 has NUL characters"},
			{"", "application/x-ndjson", `{"sku":"GOOD","name":"Good","price_cents":1,"stock":1}` + "\n{\"sku\":\"n\xfamina\"}\n", "line 2 is not UTF-8"},
			{"", "application/x-ndjson", "{\"n\xfamina\":1}\n", "line 1 is not UTF-8"},
			{"", "text/csv", encoded(t, utf16LE, "sku,name\nA,") + "\x00\xd8\n\x00" + encoded(t, utf16LE, "B,B\n")[2:], "line 2 is not utf-16"},
			{"", "text/csv", encoded(t, utf16LE, "sku,name\nA,B\n\uFFFD,C\n"), "line 3 is not utf-16"},
			{"", "application/x-ndjson", encoded(t, utf16LE, "{\"sku\":\"A\uFFFD\"}\n"), "line 1 is not utf-16"},
			{"?encoding=windows-1252", "text/csv", good + "A,Müller,1,1\n", "line 1002 is UTF-8, as the whole file is, and not windows-1252; name it: encoding=utf-8"},
			{"", "text/csv; charset=ISO-8859-1", good + "A,Müller,1,1\n", "line 1002 is UTF-8, as the whole file is, and not iso-8859-1; name it: encoding=utf-8"},
		} {
			status, body, _ := webtest.Do(t, "POST", s.base+"/products/import"+c.query, c.file, "Content-Type", c.media)
			webtest.WantError(t, status, body, 400, "malformed_row")
			if !strings.Contains(string(body), c.says) {
				t.Errorf("%s, want %s", body, c.says)
			}
		}
		_, body, _ := webtest.Do(t, "GET", s.base+"/products?sku=GOOD", "")
		if !strings.Contains(string(body), `"data":[]`) {
			t.Errorf("a row of a refused file was applied: %s", body)
		}
		imported(t, s.base+"/products/import?encoding=utf-8", "text/csv; charset=ISO-8859-1", good+"A,Müller,1,1\n")
		_, body, _ = webtest.Do(t, "GET", s.base+"/products?search=Müller", "")
		if !strings.Contains(string(body), `"Müller"`) {
			t.Errorf("%s", body)
		}
	})
}

// TestEmptyCellsAreNoRows imports a sheet with a million empty rows between two products. The summary must
// count two rows. The number of the second row must include the empty rows.
func TestEmptyCellsAreNoRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		file := "sku;name;price_cents;stock;;\r\n;;;;;\r\nE-1;One;1;1;;\r\n" +
			strings.Repeat(";;;;;\r\n", 1_000_000) + "E-2;x;;;;\r\n"
		lines, summary := imported(t, s.base+"/products/import", "text/csv", file)
		if summary.Rows != 2 || summary.Created != 1 || !summary.Complete || *lines[0].Row != 3 ||
			*lines[1].Row != 1_000_004 {
			t.Errorf("%s: %s", counts(summary), words(lines))
		}
	})
}

// TestEncodings compares the encodings of the document with the encodings of the program.
func TestEncodings(t *testing.T) {
	var documented []string
	for _, name := range webtest.Spec(t, api.Document).Components.Schemas["FileEncoding"].Value.Enum {
		documented = append(documented, name.(string))
	}
	slices.Sort(documented)
	if !slices.Equal(documented, bulk.Encodings()) {
		t.Errorf("%q, want %q", documented, bulk.Encodings())
	}
}

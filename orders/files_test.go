package orders_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// imported sends a file and returns the lines of the answer, and the summary.
func imported(t *testing.T, url, media, file string) ([]contract.ImportLine, contract.ImportSummary) {
	t.Helper()
	status, body, _ := webtest.Do(t, "POST", url, file, "Content-Type", media)
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	var lines []contract.ImportLine
	for text := range bytes.Lines(body) {
		var line contract.ImportLine
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatal(err)
		}
		if line.Summary != nil {
			return lines, *line.Summary
		}
		lines = append(lines, line)
	}
	t.Fatalf("no summary: %s", body)
	return nil, contract.ImportSummary{}
}

// words returns the result of each row as text.
func words(lines []contract.ImportLine) string {
	var all []string
	for _, l := range lines {
		word := fmt.Sprint(*l.Row, " ", *l.Result)
		if l.ID != nil {
			word += fmt.Sprint(" ", *l.ID)
		}
		if l.Code != nil {
			word += fmt.Sprint(" ", *l.Code)
		}
		if l.Details != nil {
			for _, d := range *l.Details {
				word += " " + d.Field
			}
		}
		all = append(all, word)
	}
	return strings.Join(all, ", ")
}

func counts(s contract.ImportSummary) string {
	return fmt.Sprintf("%d rows: %d created, %d updated, %d unchanged, %d refused, complete %v, dry run %v",
		s.Rows, s.Created, s.Updated, s.Unchanged, s.Refused, s.Complete, s.DryRun)
}

// numbered returns a CSV file with n products.
func numbered(n int) string {
	var b strings.Builder
	b.WriteString("sku,name,price_cents,stock\r\n")
	for i := range n {
		fmt.Fprintf(&b, "N-%d,Number %d,100,%d\r\n", i, i, i%7)
	}
	return b.String()
}

func TestImportProducts(t *testing.T) {
	const csvText, ndjson = "text/csv", "application/x-ndjson"
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		url := s.base + "/products/import"
		old := s.product(t, 100, 5)
		sku := fmt.Sprint("SKU-", skus.Load())
		export := func() string {
			_, body, _ := webtest.Do(t, "GET", s.base+"/products/export", "")
			return string(body)
		}

		t.Run("csv", func(t *testing.T) {
			file := "\uFEFFsku,price_cents,name,stock,active\r\n" +
				// Refused, because the name has a line break.
				"A-1,100,\"Say \"\"hi\"\", said\nno one\",5,\r\n" +
				"A-2,200,\"Größe, 😀\",6,FALSE\r\n" +
				sku + ",150,,9,true\n" +
				"A-3,300,,,\n" +
				"A-2,1,x,1,\n" +
				"A-4,1e2,x,many,perhaps\n" +
				"A-5,100\n" +
				"A-6,100,a\"b,1,\n" +
				"\n" +
				",1,x,1,\n" +
				"=A-7,100,x,1,,\n"
			const want = "2 refused validation_failed /name, 4 created ID, 5 updated OLD, " +
				"6 refused validation_failed /name /stock, 7 refused validation_failed /sku, " +
				"8 refused validation_failed /active /price_cents /stock, 9 refused malformed_row, " +
				"10 refused malformed_row, 12 refused validation_failed /sku, 13 refused malformed_row"
			before, events := export(), s.count(t, "events")
			lines, summary := imported(t, url+"?dry_run=true", csvText, file)
			dry := strings.NewReplacer(fmt.Sprint("updated ", old), "updated OLD", "4 created", "4 created ID")
			if got := dry.Replace(words(lines)); got != want {
				t.Errorf("dry run: %s\nwant %s", got, want)
			}
			const dryCounts = "10 rows: 1 created, 1 updated, 0 unchanged, 8 refused, complete true, dry run true"
			if got := counts(summary); got != dryCounts {
				t.Error(got)
			}
			if export() != before || s.count(t, "events") != events {
				t.Errorf("a dry run changed something: %s", export())
			}
			lines, _ = imported(t, url, csvText, file)
			made := *lines[1].ID
			wet := strings.NewReplacer(fmt.Sprint("updated ", old), "updated OLD",
				fmt.Sprint("4 created ", made), "4 created ID")
			if got := wet.Replace(words(lines)); got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
			res, _ := s.GetProductWithResponse(ctx, made, nil)
			if p := res.JSON200.Data; p.Sku != "A-2" || p.Name != "Größe, 😀" || p.PriceCents != 200 || p.Stock != 6 ||
				p.Active {
				t.Errorf("%s", res.Body)
			}
			res, _ = s.GetProductWithResponse(ctx, old, nil)
			if p := res.JSON200.Data; p.Name != "Thing" || p.PriceCents != 150 || p.Stock != 9 || !p.Active {
				t.Errorf("%s", res.Body)
			}
			history := "product.created by anonymous in " + correlationOf(t, s, old, 2) +
				", product.updated by anonymous in " + correlationOf(t, s, old, 1) +
				", stock.adjusted by anonymous in " + correlationOf(t, s, old, 0)
			if got := describe(s.history(t, fmt.Sprint("/products/", old))); got != history {
				t.Error(got)
			}
			adjustments, _ := s.ListStockAdjustmentsWithResponse(ctx, old, nil)
			if a := adjustments.JSON200.Data[0]; len(adjustments.JSON200.Data) != 2 || a.Delta != 4 || a.Level != 9 ||
				a.Reason != "level set" {
				t.Errorf("%s", adjustments.Body)
			}
			before, events = export(), s.count(t, "events")
			if _, summary = imported(t, url, csvText, file); summary.Unchanged != 2 || summary.Refused != 8 ||
				export() != before ||
				s.count(t, "events") != events {
				t.Errorf("again: %s", counts(summary))
			}
		})
		t.Run("a quote that does not end", func(t *testing.T) { // the error names the last line inside the quote
			file := "sku,name,price_cents,stock\nQ-1,\"27,1,1\nQ-2,x,1,1\nQ-3,x,1,1\n"
			lines, summary := imported(t, url, csvText, file)
			const want = "1 rows: 0 created, 0 updated, 0 unchanged, 1 refused, complete true, dry run false"
			if got := counts(summary); got != want {
				t.Error(got)
			}
			if got := *lines[0].Error; *lines[0].Row != 2 ||
				!strings.HasSuffix(got, "missing; the row was taken to go on to line 4.") {
				t.Error(got)
			}
		})
		t.Run("ndjson", func(t *testing.T) {
			file := `{"sku":"J-1","name":"<&> \u00e9","price_cents":1,"stock":0}` + "\n\n \r\n" +
				`{"sku":"J-1","sku":"J-2","name":"x","price_cents":1,"stock":0}` + "\n" +
				`{"sku":"J-3","SKU":"x","name":7,"price_cents":1,"stock":0}` + "\n" +
				`["sku"]` + "\n{\n" + `{"sku":"J-4","name":"last","price_cents":1,"stock":0,"id":7,"created_at":"x"}`
			lines, summary := imported(t, url, ndjson, file)
			got := strings.NewReplacer(
				fmt.Sprint("created ", *lines[0].ID), "created ID",
				fmt.Sprint("created ", *lines[5].ID), "created ID",
			).Replace(words(lines))
			const want = "1 created ID, 4 refused validation_failed /sku, 5 refused validation_failed /SKU /name, " +
				"6 refused validation_failed /body, 7 refused malformed_row, 8 created ID"
			if got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
			const all = "6 rows: 2 created, 0 updated, 0 unchanged, 4 refused, complete true, dry run false"
			if got := counts(summary); got != all {
				t.Error(got)
			}
		})
		t.Run("an export is unchanged", func(t *testing.T) {
			for _, format := range []string{"csv", "ndjson"} {
				_, body, header := webtest.Do(t, "GET", s.base+"/products/export?format="+format, "")
				if _, summary := imported(t, url, header.Get("Content-Type"), string(body)); summary.Rows < 4 ||
					summary.Unchanged != summary.Rows {
					t.Errorf("%s: %s", format, counts(summary))
				}
			}
		})
		t.Run("batches", func(t *testing.T) {
			rows := strings.SplitAfter(numbered(700), "\r\n")
			// A bad row must not affect the other rows of its batch.
			for _, bad := range []int{1, 251, 700} {
				rows[bad] = "BAD,x\r\n"
			}
			lines, summary := imported(t, url, csvText, strings.Join(rows, ""))
			const want = "700 rows: 697 created, 0 updated, 0 unchanged, 3 refused, complete true, dry run false"
			if got := counts(summary); got != want {
				t.Error(got)
			}
			for _, l := range lines[1:250] {
				bySku := &api.ListProductsParams{Sku: new(fmt.Sprint("N-", *l.Row-2)), Limit: new(int32(1))}
				res, _ := s.ListProductsWithResponse(ctx, bySku)
				if len(res.JSON200.Data) != 1 || res.JSON200.Data[0].ID != *l.ID {
					t.Fatalf("row %d has the id %d: %s", *l.Row, *l.ID, res.Body)
				}
			}
		})
		t.Run("columns that are not read", func(t *testing.T) {
			long := strings.Repeat("x", 20_000)
			file := "id,sku,name,price_cents,stock,Created_at,refusal\nC-17,OWN-1,Own,1,1," + long + "," + long + "\n"
			lines, summary := imported(t, url, csvText, file)
			if summary.Created != 1 || summary.Rows != 1 {
				t.Errorf("%s: %s", counts(summary), words(lines))
			}
			if lines, _ = imported(t, url, ndjson, `{"sku":"OWN-1","id":"C-17"}`); lines[0].Code == nil {
				t.Errorf("NDJSON: %s", words(lines))
			}
			status, body, _ := webtest.Do(t, "POST", url, "id,sku,ID\n1,A,2\n", "Content-Type", csvText)
			webtest.WantError(t, status, body, 400, "validation_failed", "/ID")
		})
		t.Run("every field", func(t *testing.T) {
			spec := webtest.Spec(t, api.Document)
			row := webtest.EveryField(t, spec, "ProductImportRow")
			for _, exported := range []string{"id", "created_at", "updated_at", "refusal"} {
				delete(row, exported)
			}
			row["active"] = false
			encoded, _ := json.Marshal(row)
			lines, _ := imported(t, url, ndjson, string(encoded))
			product := webtest.Data(t, "GET", fmt.Sprint(s.base, "/products/", *lines[0].ID), nil)
			webtest.ComesBack(t, "ProductImportRow", row, product)
		})
		t.Run("not for one customer", func(t *testing.T) {
			headers := as(t, auth.Principal{Subject: "erp", Customer: 1}, "req-1")
			headers[len(headers)-1] = csvText
			status, body, _ := webtest.Do(t, "POST", url, "sku\nX\n", headers...)
			webtest.WantError(t, status, body, 403, "forbidden", "/header/Authorization")
		})
		for name, bad := range map[string]struct {
			media, file string
			status      int
			code        string
			fields      []string
		}{
			"json":              {"application/json", `{"sku":"X"}`, 415, "unsupported_media_type", nil},
			"no media type":     {"", `x`, 415, "unsupported_media_type", nil},
			"empty csv":         {csvText, "", 400, "validation_failed", []string{"/body"}},
			"empty ndjson":      {ndjson, "", 400, "validation_failed", []string{"/body"}},
			"unknown column":    {csvText, "sku,nmae\nX,x\n", 400, "validation_failed", []string{"/nmae"}},
			"no sku, repeated":  {csvText, "name,name\nX,x\n", 400, "validation_failed", []string{"/name", "/sku"}},
			"broken first line": {csvText, "sku,\"name\nX,x\n", 400, "malformed_row", nil},
		} {
			t.Run(name, func(t *testing.T) {
				status, body, _ := webtest.Do(t, "POST", url, bad.file, "Content-Type", bad.media)
				webtest.WantError(t, status, body, bad.status, bad.code, bad.fields...)
			})
		}
		t.Run("without rows", func(t *testing.T) {
			for media, file := range map[string]string{csvText: "sku,name", ndjson: "\n"} {
				if _, summary := imported(t, url, media, file); summary.Rows != 0 || !summary.Complete {
					t.Errorf("%s: %s", media, counts(summary))
				}
			}
		})
		t.Run("bounds", func(t *testing.T) {
			cells := strings.Repeat("x\n", 64<<10)
			long := `{"sku":"` + strings.Repeat("x", 64<<10) + `"}`
			for name, c := range map[string]struct {
				media, file string
				rows        int32
				says        string
			}{
				"rows":              {csvText, "sku\n" + strings.Repeat("=\n", 100_001), 100_000, "it has more than 100 000 rows."},
				"a line":            {ndjson, "{}\n" + long + "\n{}\n", 1, "the row on line 2 is longer than 64 KiB."},
				"a line of UTF-16":  {ndjson, encoded(t, utf16LE, "{}\n"+long+"\n{}\n"), 1, "the row on line 2 is"},
				"a line of CSV":     {csvText, "sku\nX\n" + strings.Repeat("x", 1<<18), 1, "the row on line 3 is longer than 64 KiB; a quote is"},
				"a quoted csv cell": {csvText, "sku,name\nX,\"" + cells, 0, "line 2 is longer than 64 KiB; a quote is probably missing."},
				"a later cell":      {csvText, "\nsku,name\nX,\n\nY,Y\nZ,\"" + cells, 2, "the row on line 6 is longer than 64 KiB; a"},
				"the first cell":    {csvText, "sep=;\r\nsku;name\r\nX;X\r\n\"" + cells, 1, "the row on line 4 is longer than 64 KiB; a"},
				"below empty rows":  {csvText, "sku,name\nX,X\n" + strings.Repeat(",\n", 1<<16) + "\"" + cells, 1, "row on line 65539 is"},
				"below other rows":  {csvText, "sku,name\nX,\"A\nB\"\n\"X\nY\"Z,\nX\n" + "Y,\"" + cells, 3, "row on line 7 is longer"},
			} {
				status, body, _ := webtest.Do(t, "POST", url+"?dry_run=true", c.file, "Content-Type", c.media)
				var last contract.ImportLine // webtest.Serve validates the other lines
				err := json.Unmarshal(body[bytes.LastIndexByte(bytes.TrimSpace(body), '\n')+1:], &last)
				if err != nil || status != 200 || last.Summary == nil {
					t.Fatalf("%s: %d %v: no summary", name, status, err)
				}
				if s := *last.Summary; s.Complete || s.Code == nil || *s.Code != "payload_too_large" ||
					s.Rows != c.rows || !strings.Contains(*s.Error, c.says) {
					t.Errorf("%s: %s, %s", name, counts(s), body[max(0, len(body)-200):])
				}
			}
			status, body, _ := webtest.Do(t, "POST", url, strings.Repeat("x", 64<<20+1), "Content-Type", csvText)
			webtest.WantError(t, status, body, 413, "payload_too_large")
			if !strings.Contains(string(body), "The file is too large: it has more than 64 MiB.") {
				t.Error(string(body))
			}
			status, body, _ = webtest.Do(t, "POST", url, "\nsku,\""+cells, "Content-Type", csvText)
			webtest.WantError(t, status, body, 413, "payload_too_large")
			if !strings.Contains(string(body), "the line that names the columns is longer than 64 KiB; a quote is") {
				t.Error(string(body))
			}
		})
		wantHealthy(t, g)
	})
}

// correlationOf returns the correlation id of an event of a product. The parameter at is the index of the
// event; the newest event has the index 0.
func correlationOf(t *testing.T, s *system, product int64, at int) string {
	t.Helper()
	return *s.history(t, fmt.Sprint("/products/", product))[at].CorrelationID
}

// TestImportStatements checks that the number of statements for a batch does not grow with the number of
// rows. A batch reads the ids of the skus, and locks the existing products. When products change, it writes
// products, adjustments and events. For new products, it also reads the clock, and the distance between their
// ids. BEGIN and COMMIT are not counted.
func TestImportStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		statements, ids := counting(t, g), int64(1)
		if g.Name() == db.SQLite {
			ids = 0 // on SQLite the ids of one INSERT are always consecutive
		}
		file := numbered(250)
		// SQL statements for 250 new, unchanged and changed products.
		for _, want := range []int64{5 + ids, 2, 5} {
			statements.Store(0)
			if _, summary := imported(t, s.base+"/products/import", "text/csv", file); summary.Refused > 0 {
				t.Fatal(counts(summary))
			}
			if got := statements.Load(); got != want {
				t.Errorf("%d statements, want %d", got, want)
			}
			if want == 2 {
				file = strings.ReplaceAll(file, ",100,", ",101,1")
			}
		}
	})
}

// TestImportAtOnce runs several imports of the same file at the same time, while orders reserve its products.
// Every import and every order must succeed, and the doctor must find no broken rule.
func TestImportAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		file := strings.ReplaceAll(numbered(600), ",100,", ",100,9")
		head := strings.Join(strings.SplitAfter(file, "\n")[:51], "")
		first, _ := imported(t, s.base+"/products/import", "text/csv", head)
		wantCounts(t, atOnce(12, func(i int) string {
			if i%3 > 0 {
				for j := range 10 {
					a, b := *first[(i+j)%50].ID, *first[(i+3*j+1)%50].ID
					if res := s.place(t, "", line(a, 1), line(b, 1)); res.JSON201 == nil {
						return string(res.Body)
					}
				}
				return "ordered"
			}
			_, summary := imported(t, s.base+"/products/import", "text/csv", file)
			n := summary.Created + summary.Updated + summary.Unchanged
			return fmt.Sprint(n, " imported, complete ", summary.Complete)
		}), map[string]int{"ordered": 8, "600 imported, complete true": 4})
		if n := s.count(t, "products"); n != 600 {
			t.Errorf("%d products", n)
		}
		wantHealthy(t, g)
	})
}

// TestImportBroken closes the connection while the service sends the answer. The service must have imported
// whole batches only, and a repeated import must add the other rows.
func TestImportBroken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		live := httptest.NewServer(s.service.Handler(webtest.Options()))
		defer live.Close()
		res, err := http.Post(live.URL+"/products/import", "text/csv", strings.NewReader(numbered(5000)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		live.Close() // waits for the end of the request
		before := s.count(t, "products")
		if before < 250 || before%250 != 0 {
			t.Errorf("%d products were imported", before)
		}
		_, summary := imported(t, s.base+"/products/import", "text/csv", numbered(5000))
		if int64(summary.Unchanged) != before || summary.Created+summary.Unchanged != 5000 {
			t.Error(counts(summary))
		}
		wantHealthy(t, g)
	})
}

// TestImportFails lets a statement of the first batch fail. The answer must be 500 internal. Then it lets a
// statement of the second batch fail. The answer must have the rows of the first batch, and a summary with
// the code internal.
func TestImportFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		var left atomic.Int64
		left.Store(1 << 30)
		fail := func(tx *gorm.DB) {
			if left.Add(-1) < 0 {
				_ = tx.AddError(errors.New("broken"))
			}
		}
		if err := g.Callback().Create().Before("gorm:create").Register("test:fail", fail); err != nil {
			t.Fatal(err)
		}
		left.Store(1) // the products are inserted, and inserting their adjustments fails
		url := s.base + "/products/import"
		status, body, _ := webtest.Do(t, "POST", url, numbered(500), "Content-Type", "text/csv")
		webtest.WantError(t, status, body, 500, "internal")
		left.Store(3)
		_, summary := imported(t, url, "text/csv", numbered(500))
		const want = "250 rows: 250 created, 0 updated, 0 unchanged, 0 refused, complete false, dry run false"
		if got := counts(summary); got != want || *summary.Code != "internal" {
			t.Error(got)
		}
		left.Store(1 << 30)
		if n := s.count(t, "products"); n != 250 {
			t.Errorf("%d products", n)
		}
		wantHealthy(t, g)
	})
}

func TestExport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		// More rows than two pages of 500.
		imported(t, s.base+"/products/import", "text/csv", numbered(1100))
		n := api.ProductRequest{Sku: "=1+1", Name: `-"a", +1`, PriceCents: 1, Stock: 5}
		formula, err := s.CreateProductWithResponse(ctx, nil, n)
		if err != nil || formula.JSON201 == nil {
			t.Fatalf("%s", formula.Body)
		}
		get := func(path string, headers ...string) string {
			t.Helper()
			status, body, _ := webtest.Do(t, "GET", s.base+path, "", headers...)
			if status != 200 {
				t.Errorf("%s: %d %s", path, status, body)
			}
			return string(body)
		}
		dbtest.NoFilesort(t, g)

		table, err := csv.NewReader(strings.NewReader(get("/products/export?format=csv"))).ReadAll()
		if err != nil || len(table) != 1102 {
			t.Fatalf("%d rows %v", len(table), err)
		}
		p := formula.JSON201.Data
		want := []any{p.ID, p.Sku, p.Name, p.PriceCents, p.Stock, p.Active}
		if fmt.Sprint(table[1101][:6]) != fmt.Sprint(want) {
			t.Errorf("%q is not %+v", table[1101], p)
		}
		lines := strings.Split(strings.TrimSpace(get("/products/export")), "\n")
		for i, line := range lines {
			var p api.Product
			if err := json.Unmarshal([]byte(line), &p); err != nil || fmt.Sprint(p.ID) != table[i+1][0] ||
				p.Sku != table[i+1][1] {
				t.Fatalf("%v %s is not %q", err, line, table[i+1])
			}
		}
		if got := get("/products/export?sku=N-7"); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"N-7"`) {
			t.Error(got)
		}

		one := s.placed(t, line(p.ID, 1), line(2, 1))
		ofTwo := api.OrderRequest{CustomerID: 2, Items: []contract.OrderItemRequest{line(p.ID, 2)}}
		res, err := s.CreateOrderWithResponse(ctx, nil, ofTwo)
		if err != nil || res.JSON201 == nil {
			t.Fatalf("%s", res.Body)
		}
		for query, want := range map[string][]int64{
			"":                {one.ID, res.JSON201.Data.ID},
			"customer_id=2":   {res.JSON201.Data.ID},
			"status=CANCELED": nil,
			"to=2001-01-01":   nil,
			"from=2001-01-01&status=CREATED&customer_id=1": {one.ID},
		} {
			var got []int64
			for line := range strings.Lines(get("/orders/export?" + query)) {
				var o api.Order
				if err := json.Unmarshal([]byte(line), &o); err != nil {
					t.Fatal(err)
				}
				read, _ := s.GetOrderWithResponse(ctx, o.ID, nil)
				if !reflect.DeepEqual(o, read.JSON200.Data) {
					t.Errorf("%s, want %s", line, read.Body)
				}
				got = append(got, o.ID)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v, want %v", query, got, want)
			}
			table := csv.NewReader(strings.NewReader(get("/orders/export?format=csv&" + query)))
			if rows, err := table.ReadAll(); err != nil || len(rows) != len(want)+1 {
				t.Errorf("%s: %v %v", query, rows, err)
			}
		}
		got := get("/orders/export", as(t, auth.Principal{Subject: "erp", Customer: 2}, "req-1")...)
		if strings.Count(got, "\n") != 1 || !strings.Contains(got, `"customer_id":2`) {
			t.Errorf("to customer 2: %s", got)
		}
		var pages atomic.Int64
		count := func(*gorm.DB) { pages.Add(1) }
		if err := g.Callback().Query().After("gorm:query").Register("test:pages", count); err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"csv", "ndjson"} {
			pages.Store(0)
			status, body, header := webtest.Do(t, "HEAD", s.base+"/products/export?format="+format, "")
			if status != 200 || len(body) > 0 || !strings.Contains(header.Get("Content-Type"), format) ||
				pages.Load() > 1 {
				t.Errorf("HEAD: %d %s %v, %d pages read", status, body, header, pages.Load())
			}
		}
		status, body, _ := webtest.Do(t, "GET", s.base+"/orders/export?format=xls&from=x", "")
		webtest.WantError(t, status, body, 400, "validation_failed", "/query/format", "/query/from")
		status, body, _ = webtest.Do(t, "GET", s.base+"/orders/export?stauts=CREATED", "")
		webtest.WantError(t, status, body, 400, "validation_failed", "/query/stauts")
	})
}

// TestExportForPeople exports CSV with the parameters for spreadsheets. The cells must be the same as without
// the parameters, also when a spreadsheet would take a cell for a formula.
func TestExportForPeople(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		n := api.ProductRequest{Sku: "=1;1", Name: "@R&D <Größe>, \"a;b\"", PriceCents: 1250, Stock: 5000}
		formula, err := s.CreateProductWithResponse(ctx, nil, n)
		if err != nil || formula.JSON201 == nil {
			t.Fatalf("%s", formula.Body)
		}
		p, plain := formula.JSON201.Data.ID, s.product(t, 7, 5000)
		o := api.OrderRequest{
			CustomerID: 1, ExternalRef: new("=cmd|'/c calc'!A0"),
			Metadata: &contract.OrderMetadata{"note": "+1;2 R&D <1>"},
			Items:    []contract.OrderItemRequest{line(p, 3), line(plain, 2)},
		}
		first, err := s.CreateOrderWithResponse(ctx, nil, o)
		if err != nil || first.JSON201 == nil {
			t.Fatalf("%s", first.Body)
		}
		s.confirm(t, first.JSON201.Data.ID, "people")
		ofTwo := api.OrderRequest{CustomerID: 2, Items: []contract.OrderItemRequest{line(p, 1)}}
		if _, err := s.CreateOrderWithResponse(ctx, nil, ofTwo); err != nil {
			t.Fatal(err)
		}
		for range 501 { // more orders than a page of an export, which has 500
			s.placed(t, line(plain, 1), line(p, 1))
		}

		get := func(path string, delimiter rune, headers ...string) [][]string {
			t.Helper()
			status, body, _ := webtest.Do(t, "GET", s.base+path, "", headers...)
			if status != 200 || bytes.HasPrefix(body, []byte("\uFEFF")) != strings.Contains(path, "bom=true") {
				t.Fatalf("%s: %d %.50q", path, status, body)
			}
			table := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\uFEFF"))))
			table.Comma = delimiter
			rows, err := table.ReadAll()
			if err != nil || len(rows) < 2 {
				t.Fatalf("%s: %v in %d rows", path, err, len(rows))
			}
			return rows
		}
		for _, path := range []string{
			"/products/export?format=csv", "/orders/export?format=csv", "/orders/export?format=csv&lines=true",
		} {
			want := get(path, ',')
			for query, delimiter := range map[string]rune{
				"bom=true": ',', "bom=false": ',', "delimiter=comma": ',', "delimiter=semicolon": ';',
				"delimiter=tab": '\t', "delimiter=semicolon&bom=true": ';', "delimiter=": ',',
			} {
				if got := get(path+"&"+query, delimiter); !reflect.DeepEqual(got, want) {
					t.Errorf("%s&%s: %q, want %q", path, query, got[:2], want[:2])
				}
			}
		}

		t.Run("goes in again", func(t *testing.T) {
			for _, query := range []string{
				"bom=true", "delimiter=semicolon", "delimiter=tab", "bom=true&delimiter=semicolon", "bom=true&delimiter=tab",
			} {
				_, body, _ := webtest.Do(t, "GET", s.base+"/products/export?format=csv&"+query, "")
				lines, summary := imported(t, s.base+"/products/import", "text/csv", string(body))
				if summary.Unchanged != 2 || summary.Rows != 2 {
					t.Errorf("%s: %s: %s", query, counts(summary), words(lines))
				}
			}
		})
		t.Run("a row for each line", func(t *testing.T) {
			_, body, _ := webtest.Do(t, "GET", s.base+"/orders/export", "")
			got := get("/orders/export?format=csv&lines=true&delimiter=semicolon", ';')
			names, want := got[0], [][]string{got[0]}
			plain := strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(string(body))
			for text := range strings.Lines(plain) {
				order := gjson.Parse(text)
				for _, item := range order.Get("items").Array() {
					var row []string
					for _, name := range names {
						value := item.Get(name)
						if !value.Exists() {
							value = order.Get(strings.TrimPrefix(name, "order_"))
						}
						row = append(row, value.String())
					}
					want = append(want, row)
				}
			}
			if len(got) != 1+2+1+2*501 || !reflect.DeepEqual(got, want) {
				t.Errorf("%d rows, want %d: %q, want %q", len(got), len(want), got[:2], want[:2])
			}
			const columns = "order_id customer_id external_ref metadata status created_at confirmed_at canceled_at " +
				"product_id sku name qty unit_price_cents subtotal_cents"
			if strings.Join(names, " ") != columns {
				t.Errorf("the columns are %q", names)
			}
			cells := fmt.Sprint(got[1])
			for _, cell := range []string{
				*o.ExternalRef, `{"note":"+1;2 R&D <1>"}`, n.Sku, n.Name, "CONFIRMED", "3 1250 3750",
			} {
				if !strings.Contains(cells, cell) {
					t.Errorf("no %q in %s", cell, cells)
				}
			}
			whole := fmt.Sprint(get("/orders/export?format=csv", ',')[1])
			if !strings.Contains(whole, `"name":"@R&D <Größe>, \"a;b\""`) {
				t.Errorf("no name as it is stored in %s", whole)
			}
			own := as(t, auth.Principal{Subject: "erp", Customer: 2}, "req-1")
			if rows := get("/orders/export?format=csv&lines=true", ',', own...); len(rows) != 2 || rows[1][1] != "2" {
				t.Errorf("to customer 2: %q", rows)
			}
			if rows := get("/orders/export?format=csv&lines=true&confirmed_from=2024-01-01", ','); len(rows) != 3 {
				t.Errorf("of confirmed orders: %q", rows)
			}
		})
		t.Run("the name of the file", func(t *testing.T) {
			for _, method := range []string{"GET", "HEAD"} {
				for path, name := range map[string]string{
					"/products/export": "products-DATE.ndjson", "/products/export?format=csv": "products-DATE.csv",
					"/orders/export": "orders-DATE.ndjson", "/orders/export?format=csv&bom=true": "orders-DATE.csv",
					"/orders/export?format=csv&lines=true":  "order-lines-DATE.csv",
					"/orders/export?format=csv&lines=false": "orders-DATE.csv",
				} {
					before := time.Now()
					_, _, header := webtest.Do(t, method, s.base+path, "")
					got, wants := header.Get("Content-Disposition"), []string(nil)
					// Midnight may have passed during the export.
					for _, now := range []time.Time{before, time.Now()} {
						date := now.UTC().Format(time.DateOnly)
						wants = append(wants, `attachment; filename="`+strings.ReplaceAll(name, "DATE", date)+`"`)
					}
					if !slices.Contains(wants, got) {
						t.Errorf("%s %s: %s, want %s", method, path, got, wants)
					}
				}
			}
		})
		for query, fields := range map[string][]string{
			"/orders/export?bom=true":                   {"/query/bom"},
			"/orders/export?bom=false&format=ndjson":    {"/query/bom"},
			"/orders/export?lines=true":                 {"/query/lines"},
			"/products/export?delimiter=tab":            {"/query/delimiter"},
			"/products/export?format=csv&lines=true":    {"/query/lines"},
			"/orders/export?format=csv&delimiter=%3B":   {"/query/delimiter"},
			"/orders/export?format=csv&lines=1&bom=yes": {"/query/bom", "/query/lines"},
			"/orders/export?lines=true&bom=true&delimiter=comma": {
				"/query/bom", "/query/delimiter", "/query/lines"},
			"/orders?lines=true": {"/query/lines"},
		} {
			status, body, header := webtest.Do(t, "GET", s.base+query, "")
			webtest.WantError(t, status, body, 400, "validation_failed", fields...)
			if header.Get("Content-Disposition") != "" {
				t.Errorf("%s: %v", query, header)
			}
		}
	})
}

// TestExportBroken lets the query of the second page fail. The answer must break off, so that the client sees
// that it is incomplete.
func TestExportBroken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		imported(t, s.base+"/products/import", "text/csv", numbered(1100))
		var pages, whole atomic.Int64
		err := g.Callback().Query().Before("gorm:query").Register("test:fail", func(tx *gorm.DB) {
			if pages.Add(1) > whole.Load() {
				_ = tx.AddError(errors.New("broken"))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"csv", "ndjson"} {
			log := webtest.Logged(t, func(o web.Options) {
				live := httptest.NewServer(s.service.Handler(o))
				defer live.Close()
				pages.Store(0)
				whole.Store(1)
				res, err := http.Get(live.URL + "/products/export?format=" + format)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if body, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) ||
					bytes.Count(body, []byte{'\n'}) < 500 {
					t.Errorf("%v after %d bytes", err, len(body))
				}
				whole.Store(0)
				status, body, header := webtest.Do(t, "GET", live.URL+"/products/export?format="+format, "")
				webtest.WantError(t, status, body, 500, "internal")
				if header.Get("Content-Disposition") != "" {
					t.Errorf("an error is a file: %v", header)
				}
			})
			if strings.Count(log, `"error":"broken"`) != 2 {
				t.Errorf("the log: %s", log)
			}
		}
	})
}

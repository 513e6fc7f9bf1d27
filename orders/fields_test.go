package orders_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// TestEveryField sends each field of the requests, and expects it in an answer. Each field of an answer must
// be set in some answer.
func TestEveryField(t *testing.T) {
	spec := webtest.Spec(t, api.Document)
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		read := func(path string, id any) map[string]any {
			return webtest.Data(t, "GET", fmt.Sprint(s.base, path, id), nil)
		}

		product := webtest.EveryField(t, spec, "ProductRequest")
		made := webtest.Data(t, "POST", s.base+"/products", product)
		webtest.ComesBack(t, "ProductRequest", product, read("/products/", made["id"]))
		webtest.NeverShown(t, spec, "Product", read("/products/", made["id"]))
		change := webtest.EveryField(t, spec, "ProductUpdate")
		path := fmt.Sprint(s.base, "/products/", made["id"])
		webtest.ComesBack(t, "ProductUpdate", change, webtest.Data(t, "PATCH", path, change))
		adjustment := webtest.EveryField(t, spec, "StockAdjustmentRequest")
		adjusted := webtest.Data(t, "POST", path+"/stock-adjustments", adjustment)
		webtest.ComesBack(t, "StockAdjustmentRequest", adjustment, adjusted)
		webtest.NeverShown(t, spec, "StockAdjustment", adjusted)

		order := webtest.EveryField(t, spec, "OrderRequest")
		line := order["items"].([]any)[0].(map[string]any)
		line["product_id"] = made["id"]
		delete(line, "sku") // a line has a product_id or a sku; TestLinesBySku sends the sku
		order["expected_total_cents"] = line["qty"].(float64) * change["price_cents"].(float64)
		placed := webtest.Data(t, "POST", s.base+"/orders", order)
		delete(order, "expected_total_cents") // the service does not store this field: see TestExpectedTotal
		webtest.ComesBack(t, "OrderRequest", order, read("/orders/", placed["id"]))
		for field, cell := range firstRow(t, s.base+"/orders/export?format=csv&lines=true") {
			if of := order[field]; of != nil && cell == "" {
				t.Errorf("the rows of lines have no %s", field)
			}
		}
		path = fmt.Sprint(s.base, "/orders/", placed["id"])
		confirmed := webtest.Data(t, "POST", path+"/confirm", nil, "X-Idempotency-Key", "fields")
		canceled := webtest.Data(t, "POST", path+"/cancel", map[string]string{"reason": "why"})
		webtest.NeverShown(t, spec, "OrderSummary", placed, confirmed, canceled)
	})
}

// firstRow returns the cells of the first row of a CSV file, by the names of their columns.
func firstRow(t *testing.T, url string) map[string]string {
	t.Helper()
	_, file, _ := webtest.Do(t, "GET", url, "")
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%v %s", err, file)
	}
	row := map[string]string{}
	for i, name := range rows[0] {
		row[name] = rows[1][i]
	}
	return row
}

// TestNullFields sends a request with null in optional fields. The same request without these fields must
// count as a repetition.
func TestNullFields(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 10)
		send := func(key, path, body string) (int, string, string) {
			t.Helper()
			status, answer, header := webtest.Do(t, "POST", s.base+path, body,
				"Content-Type", "application/json", "X-Idempotency-Key", key)
			return status, string(answer), header.Get("Idempotency-Replayed")
		}
		for i, c := range []struct{ path, null, absent string }{
			{"/products", `{"sku":"NULL","name":"N","price_cents":1,"stock":1,"active":null}`,
				`{"sku":"NULL","name":"N","price_cents":1,"stock":1}`},
			{"/orders", fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"sku":null,"qty":1}],`, p) +
				`"external_ref":null,"metadata":null,"expected_total_cents":null}`,
				fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, p)},
			{"/orders", `{"customer_id":1,"items":[{"product_id":null,"sku":"NULL","qty":1}]}`,
				`{"customer_id":1,"items":[{"sku":"NULL","qty":1}]}`},
			{"/orders/1/cancel", `{"reason":null,"cause":null}`, `{}`},
			{"/orders/2/cancel", " null\n", ""},
		} {
			key := fmt.Sprint("null-", i)
			status, first, _ := send(key, c.path, c.null)
			if status >= 300 {
				t.Errorf("%s: %d %s", c.null, status, first)
				continue
			}
			if _, again, replayed := send(key, c.path, c.absent); again != first || replayed != "true" {
				t.Errorf("%s, repeated as %s: %s", c.null, c.absent, again)
			}
		}
		for body, field := range map[string]string{
			`{"customer_id":null,"items":[{"product_id":1,"qty":1}]}`:               "/customer_id",
			`{"customer_id":1,"items":[{"product_id":1,"qty":null}]}`:               "/items/0/qty",
			`{"customer_id":1,"items":[{"product_id":null,"qty":1}]}`:               "/items/0/product_id",
			`{"customer_id":1,"items":[{"sku":"a","qty":1}],"metadata":{"a":null}}`: "/metadata/a",
			`null`: "/body",
		} {
			status, answer, _ := webtest.Do(t, "POST", s.base+"/orders", body,
				"Content-Type", "application/json")
			webtest.WantError(t, status, answer, 400, "validation_failed", field)
		}
	})
}

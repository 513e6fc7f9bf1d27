package orders_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// TestExpectedTotal places orders with an expected total. When the total differs, the service must refuse the
// order, and the answer must have both totals and the price of each line. A refused order must leave the
// stock, the key and the external_ref as they were.
func TestExpectedTotal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		a, b, free := s.product(t, 1500, 10), s.product(t, 250, 10), s.product(t, 0, 10)
		expecting := func(total int64, lines ...contract.OrderItemRequest) api.OrderRequest {
			return api.OrderRequest{CustomerID: 1, Items: lines, ExpectedTotalCents: &total, ExternalRef: new("PO-1")}
		}
		price := func(product, cents int64) {
			t.Helper()
			change := api.ProductUpdate{PriceCents: &cents}
			if res, err := s.UpdateProductWithResponse(ctx, product, nil, change); err != nil || res.JSON200 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
		}
		tables := func() (counts string) {
			for _, table := range []string{"orders", "order_items", "events", "idempotency_keys"} {
				counts += fmt.Sprint(table, " ", s.count(t, table), " ")
			}
			return counts
		}
		ofB := contract.OrderItemRequest{Sku: new(s.sku(t, b)), Qty: 2}

		before := tables()
		refused := s.order(t, "total", expecting(3499, ofB, line(a, 1), line(b, 6)))
		webtest.WantError(t, refused.StatusCode(), refused.Body, 409, "total_changed",
			"/expected_total_cents", "/items/0/sku", "/items/1/product_id", "/items/2/product_id")
		var got struct {
			Details []struct{ Params map[string]any }
		}
		if err := json.Unmarshal(refused.Body, &got); err != nil {
			t.Fatal(err)
		}
		number := func(n int64) any { return float64(n) }
		for i, want := range []map[string]any{
			{"expected_total_cents": number(3499), "total_cents": number(3500)},
			{"product_id": number(b), "sku": s.sku(t, b), "qty": number(2), "unit_price_cents": number(250)},
			{"product_id": number(a), "sku": s.sku(t, a), "qty": number(1), "unit_price_cents": number(1500)},
			{"product_id": number(b), "sku": s.sku(t, b), "qty": number(6), "unit_price_cents": number(250)},
		} {
			if !reflect.DeepEqual(got.Details[i].Params, want) {
				t.Errorf("%v, want %v", got.Details[i].Params, want)
			}
		}
		if after := tables(); after != before {
			t.Errorf("%s became %s", before, after)
		}
		s.wantStock(t, a, 10)
		s.wantStock(t, b, 10)

		n := expecting(3500, ofB, line(a, 1), line(b, 6))
		placed := s.order(t, "total", n) // the key and the external_ref of the refused order are still free
		if placed.JSON201 == nil || placed.JSON201.Data.TotalCents != 3500 {
			t.Fatalf("%s", placed.Body)
		}
		price(a, 1600)
		if again := s.order(t, "total", n); string(again.Body) != string(placed.Body) {
			t.Errorf("repeated at another price: %s", again.Body)
		}
		n.ExpectedTotalCents = new(int64(3600))
		reused := s.order(t, "total", n)
		webtest.WantError(t, reused.StatusCode(), reused.Body, 422, "idempotency_key_reused")
		s.wantStock(t, a, 9)

		for _, c := range []struct {
			name, body string
			status     int
			code       string
			fields     []string
		}{
			{"nothing expected", `{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, 201, "", nil},
			{"null", `{"customer_id":1,"items":[{"product_id":%d,"qty":1}],"expected_total_cents":null}`, 201, "", nil},
			{"zero", `{"customer_id":1,"items":[{"product_id":%d,"qty":1}],"expected_total_cents":0}`,
				409, "total_changed", []string{"/expected_total_cents", "/items/0/product_id"}},
			{"below zero", `{"customer_id":1,"items":[{"product_id":%d,"qty":1}],"expected_total_cents":-1}`,
				400, "validation_failed", []string{"/expected_total_cents"}},
			{"too little stock", `{"customer_id":1,"items":[{"product_id":%d,"qty":99}],"expected_total_cents":1}`,
				400, "insufficient_stock", []string{"/items/0/qty"}},
		} {
			status, body, _ := webtest.Do(t, "POST", s.base+"/orders", fmt.Sprintf(c.body, a),
				"Content-Type", "application/json")
			if c.code != "" {
				webtest.WantError(t, status, body, c.status, c.code, c.fields...)
			} else if status != c.status {
				t.Errorf("%s: %d %s", c.name, status, body)
			}
		}
		if res := s.order(t, "", api.OrderRequest{
			CustomerID: 1, Items: []contract.OrderItemRequest{line(free, 1)}, ExpectedTotalCents: new(int64(0)),
		}); res.JSON201 == nil {
			t.Errorf("an order that costs nothing: %s", res.Body)
		}
	})
}

// TestExpectedTotalInBatch places three orders in one batch. The second order expects a wrong total: it must
// be refused, and the first and the third order must be placed.
func TestExpectedTotalInBatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 3)
		expecting := func(total int64) func() string {
			n := newOrder(line(p, 1))
			n.ExpectedTotalCents = &total
			return func() string { return outcomeOf(s.CreateOrder(ctx, nil, n)) }
		}
		got := s.inOneBatch(t, expecting(100), expecting(99), expecting(100))
		if fmt.Sprint(got) != "[201 409 total_changed 201]" {
			t.Error(got)
		}
		s.wantStock(t, p, 1)
	})
}

// TestFillableGuardsPrice asks for a quote, changes a price, and orders the fillable part of the quote. The
// order must be refused with 409 total_changed. The fillable part of a new quote must be accepted.
func TestFillableGuardsPrice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 5)
		fillable := func() api.OrderRequest {
			t.Helper()
			res, err := s.QuoteOrderWithResponse(ctx, newOrder(line(p, 8)))
			if err != nil || res.JSON200 == nil || res.JSON200.Data.Fillable == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			return *res.JSON200.Data.Fillable
		}
		old := fillable()
		change := api.ProductUpdate{PriceCents: new(int64(101))}
		if res, err := s.UpdateProductWithResponse(ctx, p, nil, change); err != nil || res.JSON200 == nil {
			t.Fatalf("%v %s", err, res.Body)
		}
		refused := s.order(t, "", old)
		webtest.WantError(t, refused.StatusCode(), refused.Body, 409, "total_changed",
			"/expected_total_cents", "/items/0/product_id")
		s.wantStock(t, p, 5)
		placed := s.order(t, "", fillable())
		if placed.JSON201 == nil || placed.JSON201.Data.TotalCents != 505 {
			t.Errorf("%s", placed.Body)
		}
	})
}

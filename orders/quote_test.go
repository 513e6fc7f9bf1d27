package orders_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

func TestQuoteOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		a, b, none := s.product(t, 100, 10), s.product(t, 250, 3), s.product(t, 7, 0)
		sku := func(id int64) *string { return new(s.sku(t, id)) }
		bySku := func(id, qty int64) contract.OrderItemRequest {
			return contract.OrderItemRequest{Sku: sku(id), Qty: qty}
		}
		ask := func(n api.OrderRequest) *api.QuoteOrderResponse {
			res, err := s.QuoteOrderWithResponse(ctx, n)
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		quoted := func(t *testing.T, lines ...contract.OrderItemRequest) api.Quote {
			t.Helper()
			res := ask(api.OrderRequest{
				CustomerID: 1, Items: lines, ExternalRef: new("PO-1"),
				Metadata: &contract.OrderMetadata{"k": "v"},
			})
			if res.JSON200 == nil {
				t.Fatalf("%s", res.Body)
			}
			return res.JSON200.Data
		}
		text := func(v any) string {
			encoded, _ := json.Marshal(v)
			return string(encoded)
		}
		is := func(t *testing.T, got, want any) {
			t.Helper()
			if text(got) != text(want) {
				t.Errorf("%s, want %s", text(got), text(want))
			}
		}
		gone, dear := s.product(t, 1, 1), s.product(t, 1e9, 1)
		s.updateProduct(t, gone, api.ProductUpdate{Active: new(false)})
		state := func() string {
			_, products, _ := webtest.Do(t, "GET", s.base+"/products/export", "")
			for _, table := range []string{
				"orders", "order_items", "stock_adjustments", "events", "idempotency_keys",
			} {
				products = fmt.Append(products, table, " ", s.count(t, table))
			}
			return string(products)
		}
		before := state()
		t.Run("nothing is short", func(t *testing.T) {
			lines := []contract.OrderItemRequest{bySku(b, 1), line(a, 4), line(b, 2), bySku(a, 6)}
			q := quoted(t, lines...)
			is(t, q.Items, []api.QuotedItem{
				{ProductID: a, Sku: *sku(a), Qty: 10, UnitPriceCents: 100, SubtotalCents: 1000},
				{ProductID: b, Sku: *sku(b), Qty: 3, UnitPriceCents: 250, SubtotalCents: 750},
			})
			is(t, q.TotalCents, 1750)
			is(t, q.Shortages, []api.Shortage{})
			is(t, q.Fillable, api.OrderRequest{
				CustomerID: 1, Items: lines, ExternalRef: new("PO-1"),
				Metadata: &contract.OrderMetadata{"k": "v"}, ExpectedTotalCents: new(int64(1750)),
			})
		})
		t.Run("every shortage", func(t *testing.T) {
			q := quoted(t, line(none, 5), line(b, 2), line(a, 8), bySku(b, 2), bySku(a, 7), line(a, 1))
			is(t, q.TotalCents, 5*7+4*250+16*100)
			is(t, q.Shortages, []api.Shortage{
				{ProductID: a, Sku: *sku(a), Requested: 16, Available: 10},
				{ProductID: b, Sku: *sku(b), Requested: 4, Available: 3},
				{ProductID: none, Sku: *sku(none), Requested: 5, Available: 0},
			})
			is(t, q.Fillable.Items, []contract.OrderItemRequest{line(b, 2), line(a, 8), bySku(b, 1), bySku(a, 2)})
			is(t, q.Fillable.ExpectedTotalCents, 3*250+10*100)
		})
		t.Run("nothing is there", func(t *testing.T) {
			q := quoted(t, line(none, 1))
			if q.Fillable != nil || len(q.Shortages) != 1 {
				t.Errorf("%s", text(q))
			}
			order := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, none)
			_, body, _ := webtest.Do(t, "POST", s.base+"/orders/quote", order, "Content-Type", "application/json")
			if answer := (struct{ Data map[string]any }{}); json.Unmarshal(body, &answer) != nil ||
				len(answer.Data) != 3 {
				t.Errorf("%s", body)
			}
		})
		t.Run("refused", func(t *testing.T) {
			for _, c := range []struct {
				customer int64
				lines    []contract.OrderItemRequest
				status   int
				code     string
				fields   []string
			}{
				{1, []contract.OrderItemRequest{line(77777, 1), line(none, 1), {Sku: new("NONE"), Qty: 1}, line(gone, 1)},
					404, "product_not_found", []string{"/items/0/product_id", "/items/2/sku"}},
				{1, []contract.OrderItemRequest{line(none, 1), line(gone, 1), bySku(gone, 1)},
					400, "product_inactive", []string{"/items/1/product_id", "/items/2/sku"}},
				{1, slices.Repeat([]contract.OrderItemRequest{line(dear, 1e6)}, 10),
					400, "validation_failed", []string{"/items"}},
				{3, []contract.OrderItemRequest{line(a, 1)}, 404, "customer_not_found", []string{"/customer_id"}},
				{1, []contract.OrderItemRequest{line(a, 0)}, 400, "validation_failed", []string{"/items/0/qty"}},
			} {
				res := ask(api.OrderRequest{CustomerID: c.customer, Items: c.lines})
				webtest.WantError(t, res.StatusCode(), res.Body, c.status, c.code, c.fields...)
			}
			s.customersDown.Store(true)
			defer s.customersDown.Store(false)
			res := ask(api.OrderRequest{CustomerID: 1, Items: []contract.OrderItemRequest{line(a, 1)}})
			webtest.WantError(t, res.StatusCode(), res.Body, 503, "customers_unavailable")
		})
		t.Run("for another customer", func(t *testing.T) {
			partner := auth.Principal{Subject: "partner", Customer: 2, Scope: "orders:read"}
			token, err := webtest.Options().Tokens.Issue(partner, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			headers := []string{"Content-Type", "application/json", "Authorization", "Bearer " + token}
			body := func(customer int) string {
				return fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%d,"qty":1}]}`, customer, a)
			}
			status, answer, _ := webtest.Do(t, "POST", s.base+"/orders/quote", body(1), headers...)
			webtest.WantError(t, status, answer, 403, "forbidden", "/customer_id")
			status, answer, _ = webtest.Do(t, "POST", s.base+"/orders/quote", body(2), headers...)
			if status != 200 {
				t.Errorf("%d %s", status, answer)
			}
			status, answer, _ = webtest.Do(t, "POST", s.base+"/orders", body(2), headers...)
			webtest.WantError(t, status, answer, 403, "forbidden", "/header/Authorization")
		})
		t.Run("fillable is a valid order", func(t *testing.T) {
			const ask = `{"customer_id":1,"items":[{"product_id":%d,"qty":2},{"sku":%q,"qty":100},` +
				`{"product_id":%d,"qty":9}],"expected_total_cents":1,"external_ref":"PO-9","metadata":{"k":"v"}}`
			isJSON := []string{"Content-Type", "application/json"}
			order := fmt.Sprintf(ask, a, *sku(b), none)
			status, body, _ := webtest.Do(t, "POST", s.base+"/orders", order, isJSON...)
			webtest.WantError(t, status, body, 400, "insufficient_stock", "/items/1/qty", "/items/2/qty")
			status, body, _ = webtest.Do(t, "POST", s.base+"/orders/quote", order, isJSON...)
			var quote struct {
				Data struct{ Fillable json.RawMessage }
			}
			if err := json.Unmarshal(body, &quote); err != nil || status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			if after := state(); after != before {
				t.Errorf("the quotes have made\n%s\nof\n%s", after, before)
			}
			status, body, _ = webtest.Do(t, "POST", s.base+"/orders", string(quote.Data.Fillable), isJSON...)
			var placed api.OrderResponse
			if err := json.Unmarshal(body, &placed); err != nil || status != 201 ||
				placed.Data.TotalCents != 2*100+3*250 ||
				*placed.Data.ExternalRef != "PO-9" ||
				placed.Data.Metadata == nil {
				t.Errorf("%d %s", status, body)
			}
			s.wantStock(t, b, 0)
		})
	})
}

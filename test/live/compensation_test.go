package live_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/orders"
	"example.com/b2b/v2/test/live"
)

// TestCompensation orchestrates with a key that has already confirmed another order, so the new order cannot
// be confirmed. The orchestrator must cancel the order if the same call has placed the order, and nobody has
// confirmed it since. Any other order must keep its status. The answer must have the status of the order.
func TestCompensation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		var confirmFirst atomic.Bool // true to confirm an order just before its cancellation
		base := live.Serve(g, webtest.Options(), func(h http.Handler) string {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if order, isCancel := strings.CutSuffix(r.URL.Path, "/cancel"); isCancel && confirmFirst.Load() {
					confirmation := httptest.NewRequest("POST", order+"/confirm", nil)
					confirmation.Header.Set(web.IdempotencyHeader, "confirm"+strings.ReplaceAll(order, "/", "-"))
					h.ServeHTTP(httptest.NewRecorder(), confirmation)
				}
				h.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			return server.URL
		})
		const customer, product, qty = 1, 2, 3
		items := []any{map[string]any{"product_id": product, "qty": qty}}
		place := func(headers ...string) int64 {
			t.Helper()
			order := map[string]any{"customer_id": customer, "items": items}
			return int64(webtest.Data(t, "POST", base["orders"]+"/orders", order, headers...)["id"].(float64))
		}
		confirm := func(order int64, key string) {
			t.Helper()
			url := fmt.Sprint(base["orders"], "/orders/", order, "/confirm")
			webtest.Data(t, "POST", url, nil, web.IdempotencyHeader, key)
		}
		read := func(path string) map[string]any {
			t.Helper()
			return webtest.Data(t, "GET", base["orders"]+path, nil)
		}
		stock := func() float64 { t.Helper(); return read(fmt.Sprint("/products/", product))["stock"].(float64) }
		// orchestrate expects 422 idempotency_key_reused. It returns the id and the status of the order in
		// the answer, and whether the call has canceled the order.
		orchestrate := func(t *testing.T, key string) (order int64, status string, compensated bool) {
			t.Helper()
			body, _ := json.Marshal(map[string]any{"customer_id": customer, "items": items, "idempotency_key": key})
			url := base["orchestrator"] + "/orchestrator/create-and-confirm-order"
			got, answer, _ := webtest.Do(t, "POST", url, string(body), "Content-Type", "application/json")
			webtest.WantError(t, got, answer, 422, "idempotency_key_reused", "/idempotency_key")
			var e struct {
				Details []struct {
					Params struct {
						OrderID     int64  `json:"order_id"`
						OrderStatus string `json:"order_status"`
						Compensated bool
					}
				}
			}
			if err := json.Unmarshal(answer, &e); err != nil || len(e.Details) != 1 {
				t.Errorf("%v %s", err, answer)
				return 0, "", false
			}
			params := e.Details[0].Params
			return params.OrderID, params.OrderStatus, params.Compensated
		}
		placeNone := func(string) int64 { return 0 }
		placeOne := func(key string) int64 { return place(web.IdempotencyHeader, key) }
		placeAndConfirm := func(key string) int64 {
			order := placeOne(key)
			confirm(order, key+"-2")
			return order
		}
		for name, c := range map[string]struct {
			before          func(key string) (order int64) // runs before the orchestration
			confirmFirst    bool
			want            string // status of the order
			wantCompensated bool
		}{
			"placed before, and confirmed with another key": {placeAndConfirm, false, "CONFIRMED", false},
			"placed before":       {placeOne, false, "CREATED", false},
			"placed by this call": {placeNone, false, "CANCELED", true},
			"placed by this call, and confirmed by another": {placeNone, true, "CONFIRMED", false},
		} {
			t.Run(name, func(t *testing.T) {
				key := strings.ReplaceAll(name, " ", "-")
				confirmFirst.Store(c.confirmFirst)
				order := c.before(key)
				confirm(place(), key) // the key confirms this order, so it cannot confirm another one
				wantStock := stock()
				for range 2 { // a repeat gets the same answer
					id, status, compensated := orchestrate(t, key)
					if order == 0 {
						order = id
						if c.want == "CONFIRMED" {
							wantStock -= qty
						}
					}
					stored := read(fmt.Sprint("/orders/", order))
					if id != order || status != c.want || compensated != c.wantCompensated ||
						stored["status"] != c.want ||
						(stored["cancel_reason"] == "compensation") != c.wantCompensated {
						t.Errorf("the answer is order %d, %s, compensated: %v", id, status, compensated)
						t.Errorf("order %d is %v", order, stored)
					}
					if got := stock(); got != wantStock {
						t.Errorf("the stock is %v, want %v", got, wantStock)
					}
				}
			})
		}
		checks, err := doctor.Examine(t.Context(), g, append(orders.Rules(), customers.Rules()...))
		if err != nil || !doctor.Healthy(checks) {
			t.Errorf("%v %+v", err, checks)
		}
	})
}

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

	"example.com/b2b/customers"
	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/db/doctor"
	"example.com/b2b/internal/web"
	"example.com/b2b/internal/web/webtest"
	"example.com/b2b/orders"
	"example.com/b2b/test/live"
)

// TestCompensation orchestrates with a key that can never confirm the order, because another order was
// confirmed with the key. Only an order that this call has placed, and that nobody has confirmed since, is
// canceled; the answer says what became of the order.
func TestCompensation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		var confirmFirst atomic.Bool // an order that is about to be compensated is confirmed by somebody
		base := live.Serve(g, webtest.Options(), func(h http.Handler) string {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if order, found := strings.CutSuffix(r.URL.Path, "/cancel"); found && confirmFirst.Load() {
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
			return int64(
				webtest.Data(t, "POST", base["orders"]+"/orders", map[string]any{"customer_id": customer, "items": items}, headers...)["id"].(float64),
			)
		}
		confirm := func(order int64, key string) {
			t.Helper()
			webtest.Data(
				t, "POST", fmt.Sprint(base["orders"], "/orders/", order, "/confirm"), nil,
				web.IdempotencyHeader, key,
			)
		}
		read := func(path string) map[string]any {
			t.Helper()
			return webtest.Data(t, "GET", base["orders"]+path, nil)
		}
		stock := func() float64 { t.Helper(); return read(fmt.Sprint("/products/", product))["stock"].(float64) }
		// orchestrate wants 422, and returns what the answer says of the order.
		orchestrate := func(t *testing.T, key string) (order int64, status string, compensated bool) {
			t.Helper()
			body, _ := json.Marshal(map[string]any{"customer_id": customer, "items": items, "idempotency_key": key})
			got, answer, _ := webtest.Do(
				t, "POST", base["orchestrator"]+"/orchestrator/create-and-confirm-order", string(body),
				"Content-Type", "application/json",
			)
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
			says := e.Details[0].Params
			return says.OrderID, says.OrderStatus, says.Compensated
		}
		for name, c := range map[string]struct {
			before          func(key string) (order int64) // 0: none is placed with the key
			confirmFirst    bool
			want            string // status
			wantCompensated bool
		}{
			"placed before, and confirmed with another key": {before: func(key string) int64 {
				order := place(web.IdempotencyHeader, key)
				confirm(order, key+"-2")
				return order
			}, want: "CONFIRMED"},
			"placed before":       {before: func(key string) int64 { return place(web.IdempotencyHeader, key) }, want: "CREATED"},
			"placed by this call": {before: func(string) int64 { return 0 }, want: "CANCELED", wantCompensated: true},
			"placed by this call, and confirmed by another": {before: func(string) int64 { return 0 }, confirmFirst: true, want: "CONFIRMED"},
		} {
			t.Run(name, func(t *testing.T) {
				key := strings.ReplaceAll(name, " ", "-")
				confirmFirst.Store(c.confirmFirst)
				order := c.before(key)
				confirm(place(), key) // another order: the key confirms no second one
				left := stock()
				for range 2 { // a repeat is told the same
					said, status, compensated := orchestrate(t, key)
					if order == 0 {
						order = said
						if c.want == "CONFIRMED" {
							left -= qty
						}
					}
					now := read(fmt.Sprint("/orders/", order))
					if said != order || status != c.want || compensated != c.wantCompensated ||
						now["status"] != c.want ||
						(now["cancel_reason"] == "compensation") != c.wantCompensated {
						t.Errorf(
							"of order %d it says that %d is %s, compensated: %v; the order is %v", order,
							said, status, compensated, now,
						)
					}
					if got := stock(); got != left {
						t.Errorf("the stock is %v, want %v", got, left)
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

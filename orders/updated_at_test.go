package orders_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// TestUpdatedAt takes steps that change an order or a product. Each step must set updated_at of the rows that
// it changes, and of no other row.
func TestUpdatedAt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		product := s.product(t, 100, 10)
		order := s.placed(t, line(product, 1)).ID
		expiring := s.placed(t, line(product, 2)).ID
		update := func(u api.ProductUpdate) func() {
			return func() {
				if res, err := s.UpdateProductWithResponse(ctx, product, nil, u); err != nil || res.JSON200 == nil {
					t.Fatalf("%v %s", err, res.Body)
				}
			}
		}
		created := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, step := range []struct {
			name string
			do   func()
			// Whether updated_at must have moved: of the orders order and expiring, and of the product.
			moved string
		}{
			{"nothing", func() {}, "false false false"},
			{"price", update(api.ProductUpdate{PriceCents: new(int64(200))}), "false false true"},
			{"level", update(api.ProductUpdate{Stock: new(int64(20))}), "false false true"},
			{"the same again", update(api.ProductUpdate{PriceCents: new(int64(200)), Stock: new(int64(20))}),
				"false false false"},
			{"adjustment", func() { s.adjust(t, product, 5, "delivery", "") }, "false false true"},
			{"another order", func() { s.placed(t, line(product, 1)) }, "false false true"},
			{"confirm", func() { s.confirm(t, order, "updated-1") }, "true false false"},
			{"confirm again", func() { s.confirm(t, order, "updated-2") }, "false false false"},
			{"cancel", func() { s.cancel(t, order, "") }, "true false true"},
			{"cancel again", func() { s.cancel(t, order, "") }, "false false false"},
			{"expiry", func() {
				s.expire(t, expiring)
				if n, err := s.service.ExpireReservations(ctx); err != nil || n != 1 {
					t.Errorf("%d expired, %v", n, err)
				}
			}, "false true true"},
		} {
			s.exec(t, "UPDATE products SET updated_at = ?", created)
			s.exec(t, "UPDATE orders SET updated_at = ?", created)
			step.do()
			moved := func(path string, id int64) bool {
				shown := webtest.Data(t, "GET", fmt.Sprint(s.base, path, id), nil)["updated_at"].(string)
				return parse(shown).After(created)
			}
			got := fmt.Sprint(moved("/orders/", order), moved("/orders/", expiring), moved("/products/", product))
			if got != step.moved {
				t.Errorf("%s: moved %s, want %s", step.name, got, step.moved)
			}
		}
	})
}

// TestDatabaseClock checks that the times of products and orders come from the database's clock, and never go
// back.
func TestDatabaseClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		dbtest.SetClock(t, g, start)
		path := fmt.Sprint(s.base, "/products/", s.product(t, 100, 10))
		if made := webtest.Data(t, "GET", path, nil); !parse(made["created_at"].(string)).Equal(start) ||
			!parse(made["updated_at"].(string)).Equal(start) {
			t.Errorf("%v", made)
		}
		for i, minute := range []time.Duration{2, 1} {
			dbtest.SetClock(t, g, start.Add(minute*time.Minute))
			changed := webtest.Data(t, "PATCH", path, map[string]int{"price_cents": i})
			at := parse(changed["updated_at"].(string))
			if !at.Truncate(time.Second).Equal(start.Add(2 * time.Minute)) {
				t.Errorf("changed at %s", at)
			}
		}

		// The server that places the order has a clock ahead of the clocks of the other servers.
		dbtest.SetClock(t, g, start.Add(2*time.Minute))
		o := s.placed(t, line(s.product(t, 100, 10), 1))
		dbtest.SetClock(t, g, start.Add(time.Minute))
		s.confirm(t, o.ID, "confirm-1")
		dbtest.SetClock(t, g, start)
		s.cancel(t, o.ID, "")
		var types []string
		err := g.Table("events").Where("subject = 'order' AND created_at >= ?", start.Add(2*time.Minute)).
			Order("created_at, id").Pluck("type", &types).Error // on TiDB, this is the order of positions
		want := []string{"order.created", "order.confirmed", "order.canceled"}
		if err != nil || !slices.Equal(types, want) {
			t.Errorf("%v %v, want %v", err, types, want)
		}
	})
}

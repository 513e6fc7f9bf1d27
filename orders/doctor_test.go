package orders_test

import (
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/orders"
)

// TestDatesAsTexts stores texts that look like dates: the reason of an adjustment, and the name of a caller.
// The doctor must still find that the stored answers agree with the data.
func TestDatesAsTexts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 10)
		s.adjust(t, p, 1, "2024-01-15", "adjusted")
		headers := append(as(t, auth.Principal{Subject: "2024-01-15"}, "req-1"), "X-Idempotency-Key", "placed")
		body := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, p)
		if status, answer, _ := webtest.Do(t, "POST", s.base+"/orders", body, headers...); status != 201 {
			t.Fatalf("%d %s", status, answer)
		}
		wantHealthy(t, g)
	})
}

// TestRules breaks each rule of the doctor, as far as the constraints of the database allow, and expects the
// rule and the id in the report.
func TestRules(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		exec := func(statement string) {
			t.Helper()
			if err := g.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
		broken := func() string {
			t.Helper()
			checks, err := doctor.Examine(ctx, g, orders.Rules())
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, c := range checks {
				if c.Broken > 0 {
					all = append(all, c.Rule+": "+strings.Join(c.First, ", "))
				}
			}
			if doctor.Healthy(checks) != (all == nil) {
				t.Error("Healthy contradicts the checks")
			}
			return strings.Join(all, "; ")
		}
		if _, err := db.Seed(ctx, g); err != nil {
			t.Fatal(err)
		}
		// All rows are now younger than the migrations, so the doctor expects the events of all rows.
		exec("UPDATE goose_db_version SET tstamp = '2020-01-01 00:00:00'")
		if got := broken(); got != "" {
			t.Fatalf("the sample data breaks %s", got)
		}
		const shows = "each transition of an order has its event, which shows the order as it was"
		const follows = "stock of a product, and the levels of its adjustments, follow from the events"
		const updated = "an order was updated with its last event"
		for _, sick := range []struct{ cause, cure, want string }{
			{"UPDATE products SET stock = stock + 1 WHERE id = 7",
				"UPDATE products SET stock = stock - 1 WHERE id = 7",
				"stock of a product = its adjustments - pieces of its orders not CANCELED: 7; " + follows + ": 7"},
			{"UPDATE orders SET total_cents = total_cents + 1 WHERE id = 1",
				"UPDATE orders SET total_cents = total_cents - 1 WHERE id = 1",
				"total of an order = its lines, at least one: 1; " + shows + ": 1"},
			{`INSERT INTO orders (id, customer_id, status, total_cents, created_at)
				VALUES (9, 1, 'CREATED', 0, CURRENT_TIMESTAMP)`, "DELETE FROM orders WHERE id = 9",
				"total of an order = its lines, at least one: 9; " +
					"order created since the update to 2.1.0 has the event of its creation: 9"},
			{"UPDATE orders SET confirmed_at = '2020-01-01 00:00:00' WHERE id = 1",
				"UPDATE orders SET confirmed_at = updated_at WHERE id = 1",
				"times of an order agree with its status: 1; " + shows + ": 1; " + updated + ": 1"},
			{"UPDATE orders SET status = 'CREATED', confirmed_at = NULL WHERE id = 1",
				"UPDATE orders SET status = 'CONFIRMED', confirmed_at = updated_at WHERE id = 1",
				shows + ": 1; " + updated + ": 1"},
			{"UPDATE orders SET updated_at = '2024-01-15 10:02:01' WHERE id = 1",
				"UPDATE orders SET updated_at = confirmed_at WHERE id = 1", updated + ": 1"},
			{`INSERT INTO events (type, subject, subject_id, customer_id, actor, created_at, representation)
				SELECT type, subject, subject_id, customer_id, 'twice', created_at, representation
				FROM events WHERE subject = 'order'`,
				"DELETE FROM events WHERE actor = 'twice'",
				shows + ": 1, 2"},
			{"UPDATE events SET customer_id = 3 WHERE subject = 'order' AND subject_id = 2",
				"UPDATE events SET customer_id = 2 WHERE subject = 'order' AND subject_id = 2",
				"event has its order, for the order's customer, or its product: 18"},
			{"UPDATE order_items SET name = '' WHERE product_id = 3",
				"UPDATE order_items SET name = 'Samsung Galaxy Tab S9' WHERE product_id = 3",
				"line has a sku and a name, or neither from a program of 2.0.0: 2; " + shows + ": 2"},
			{"UPDATE order_items SET sku = NULL WHERE product_id = 4",
				"UPDATE order_items SET sku = 'KEYB-LOGI-MX' WHERE product_id = 4",
				"line has a sku and a name, or neither from a program of 2.0.0: 1; " + shows + ": 1"},
			{"UPDATE products SET price_cents = price_cents + 1 WHERE id = 7",
				"UPDATE products SET price_cents = price_cents - 1 WHERE id = 7",
				"last event shows the product's sku, name, price_cents, active, created_at: 7"},
			{`INSERT INTO stock_adjustments (product_id, delta, level, reason, created_at)
				VALUES (7, 0, 45, 'silent', CURRENT_TIMESTAMP)`,
				"DELETE FROM stock_adjustments WHERE reason = 'silent'",
				"a product has one event of its creation, and one for each stock adjustment behind the first: 7"},
			{`INSERT INTO events (id, type, subject, subject_id, actor, created_at, representation)
				VALUES (777, 'stock.adjusted', 'product', 99, 'x', CURRENT_TIMESTAMP, '')`,
				"DELETE FROM events WHERE actor = 'x'",
				"event has its order, for the order's customer, or its product: 777"},
			{"UPDATE products SET indexed_text = CONCAT(name, '|', sku, '|') WHERE id = 7",
				"UPDATE products SET indexed_text = NULL",
				"search finds a row of products by its text (a sample of about 1000): 7"},
			{"INSERT INTO order_blocks (block, earliest, latest) VALUES (0, '2024-01-15 10:00:01.000', '2999-12-31 00:00:00.000')", "DELETE FROM order_blocks",
				"orders of a block were created between its moments: 0"},
			{`INSERT INTO idempotency_keys
				(caller, operation, idempotency_key, request_hash, target_id, status, response_body, expires_at)
				VALUES ('public', 'createOrder', 'k', '', 77, 201, '{}', CURRENT_TIMESTAMP)`,
				`UPDATE idempotency_keys SET caller = '` + auth.System.KeySpace() + `', target_id = 2, response_body =
				'{"success":true,"data":{"id":2,"customer_id":2,"total_cents":319600,"status":"CREATED"}}'`,
				"idempotency key's order or product exists: createOrder k; " +
					"stored answer of an idempotency key agrees with it: createOrder k"},
			{"UPDATE events SET actor = 'x' WHERE type = 'order.created' AND subject_id = 2",
				"UPDATE events SET actor = 'system' WHERE type = 'order.created' AND subject_id = 2",
				"stored answer of an idempotency key agrees with it: createOrder k"},
			{"UPDATE idempotency_keys SET operation = 'confirmOrder'", "DELETE FROM idempotency_keys",
				"stored answer of an idempotency key agrees with it: confirmOrder k"},
		} {
			exec(sick.cause)
			if got := broken(); got != sick.want {
				t.Errorf("%s: %q, want %q", sick.cause, got, sick.want)
			}
			exec(sick.cure)
			if got := broken(); got != "" {
				t.Errorf("%s: still %q", sick.cure, got)
			}
		}
	})
}

package orders_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/openapi/contract"
	api "example.com/b2b/openapi/ordersapi"
)

// TestCreateOrderStatements holds the cost of an order to what it should be, however many lines the order
// has. BEGIN and COMMIT come on top.
func TestCreateOrderStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		var lines []contract.NewOrderItem
		for range 20 {
			lines = append(lines, line(s.product(t, 100, 100), 1))
		}
		statements := counting(t, g)
		bySku := slices.Clone(lines)
		for i, id := range lines {
			product, err := s.GetProductWithResponse(ctx, *id.ProductID, nil)
			if err != nil {
				t.Fatal(err)
			}
			if i%2 == 1 {
				bySku[i] = contract.NewOrderItem{Sku: &product.JSON200.Data.Sku, Qty: 1}
			}
		}
		for i, lines := range [][]contract.NewOrderItem{lines[:1], lines, bySku[1:2], bySku} {
			// Prices and stock, the external_ref, taking the stock, the order, its items, its event; a sku's
			// id; what the key has done, and the answer.
			for key, want := range map[string]int64{"": 6, fmt.Sprint("key-", i): 8} {
				if i >= 2 {
					want++
				}
				statements.Store(0)
				res := s.order(
					t,
					key,
					api.NewOrder{
						CustomerID: 1, Items: lines, ExternalRef: new(fmt.Sprint("PO", key)),
						Metadata: &contract.OrderMetadata{"a": "b"},
					},
				)
				if res.JSON201 == nil {
					t.Fatalf("%s", res.Body)
				}
				if got := statements.Swap(0); got != want {
					t.Errorf("%d lines, key %q: %d statements, want %d", len(lines), key, got, want)
				}
				// The order, its items, what the key has done, its status, its event, the answer.
				if s.confirm(t, res.JSON201.Data.ID, fmt.Sprint("confirm-", i, key)); statements.Load() != 6 {
					t.Errorf("%d statements to confirm it, want 6", statements.Load())
				}
				// The order, its items, its products, the stock, its status, its event.
				statements.Store(0)
				if s.cancel(t, res.JSON201.Data.ID, ""); statements.Load() != 6 {
					t.Errorf("%d statements to cancel it, want 6", statements.Load())
				}
			}
		}
	})
}

// TestTogetherStatements wants of 60 changes together, of all kinds, no more statements than what one of each
// kind takes.
func TestTogetherStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		var changes []func() string
		for i := range int64(20) {
			p := s.product(t, 100, 100)
			toConfirm, toCancel, key := s.placed(t, line(p, 1)).ID, s.placed(t, line(p, 1)).ID, fmt.Sprint("key-", i)
			changes = append(changes,
				func() string {
					return outcomeOf(
						s.CreateOrder(ctx, &api.CreateOrderParams{XIdempotencyKey: &key}, newOrder(line(p, i+1))),
					)
				},
				func() string {
					return outcomeOf(s.ConfirmOrder(ctx, toConfirm, &api.ConfirmOrderParams{XIdempotencyKey: key}))
				},
				func() string { return outcomeOf(s.CancelOrder(ctx, toCancel, nil, api.Cancellation{})) })
		}
		statements, atTheGate := counting(t, g), int64(4) // its product: the clock, product, stock, event
		wantCounts(t, counted(s.together(t, changes...)), map[string]int{"201": 20, "200": 40})
		// The order at the gate; orders and their items, prices, keys, stock, new orders, how far apart their
		// ids are, what becomes of the others, new items, events, answers.
		if got, want := statements.Load()-atTheGate, int64(5+10)+map[bool]int64{false: 1}[g.Name() == db.SQLite]; got != want {
			t.Errorf("%d statements, want %d", got, want)
		}
	})
}

// counting counts the statements that gorm runs.
func counting(t *testing.T, g *gorm.DB) *atomic.Int64 {
	t.Helper()
	statements := new(atomic.Int64)
	count := func(*gorm.DB) { statements.Add(1) }
	on := g.Callback()
	err := errors.Join(
		on.Create().After("gorm:create").Register("test:create", count),
		on.Query().After("gorm:query").Register("test:query", count),
		on.Update().
			After("gorm:update").
			Register("test:update", count),
		on.Delete().After("gorm:delete").Register("test:delete", count),
		on.Row().
			After("gorm:row").
			Register("test:row", count),
		on.Raw().After("gorm:raw").Register("test:raw", count),
	)
	if err != nil {
		t.Fatal(err)
	}
	return statements
}

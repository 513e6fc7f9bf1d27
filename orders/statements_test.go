package orders_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// TestCreateOrderStatements checks that the number of statements for an order is the same for any number of
// lines. BEGIN and COMMIT are not counted.
func TestCreateOrderStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		var lines []contract.OrderItemRequest
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
				bySku[i] = contract.OrderItemRequest{Sku: &product.JSON200.Data.Sku, Qty: 1}
			}
		}
		for i, lines := range [][]contract.OrderItemRequest{lines[:1], lines, bySku[1:2], bySku} {
			// The statements are for products, external_ref, stock, order, items and event. With a sku,
			// another statement reads the ids of skus. With a key, two more statements look up and insert the
			// key.
			for key, want := range map[string]int64{"": 6, fmt.Sprint("key-", i): 8} {
				if i >= 2 {
					want++
				}
				statements.Store(0)
				res := s.order(t, key, api.OrderRequest{
					CustomerID: 1, Items: lines, ExternalRef: new(fmt.Sprint("PO", key)),
					Metadata: &contract.OrderMetadata{"a": "b"},
				})
				if res.JSON201 == nil {
					t.Fatalf("%s", res.Body)
				}
				if got := statements.Swap(0); got != want {
					t.Errorf("%d lines, key %q: %d statements, want %d", len(lines), key, got, want)
				}
				// The statements are for order, items, lookup of the key, status, event, and insert of the
				// key.
				if s.confirm(t, res.JSON201.Data.ID, fmt.Sprint("confirm-", i, key)); statements.Load() != 6 {
					t.Errorf("%d statements to confirm it, want 6", statements.Load())
				}
				// The statements are for order, items, stock, status and event. Except on SQLite, another
				// statement locks the products.
				toCancel := int64(5)
				if g.Name() != db.SQLite {
					toCancel++
				}
				statements.Store(0)
				if s.cancel(t, res.JSON201.Data.ID, ""); statements.Load() != toCancel {
					t.Errorf("%d statements to cancel it, want %d", statements.Load(), toCancel)
				}
			}
		}
	})
}

// TestBatchStatements executes 60 commands of three kinds in one batch. The batch must need no more
// statements than a batch with a single command of each kind.
func TestBatchStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		var commands []func() string
		for i := range int64(20) {
			p := s.product(t, 100, 100)
			toConfirm, toCancel := s.placed(t, line(p, 1)).ID, s.placed(t, line(p, 1)).ID
			key := fmt.Sprint("key-", i)
			place := &api.CreateOrderParams{XIdempotencyKey: &key}
			confirm := &api.ConfirmOrderParams{XIdempotencyKey: key}
			commands = append(commands,
				func() string { return outcomeOf(s.CreateOrder(ctx, place, newOrder(line(p, i+1)))) },
				func() string { return outcomeOf(s.ConfirmOrder(ctx, toConfirm, confirm)) },
				func() string { return outcomeOf(s.CancelOrder(ctx, toCancel, nil, api.Cancellation{})) })
		}
		statements := counting(t, g)
		wantCounts(t, counted(s.inOneBatch(t, commands...)), map[string]int{"201": 20, "200": 40})
		// The method gate needs 4 statements for its product, and 5 for its order. The batch has statements
		// for orders, items, products, keys, stock, new orders, changed orders, new items, events and
		// answers.
		want := int64(4 + 5 + 10)
		if g.Name() != db.SQLite {
			want++ // another statement reads the distance between the ids of an INSERT
		}
		if got := statements.Load(); got != want {
			t.Errorf("%d statements, want %d", got, want)
		}
	})
}

// counting returns a counter of the statements that gorm executes on g from now on.
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

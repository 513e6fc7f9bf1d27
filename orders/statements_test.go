package orders_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/db/dbtest"
	"example.com/b2b/openapi/contract"
	api "example.com/b2b/openapi/ordersapi"
)

// TestCreateOrderStatements holds the cost of an order to what it should be, however many lines the order has. BEGIN and COMMIT
// come on top.
func TestCreateOrderStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		var lines []contract.NewOrderItem
		for range 20 {
			lines = append(lines, line(s.product(t, 100, 100), 1))
		}
		var statements atomic.Int64
		count := func(*gorm.DB) { statements.Add(1) }
		on := g.Callback()
		err := errors.Join(on.Create().After("gorm:create").Register("test:create", count), on.Query().After("gorm:query").Register("test:query", count),
			on.Update().After("gorm:update").Register("test:update", count), on.Delete().After("gorm:delete").Register("test:delete", count),
			on.Row().After("gorm:row").Register("test:row", count), on.Raw().After("gorm:raw").Register("test:raw", count))
		if err != nil {
			t.Fatal(err)
		}
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
			// The key, stock and prices, taking the stock, the order, its event, its items, the answer.
			for key, want := range map[string]int64{"": 5, fmt.Sprint("key-", i): 7} {
				statements.Store(0)
				res := s.order(t, key, api.NewOrder{CustomerID: 1, Items: lines, ExternalRef: new(fmt.Sprint("PO", key)), Metadata: &contract.OrderMetadata{"a": "b"}})
				if res.JSON201 == nil {
					t.Fatalf("%s", res.Body)
				}
				if got := statements.Swap(0); got != want {
					t.Errorf("%d lines, key %q: %d statements, want %d", len(lines), key, got, want)
				}
				// The key, the order, its items, its status, its event, the answer.
				if s.confirm(t, res.JSON201.Data.ID, fmt.Sprint("confirm-", i, key)); statements.Load() != 6 {
					t.Errorf("%d statements to confirm it, want 6", statements.Load())
				}
				// The order, its items, its status, its event, the stock.
				statements.Store(0)
				if s.cancel(t, res.JSON201.Data.ID, ""); statements.Load() != 5 {
					t.Errorf("%d statements to cancel it, want 5", statements.Load())
				}
			}
		}
	})
}

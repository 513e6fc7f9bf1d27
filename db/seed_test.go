package db_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// TestSeed runs Seed four times at once. Only one call loads the sample data, and queries find the rows by
// their exact times.
func TestSeed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		var loaded atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				did, err := db.Seed(ctx, g)
				if err != nil {
					t.Error(err)
				}
				if did {
					loaded.Add(1)
				}
			})
		}
		wg.Wait()
		if loaded.Load() != 1 {
			t.Errorf("loaded %d times", loaded.Load())
		}
		for table, want := range map[string]int64{"customers": 5, "products": 10, "orders": 2, "events": 18} {
			var n int64
			if g.Table(table).Count(&n); n != want {
				t.Errorf("%d %s", n, table)
			}
		}
		for table, columns := range map[string][]string{
			"customers": {"created_at", "updated_at"}, "products": {"created_at", "updated_at"},
			"orders": {"created_at", "confirmed_at", "updated_at"}, "stock_adjustments": {"created_at"},
			"events": {"created_at"},
		} {
			for _, column := range columns {
				var moment time.Time
				var n int64
				g.Table(table).Order("id").Limit(1).Pluck(column, &moment)
				g.Table(table).Where(column+" >= ? AND "+column+" <= ?", moment, moment).Count(&n)
				if moment.Year() != 2024 || n == 0 {
					t.Errorf("%s.%s: %d rows of %s", table, column, n, moment)
				}
			}
		}
		var wrong int64
		g.Raw(`SELECT COUNT(*) FROM orders o WHERE total_cents <>
			(SELECT SUM(subtotal_cents) FROM order_items i WHERE i.order_id = o.id)`).Scan(&wrong)
		if wrong != 0 {
			t.Errorf("%d sample orders do not add up", wrong)
		}
	})
}

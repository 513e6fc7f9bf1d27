package db_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// TestSampleTimesOf200 gives the sample data on SQLite the times that version 2.0.0 wrote. The migration must
// restore the times that Seed writes now, and must change no other time.
func TestSampleTimesOf200(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver != db.SQLite {
			return // MySQL stores times, not texts, so the migration has nothing to restore
		}
		g := dbtest.Open(t, c)
		if _, err := db.Seed(ctx, g); err != nil {
			t.Fatal(err)
		}
		columns := map[string][]string{
			"customers": {"created_at", "updated_at"}, "products": {"created_at", "updated_at"},
			"orders": {"created_at", "confirmed_at", "updated_at"}, "stock_adjustments": {"created_at"},
			"events": {"created_at"},
		}
		texts := func() (all []string) {
			for _, table := range slices.Sorted(maps.Keys(columns)) {
				for _, column := range columns[table] {
					var some []string
					read := fmt.Sprintf("SELECT '=' || COALESCE(%s, '') FROM %s ORDER BY id", column, table)
					if err := g.Raw(read).Scan(&some).Error; err != nil {
						t.Fatal(err)
					}
					all = append(all, some...)
				}
			}
			return all
		}
		const precise = "UPDATE products SET updated_at = '2024-02-01 10:00:00.12+00:00' WHERE id = 2"
		if err := g.Exec(precise).Error; err != nil {
			t.Fatal(err)
		}
		want := texts()
		for table, columns := range columns {
			for _, column := range columns {
				old := fmt.Sprintf("UPDATE %s SET %s = REPLACE(%[2]s, ':00+00:00', ':00.000')", table, column)
				if err := g.Exec(old).Error; err != nil {
					t.Fatal(err)
				}
			}
		}
		if slices.Equal(texts(), want) {
			t.Fatal("the times are not those of 2.0.0")
		}
		dbtest.Apply(t, g, 20)
		if got := texts(); !slices.Equal(got, want) || len(got) < 50 {
			t.Errorf("%q\nwant %q", got, want)
		}
	})
}

// TestSeed runs Seed four times at once. Only one call may load the sample data, and queries must find the
// rows by their exact times.
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

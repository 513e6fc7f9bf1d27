package orders_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
)

// insertAll inserts the rows into a table, and renews the statistics of MySQL.
func (s *system) insertAll(t *testing.T, table string, rows any) {
	t.Helper()
	if err := s.db.Table(table).CreateInBatches(rows, 500).Error; err != nil {
		t.Fatal(err)
	}
	if s.db.Name() == db.MySQL {
		s.exec(t, "ANALYZE TABLE "+table)
	}
}

// wantIDs fails the test unless the list has the ids, in both orders and on pages of different sizes.
func wantIDs(t *testing.T, url string, want []int64) {
	t.Helper()
	for _, limit := range []int{7, 100} {
		up := listed(t, fmt.Sprint(url, "&limit=", limit, "&"))
		down := listed(t, fmt.Sprint(url, "&sort=-created_at&limit=", limit, "&"))
		if !slices.Equal(up, want) {
			t.Errorf("%s, %d a page: %d rows, want %d: %v", url, limit, len(up), len(want), up)
		}
		if slices.Reverse(down); !slices.Equal(down, want) {
			t.Errorf("%s, %d a page, newest first: %d rows, want %d: %v", url, limit, len(down), len(want), down)
		}
	}
}

// TestStockBelow lists and exports the products with little stock: few of many products, then so many that they
// are read in the order of ids.
func TestStockBelow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		type good struct {
			ID                   int64
			SKU, Name            string
			PriceCents, Stock    int64
			Active               bool
			CreatedAt, UpdatedAt time.Time
		}
		start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		var goods []good
		for i := range int64(3000) { // the order of the levels is not the order of the ids
			goods = append(goods, good{
				i + 1, fmt.Sprint("S-", i), fmt.Sprint("Thing ", i%2), 1, i * 7919 % 3000, i%3 > 0, start,
				start.Add(time.Duration(i) * time.Minute),
			})
		}
		s.insertAll(t, "products", goods)
		every := func(good) bool { return true }
		for _, c := range []struct {
			query string
			below int64
			is    func(good) bool
		}{
			{"", 1, every},
			{"", 20, every},
			{"", 2500, every},
			{"", 1_000_000_000, every},
			{"&active=false", 100, func(p good) bool { return !p.Active }},
			{"&active=false", 2000, func(p good) bool { return !p.Active }},
			{"&search=thing%201", 50, func(p good) bool { return p.Name == "Thing 1" }},
			{"&search=thing%201&active=true", 2900, func(p good) bool { return p.Name == "Thing 1" && p.Active }},
			{"&search=absent", 2900, func(good) bool { return false }},
			{"&sku=S-7", 3000, func(p good) bool { return p.SKU == "S-7" }},
			{"&sku=S-7", 20, func(p good) bool { return p.SKU == "S-7" }},
			{"&updated_since=2024-01-03", 60, func(p good) bool { return p.UpdatedAt.Day() >= 3 }},
			{"&updated_since=2024-01-02&search=thing%200", 2900,
				func(p good) bool { return p.UpdatedAt.Day() >= 2 && p.Name == "Thing 0" }},
		} {
			var want []int64
			for _, p := range goods {
				if p.Stock < c.below && c.is(p) {
					want = append(want, p.ID)
				}
			}
			wantIDs(t, fmt.Sprint(s.base, "/products?stock_below=", c.below, c.query), want)
		}
		for _, query := range []string{"", "&active=true", "&sort=-created_at", "&cursor=700"} {
			dbtest.WantIDs(t, g, "ix_products_stock", func() {
				webtest.Do(t, "GET", s.base+"/products?stock_below=20"+query, "")
			})
		}
		_, file, _ := webtest.Do(t, "GET", s.base+"/products/export?stock_below=3&format=csv", "")
		if rows := bytes.Count(file, []byte("\n")); rows != 4 {
			t.Errorf("an export of %d lines: %s", rows, file)
		}
		p := s.product(t, 1, 5)
		if got := listed(t, s.base+"/products?stock_below=5&"); slices.Contains(got, p) {
			t.Errorf("product %d has 5 pieces: %v", p, got)
		}
		s.placed(t, line(p, 1))
		if got := listed(t, s.base+"/products?stock_below=5&"); !slices.Contains(got, p) {
			t.Errorf("product %d has 4 pieces: %v", p, got)
		}
		for _, bad := range []string{"0", "-1", "1000000001", "1.5", "ten"} {
			status, body, _ := webtest.Do(t, "GET", s.base+"/products?stock_below="+bad, "")
			webtest.WantError(t, status, body, 400, "validation_failed", "/query/stock_below")
		}
	})
}

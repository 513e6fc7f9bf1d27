package orders_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
)

// insertAll inserts the rows into a table, and lets MySQL renew the statistics of the table.
func (s *system) insertAll(t *testing.T, table string, rows any) {
	t.Helper()
	if err := s.db.Table(table).CreateInBatches(rows, 500).Error; err != nil {
		t.Fatal(err)
	}
	if s.db.Name() == db.MySQL {
		s.exec(t, "ANALYZE TABLE "+table)
	}
}

// wantIDs checks that a list has exactly the ids, in ascending and descending order, with pages of several
// sizes.
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

// TestStockBelow lists and exports the products whose stock is below a limit. With a low limit, the database
// finds the products by an index of stock. With a high limit, it reads the products by id.
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
		for i := range int64(3000) { // products with a higher id may have less stock
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

// order is a row of the table orders.
type order struct {
	ID, CustomerID, TotalCents int64
	Status                     string
	CreatedAt, UpdatedAt       time.Time
	ConfirmedAt, CanceledAt    *time.Time
	CancelReason               *string
}

// ordersOf returns n orders of two customers, one order a minute. Of 12 orders, 9 are CANCELED: 8 for the
// reason requested, and 1 for the reason reservation_expired.
func ordersOf(start time.Time, n int64) (rows []order) {
	for i := range n {
		at := start.Add(time.Duration(i) * time.Minute)
		r := order{ID: i + 1, CustomerID: i%2 + 1, Status: "CREATED", CreatedAt: at, UpdatedAt: at}
		if i%12 >= 3 {
			r.Status, r.CanceledAt, r.CancelReason = "CANCELED", &at, new("requested")
		} else if i%12 > 0 {
			r.Status, r.ConfirmedAt = "CONFIRMED", &at
		}
		if i%12 == 7 {
			r.CancelReason = new("reservation_expired")
		}
		rows = append(rows, r)
	}
	return rows
}

// TestListByCancelReason lists and exports the orders that were canceled for a given reason.
func TestListByCancelReason(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		rows := ordersOf(start, 3000)
		s.insertAll(t, "orders", rows)
		for _, c := range []struct {
			query, reason string
			is            func(order) bool
		}{
			{"", "requested", nil},
			{"", "reservation_expired", nil},
			{"", "compensation", nil},
			{"&status=CANCELED", "reservation_expired", nil},
			{"&status=CONFIRMED", "reservation_expired", func(order) bool { return false }},
			{"&customer_id=2", "reservation_expired", func(r order) bool { return r.CustomerID == 2 }},
			{"&customer_id=1&status=CANCELED", "requested", func(r order) bool { return r.CustomerID == 1 }},
			{"&from=2024-01-02&to=2024-01-02", "reservation_expired", func(r order) bool { return r.CreatedAt.Day() == 2 }},
			{"&updated_since=2024-01-03", "requested", func(r order) bool { return r.CreatedAt.Day() >= 3 }},
			{"&confirmed_from=2024-01-01", "requested", func(r order) bool { return r.ConfirmedAt != nil }},
		} {
			var want []int64
			for _, r := range rows {
				if r.CancelReason != nil && *r.CancelReason == c.reason && (c.is == nil || c.is(r)) {
					want = append(want, r.ID)
				}
			}
			wantIDs(t, s.base+"/orders?cancel_reason="+c.reason+c.query, want)
		}
		for _, query := range []string{"", "&status=CANCELED", "&sort=-created_at&cursor=2000"} {
			dbtest.WantIndex(t, g, "ix_orders_cancel_reason", func() {
				webtest.Do(t, "GET", s.base+"/orders?cancel_reason=reservation_expired"+query, "")
			})
		}
		status, body, _ := webtest.Do(t, "GET", s.base+"/orders?cancel_reason=other", "")
		webtest.WantError(t, status, body, 400, "validation_failed", "/query/cancel_reason")
	})
}

// TestIDs lists and exports orders and products by their ids.
func TestIDs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		s.insertAll(t, "orders", ordersOf(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), 3000))
		p, q := s.product(t, 1, 1), s.product(t, 1, 5)
		var hundred []int64
		for id := range int64(100) {
			hundred = append(hundred, id*29+1)
		}
		all := strings.Trim(strings.ReplaceAll(fmt.Sprint(hundred), " ", ","), "[]")
		for query, want := range map[string][]int64{
			"/orders?ids=" + all:                                             hundred,
			"/orders?ids=40,3,40,2":                                          {2, 3, 40},
			"/orders?ids=3001,9007199254740991":                              nil,
			"/orders?ids=9223372036854775808,7":                              {7},
			"/orders?ids=99999999999999999999":                               nil,
			"/orders?ids=1,2,3&status=CONFIRMED":                             {2, 3},
			"/orders?ids=1,2,3&customer_id=2":                                {2},
			"/orders?ids=1,7,8,2000&from=2024-01-01T00:06:00Z&to=2024-01-01": {7, 8},
			"/orders?ids=1,7,8&updated_since=2024-01-01T00:07:00Z":           {8},
			"/orders?ids=7,8&cancel_reason=reservation_expired":              {8},
			fmt.Sprint("/products?ids=", q, ",", p):                          {p, q},
			fmt.Sprint("/products?stock_below=5&ids=", q, ",", p):            {p},
			fmt.Sprint("/products?search=thing&active=true&ids=", q):         {q},
			fmt.Sprint("/products?search=absent&ids=", q):                    nil,
			fmt.Sprint("/products?updated_since=2024-01-01&ids=", q):         {q},
		} {
			wantIDs(t, s.base+query, want)
		}
		own := as(t, auth.Principal{Subject: "erp", Customer: 2}, "req-1")
		_, body, _ := webtest.Do(t, "GET", s.base+"/orders?ids=1,2,3", "", own...)
		others := strings.Contains(string(body), `"customer_id":1`)
		if got := strings.Count(string(body), `"customer_id":2`); got != 1 || others {
			t.Errorf("to customer 2: %s", body)
		}
		for _, query := range []string{"", "&status=CANCELED", "&customer_id=1", "&sort=-created_at&cursor=2000"} {
			dbtest.WantIDs(t, g, "", func() { webtest.Do(t, "GET", s.base+"/orders?ids="+all+query, "") })
		}
		_, file, _ := webtest.Do(t, "GET", fmt.Sprint(s.base, "/products/export?format=csv&ids=", q), "")
		if rows := bytes.Count(file, []byte("\n")); rows != 2 {
			t.Errorf("an export of %d lines: %s", rows, file)
		}
		for _, bad := range []string{"0", "-1", "1,", ",1", "1,,2", "1%3B2", "1.5", "a", "1%202", "01", all + ",1"} {
			for _, path := range []string{"/orders", "/orders/export", "/products", "/products/export"} {
				status, body, _ := webtest.Do(t, "GET", s.base+path+"?ids="+bad, "")
				webtest.WantError(t, status, body, 400, "validation_failed", "/query/ids")
			}
		}
	})
}

package orders_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
)

// listed reads all pages of a list by next_cursor, and returns the ids.
func listed(t *testing.T, url string) (ids []int64) {
	t.Helper()
	for cursor := "cursor="; ; {
		status, body, _ := webtest.Do(t, "GET", url+cursor, "")
		var page struct {
			Data []struct{ ID int64 }
			Meta struct{ NextCursor *int64 }
		}
		if err := json.Unmarshal(body, &page); err != nil || status != 200 {
			t.Fatalf("%s: %d %s", url+cursor, status, body)
		}
		for _, row := range page.Data {
			ids = append(ids, row.ID)
		}
		if page.Meta.NextCursor == nil {
			return ids
		}
		cursor = fmt.Sprint("cursor=", *page.Meta.NextCursor)
	}
}

func TestSort(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		dbtest.NoFilesort(t, g)
		p := s.product(t, 100, 100)
		for range 6 {
			s.product(t, 1, 1)
			s.placed(t, line(p, 1))
			s.adjust(t, p, 1, "came", "")
		}
		o := s.placed(t, line(p, 1)).ID
		s.confirm(t, o, "sort")
		s.cancel(t, o, "")
		for path, want := range map[string]struct {
			rows        int
			newestFirst bool // whether a list without the parameter sort begins with the newest entry
		}{
			"/orders?":                {7, false},
			"/orders?status=CREATED&": {6, false},
			"/products?":              {7, false},
			"/products?search=thing&": {7, false},
			fmt.Sprintf("/products/%d/stock-adjustments?", p): {7, true},
			fmt.Sprintf("/products/%d/history?", p):           {7, true},
			fmt.Sprintf("/orders/%d/history?", o):             {3, true},
		} {
			byDefault, newest := listed(t, s.base+path), listed(t, s.base+path+"sort=-created_at&")
			for _, limit := range []int{1, 2, want.rows, 100} {
				up := listed(t, fmt.Sprint(s.base, path, "sort=created_at&limit=", limit, "&"))
				down := listed(t, fmt.Sprint(s.base, path, "sort=-created_at&limit=", limit, "&"))
				if len(up) != want.rows || !slices.IsSorted(up) {
					t.Errorf("%s, %d a page: %v", path, limit, up)
				}
				if slices.Reverse(up); !slices.Equal(up, down) {
					t.Errorf("%s, %d a page: %v, and the other way %v", path, limit, down, up)
				}
			}
			if slices.Equal(byDefault, newest) != want.newestFirst {
				t.Errorf("%s is %v by default", path, byDefault)
			}
			status, body, _ := webtest.Do(t, "GET", s.base+path+"sort=id", "")
			webtest.WantError(t, status, body, 400, "validation_failed", "/query/sort")
			if !strings.Contains(string(body), `must be one of \"created_at\" \"-created_at\"`) {
				t.Errorf("the answer does not say how to sort: %s", body)
			}
		}
	})
}

func TestUpdatedSince(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		type row struct {
			ID                   int64
			CustomerID           int64
			Status               string
			TotalCents           int64
			CreatedAt, UpdatedAt time.Time
		}
		type good struct {
			ID                   int64
			SKU, Name            string
			PriceCents, Stock    int64
			CreatedAt, UpdatedAt time.Time
		}
		start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		var rows []row
		var goods []good
		for i := range 1500 { // products with a higher id may have an older updated_at
			id, changed := int64(i+1), start.Add(time.Duration(i*7919%1500)*time.Minute)
			rows = append(rows, row{id, int64(i%2 + 1), "CREATED", 1, start, changed})
			goods = append(goods, good{id, fmt.Sprint("S-", i), "Thing", 1, 1, start, changed})
		}
		for table, rows := range map[string]any{"orders": rows, "products": goods} {
			if err := g.Table(table).CreateInBatches(rows, 500).Error; err != nil {
				t.Fatal(err)
			}
			if g.Name() == db.MySQL {
				s.exec(t, "ANALYZE TABLE "+table)
			}
		}
		t.Run("filters", func(t *testing.T) {
			late := start.Add(1495 * time.Minute)
			for _, since := range []time.Time{
				start, start.Add(time.Hour), late, late.Add(time.Millisecond), start.AddDate(1, 0, 0),
			} {
				for _, also := range []struct {
					query string
					is    func(row) bool
				}{
					{"/orders?", func(row) bool { return true }},
					{"/orders?customer_id=2&", func(r row) bool { return r.CustomerID == 2 }},
					{"/orders?customer_id=1&status=CREATED&from=2024-01-01&to=2024-01-01&sort=-created_at&",
						func(r row) bool { return r.CustomerID == 1 }},
					{"/orders?status=CONFIRMED&", func(row) bool { return false }},
					{"/products?", func(row) bool { return true }},
					{"/products?active=true&search=S-1&sku=S-1497&sort=-created_at&",
						func(r row) bool { return r.ID == 1498 }},
				} {
					var want []int64
					for _, r := range rows {
						if !r.UpdatedAt.Before(since) && also.is(r) {
							want = append(want, r.ID)
						}
					}
					from := since.Format(time.RFC3339Nano)
					got := listed(t, s.base+also.query+"limit=100&updated_since="+from+"&")
					if slices.Sort(got); !slices.Equal(got, want) {
						t.Errorf("%s since %v: %d rows, want %d: %v", also.query, since, len(got), len(want), got)
					}
				}
			}
		})
		t.Run("a date is its first moment", func(t *testing.T) {
			byDate := len(listed(t, s.base+"/orders?limit=100&updated_since=2024-01-02&"))
			byTime := len(listed(t, s.base+"/orders?limit=100&updated_since=2024-01-02T00:00:00Z&"))
			if byDate != 60 || byTime != 60 {
				t.Errorf("%d and %d", byDate, byTime)
			}
		})
		t.Run("export", func(t *testing.T) {
			_, body, _ := webtest.Do(t, "GET", s.base+"/products/export?format=ndjson&updated_since=2024-01-02", "")
			if n := bytes.Count(body, []byte("\n")); n != 60 {
				t.Errorf("%d products", n)
			}
		})
		// The database must find the changed rows by an index, and sort only these rows by id.
		t.Run("by an index", func(t *testing.T) {
			for _, path := range []string{
				"/orders?", "/orders?sort=-created_at&", "/orders?status=CREATED&", "/products?", "/products?active=true&",
			} {
				index := "ix_orders_updated_at"
				if strings.HasPrefix(path, "/products") {
					index = "ix_products_updated_at"
				}
				url := s.base + path + "updated_since=2024-01-02T00:55:00Z"
				dbtest.WantIDs(t, g, index, func() { webtest.Do(t, "GET", url, "") })
				dbtest.WantIDs(t, g, index, func() { webtest.Do(t, "GET", url+"&cursor=700", "") })
			}
		})
		t.Run("an updated_at of an answer", func(t *testing.T) {
			p := s.product(t, 1, 1000)
			// SQLite stores a time as a text. Of 30 times, some end in zeros.
			for range 30 {
				s.adjust(t, p, 1, "came", "")
				o := s.placed(t, line(p, 1))
				s.confirm(t, o.ID, fmt.Sprint("since-", o.ID))
				for path, id := range map[string]int64{"/orders": o.ID, "/products": p} {
					at := webtest.Data(t, "GET", fmt.Sprint(s.base, path, "/", id), nil)["updated_at"].(string)
					if got := listed(t, s.base+path+"?updated_since="+at+"&"); !slices.Contains(got, id) {
						t.Errorf("%s %d, changed at %s: %v", path, id, at, got)
					}
					after := parse(at).Add(time.Millisecond).Format(time.RFC3339Nano)
					if got := listed(t, s.base+path+"?updated_since="+after+"&"); slices.Contains(got, id) {
						t.Errorf("%s %d, changed at %s, is there after it", path, id, at)
					}
				}
			}
		})
		for _, path := range []string{"/orders", "/products"} {
			for _, bad := range []string{"yesterday", "2024-02-30", "1969-01-01"} {
				status, body, _ := webtest.Do(t, "GET", s.base+path+"?updated_since="+bad, "")
				webtest.WantError(t, status, body, 400, "validation_failed", "/query/updated_since")
			}
		}
	})
}

// TestUpdatedSinceMany lists by updated_since. 2000 orders with consecutive ids have changed, and 1000 orders
// before and after them have not changed. The list must have exactly the changed orders.
func TestUpdatedSinceMany(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		type row struct {
			ID, CustomerID       int64
			Status               string
			TotalCents           int64
			CreatedAt, UpdatedAt time.Time
		}
		then, since := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
		var rows []row
		var want []int64
		for i := range int64(4000) {
			r := row{i + 1, i%2 + 1, "CREATED", 1, then, then}
			if i >= 1000 && i < 3000 {
				r.UpdatedAt, want = since, append(want, r.ID)
			}
			rows = append(rows, r)
		}
		if err := g.Table("orders").CreateInBatches(rows, 500).Error; err != nil {
			t.Fatal(err)
		}
		for _, also := range []string{"", "&status=CREATED"} {
			path := "/orders?limit=100&updated_since=2024-01-02" + also
			if got := listed(t, s.base+path+"&"); !slices.Equal(got, want) {
				t.Errorf("%s: %d orders, want %d", path, len(got), len(want))
			}
			got := listed(t, s.base+path+"&sort=-created_at&")
			if slices.Reverse(got); !slices.Equal(got, want) {
				t.Errorf("%s, newest first: %d orders, want %d", path, len(got), len(want))
			}
			for cursor, sort := range map[int]string{3000: "created_at", 1001: "-created_at"} {
				_, body, _ := webtest.Do(t, "GET", fmt.Sprint(s.base, path, "&cursor=", cursor, "&sort=", sort), "")
				if !bytes.Contains(body, []byte(`"data":[]`)) {
					t.Errorf("%s after %d: %s", path, cursor, body)
				}
			}
		}
	})
}

// TestConfirmedBetween lists and exports the orders that were confirmed in a period. For a short period, the
// database finds the orders by an index of confirmed_at. For a long period, it reads the orders by id.
func TestConfirmedBetween(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		type row struct {
			ID, CustomerID, TotalCents int64
			Status                     string
			CreatedAt, UpdatedAt       time.Time
			ConfirmedAt, CanceledAt    *time.Time
			CancelReason               *string
		}
		start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		var rows []row
		for i := range int64(4500) {
			created := start.Add(time.Duration(i) * time.Minute)
			r := row{ID: i + 1, CustomerID: i%2 + 1, Status: "CREATED", CreatedAt: created, UpdatedAt: created}
			if i%3 > 0 { // orders with a higher id may have an earlier confirmed_at
				r.Status, r.ConfirmedAt = "CONFIRMED", new(created.Add(time.Duration(i*7919%300)*time.Minute))
			}
			if i%9 == 1 {
				r.Status, r.CanceledAt, r.CancelReason = "CANCELED", new(start.AddDate(1, 0, 0)), new("requested")
			}
			rows = append(rows, r)
		}
		if err := g.Table("orders").CreateInBatches(rows, 500).Error; err != nil {
			t.Fatal(err)
		}
		if g.Name() == db.MySQL {
			s.exec(t, "ANALYZE TABLE orders")
		}
		for _, c := range []struct {
			query    string
			from, to time.Time
			is       func(row) bool
		}{
			{"confirmed_from=2024-01-03T12:00:00Z", start.Add(60 * time.Hour), start.AddDate(9, 0, 0), nil},
			{"confirmed_to=2024-01-01T12:00:00%2B01:00", start, start.Add(11 * time.Hour), nil},
			{"confirmed_from=2024-01-02&confirmed_to=2024-01-02", start.AddDate(0, 0, 1),
				start.AddDate(0, 0, 2).Add(-time.Millisecond), nil},
			{"confirmed_from=2024-01-01&confirmed_to=2024-01-03", start, start.AddDate(0, 0, 3).Add(-1), nil},
			{"confirmed_from=2024-01-03&confirmed_to=2024-01-01", start.AddDate(0, 0, 2), start, nil},
			{"confirmed_from=2024-01-02&customer_id=2&status=CANCELED", start.AddDate(0, 0, 1),
				start.AddDate(9, 0, 0), func(r row) bool { return r.CustomerID == 2 && r.Status == "CANCELED" }},
			{"confirmed_from=2024-01-02T00:01:00Z&confirmed_to=2024-01-03&to=2024-01-02T00:05:00Z" +
				"&updated_since=2024-01-01T23:00:00Z", start.Add(24*time.Hour + time.Minute),
				start.AddDate(0, 0, 3).Add(-1), func(r row) bool {
					return !r.CreatedAt.After(start.Add(24*time.Hour+5*time.Minute)) &&
						!r.UpdatedAt.Before(start.Add(23*time.Hour))
				}},
			{"confirmed_from=2030-01-01", start.AddDate(6, 0, 0), start.AddDate(9, 0, 0), nil},
		} {
			var want []int64
			for _, r := range rows {
				if at := r.ConfirmedAt; at != nil && !at.Before(c.from) && !at.After(c.to) && (c.is == nil || c.is(r)) {
					want = append(want, r.ID)
				}
			}
			if got := listed(t, s.base+"/orders?limit=100&"+c.query+"&"); !slices.Equal(got, want) {
				t.Errorf("%s: %d orders, want %d", c.query, len(got), len(want))
			}
			got := listed(t, s.base+"/orders?limit=100&sort=-created_at&"+c.query+"&")
			if slices.Reverse(got); !slices.Equal(got, want) {
				t.Errorf("%s, newest first: %d orders, want %d", c.query, len(got), len(want))
			}
		}
		// The database must find the orders of the period by an index, and sort only these orders by id.
		for _, query := range []string{
			"confirmed_from=2024-01-04T04:00:00Z", "confirmed_to=2024-01-01T06:00:00Z",
			"confirmed_from=2024-01-04T04:00:00Z&status=CONFIRMED",
			"confirmed_from=2024-01-02T00:00:00Z&confirmed_to=2024-01-02T06:00:00Z",
		} {
			for _, page := range []string{"", "&sort=-created_at", "&cursor=100"} {
				dbtest.WantIDs(t, g, "ix_orders_confirmed_at", func() {
					webtest.Do(t, "GET", s.base+"/orders?"+query+page, "")
				})
			}
		}
		t.Run("confirmed_at of an answer", func(t *testing.T) {
			p := s.product(t, 1, 100)
			// SQLite stores a time as a text. Of 20 times, some end in zeros.
			for range 20 {
				o := s.placed(t, line(p, 1))
				s.confirm(t, o.ID, fmt.Sprint("confirmed-", o.ID))
				at := webtest.Data(t, "GET", fmt.Sprint(s.base, "/orders/", o.ID), nil)["confirmed_at"].(string)
				_, body, _ := webtest.Do(t, "GET", s.base+"/orders/export?confirmed_from="+at+"&confirmed_to="+at, "")
				if !bytes.Contains(body, fmt.Appendf(nil, `{"id":%d,`, o.ID)) {
					t.Errorf("order %d, confirmed at %s: %s", o.ID, at, body)
				}
				after := parse(at).Add(time.Millisecond).Format(time.RFC3339Nano)
				if got := listed(t, s.base+"/orders?confirmed_from="+after+"&"); slices.Contains(got, o.ID) {
					t.Errorf("order %d, confirmed at %s, is there after it", o.ID, at)
				}
			}
		})
		for _, path := range []string{"/orders", "/orders/export"} {
			status, body, _ := webtest.Do(t, "GET", s.base+path+"?confirmed_from=2024-02-30&confirmed_to=x", "")
			webtest.WantError(t, status, body, 400, "validation_failed", "/query/confirmed_from", "/query/confirmed_to")
		}
	})
}

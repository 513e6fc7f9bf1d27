package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/test/live"
)

// each calls test on every engine, with a filled database and services that run on this database.
func each(t *testing.T, test func(t *testing.T, d *database, at addresses)) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		d := &database{config: c, rawSQL: onMySQL}
		if c.Driver == db.SQLite {
			d.rawSQL = onSQLite
		}
		if err := d.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close(d.g) })
		if err := d.fill(t.Context(), someCustomers, someProducts, someOrders); err != nil {
			t.Fatal(err)
		}
		bases := live.Serve(d.g, webtest.Options(), func(h http.Handler) string {
			s := httptest.NewServer(h)
			t.Cleanup(s.Close)
			return s.URL
		})
		test(t, d, addresses{bases["customers"], bases["orders"], bases["orchestrator"], bases["events"]})
	})
}

// do makes a call as the benchmark does, and returns the answer. An answer of status 300 or higher fails the
// test.
func do(t *testing.T, target vegeta.Target) []byte {
	t.Helper()
	r, err := target.Request()
	if err != nil {
		t.Fatal(err)
	}
	if target.Body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", target.Method, target.URL, res.StatusCode, body, err)
	}
	return body
}

// TestSameWork compares the changes of raw SQL with the changes of the services: the number of orders in each
// status, the totals of the orders and of the items, the numbers of stored answers and of stock adjustments,
// and the stock.
func TestSameWork(t *testing.T) {
	type counts struct{ Created, Confirmed, Canceled, Cents, Items, Keys, Adjustments, Stock int64 }
	count := func(g *gorm.DB) (c counts) {
		err := g.Raw(`SELECT
			(SELECT COUNT(*) FROM orders WHERE status = 'CREATED') created,
			(SELECT COUNT(*) FROM orders WHERE status = 'CONFIRMED') confirmed,
			(SELECT COUNT(*) FROM orders WHERE status = 'CANCELED') canceled,
			(SELECT SUM(total_cents) FROM orders) cents,
			(SELECT SUM(subtotal_cents) FROM order_items) items,
			(SELECT COUNT(*) FROM idempotency_keys WHERE response_body IS NOT NULL) "keys",
			(SELECT COUNT(*) FROM stock_adjustments) adjustments,
			(SELECT SUM(stock) FROM products) stock`).Scan(&c).Error
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	less := func(a, b counts) counts {
		return counts{
			a.Created - b.Created, a.Confirmed - b.Confirmed, a.Canceled - b.Canceled, a.Cents - b.Cents,
			a.Items - b.Items, a.Keys - b.Keys, a.Adjustments - b.Adjustments, a.Stock - b.Stock,
		}
	}
	each(t, func(t *testing.T, d *database, at addresses) {
		n := int64(0)
		for _, o := range operations {
			// The service confirms the order, raw SQL does not: there is nothing to compare.
			if strings.HasPrefix(o.name, "orchestrate") {
				do(t, o.http(at, 1000))
				continue
			}
			if o.usesUp {
				var err error
				if n, err = d.supply(t.Context(), 2); err != nil {
					t.Fatal(err)
				}
			}
			before := count(d.g)
			do(t, o.http(at, n))
			between := count(d.g)
			if err := o.sql(t.Context(), d.rawSQL, n+1); err != nil {
				t.Errorf("%s: %v", o.name, err)
			}
			service, raw := less(between, before), less(count(d.g), between)
			if service != raw || o.name != "get an order" && raw == (counts{}) {
				t.Errorf("%s: the service changed %+v, raw SQL %+v", o.name, service, raw)
			}
			n += 2
		}
	})
}

// TestRawSQLRefuses checks that raw SQL, like the services, places no order without stock, and no second
// order with a key.
func TestRawSQLRefuses(t *testing.T) {
	each(t, func(t *testing.T, d *database, _ addresses) {
		if err := d.g.Exec("UPDATE products SET stock = 0 WHERE id = 2").Error; err != nil {
			t.Fatal(err)
		}
		if err := d.create(t.Context(), "key", 1, 1, 2); err == nil {
			t.Error("an order was placed without stock")
		}
		if err := d.create(t.Context(), "key", 1, 1, 3); err != nil {
			t.Error(err)
		}
		if err := d.create(t.Context(), "key", 1, 1, 3); err == nil {
			t.Error("a key was used twice")
		}
		var orders, stock int64
		d.g.Raw("SELECT COUNT(*) FROM orders").Scan(&orders)
		d.g.Raw("SELECT stock FROM products WHERE id = 1").Scan(&stock)
		if orders != someOrders+1 || stock != 499_999_999 {
			t.Errorf("%d orders, stock %d", orders, stock)
		}
	})
}

// TestLists checks that each list returns the rows that its name promises.
func TestLists(t *testing.T) {
	each(t, func(t *testing.T, d *database, at addresses) {
		const rows = 12_345 // more rows than one INSERT statement gets
		if err := d.fill(t.Context(), rows, rows, rows); err != nil {
			t.Fatal(err)
		}
		for _, o := range lists(rows) {
			body := do(t, o.http(at, 7))
			var page struct{ Data []json.RawMessage }
			if err := json.Unmarshal(body, &page); err != nil && !strings.HasPrefix(o.name, "get") {
				t.Errorf("%s: %v", o.name, err)
			}
			want := 20
			if strings.HasPrefix(o.name, "get") || strings.Contains(o.name, "none match") {
				want = 0
			}
			if len(page.Data) != want {
				t.Errorf("%s: %d rows", o.name, len(page.Data))
			}
			if strings.Contains(o.name, "ten match") && bytes.Count(body, []byte("quartz")) != 20 {
				t.Errorf("%s: %s", o.name, body)
			}
		}
	})
}

// TestBesideHeld runs load.besideHeld, which holds a lock on heldProduct until the load has ended. The load has
// two kinds of orders: the measured ones must have three products without a lock, and the rest must have
// heldProduct, too.
func TestBesideHeld(t *testing.T) {
	for n := range int64(someProducts) {
		all := append(othersOf(n), heldProduct)
		slices.Sort(all)
		if len(slices.Compact(all)) != 4 || slices.Index(withHeld(n), heldProduct) != 2 {
			t.Fatalf("order %d is for %v, or %v", n, othersOf(n), withHeld(n))
		}
	}
	each(t, func(t *testing.T, d *database, _ addresses) {
		if d.config.Driver == db.SQLite {
			return
		}
		other, held := otherProducts, *otherProducts.held
		lock := func(ctx context.Context, pool *sql.DB) error { // TiDB locks rows only in transactions
			tx, err := pool.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			const query = "SELECT id FROM products WHERE id = ? FOR UPDATE NOWAIT"
			return tx.QueryRowContext(ctx, query, heldProduct).Scan(new(int64))
		}
		var free, blocked atomic.Int64
		other.sql = func(ctx context.Context, r rawSQL, n int64) error {
			if lock(ctx, r.pool) == nil {
				free.Add(1)
			}
			return otherProducts.sql(ctx, r, n)
		}
		held.sql = func(ctx context.Context, r rawSQL, n int64) error {
			blocked.Add(1)
			return otherProducts.held.sql(ctx, r, n)
		}
		other.held = &held
		l := load{clients: 16, duration: time.Minute, limit: 40}
		s, err := l.besideHeld(t.Context(), d.contender(), other, d)
		if err != nil || s.calls != 40 || free.Load() > 0 || blocked.Load() == 0 {
			t.Errorf("%d calls, %d with a free row, %d blocked orders: %v", s.calls, free.Load(), blocked.Load(), err)
		}
		if err := lock(t.Context(), d.pool); err != nil {
			t.Errorf("after the load the row is still locked: %v", err)
		}
	})
}

// TestShortLoad runs loads of 20 µs, which is often too short for a call. Each load must still make at least
// one call.
func TestShortLoad(t *testing.T) {
	c := contender{
		name:      "fake",
		transport: func(operation, int) http.RoundTripper { return http.NewFileTransport(http.Dir(t.TempDir())) },
		target:    func(operation, int64) vegeta.Target { return vegeta.Target{Method: "GET", URL: "file:///"} },
	}
	for range 20 {
		l := load{clients: 1, duration: 20 * time.Microsecond, limit: 1000}
		if s, err := l.run(t.Context(), c, operation{name: "get"}, 0); err != nil || s.calls == 0 {
			t.Fatalf("%d calls: %v", s.calls, err)
		}
	}
}

func TestMedian(t *testing.T) {
	m := median([]sample{
		{rate: 3, p99: 7, max: 9, errors: 1, memory: 5}, {rate: 1, p99: 8, max: 2, errors: 2, memory: 6},
		{rate: 2, p99: 9, max: 3},
	})
	if want := (sample{rate: 2, p99: 8, max: 9, errors: 3, memory: 6}); m != want {
		t.Errorf("%+v", m)
	}
}

func TestWrite(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := section{title: "T", header: measured[:3]}
	s.add("a", "b", "c")
	for range 2 { // the second report replaces the first
		if err := write(page, s.String()); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := os.ReadFile(page)
	const table = "| operation | clients | who |\n|---|---|---|\n| a | b | c |\n"
	want := "before\n" + begin + "\n### T\n\n" + table + "\n" + end + "after\n"
	if string(got) != want {
		t.Errorf("%s", got)
	}
	if milliseconds(1500*time.Microsecond) != "1.5 ms" || microseconds(0) != "–" {
		t.Error("units")
	}
	if os.WriteFile(page, nil, 0o600); write(page, "") == nil {
		t.Error("a page without marks was written")
	}
}

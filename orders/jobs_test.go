package orders_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/orders"
)

// TestStockImbalance changes the stock of a product by SQL only. CheckStock checks some products in each run,
// and must find this product when it has checked all products. After a correction by SQL, the metric must be
// 0 again when CheckStock has checked all products once more. After a product with many orders, the next runs
// must pause.
func TestStockImbalance(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		hot, wrong := s.product(t, 100, 100), s.product(t, 100, 100)
		for range 9 {
			s.placed(t, line(hot, 2))
		}
		s.cancel(t, s.placed(t, line(hot, 5), line(wrong, 7)).ID, "")
		s.confirm(t, s.placed(t, line(wrong, 3)).ID, "stock")
		run := func(what string, want float64) {
			t.Helper()
			if n, err := s.service.CheckStock(ctx); n != 0 || err != nil {
				t.Fatalf("%s: %d rows, %v", what, n, err)
			}
			if got := orders.StockImbalance(t); got != want {
				t.Errorf("%s: %v pieces are wrong, want %v", what, got, want)
			}
		}
		run("all is right", 0)
		run("all is right still", 0)
		s.exec(t, "UPDATE products SET stock = stock - 4 WHERE id = ?", wrong)
		orders.LimitLines(t, 4)
		run("the hot product, with 10 lines", 0)
		run("pause", 0)
		run("the wrong product", 4)
		s.exec(t, "UPDATE products SET stock = stock + 4 WHERE id = ?", wrong)
		orders.LimitLines(t, 1000)
		run("the rest of the turn", 4)
		run("the next turn", 0)

		for range 60 { // more products than the 50 that a run checks
			wrong = s.product(t, 100, 100)
		}
		s.exec(t, "UPDATE products SET stock = stock + 1 WHERE id = ?", wrong)
		run("the first 50", 0)
		run("the others", 1)
		s.exec(t, "UPDATE products SET stock = stock - 1 WHERE id = ?", wrong)
	})
}

// TestLag makes an expired reservation, an expired key and products that the search index lacks. Lag and Due
// of the jobs must report this work before the jobs run, and nothing afterwards.
func TestLag(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 100)
		expired, young := s.placed(t, line(p, 1)), s.order(t, "young", newOrder(line(p, 1)))
		s.order(t, "expired", newOrder(line(p, 1)))
		for range 110 {
			s.product(t, 100, 100)
		}
		jobs := map[string]db.Job{}
		for _, j := range s.service.Jobs() {
			jobs[j.Name] = j
		}
		sweep, purge := jobs["expire reservations"], jobs["delete expired keys of orders"]
		index := jobs["index products"]
		seconds := func(what string, job db.Job, from, to time.Duration) {
			t.Helper()
			if lag, err := job.Lag(ctx); err != nil || lag < from || lag > to {
				t.Errorf("%s: %s is behind by %s, %v", what, job.Name, lag, err)
			}
		}
		rows := func(what string, want int64) {
			t.Helper()
			if due, err := index.Due(ctx); err != nil || due != want {
				t.Errorf("%s: %d rows are unindexed, %v, want %d", what, due, err, want)
			}
		}
		dbtest.WantIndex(t, g, "ix_orders_reserved_since", func() { seconds("at first", sweep, 0, 0) })
		dbtest.WantIndex(t, g, "ix_idempotency_keys_expires", func() { seconds("at first", purge, 0, 0) })
		dbtest.WantIndex(t, g, "ix_products_unindexed", func() { rows("at first", 111) })
		s.exec(t, "UPDATE orders SET created_at = ? WHERE id = ?", db.Now(g, -reservation-time.Hour), expired.ID)
		s.exec(t, "UPDATE idempotency_keys SET expires_at = ? WHERE idempotency_key = 'expired'",
			db.Now(g, -time.Hour))
		seconds("expired", sweep, time.Hour, 2*time.Hour)
		seconds("expired", purge, time.Hour, 2*time.Hour)
		for _, job := range []db.Job{sweep, purge, index} {
			if _, err := job.Run(ctx); err != nil {
				t.Error(err)
			}
		}
		seconds("after the run", sweep, 0, 0)
		seconds("after the run", purge, 0, 0)
		rows("after the run", 0)
		if young.JSON201 == nil {
			t.Errorf("%s", young.Body)
		}
	})
}

// TestTableRows checks that the metric b2b_table_rows has the approximate number of rows of each table.
func TestTableRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 100)
		for i := range 40 {
			s.order(t, fmt.Sprint("key-", i), newOrder(line(p, 1)))
		}
		if dbtest.IsTiDB(g) {
			// Without ANALYZE, TiDB estimates 10,000 rows for a minute.
			s.exec(t, "ANALYZE TABLE idempotency_keys")
		}
		for _, j := range s.service.Jobs() {
			if j.Name == "estimate rows" {
				if _, err := j.Run(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		families, err := prometheus.DefaultGatherer.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "b2b_table_rows" {
					got[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
				}
			}
		}
		if got["events"] != 41 {
			t.Errorf("%v events, want 41", got["events"])
		}
		if keys := got["idempotency_keys"]; keys < 10 || keys > 160 { // the database estimates the number
			t.Errorf("%v keys, want about 40", keys)
		}
	})
}

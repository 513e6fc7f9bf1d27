package db_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

func TestInTx(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		insert := func(tx *gorm.DB, name string) error {
			return tx.Exec(`INSERT INTO products (sku, name, price_cents, stock, created_at)
				VALUES (?, ?, 1, 1, CURRENT_TIMESTAMP)`, name, name).Error
		}
		products := func() (names []string) {
			g.Raw("SELECT name FROM products ORDER BY name").Scan(&names)
			return names
		}
		t.Run("rolled back on an error", func(t *testing.T) {
			reason := errors.New("reason")
			err := db.InTx(ctx, g, func(tx *gorm.DB) error { return errors.Join(insert(tx, "a"), reason) })
			if !errors.Is(err, reason) || len(products()) != 0 {
				t.Errorf("%v, %v", err, products())
			}
		})
		t.Run("run again after a conflict", func(t *testing.T) {
			runs := 0
			err := db.InTx(ctx, g, func(tx *gorm.DB) error {
				if runs++; runs < 3 {
					return errors.Join(insert(tx, "b"), db.ErrConflict)
				}
				return insert(tx, "b")
			})
			if err != nil || runs != 3 || !slices.Equal(products(), []string{"b"}) {
				t.Errorf("%v, %d runs, %v", err, runs, products())
			}
		})
		t.Run("bounded, then unavailable", func(t *testing.T) {
			runs := 0
			err := db.InTx(ctx, g, func(*gorm.DB) error { runs++; return db.ErrConflict })
			if !errors.Is(err, db.ErrConflict) || !errors.Is(err, db.ErrUnavailable) || runs < 5 {
				t.Errorf("%v after %d runs", err, runs)
			}
		})
		t.Run("obeys the context", func(t *testing.T) {
			ctx, cancel := context.WithCancel(ctx)
			err := db.InTx(ctx, g, func(*gorm.DB) error { cancel(); return db.ErrConflict })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
		t.Run("no other within it", func(t *testing.T) {
			fine := func(tx *gorm.DB) error { return insert(tx, "c") }
			err := db.InTx(ctx, g, func(tx *gorm.DB) error {
				for name, err := range map[string]error{
					"InTx":        db.InTx(ctx, tx, fine),
					"Snapshot":    db.Snapshot(ctx, tx, fine),
					"Transaction": tx.Transaction(fine, &sql.TxOptions{ReadOnly: true}),
					"Begin":       tx.Begin(&sql.TxOptions{ReadOnly: true}).Error,
				} {
					if err == nil {
						t.Errorf("%s was accepted", name)
					}
				}
				return errors.New("none")
			})
			if err == nil || slices.Contains(products(), "c") {
				t.Errorf("%v, %v", err, products())
			}
		})
		t.Run("rolled back when it panics", func(t *testing.T) {
			func() {
				defer func() { recover() }()
				db.InTx(ctx, g, func(tx *gorm.DB) error { panic(insert(tx, "d")) })
			}()
			if slices.Contains(products(), "d") {
				t.Error(products())
			}
		})
		t.Run("many on one row", func(t *testing.T) { // on TiDB, these transactions conflict
			if err := insert(g, "hot"); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for range 40 {
				wg.Go(func() {
					err := db.InTx(ctx, g, func(tx *gorm.DB) error {
						return tx.Exec("UPDATE products SET stock = stock + 1 WHERE sku = 'hot'").Error
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			var stock int64
			if g.Raw("SELECT stock FROM products WHERE sku = 'hot'").Scan(&stock); stock != 41 {
				t.Errorf("stock %d", stock)
			}
		})
		t.Run("deadlock", func(t *testing.T) {
			if g.Name() == db.SQLite {
				t.Skip("SQLite has a single writer and no deadlocks")
			}
			if err := errors.Join(insert(g, "x"), insert(g, "y")); err != nil {
				t.Fatal(err)
			}
			// In the first run, each transaction waits until both have their first lock.
			var both sync.WaitGroup
			both.Add(2)
			var runs atomic.Int64
			lock := func(first, second string) error {
				met := false
				return db.InTx(ctx, g, func(tx *gorm.DB) error {
					runs.Add(1)
					err := tx.Exec("UPDATE products SET stock = stock + 1 WHERE sku = ?", first).Error
					if err != nil {
						return err
					}
					if !met {
						met = true
						both.Done()
						both.Wait()
					}
					return tx.Exec("UPDATE products SET stock = stock + 1 WHERE sku = ?", second).Error
				})
			}
			failed := make(chan error, 2)
			go func() { failed <- lock("x", "y") }()
			go func() { failed <- lock("y", "x") }()
			if err := errors.Join(<-failed, <-failed); err != nil || runs.Load() < 3 {
				t.Errorf("%v after %d runs", err, runs.Load())
			}
			var stock []int64
			g.Raw("SELECT stock FROM products WHERE sku IN ('x', 'y')").Scan(&stock)
			if !slices.Equal(stock, []int64{3, 3}) {
				t.Errorf("stock %v", stock)
			}
		})
	})
}

func TestSnapshot(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g, other := dbtest.Open(t, c), dbtest.Open(t, c)
		insert := func(g *gorm.DB, sku string) error {
			return g.Exec(`INSERT INTO products (sku, name, price_cents, stock, created_at)
				VALUES (?, 'n', 1, 1, CURRENT_TIMESTAMP)`, sku).Error
		}
		count := func(g *gorm.DB) (n int64) {
			if err := g.Table("products").Count(&n).Error; err != nil {
				t.Error(err)
			}
			return n
		}
		err := db.Snapshot(ctx, g, func(tx *gorm.DB) error {
			before := count(tx)
			if err := insert(other, "meanwhile"); err != nil {
				return err
			}
			if after := count(tx); before != 0 || after != 0 {
				t.Errorf("%d rows, then %d", before, after)
			}
			return nil
		})
		if n := count(g); err != nil || n != 1 {
			t.Errorf("%v, %d rows afterwards", err, n)
		}
		var version string
		if g.Raw("SELECT VERSION()").Scan(&version); version == "" || strings.Contains(version, "TiDB") {
			return // SQLite has no VERSION(); SQLite and TiDB accept the write
		}
		if err := db.Snapshot(ctx, g, func(tx *gorm.DB) error { return insert(tx, "within") }); err == nil ||
			count(g) != 1 {
			t.Errorf("written within: %v", err)
		}
		if err := insert(g, "after"); err != nil {
			t.Errorf("the connection still only reads: %v", err)
		}
	})
}

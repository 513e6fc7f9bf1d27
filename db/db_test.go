package db_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/apperr"
)

var ctx = context.Background()

func TestMigrateSeveralAtOnce(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		var steps atomic.Int64
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				g, err := db.Open(ctx, c) // each as a process of its own would
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close(g)
				n, err := db.Migrate(ctx, g)
				if err != nil {
					t.Error(err)
				}
				steps.Add(int64(n))
			})
		}
		wg.Wait()
		files, err := os.ReadDir("migrations/" + c.Driver)
		if err != nil {
			t.Fatal(err)
		}
		if int(steps.Load()) != len(files) {
			t.Errorf("%d steps were taken for %d migrations", steps.Load(), len(files))
		}
	})
}

// TestMigrateAgainAfterAKill leaves the first migration half done, as a killed start does where DDL commits at once.
func TestMigrateAgainAfterAKill(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			return // a migration is one transaction there: never half done
		}
		g, err := db.Open(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(g)
		// goose's own table is there, killed before its first row
		if err := g.Exec("CREATE TABLE goose_db_version (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp DATETIME NULL DEFAULT NOW())").Error; err != nil {
			t.Fatal(err)
		}
		for _, statement := range statements(t, "migrations/mysql/00001_init.sql")[:3] {
			if err := g.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Migrate(ctx, g); err != nil {
			t.Error(err)
		}
		if err := g.Exec("SELECT * FROM idempotency_keys").Error; err != nil {
			t.Error(err)
		}
	})
}

// statements splits a file as the database's own client does.
func statements(t *testing.T, file string) []string {
	t.Helper()
	sql, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSpace(string(sql)), ";\n")
	all[len(all)-1] = strings.TrimSuffix(all[len(all)-1], ";")
	return all
}

// TestSchemaFile holds schema.sql to the migrations: the same tables, to the letter, and nothing left to migrate.
func TestSchemaFile(t *testing.T) {
	definitions := func(t *testing.T, g *gorm.DB) map[string]string {
		t.Helper()
		var tables []string
		if err := g.Raw("SHOW TABLES").Scan(&tables).Error; err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, table := range tables {
			var name, definition string
			if err := g.Raw("SHOW CREATE TABLE "+table).Row().Scan(&name, &definition); err != nil {
				t.Fatal(err)
			}
			all[table], _, _ = strings.Cut(definition, ") ENGINE") // behind it stand row counters
		}
		return all
	}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			return // schema.sql is MySQL's
		}
		c.MaxConns = 1 // so that USE holds
		g := dbtest.Open(t, c)
		migrated := definitions(t, g)
		for _, statement := range []string{"DROP DATABASE ", "CREATE DATABASE ", "USE "} {
			if err := g.Exec(statement + c.Name).Error; err != nil {
				t.Fatal(err)
			}
		}
		for _, statement := range statements(t, "schema.sql") {
			if err := g.Exec(statement).Error; err != nil {
				t.Fatalf("%v: %s", err, statement)
			}
		}
		loaded := definitions(t, g)
		if len(loaded) != len(migrated) || len(loaded) < 6 {
			t.Errorf("%d tables, the migrations make %d", len(loaded), len(migrated))
		}
		for table, want := range migrated {
			if loaded[table] != want {
				t.Errorf("schema.sql has\n%s\nthe migrations make\n%s", loaded[table], want)
			}
		}
		if steps, err := db.Migrate(ctx, g); err != nil || steps != 0 {
			t.Errorf("%d migrations were left to do, %v", steps, err)
		}
		if loaded, err := db.Seed(ctx, g); err != nil || !loaded {
			t.Errorf("seeded %v, %v", loaded, err)
		}
	})
}

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
		for table, want := range map[string]int64{"customers": 5, "products": 10, "orders": 2} {
			var n int64
			if g.Table(table).Count(&n); n != want {
				t.Errorf("%d %s", n, table)
			}
		}
		var wrong int64
		g.Raw("SELECT COUNT(*) FROM orders o WHERE total_cents <> (SELECT SUM(subtotal_cents) FROM order_items i WHERE i.order_id = o.id)").Scan(&wrong)
		if wrong != 0 {
			t.Errorf("%d sample orders do not add up", wrong)
		}
	})
}

func TestInTx(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		insert := func(tx *gorm.DB, name string) error {
			return tx.Exec("INSERT INTO products (sku, name, price_cents, stock, created_at) VALUES (?, ?, 1, 1, CURRENT_TIMESTAMP)", name, name).Error
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
			var refusal *apperr.Error
			if !errors.As(err, &refusal) || refusal.Code != apperr.Unavailable || runs < 5 {
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
		t.Run("deadlock", func(t *testing.T) {
			if g.Name() == db.SQLite {
				return // one writer at a time: none can happen
			}
			if err := errors.Join(insert(g, "x"), insert(g, "y")); err != nil {
				t.Fatal(err)
			}
			var both sync.WaitGroup // both hold their first row before either wants its second, in the first run
			both.Add(2)
			var runs atomic.Int64
			lock := func(first, second string) error {
				met := false
				return db.InTx(ctx, g, func(tx *gorm.DB) error {
					runs.Add(1)
					if err := tx.Exec("UPDATE products SET stock = stock + 1 WHERE sku = ?", first).Error; err != nil {
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
			if g.Raw("SELECT stock FROM products WHERE sku IN ('x', 'y')").Scan(&stock); !slices.Equal(stock, []int64{3, 3}) {
				t.Errorf("stock %v", stock)
			}
		})
	})
}

func TestConstraints(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if _, err := db.Seed(ctx, g); err != nil {
			t.Fatal(err)
		}
		for name, statement := range map[string]string{
			"stock below zero":       "UPDATE products SET stock = -1 WHERE id = 1",
			"price below zero":       "UPDATE products SET price_cents = -1 WHERE id = 1",
			"sku twice":              "UPDATE products SET sku = 'LAPTOP-HP-2024' WHERE id = 1",
			"email twice":            "UPDATE customers SET email = 'OPS@ACME.com' WHERE id = 2",
			"order without customer": "UPDATE orders SET customer_id = 99 WHERE id = 1",
			"line without product":   "UPDATE order_items SET product_id = 99 WHERE order_id = 2",
			"line without order":     "UPDATE order_items SET order_id = 99 WHERE order_id = 2",
			"line of nothing":        "UPDATE order_items SET qty = 0, subtotal_cents = 0 WHERE order_id = 2",
			"wrong subtotal":         "UPDATE order_items SET subtotal_cents = 1 WHERE order_id = 2",
			"unknown status":         "UPDATE orders SET status = 'PAID' WHERE id = 1",
			"confirmed at no time":   "UPDATE orders SET confirmed_at = NULL WHERE id = 1",
			"canceled at no time":    "UPDATE orders SET status = 'CANCELED' WHERE id = 1",
			"created and confirmed":  "UPDATE orders SET status = 'CREATED' WHERE id = 1",
			"product that is sold":   "DELETE FROM products WHERE id = 1",
		} {
			if err := g.Exec(statement).Error; err == nil {
				t.Errorf("%s: %s was accepted", name, statement)
			}
		}
		if err := g.Exec("UPDATE customers SET deleted_at = CURRENT_TIMESTAMP WHERE id = 1").Error; err != nil {
			t.Fatal(err)
		}
		if err := g.Exec("UPDATE customers SET email = 'OPS@ACME.com' WHERE id = 2").Error; err != nil {
			t.Errorf("the email of a deleted customer is not free: %v", err)
		}
	})
}

func TestNow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		var row struct{ Now, Later time.Time }
		before := time.Now().Truncate(time.Millisecond)
		if err := g.Raw("SELECT ? AS now, ? AS later", db.Now(g, 0), db.Now(g, time.Hour+time.Millisecond)).Scan(&row).Error; err != nil {
			t.Fatal(err)
		}
		if row.Now.Before(before) || row.Now.After(time.Now()) { // the test's databases run on this machine's clock
			t.Errorf("now is %v, not about %v", row.Now, before)
		}
		if d := row.Later.Sub(row.Now); d < time.Hour+time.Millisecond || d > time.Hour+time.Second {
			t.Errorf("later by %v", d)
		}
	})
}

func TestOpenUnreachable(t *testing.T) {
	_, err := db.Open(ctx, db.Config{Driver: db.MySQL, Host: "127.0.0.1", Port: 1, User: "u", Name: "n", MaxConns: 1})
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
}

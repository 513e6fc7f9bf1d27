package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/timing"
)

// lockTimeout is longer than any bounded wait for a row.
const lockTimeout = 10 * time.Second

// withRows runs a test on each engine that has row locks, with three products.
func withRows(t *testing.T, test func(t *testing.T, g *gorm.DB)) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			t.Skip("SQLite has a single writer and no row locks")
		}
		for i := range 3 {
			const insert = `INSERT INTO products (id, sku, name, price_cents, stock, created_at)
				VALUES (?, ?, 'p', 1, 1, CURRENT_TIMESTAMP)`
			if err := g.Exec(insert, i+1, fmt.Sprint(i)).Error; err != nil {
				t.Fatal(err)
			}
		}
		test(t, g)
	})
}

// holdProduct locks a product's row in another connection until release is called.
func holdProduct(t *testing.T, g *gorm.DB, id int) (release func()) {
	t.Helper()
	tx := g.Begin()
	if err := tx.Exec("UPDATE products SET stock = stock WHERE id = ?", id).Error; err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { tx.Rollback() })
	t.Cleanup(release)
	return release
}

// TestForUpdateIsBounded locks a row that another transaction holds. The wait must end with an error, and the
// waiting transaction must keep its own locks.
func TestForUpdateIsBounded(t *testing.T) {
	withRows(t, func(t *testing.T, g *gorm.DB) {
		release := holdProduct(t, g, 2)
		ctx, cancel := context.WithTimeout(t.Context(), lockTimeout)
		defer cancel()
		lock := func(tx *gorm.DB, wait time.Duration, ids ...int) (read []int64, err error) {
			var rows []struct {
				ID   int64
				Name string // a query for ids alone would make MySQL scan and lock the index
			}
			err = db.ForUpdateWithin(db.ByID(tx.Table("products")), wait).
				Where("id IN ?", ids).
				Order("id").
				Find(&rows).
				Error
			for _, r := range rows {
				read = append(read, r.ID)
			}
			return read, err
		}
		err := db.InReservedTx(ctx, g, func(tx *gorm.DB) error {
			for _, wait := range []time.Duration{0, 100 * time.Millisecond, time.Second} {
				if _, err := lock(tx, wait, 1, 2, 3); !errors.Is(err, db.ErrLocked) ||
					!errors.Is(err, db.ErrConflict) {
					t.Errorf("after %s: %v", wait, err)
				}
			}
			if read, err := lock(tx, 0, 1, 3); err != nil || !slices.Equal(read, []int64{1, 3}) {
				t.Errorf("the others: %v, %v", read, err)
			}
			// The transaction still has the locks of products 1 and 3.
			return db.TryTx(ctx, g, func(other *gorm.DB) error {
				if _, err := lock(other, 0, 3); !errors.Is(err, db.ErrLocked) {
					t.Errorf("another transaction gets product 3, too: %v", err)
				}
				return nil
			})
		})
		if err != nil {
			t.Error(err)
		}
		release()
		for _, wait := range []time.Duration{0, 100 * time.Millisecond, time.Second} {
			err := db.TryTx(ctx, g, func(tx *gorm.DB) error {
				_, err := lock(tx, wait, 2)
				return err
			})
			if err != nil {
				t.Errorf("product 2 after its release: %v", err)
			}
		}
	})
}

// TestInTxGivesUp expects ErrLocked within a bounded time from each kind of statement that needs a row of
// another transaction.
func TestInTxGivesUp(t *testing.T) {
	t.Parallel()
	withRows(t, func(t *testing.T, g *gorm.DB) {
		t.Parallel() // the test mostly waits, and has its own database
		holdProduct(t, g, 2)
		for name, fn := range map[string]func(tx *gorm.DB) error{
			"read with a lock": func(tx *gorm.DB) error {
				return db.ForUpdate(tx.Table("products")).Where("id = 2").Find(&[]map[string]any{}).Error
			},
			"update": setStock(2),
			"insert": func(tx *gorm.DB) error {
				return tx.Exec(`INSERT INTO stock_adjustments (product_id, delta, level, reason, created_at)
					VALUES (2, 1, 1, 'r', CURRENT_TIMESTAMP)`).Error
			},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), lockTimeout)
			if err := db.InTx(ctx, g, fn); !errors.Is(err, db.ErrLocked) || ctx.Err() != nil {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
		}
	})
}

// setStock returns a function that updates a product in a transaction.
func setStock(id int) func(tx *gorm.DB) error {
	return func(tx *gorm.DB) error {
		return tx.Exec("UPDATE products SET stock = 2 WHERE id = ?", id).Error
	}
}

// TestStuckTransactionsLeaveConnections lets many transactions wait for one row. Reads and InReservedTx must
// still get connections.
func TestStuckTransactionsLeaveConnections(t *testing.T) {
	withRows(t, func(t *testing.T, g *gorm.DB) {
		release := holdProduct(t, g, 2)
		ctx, cancel := context.WithCancel(t.Context())
		var stuck sync.WaitGroup
		for range 100 {
			stuck.Go(func() {
				for ctx.Err() == nil {
					_ = db.InTx(ctx, g, setStock(2))
				}
			})
		}
		pool, err := g.DB()
		if err != nil {
			t.Fatal(err)
		}
		// Wait for 8 connections in use: the connection with the lock and 7 waiting transactions.
		for deadline := time.Now().Add(lockTimeout); pool.Stats().InUse < 8 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		for range 20 {
			brief, done := context.WithTimeout(ctx, 2*time.Second)
			var name string
			read := g.WithContext(brief).Raw("SELECT name FROM products WHERE id = 1")
			if err := read.Scan(&name).Error; err != nil {
				t.Errorf("a read: %v", err)
			}
			if err := db.InReservedTx(brief, g, setStock(1)); err != nil {
				t.Errorf("a batch: %v", err)
			}
			done()
		}
		cancel()
		release()
		stuck.Wait()
	})
}

// TestWaitForTransactions begins a transaction while another transaction runs. The pool has three
// connections, and InTx uses at most a third of them. So the second transaction must wait, and the times of
// the request must show the wait as a wait for a connection.
func TestWaitForTransactions(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("on SQLite, transactions wait for the connection that writes")
		}
		c.MaxConns = 3
		g := dbtest.Open(t, c)
		err := db.InTx(t.Context(), g, func(*gorm.DB) error {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			ctx, times := timing.With(ctx)
			err := db.InTx(ctx, g, func(*gorm.DB) error { return nil })
			if waited := times.Parts().Pool; !errors.Is(err, context.DeadlineExceeded) || waited == 0 {
				t.Errorf("waited for %v: %v", waited, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestTurns expects that only one caller at a time has the turn for a row. A waiting caller must give up
// after a while. When a row has no callers, Turns must keep no state for it.
func TestTurns(t *testing.T) {
	var turns db.Turns
	done, err := turns.Take(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := turns.Take(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	other()
	ctx, cancel := context.WithTimeout(t.Context(), lockTimeout)
	defer cancel()
	ctx, times := timing.With(ctx)
	if _, err := turns.Take(ctx, "a"); !errors.Is(err, db.ErrLocked) || times.Parts().Turn == 0 {
		t.Errorf("a second turn: %v, after %v", err, times.Parts().Turn)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := turns.Take(gone, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who has gone: %v", err)
	}
	next := make(chan error)
	go func() {
		done, err := turns.Take(t.Context(), "a")
		if err == nil {
			done()
		}
		next <- err
	}()
	done()
	if err := <-next; err != nil {
		t.Errorf("the next turn: %v", err)
	}
	if n := turns.Rows(); n != 0 {
		t.Errorf("state of %d rows remains", n)
	}
}

// TestSilentHolder expects the server to end a transaction whose client is silent, as a frozen process or a
// lost machine would be.
func TestSilentHolder(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 20 seconds on each engine")
	}
	t.Parallel()
	withRows(t, func(t *testing.T, g *gorm.DB) {
		t.Parallel() // the test mostly waits, and has its own database
		silent, end := make(chan struct{}), make(chan struct{})
		result := make(chan error, 1)
		go func() {
			result <- db.InReservedTx(t.Context(), g, func(tx *gorm.DB) error {
				err := tx.Exec("UPDATE products SET stock = 2 WHERE id = 2").Error
				close(silent)
				<-end
				return err
			})
		}()
		<-silent
		free := func(tx *gorm.DB) error {
			return db.ForUpdateWithin(tx.Table("products"), 200*time.Millisecond).
				Where("id = 2").
				Find(&[]map[string]any{}).
				Error
		}
		for deadline := time.Now().Add(3 * lockTimeout); db.TryTx(t.Context(), g, free) != nil; {
			if time.Now().After(deadline) {
				t.Fatal("the row is still held")
			}
		}
		close(end)
		if err := <-result; err == nil {
			t.Error("what the server has ended was committed")
		}
	})
}

package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/config"
)

// TestRunExclusiveWithFewConnections runs two functions exclusively in a pool of two connections.
// RunExclusive must leave a connection for the functions.
func TestRunExclusiveWithFewConnections(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		c.MaxConns = 2
		g := dbtest.Open(t, c)
		var both, done sync.WaitGroup
		both.Add(2)
		for i := range 2 {
			done.Go(func() {
				ran, err := db.RunExclusive(ctx, g, fmt.Sprint("job ", i), func(ctx context.Context) error {
					both.Done()
					both.Wait()
					return g.WithContext(ctx).Exec("SELECT 1").Error
				})
				if !ran || err != nil {
					t.Error(ran, err)
				}
			})
		}
		done.Wait()
	})
}

// TestExclusiveFrom checks the pool size that the help of DB_MAX_CONNECTIONS names. In a pool of this size, a
// second call of RunExclusive must not run the job while the first call runs the job. In a smaller pool, and
// on SQLite, both calls must run the job.
func TestExclusiveFrom(t *testing.T) {
	at := slices.IndexFunc(config.Variables(), func(v config.Variable) bool { return v.Name == "DB_MAX_CONNECTIONS" })
	var enough int
	_, number, _ := strings.Cut(config.Variables()[at].Meaning, "with fewer than ")
	if _, err := fmt.Sscan(number, &enough); err != nil {
		t.Fatalf("the help names no number: %v", err)
	}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		for _, c.MaxConns = range []int{enough - 1, enough} {
			a, b, bothRan := dbtest.Open(t, c), dbtest.Open(t, c), false
			_, err := db.RunExclusive(ctx, a, "job", func(ctx context.Context) (err error) {
				bothRan, err = db.RunExclusive(ctx, b, "job", func(context.Context) error { return nil })
				return err
			})
			if want := c.Driver == db.SQLite || c.MaxConns < enough; err != nil || bothRan != want {
				t.Errorf("%d connections: both ran %t, want %t (%v)", c.MaxConns, bothRan, want, err)
			}
		}
	})
}

func TestRunExclusive(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		a, b := dbtest.Open(t, c), dbtest.Open(t, c) // two pools, as two processes have
		errRan := errors.New("ran")
		// runs reports whether RunExclusive runs a function with the name now.
		runs := func(g *gorm.DB, name string) bool {
			t.Helper()
			ran, err := db.RunExclusive(ctx, g, name, func(context.Context) error { return errRan })
			if ran != errors.Is(err, errRan) || !ran && err != nil {
				t.Errorf("ran %v, %v", ran, err)
			}
			return ran
		}
		// during calls f while RunExclusive runs the function "job" on a, and then cancels the context of the
		// function. RunExclusive must return context.Canceled.
		during := func(f func()) {
			t.Helper()
			ctx, cancel := context.WithCancel(ctx)
			ran, err := db.RunExclusive(ctx, a, "job", func(ctx context.Context) error {
				f()
				cancel()
				return ctx.Err()
			})
			if !ran || !errors.Is(err, context.Canceled) {
				t.Errorf("ran %v, %v", ran, err)
			}
		}
		t.Run("one at a time", func(t *testing.T) {
			during(func() {
				if one := c.Driver == db.MySQL; runs(b, "job") == one || runs(a, "job") == one {
					t.Errorf("only one at a time should be %v", one)
				}
				if !runs(b, "other job") {
					t.Error("another job does not run")
				}
			})
			if !runs(b, "job") || !runs(a, "job") {
				t.Error("the lock was not released")
			}
		})
		t.Run("in one database", func(t *testing.T) {
			if c.Driver == db.MySQL {
				c.Name += "_2"
				if err := a.Exec("CREATE DATABASE " + c.Name).Error; err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { a.Exec("DROP DATABASE " + c.Name) })
				during(func() {
					if !runs(dbtest.Open(t, c), "job") {
						t.Error("the job does not run in another database")
					}
				})
			}
		})
		t.Run("until the connection ends", func(t *testing.T) {
			if c.Driver == db.SQLite {
				t.Skip("SQLite has no connection that could end")
			}
			during(func() {
				ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
				defer cancel()
				killOthers(t, b)
				for !runs(b, "job") {
					if ctx.Err() != nil {
						t.Fatal("the lock outlived its connection")
					}
				}
			})
			if !runs(a, "job") {
				t.Error("the lock was not released")
			}
		})
		t.Run("a job that panics", func(t *testing.T) {
			func() {
				defer func() { recover() }()
				db.RunExclusive(ctx, a, "job", func(context.Context) error { panic("as tested") })
			}()
			if !runs(b, "job") {
				t.Error("the lock was not released")
			}
		})
	})
}

// killOthers ends all connections to g's database, except its own connection.
func killOthers(t *testing.T, g *gorm.DB) {
	t.Helper()
	err := g.Connection(func(g *gorm.DB) error {
		var ids []int64
		err := g.Raw(`SELECT id FROM information_schema.processlist
			WHERE db = DATABASE() AND id <> CONNECTION_ID()`).Scan(&ids).Error
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := g.Exec(fmt.Sprintf("KILL %d", id)).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

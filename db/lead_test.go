package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
)

// TestLeadOfFewConnections has two leads in one pool that has no connection left for their work, if each
// takes one.
func TestLeadOfFewConnections(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		c.MaxConns = 2
		g := dbtest.Open(t, c)
		var both, done sync.WaitGroup
		both.Add(2)
		for i := range 2 {
			done.Go(func() {
				led, err := db.RunExclusive(ctx, g, fmt.Sprint("work ", i), func(ctx context.Context) error {
					both.Done()
					both.Wait()
					return g.WithContext(ctx).Exec("SELECT 1").Error
				})
				if !led || err != nil {
					t.Error(led, err)
				}
			})
		}
		done.Wait()
	})
}

func TestLead(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		a, b := dbtest.Open(t, c), dbtest.Open(t, c) // as two processes would
		ran := errors.New("ran")
		lead := func(g *gorm.DB, name string) bool {
			t.Helper()
			led, err := db.RunExclusive(ctx, g, name, func(context.Context) error { return ran })
			if led != errors.Is(err, ran) || !led && err != nil {
				t.Errorf("led %v, %v", led, err)
			}
			return led
		}
		// during calls f while a leads, and ends the lead by ending its context.
		during := func(f func()) {
			t.Helper()
			ctx, cancel := context.WithCancel(ctx)
			led, err := db.RunExclusive(ctx, a, "work", func(ctx context.Context) error {
				f()
				cancel()
				return ctx.Err()
			})
			if !led || !errors.Is(err, context.Canceled) {
				t.Errorf("led %v, %v", led, err)
			}
		}
		t.Run("one at a time", func(t *testing.T) {
			during(func() {
				if one := c.Driver == db.MySQL; lead(b, "work") == one || lead(a, "work") == one {
					t.Errorf("only one at a time should be %v", one)
				}
				if !lead(b, "other work") {
					t.Error("nobody leads other work")
				}
			})
			if !lead(b, "work") || !lead(a, "work") {
				t.Error("the lead was not given back")
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
					if !lead(dbtest.Open(t, c), "work") {
						t.Error("nobody leads in another database")
					}
				})
			}
		})
		t.Run("until the connection ends", func(t *testing.T) {
			if c.Driver == db.SQLite {
				return
			}
			during(func() {
				ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
				defer cancel()
				killOthers(t, b)
				for !lead(b, "work") {
					if ctx.Err() != nil {
						t.Fatal("the lead outlived its connection")
					}
				}
			})
			if !lead(a, "work") {
				t.Error("the lead was not given back")
			}
		})
		t.Run("work that panics", func(t *testing.T) {
			func() {
				defer func() { recover() }()
				db.RunExclusive(ctx, a, "work", func(context.Context) error { panic("as tested") })
			}()
			if !lead(b, "work") {
				t.Error("the lead was not given back")
			}
		})
	})
}

// killOthers ends all connections to g's database but the one it uses for that.
func killOthers(t *testing.T, g *gorm.DB) {
	t.Helper()
	err := g.Connection(func(g *gorm.DB) error {
		var ids []int64
		if err := g.Raw("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()").Scan(&ids).Error; err != nil {
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

package db_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/apperr"
)

const soon = 30 * time.Second // more, and a wait counts as one without end

// eachServer runs test on a migrated database of each engine that is a server, behind a dbtest.Silence.
func eachServer(t *testing.T, maxConns int, test func(t *testing.T, g *gorm.DB, s *dbtest.Silence)) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			return
		}
		c.MaxConns = maxConns
		behind, silence := dbtest.Between(t, c)
		test(t, dbtest.Open(t, behind), silence)
	})
}

// TestSilentServer has a full pool whose server takes connections and answers on none. What has a deadline ends by then, Ready says no in
// seconds, and the pool works as soon as new connections do.
func TestSilentServer(t *testing.T) {
	const conns = 3
	t.Parallel()
	eachServer(t, conns, func(t *testing.T, g *gorm.DB, silence *dbtest.Silence) {
		t.Parallel() // it waits, on a database of its own
		silence.Fall()
		for range 3 { // first on the old connections, then on new ones
			var all sync.WaitGroup
			for range 4 * conns {
				all.Go(func() {
					ctx, cancel := context.WithTimeout(ctx, time.Second)
					defer cancel()
					if err := g.WithContext(ctx).Exec("SELECT 1").Error; err == nil {
						t.Error("an answer")
					}
				})
			}
			all.Wait()
		}
		bounded, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		var refused *apperr.Error
		if err := db.Ready(bounded, g, "customers"); bounded.Err() != nil || !errors.As(err, &refused) || refused.Code != apperr.Unavailable {
			t.Errorf("ready: %v", err)
		}
		silence.End()
		bounded, cancel = context.WithTimeout(ctx, soon)
		defer cancel()
		for db.Ready(bounded, g, "customers") != nil {
			if bounded.Err() != nil {
				t.Fatal("the pool does not work again")
			}
		}
	})
}

// TestEveryEndsARoundThatHangs has rounds of background work whose statements get no answer, alone and while leading.
func TestEveryEndsARoundThatHangs(t *testing.T) {
	t.Cleanup(db.SetRoundTimeout(time.Second))
	eachServer(t, 10, func(t *testing.T, g *gorm.DB, silence *dbtest.Silence) {
		works := map[string]func(ctx context.Context) error{
			"alone": func(ctx context.Context) error { return g.WithContext(ctx).Exec("SELECT 1").Error },
			"lead": func(ctx context.Context) error {
				_, err := db.Lead(ctx, g, "rounds", func(ctx context.Context) error { return g.WithContext(ctx).Exec("SELECT 1").Error })
				return err
			},
		}
		for name, work := range works {
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(ctx, soon)
				defer cancel()
				fine, failed := 0, 0
				db.Every(ctx, 10*time.Millisecond, func(ctx context.Context) error {
					err := work(ctx)
					switch {
					case err == nil && failed > 0:
						cancel()
					case err == nil:
						if fine++; fine == 3 {
							silence.Fall()
						}
					}
					return err
				}, func(error) {
					failed++
					silence.End()
				})
				if !errors.Is(ctx.Err(), context.Canceled) {
					t.Errorf("%d rounds that worked, %d that failed, and none that worked again", fine, failed)
				}
			})
		}
	})
}

// TestTableLocksAreAwaitedBriefly has a change of a table behind a transaction that never ends, and a read behind that change: on MySQL
// everything that comes after a waiting change waits with it.
func TestTableLocksAreAwaitedBriefly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		t.Parallel() // it waits, on a database of its own
		var version string
		if g.Name() == db.SQLite {
			return
		}
		if g.Raw("SELECT VERSION()").Scan(&version); strings.Contains(version, "TiDB") {
			return // a change there waits and keeps nobody
		}
		ctx, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		err := db.InTx(ctx, g, func(tx *gorm.DB) error {
			if err := tx.Exec("SELECT COUNT(*) FROM customers").Error; err != nil {
				return err
			}
			var all sync.WaitGroup
			all.Go(func() {
				if err := g.WithContext(ctx).Exec("ALTER TABLE customers ADD COLUMN more INT").Error; !errors.Is(err, db.ErrConflict) {
					t.Errorf("the change: %v", err)
				}
			})
			all.Go(func() {
				for waiting := 0; waiting == 0 && ctx.Err() == nil; {
					g.WithContext(ctx).Raw("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'ALTER TABLE customers%'").Scan(&waiting)
				}
				if err := g.WithContext(ctx).Exec("SELECT COUNT(*) FROM customers").Error; err != nil && !errors.Is(err, db.ErrConflict) {
					t.Errorf("a read behind the change: %v", err)
				}
			})
			all.Wait()
			return ctx.Err()
		})
		if err != nil {
			t.Error(err)
		}
	})
}

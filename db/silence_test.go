package db_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

const soon = 30 * time.Second // a longer wait counts as endless

// eachServer runs test on a migrated database of each engine except SQLite, behind a dbtest.Silence.
func eachServer(t *testing.T, maxConns int, test func(t *testing.T, g *gorm.DB, s *dbtest.Silence)) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("SQLite has no connection to a server")
		}
		c.MaxConns = maxConns
		behind, silence := dbtest.Between(t, c)
		test(t, dbtest.Open(t, behind), silence)
	})
}

// TestSilentServer uses a full pool, with a server that accepts connections but never answers. Statements end
// with their deadline, or with ErrUnavailable when they wait for a new connection. Ready fails within
// seconds, and the pool works again as soon as new connections work.
func TestSilentServer(t *testing.T) {
	const conns = 3
	t.Parallel()
	eachServer(t, conns, func(t *testing.T, g *gorm.DB, silence *dbtest.Silence) {
		t.Parallel() // the test mostly waits, and has its own database
		silence.Fall()
		// The first statements get the open connections of the pool, and later statements need new
		// connections.
		for range 3 {
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
		if err := g.WithContext(bounded).Exec("SELECT 1").Error; !errors.Is(err, db.ErrUnavailable) ||
			errors.Is(err, context.DeadlineExceeded) { // wrong, because bounded has time left
			t.Errorf("a statement without a connection: %v", err)
		}
		if err := db.Ready(bounded, g, "customers"); bounded.Err() != nil || !errors.Is(err, db.ErrUnavailable) {
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

// TestJobRunThatHangsEnds runs a job, exclusive or not, while the database stops answering. The hanging run
// must end, and later runs must succeed.
func TestJobRunThatHangsEnds(t *testing.T) {
	t.Cleanup(db.SetRunTimeout(time.Second))
	eachServer(t, 10, func(t *testing.T, g *gorm.DB, silence *dbtest.Silence) {
		alone := func(ctx context.Context) error { return g.WithContext(ctx).Exec("SELECT 1").Error }
		// RunExclusive also returns nil when a lost connection has the lock, and then it does not call alone.
		exclusive := func(ctx context.Context) error {
			_, err := db.RunExclusive(ctx, g, "runs", alone)
			return err
		}
		for name, work := range map[string]func(ctx context.Context) error{"alone": alone, "exclusive": exclusive} {
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(ctx, soon)
				defer cancel()
				fine := 0
				failed := &errorCounter{Handler: slog.DiscardHandler, then: silence.End}
				run := func(ctx context.Context) (int, error) {
					err := work(ctx)
					switch {
					case err == nil && failed.count > 0:
						cancel()
					case err == nil:
						if fine++; fine == 3 {
							silence.Fall()
						}
					}
					return 0, err
				}
				job := db.Job{Name: "as tested", Interval: 10 * time.Millisecond, Run: run}
				db.RunJobs(ctx, g, slog.New(failed), job)
				if !errors.Is(ctx.Err(), context.Canceled) {
					t.Errorf("%d runs worked, %d failed, and none worked again", fine, failed.count)
				}
			})
		}
	})
}

// errorCounter counts log lines of level ERROR.
type errorCounter struct {
	slog.Handler
	count int
	then  func()
}

func (*errorCounter) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

func (c *errorCounter) WithAttrs([]slog.Attr) slog.Handler { return c }

func (c *errorCounter) Handle(context.Context, slog.Record) error {
	c.count++
	c.then()
	return nil
}

// TestTableLocksAreAwaitedBriefly runs ALTER TABLE, and then a read, while an endless transaction uses the
// table. On MySQL, all later statements wait for the waiting ALTER TABLE, so its wait must be short.
func TestTableLocksAreAwaitedBriefly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		t.Parallel() // the test mostly waits, and has its own database
		if g.Name() == db.SQLite || dbtest.IsTiDB(g) {
			return // on TiDB, a waiting ALTER TABLE blocks no other statement
		}
		ctx, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		err := db.InTx(ctx, g, func(tx *gorm.DB) error {
			if err := tx.Exec("SELECT COUNT(*) FROM customers").Error; err != nil {
				return err
			}
			var all sync.WaitGroup
			all.Go(func() {
				err := g.WithContext(ctx).Exec("ALTER TABLE customers ADD COLUMN more INT").Error
				if !errors.Is(err, db.ErrConflict) {
					t.Errorf("ALTER TABLE: %v", err)
				}
			})
			all.Go(func() {
				for waiting := 0; waiting == 0 && ctx.Err() == nil; {
					g.WithContext(ctx).Raw(`SELECT COUNT(*) FROM information_schema.processlist
						WHERE info LIKE 'ALTER TABLE customers%'`).Scan(&waiting)
				}
				if err := g.WithContext(ctx).Exec("SELECT COUNT(*) FROM customers").Error; err != nil &&
					!errors.Is(err, db.ErrConflict) {
					t.Errorf("a read after ALTER TABLE: %v", err)
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

package system_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/web/webtest"
)

// TestFrozenSequencer freezes a process within the transaction that gives positions to events. Another
// process must go on once the database server has closed the connection of the frozen process. When the
// frozen process thaws, it must give no position a second time, and must sequence later events.
func TestFrozenSequencer(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 20 seconds on each engine")
	}
	t.Parallel()
	const bound = 40 * time.Second // twice the 20 s of wait_timeout, for busy machines
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		t.Parallel() // the test mostly waits, and has its own database
		if c.Driver == db.SQLite {
			t.Skip("on SQLite, a frozen writer holds the lock of the file")
		}
		g := dbtest.Open(t, c)
		env := append(environment(c), "PORT=0")
		frozen := start(t, env, "events")
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var writing sync.WaitGroup
		writing.Go(func() {
			for ctx.Err() == nil {
				change(t, g)
			}
		})
		until(t, "the process is frozen within its transaction", func() bool {
			if !held(ctx, g, 0) {
				return false
			}
			tell(t, frozen, syscall.SIGSTOP)
			if held(ctx, g, time.Second) { // the lock stays, so the process has not sent COMMIT
				return true
			}
			tell(t, frozen, syscall.SIGCONT)
			return false
		})
		began := time.Now()
		stop()
		writing.Wait()
		other := start(t, env, "events")
		until(t, "another process goes on", func() bool { return unsequenced(t, g) == 0 })
		took := time.Since(began)
		if took > bound {
			t.Errorf("another process goes on after %s", took)
		}
		t.Logf("another process goes on after %s", took.Round(time.Millisecond))
		other.kill()
		tell(t, frozen, syscall.SIGCONT)
		change(t, g)
		until(t, "the thawed process goes on", func() bool { return unsequenced(t, g) == 0 })
		checks, err := doctor.Examine(t.Context(), g, events.Rules())
		if err != nil || !doctor.Healthy(checks) {
			var table strings.Builder
			doctor.Print(&table, checks)
			t.Errorf("%v\n%s", err, &table)
		}
	})
}

// TestFrozenSender freezes a process during an attempt to send an event to a webhook endpoint. Another
// process must send the event once the lease of the frozen process has ended. When the frozen process thaws,
// it must not send this event again, and must send the next event.
func TestFrozenSender(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes ten seconds on each engine")
	}
	t.Parallel()
	const bound = 40 * time.Second // four times the lease, for busy machines
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		t.Parallel() // the test mostly waits, and has its own database
		if c.Driver == db.SQLite {
			t.Skip("on SQLite, a frozen process may hold the lock of the file")
		}
		arrived, release := make(chan string, 100), make(chan struct{})
		var holding atomic.Bool
		holding.Store(true)
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			arrived <- r.Header.Get("webhook-id")
			if holding.Load() {
				<-release
			}
		}))
		defer receiver.Close()
		thaw := sync.OnceFunc(func() { close(release) })
		defer thaw()
		g := dbtest.Open(t, c)
		env := append(environment(c), "PORT=0")
		frozen := start(t, env, "events")
		endpoint := fmt.Sprintf(`{"url":%q}`, receiver.URL)
		status, body, _ := webtest.Do(t, "POST", frozen.events+"/webhook-endpoints", endpoint,
			"Content-Type", "application/json")
		if status != 201 {
			t.Fatalf("%d %s", status, body)
		}
		next := func(what string) (id string) {
			t.Helper()
			select {
			case id = <-arrived:
			case <-time.After(patience):
				t.Fatal(what)
			}
			return id
		}
		change(t, g)
		first := next("the event is not sent")
		tell(t, frozen, syscall.SIGSTOP)
		defer tell(t, frozen, syscall.SIGCONT)
		holding.Store(false)
		began := time.Now()
		other := start(t, env, "events")
		if again := next("no other process sends the event"); again != first {
			t.Errorf("%s was sent, want %s", again, first)
		}
		if took := time.Since(began); took > bound {
			t.Errorf("another process sends the event after %s", took)
		}
		position := func() (n int64) {
			if err := g.Raw("SELECT position FROM webhook_endpoints").Scan(&n).Error; err != nil {
				t.Fatal(err)
			}
			return n
		}
		until(t, "the event is delivered", func() bool { return position() == 1 })
		other.kill()
		tell(t, frozen, syscall.SIGCONT)
		thaw()
		change(t, g)
		if second := next("the thawed process does not go on"); second == first {
			t.Errorf("%s was sent a third time", second)
		}
		until(t, "the second event is delivered", func() bool { return position() == 2 })
	})
}

// held reports whether another transaction keeps the counter of all events locked for the time wait, which
// must be 0 or a second.
func held(ctx context.Context, g *gorm.DB, wait time.Duration) bool {
	err := db.TryTx(ctx, g, func(tx *gorm.DB) error {
		const lock = "SELECT last_position FROM event_positions WHERE customer_id = 0 FOR UPDATE"
		if wait == 0 {
			return tx.Exec(lock + " NOWAIT").Error
		}
		return tx.Exec(lock).Error // waits for a second: innodb_lock_wait_timeout
	})
	return errors.Is(err, db.ErrLocked)
}

// change records an event.
func change(t *testing.T, g *gorm.DB) {
	t.Helper()
	err := db.InReservedTx(t.Context(), g, func(tx *gorm.DB) error {
		e := history.Event{Type: "product.updated", Subject: "product", SubjectID: 1, CreatedAt: time.Now().UTC()}
		return history.Append(tx, history.Origin{Actor: "test"}, e)
	})
	if err != nil {
		t.Error(err)
	}
}

func unsequenced(t *testing.T, g *gorm.DB) (n int64) {
	t.Helper()
	if err := g.Raw("SELECT COUNT(*) FROM events WHERE position IS NULL").Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func tell(t *testing.T, p *process, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

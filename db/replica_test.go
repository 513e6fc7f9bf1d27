package db_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// eachReplica runs test on a migrated database of each engine except SQLite. The replica is the same server,
// behind a dbtest.Silence: it has every change at once.
func eachReplica(t *testing.T, test func(t *testing.T, g *gorm.DB, s *dbtest.Silence)) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("SQLite has no replicas")
		}
		behind, silence := dbtest.Between(t, c)
		c.ReadHost, c.ReadPort, c.ReadMaxLag = behind.Host, behind.Port, time.Hour
		g := dbtest.Open(t, c)
		t.Cleanup(db.WatchReplica(g, slog.New(slog.DiscardHandler)))
		test(t, g, silence)
	})
}

// waitForReplica waits until the replica has the state.
func waitForReplica(t *testing.T, g *gorm.DB, want db.ReplicaState) {
	t.Helper()
	for until := time.Now().Add(soon); db.StateOfReplica(g) != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("the replica is %q, and not %q", db.StateOfReplica(g), want)
		}
	}
}

// TestReadLagging reads from a replica. A read that fails there is repeated on the primary, and the replica
// refuses writes.
func TestReadLagging(t *testing.T) {
	t.Parallel()
	eachReplica(t, func(t *testing.T, g *gorm.DB, _ *dbtest.Silence) {
		waitForReplica(t, g, db.ReplicaUsed)
		var beats int64
		age, err := db.ReadLagging(ctx, g, func(q *gorm.DB) error {
			return q.Table("replica_beats").Count(&beats).Error
		})
		if err != nil || age <= 0 || age > time.Hour || beats != 1 {
			t.Errorf("%d beats, of the age %v: %v", beats, age, err)
		}
		calls := 0
		age, err = db.ReadLagging(ctx, g, func(q *gorm.DB) error {
			calls++
			return q.Table("customers").Take(&map[string]any{}).Error
		})
		if !errors.Is(err, gorm.ErrRecordNotFound) || age != 0 || calls != 2 {
			t.Errorf("%d calls, age %v: %v", calls, age, err)
		}
		if dbtest.IsTiDB(g) {
			return // TiDB does not know read-only sessions
		}
		_, err = db.ReadLagging(ctx, g, func(q *gorm.DB) error {
			write := "REPLACE INTO replica_beats (process, running_ms, updated_at) VALUES ('other', 0, '2024-01-01')"
			if err := q.Exec(write).Error; !errors.Is(err, db.ErrUnavailable) {
				t.Errorf("a write: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestReplicaFallsSilent lets a replica stop answering during a read. The read must end, and be repeated on
// the primary. Later reads must not try the replica until it answers again.
func TestReplicaFallsSilent(t *testing.T) {
	t.Parallel()
	eachReplica(t, func(t *testing.T, g *gorm.DB, silence *dbtest.Silence) {
		waitForReplica(t, g, db.ReplicaUsed)
		bounded, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		// The first read tries the replica and then the primary. The second read tries only the primary.
		for _, want := range []int{2, 1} {
			tried := 0
			age, err := db.ReadLagging(bounded, g, func(q *gorm.DB) error {
				tried++
				silence.Fall()
				return q.Exec("SELECT 1").Error
			})
			if err != nil || age != 0 || tried != want {
				t.Errorf("%d servers, age %v: %v", tried, age, err)
			}
		}
		if state := db.StateOfReplica(g); state != db.ReplicaAway {
			t.Errorf("the replica is %q", state)
		}
		silence.End()
		waitForReplica(t, g, db.ReplicaUsed)
	})
}

// TestReplicaOfAnotherDatabase uses another database with the same schema, such as a clone, in place of the
// replica. That database must never be read, and the log must say why.
func TestReplicaOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("SQLite has no replicas")
		}
		c.ReadHost, c.ReadPort, c.ReadMaxLag = c.Host, c.Port, time.Hour
		g := dbtest.Open(t, c)
		clone := c
		clone.Name += "_clone"
		if err := g.Exec("CREATE DATABASE " + clone.Name).Error; err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { g.Exec("DROP DATABASE " + clone.Name) })
		db.SetReplica(g, dbtest.Open(t, clone))
		lines := make(lineWriter, 10)
		t.Cleanup(db.WatchReplica(g, slog.New(slog.NewTextHandler(lines, nil))))
		select {
		case line := <-lines:
			if !strings.Contains(line, "copies another database") || db.StateOfReplica(g) != db.ReplicaAway {
				t.Errorf("the replica is %q: %s", db.StateOfReplica(g), line)
			}
		case <-time.After(soon):
			t.Error("no line in the log")
		}
	})
}

// lineWriter is the output of a log. It sends each line to the channel.
type lineWriter chan string

func (w lineWriter) Write(line []byte) (int, error) {
	w <- string(line)
	return len(line), nil
}

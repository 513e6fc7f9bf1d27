package events_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/events"
)

// TestExpiredKeysAreDeleted runs the background jobs of the Events service. The jobs must delete the expired
// keys of the service, but no valid keys, and no keys of other services. They must also delete an old event,
// and no young event.
func TestExpiredKeysAreDeleted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{Retention: 48 * time.Hour})
		for _, row := range []struct {
			operation, key string
			age            time.Duration
		}{
			{"createWebhookEndpoint", "old", time.Second},
			{"createWebhookEndpoint", "young", -time.Hour},
			{"createOrder", "old", time.Second},
		} {
			const insert = `
				INSERT INTO idempotency_keys (caller, operation, idempotency_key, request_hash, expires_at)
				VALUES ('a', ?, ?, ?, ?)`
			must(t, g.Exec(insert, row.operation, row.key, make([]byte, 32), db.Now(g, -row.age)).Error)
		}
		old := event(1, 10, 0)
		old.CreatedAt = old.CreatedAt.Add(-72 * time.Hour)
		s.record(t, nil, old, event(1, 11, 0))
		s.sequence(t)
		s.age(t)
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		var work sync.WaitGroup
		work.Go(func() { db.RunJobs(ctx, g, slog.New(slog.DiscardHandler), s.Jobs()...) })
		var keys []string
		var subjects []int64
		for (len(keys) != 2 || len(subjects) != 1) && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
			const name = "CONCAT(operation, ' ', idempotency_key)"
			g.Table("idempotency_keys").Order("operation").Pluck(name, &keys)
			g.Table("events").Pluck("subject_id", &subjects)
		}
		cancel()
		work.Wait()
		if !slices.Equal(keys, []string{"createOrder old", "createWebhookEndpoint young"}) {
			t.Errorf("the keys %q are left", keys)
		}
		if !slices.Equal(subjects, []int64{11}) {
			t.Errorf("the events of %v are left", subjects)
		}
	})
}

package customers_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// TestExpiredKeysAreDeleted runs the background jobs of the Customers service. The jobs must delete the
// expired keys of the service, but no valid keys, and no keys of other services.
func TestExpiredKeysAreDeleted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		for _, row := range []struct {
			operation, key string
			age            time.Duration
		}{
			{"createCustomer", "old", time.Second},
			{"createCustomer", "young", -time.Hour},
			{"createOrder", "old", time.Second},
		} {
			const insert = `
				INSERT INTO idempotency_keys (caller, operation, idempotency_key, request_hash, expires_at)
				VALUES ('a', ?, ?, ?, ?)`
			err := g.Exec(insert, row.operation, row.key, make([]byte, 32), db.Now(g, -row.age)).Error
			if err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			db.RunJobs(ctx, g, slog.New(slog.DiscardHandler), customers.New(g, time.Hour).Jobs()...)
		}()
		var left []string
		for len(left) != 2 && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
			g.Table("idempotency_keys").Order("operation").Pluck("CONCAT(operation, ' ', idempotency_key)", &left)
		}
		cancel()
		<-ended
		if len(left) != 2 || left[0] != "createCustomer young" || left[1] != "createOrder old" {
			t.Errorf("left are %q", left)
		}
	})
}

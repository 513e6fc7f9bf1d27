package orders

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"example.com/b2b/db"
	"example.com/b2b/internal/auth"
)

// sweepPause is how long an expired reservation or key may stay, give or take a fifth.
const sweepPause = 5 * time.Second

// Run ends expired reservations, deletes expired idempotency keys, and keeps what lists find by until ctx ends. Of several instances on
// one MySQL database one works at a time.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	var group sync.WaitGroup
	group.Go(func() { s.index(ctx, log) })
	defer group.Wait()
	db.Every(ctx, sweepPause, func(ctx context.Context) error {
		return s.lead(ctx, "orders sweep", func(ctx context.Context) error { return s.sweep(ctx, log) })
	}, func(err error) { log.Error("the sweep failed and will be tried again", "error", err) })
}

func (s *Service) sweep(ctx context.Context, log *slog.Logger) error {
	expired, err := s.ExpireReservations(ctx)
	purged, purgeErr := s.PurgeKeys(ctx)
	_, blockErr := s.NoteBlocks(ctx)
	if expired > 0 || purged > 0 {
		log.Info("swept", "expired_reservations", expired, "purged_keys", purged)
	}
	return errors.Join(err, purgeErr, blockErr)
}

// expiryBatch bounds the orders that one transaction of ExpireReservations holds.
const expiryBatch = 200

// ExpireReservations cancels the orders that have been CREATED for longer than the reservation lasts, gives their stock back,
// and returns how many it canceled. Any number of instances may run it at once: each locks the orders that it cancels.
func (s *Service) ExpireReservations(ctx context.Context) (int, error) {
	if s.Reservation == 0 {
		return 0, nil
	}
	ctx = auth.With(ctx, auth.System)
	for total := 0; ; {
		var found, expired int
		err := s.change(ctx, func(tx store) (err error) {
			found, expired, err = s.expireSome(tx)
			return err
		})
		total += expired
		if err != nil || found < expiryBatch {
			return total, err
		}
	}
}

// expireSome cancels a batch of the reservations that expired first, and returns how many it found and how many it canceled: another
// sweep, a confirm or a cancel may be faster.
func (s *Service) expireSome(tx store) (found, expired int, err error) {
	ids, err := tx.expired(s.Reservation, expiryBatch)
	if err != nil || len(ids) == 0 {
		return 0, 0, err
	}
	locked, err := tx.lockOrders("id IN ? AND status = ?", ids, created)
	if err != nil || locked == nil {
		return len(ids), 0, err
	}
	shelf, steps := newShelf(), make([]step, len(locked))
	for i, o := range locked {
		cancellation{Reason: reservationExpired}.cancel(o, shelf)
		steps[i] = step{order: o, to: canceled}
	}
	if err := tx.moveStock(shelf); err != nil {
		return 0, 0, err
	}
	return len(ids), len(locked), tx.transition(steps...)
}

// PurgeKeys deletes the idempotency keys that have expired, and returns how many.
func (s *Service) PurgeKeys(ctx context.Context) (int64, error) { return s.keys.Purge(ctx) }

package orders

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/b2b/db"
	"example.com/b2b/internal/batch"
)

// sweepPause is how long an expired reservation or key may stay, give or take a fifth.
const sweepPause = 5 * time.Second

// Run ends expired reservations, deletes expired idempotency keys, and keeps what lists find by until ctx
// ends. Of several instances on one MySQL database one works at a time.
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

const (
	expiryBatch = 200             // orders that ExpireReservations cancels at once
	expiryWait  = 2 * time.Second // for rows that other transactions hold
)

// ExpireReservations cancels the orders that have been CREATED for longer than the reservation lasts, gives
// their stock back, and returns how many it canceled. Orders whose rows other transactions hold are left for
// the next time. Any number of instances may run it at once.
func (s *Service) ExpireReservations(ctx context.Context) (total int, err error) {
	if s.Reservation == 0 {
		return 0, nil
	}
	ctx = asSystem(ctx)
	for left := 0; ; {
		ids, err := s.db.Read(ctx).expired(s.Reservation, left, expiryBatch)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		expired, held, err := s.expire(ctx, ids)
		total, left = total+expired, left+held
		if err != nil || len(ids) < expiryBatch {
			return total, err
		}
	}
}

// expire cancels those of the orders that are still CREATED. It returns how many it canceled, and how many
// are held.
func (s *Service) expire(ctx context.Context, ids []int64) (expired, held int, err error) {
	patient, cancel := context.WithTimeout(ctx, expiryWait)
	defer cancel()
	var done, waiting atomic.Int64
	var all errgroup.Group
	for _, id := range ids {
		all.Go(func() error {
			_, err := s.submit(patient, &cancelCommand{submission{orderID: id}, reservationExpired, nil})
			switch {
			case err == nil:
				done.Add(1)
			case errors.Is(err, batch.ErrHeld), patient.Err() != nil:
				waiting.Add(1)
				return ctx.Err()
			case !errors.Is(err, errNotReserved):
				return err
			}
			return nil
		})
	}
	err = all.Wait()
	return int(done.Load()), int(waiting.Load()), err
}

// errNotReserved says that an order is not CREATED any more: another sweep, a confirm or a cancel was faster.
// No caller sees it.
var errNotReserved = errors.New("the order has no reservation")

// PurgeKeys deletes the idempotency keys that have expired, and returns how many.
func (s *Service) PurgeKeys(ctx context.Context) (int64, error) { return s.db.Keys.Purge(ctx) }

package orders

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/batch"
)

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
	ctx = auth.With(ctx, auth.System)
	for left := 0; ; {
		ids, err := s.read(ctx).expired(s.Reservation, left, expiryBatch)
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
			_, err := s.submit(patient, &command{to: canceled, id: id, why: cancellation{Reason: reservationExpired}})
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

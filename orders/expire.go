package orders

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/b2b/v2/internal/batch"
)

const (
	expiryBatch = 200             // orders to cancel at once
	expiryWait  = 2 * time.Second // time limit for canceling these orders, including waits for held rows
)

// ExpireReservations cancels the orders that have been CREATED for at least the time Reservation, gives their
// stock back, and returns the number of canceled orders. When another transaction holds a row that an order
// needs, the next call expires the order. Several processes may call ExpireReservations at once.
func (s *Service) ExpireReservations(ctx context.Context) (total int, err error) {
	if s.Reservation == 0 {
		return 0, nil
	}
	ctx = asSystem(ctx)
	for skipped := 0; ; {
		ids, err := s.db.Read(ctx).expired(s.Reservation, skipped, expiryBatch)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		expired, held, err := s.expire(ctx, ids)
		total, skipped = total+expired, skipped+held
		if err != nil || len(ids) < expiryBatch {
			return total, err
		}
	}
}

// expiryLag returns how long ago the reservation of the oldest CREATED order ended, or 0 when no reservation
// has ended.
func (s *Service) expiryLag(ctx context.Context) (time.Duration, error) {
	if s.Reservation == 0 {
		return 0, nil
	}
	return s.db.Read(asSystem(ctx)).expiryAge(s.Reservation)
}

// expire cancels each of the orders with the given ids that is still CREATED, and returns the numbers of
// canceled and skipped orders. It skips an order when another transaction holds a needed row, or when
// expiryWait is over.
func (s *Service) expire(ctx context.Context, ids []int64) (expired, held int, err error) {
	limited, cancel := context.WithTimeout(ctx, expiryWait)
	defer cancel()
	var canceledNow, heldNow atomic.Int64
	var all errgroup.Group
	for _, id := range ids {
		all.Go(func() error {
			c := &cancelCommand{submission{orderID: id}, reservationExpired, nil}
			_, err := s.submit(limited, c)
			switch {
			case err == nil:
				canceledNow.Add(1)
			case errors.Is(err, batch.ErrHeld), limited.Err() != nil:
				heldNow.Add(1)
				return ctx.Err()
			case !errors.Is(err, errNotReserved):
				return err
			}
			return nil
		})
	}
	err = all.Wait()
	return int(canceledNow.Load()), int(heldNow.Load()), err
}

// errNotReserved says that a reservation cannot expire, because the order is no longer CREATED: somebody has
// confirmed or canceled the order, or another process has expired the reservation. Only the method expire
// gets this error.
var errNotReserved = errors.New("the order has no reservation")

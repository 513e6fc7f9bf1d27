package events

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/history"
)

// event is a row of the table events with its place in the feed.
type event struct {
	history.Event    `gorm:"embedded"`
	Position         *int64 // among all events; nil until the event is sequenced
	CustomerPosition *int64 // among the customer's events; nil without a customer
}

// counter is a row of the table event_positions: the last position in the feed of a customer. Customer 0
// stands for the feed of all events.
type counter struct {
	CustomerID     int64 `gorm:"primaryKey;autoIncrement:false"`
	LastPosition   int64
	PrunedPosition int64 // the position up to which the events were deleted
}

// TableName implements gorm's Tabler.
func (counter) TableName() string { return "event_positions" }

const (
	pause     = 50 * time.Millisecond // pause between two looks for new events
	term      = 10 * time.Second      // length of a run of Sequence; the job is measured between runs
	batchSize = 1000                  // events that a transaction sequences
)

// Sequence gives positions to committed events as they come, for ten seconds, and returns the number of these
// events. Events commit out of the order of their ids, so positions follow the order in which Sequence finds
// the events, not the ids.
func (s *Service) Sequence(ctx context.Context) (total int, err error) {
	over := time.After(term)
	for {
		n, err := s.SequenceBatch(ctx)
		total += n
		if err != nil {
			return total, err
		}
		if n == batchSize {
			continue
		}
		select {
		case <-time.After(pause):
		case <-over:
			return total, nil
		case <-ctx.Done():
			return total, nil
		}
	}
}

// SequenceBatch gives positions to at most 1,000 events, in one transaction, and returns the number of
// events. It does nothing while another process sequences events. No number is given twice or left out, even
// by several processes at once: counters change only under the lock of the counter of all events, with the
// events that they count.
func (s *Service) SequenceBatch(ctx context.Context) (n int, err error) {
	if found, err := s.db.Read(ctx).hasNew(); err != nil || !found {
		return 0, err
	}
	err = s.db.ChangeReserved(ctx, func(tx store) error {
		n = 0
		all, err := tx.lockCounter(0)
		if errors.Is(err, db.ErrLocked) {
			return nil
		} else if err != nil {
			return err
		}
		events, err := tx.newEvents(batchSize)
		if err != nil || len(events) == 0 {
			return err
		}
		counters, err := tx.number(all.LastPosition, events)
		if err != nil {
			return err
		}
		placed, err := tx.place(events)
		if err == nil && placed != int64(len(events)) {
			err = fmt.Errorf("only %d of %d events had no position: %w", placed, len(events), db.ErrConflict)
		}
		if err != nil {
			return err
		}
		n = len(events)
		return tx.count("last_position", counters)
	})
	if err != nil {
		return 0, err
	}
	if n > 0 {
		s.waiters.nudge()
	}
	return n, nil
}

// number sets the positions of events, and returns the new counters. The parameter last is the last position
// among all events.
func (s store) number(last int64, events []*event) ([]counter, error) {
	var customers []int64
	seen := map[int64]bool{}
	for _, e := range events {
		if e.CustomerID != nil && !seen[*e.CustomerID] {
			seen[*e.CustomerID] = true
			customers = append(customers, *e.CustomerID)
		}
	}
	lastOf, err := s.counters(customers)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		last++
		e.Position = new(last)
		if c := e.CustomerID; c != nil {
			lastOf[*c]++
			e.CustomerPosition = new(lastOf[*c])
		}
	}
	counters := []counter{{CustomerID: 0, LastPosition: last}}
	for _, c := range customers {
		counters = append(counters, counter{CustomerID: c, LastPosition: lastOf[c]})
	}
	return counters, nil
}

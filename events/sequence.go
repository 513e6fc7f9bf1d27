package events

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/history"
)

// event is a row of the table events with its place in the feed.
type event struct {
	history.Event    `gorm:"embedded"`
	Position         *int64 // position among all events; nil until the event is sequenced
	CustomerPosition *int64 // position among the customer's events; nil without a customer
}

// counter is a row of the table event_positions: the last position in the feed of a customer. Customer 0
// stands for the feed of all events.
type counter struct {
	CustomerID     int64 `gorm:"primaryKey;autoIncrement:false"`
	LastPosition   int64 // last position of the events that readers may see
	PrunedPosition int64 // the position up to which the events were deleted
}

// TableName implements gorm's Tabler.
func (counter) TableName() string { return "event_positions" }

const (
	pause     = 50 * time.Millisecond // pause between two looks for new events
	term      = 10 * time.Second      // time of a run; RunJobs sets the metrics of the job after each run
	batchSize = 1000                  // largest number of events that a transaction sequences
)

// Sequence gives positions to committed events as they come, for ten seconds, and returns the number of these
// events. The positions follow the order in which Sequence finds the events, and not the order of ids,
// because transactions do not commit in the order of ids.
func (s *Service) Sequence(ctx context.Context) (total int, err error) {
	over := time.After(term)
	for {
		n, err := s.SequenceBatch(ctx)
		total += n
		if err != nil {
			return total, err
		}
		wait := pause
		if n == batchSize {
			wait = 0
		}
		select {
		case <-time.After(wait):
		case <-over:
			return total, nil
		case <-ctx.Done():
			return total, nil
		}
	}
}

// SequenceBatch gives positions to at most 1,000 events, shows these events to readers, and returns their
// number. It does nothing while another process sequences events. No position is given twice or left out,
// even by several processes at once: the positions are given under the lock of the counter of all events, and
// continue after the last position that readers see.
//
// Readers see events up to the last position of the counters. A second transaction changes the counters, when
// the positions are on the disk. With a single transaction, MariaDB would show positions to readers before
// they are on the disk, and after a crash other events could get the same positions. If a crash undoes the
// change of the counters, the counters change again before any new position is given. On SQLite a single
// transaction is enough: see hidesUnsynced.
func (s *Service) SequenceBatch(ctx context.Context) (n int, err error) {
	if found, err := s.db.Read(ctx).hasWork(); err != nil || !found {
		return 0, err
	}
	var events []*event
	err = s.db.ChangeReserved(ctx, func(tx store) (err error) {
		n = 0
		if events, err = tx.number(); err == nil && len(events) > 0 && tx.hidesUnsynced() {
			n, err = tx.show(events)
		}
		return err
	})
	if err != nil || len(events) == 0 {
		return 0, err
	}
	if n == 0 {
		err = s.db.ChangeReserved(ctx, func(tx store) (err error) {
			n, err = tx.show(events)
			return err
		})
	}
	if err != nil {
		return 0, err
	}
	if n > 0 {
		s.waiters.nudge()
	}
	return n, nil
}

// number gives positions to new events, and returns these events. If a process has ended before it showed its
// events, number returns the events of that process instead. It returns no events when there is nothing to
// do, and while another process sequences events.
func (s store) number() (events []*event, err error) {
	all, err := s.lockCounter(0)
	if errors.Is(err, db.ErrLocked) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if events, err = s.unshown(all.LastPosition); err != nil {
		return nil, err
	} else if len(events) > 0 {
		return events, s.flush(all) // the positions may not be on the disk yet
	}
	events, err = s.newEvents(batchSize)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	if err := s.continueFrom(all.LastPosition, events); err != nil {
		return nil, err
	}
	placed, err := s.place(events)
	if err == nil && placed != int64(len(events)) {
		err = fmt.Errorf("only %d of %d events had no position: %w", placed, len(events), db.ErrConflict)
	}
	return events, err
}

// continueFrom sets the positions of events. They continue after last, the last position among all events.
func (s store) continueFrom(last int64, events []*event) error {
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
		return err
	}
	for _, e := range events {
		last++
		e.Position = new(last)
		if c := e.CustomerID; c != nil {
			lastOf[*c]++
			e.CustomerPosition = new(lastOf[*c])
		}
	}
	return nil
}

// show lets readers see the events that number has returned, and returns their number. Call show when the
// positions are on the disk. show does nothing in two cases. Either another process sequences events, or the
// events do not follow the last position that readers see: then another process has shown them, or a crash
// has undone a change of the counters, and the next call of number begins again.
func (s store) show(events []*event) (n int, err error) {
	all, err := s.lockCounter(0)
	if errors.Is(err, db.ErrLocked) || err == nil && *events[0].Position != all.LastPosition+1 {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	lastOf := map[int64]int64{}
	for _, e := range events {
		lastOf[0] = *e.Position
		if e.CustomerID != nil {
			lastOf[*e.CustomerID] = *e.CustomerPosition
		}
	}
	var counters []counter
	for _, c := range slices.Sorted(maps.Keys(lastOf)) {
		counters = append(counters, counter{CustomerID: c, LastPosition: lastOf[c]})
	}
	return len(events), s.count("last_position", counters)
}

package events

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/service"
)

// store runs the queries of this package on behalf of a caller. TestOnlyStoreUsesDatabase checks that only
// this file and tenancy.go use the field DB; all other files begin their queries in tenancy.go.
type store struct{ service.Store }

// unplaced begins a query for the events without a position, of all customers.
func (s store) unplaced() *gorm.DB { return s.DB.Model(&event{}).Where("position IS NULL") }

// unsequenced counts the events without a position: see db.CountDue.
func (s *Service) unsequenced(ctx context.Context) (int64, error) {
	return db.CountDue(s.db.Read(ctx).unplaced())
}

// sequencingLag returns the age of the oldest event without a position.
func (s *Service) sequencingLag(ctx context.Context) (time.Duration, error) {
	return db.Age(s.db.Read(ctx).unplaced(), "created_at")
}

// hasNew reports whether there is an event without a position.
func (s store) hasNew() (bool, error) {
	var ids []int64
	err := s.unplaced().Limit(1).Pluck("id", &ids).Error
	return len(ids) > 0, err
}

// news implements the type news.
func (s *Service) news(ctx context.Context, after int64) (last int64, customers []int64, err error) {
	q := s.db.Read(ctx).DB
	var all counter
	if err := q.Where("customer_id = ?", 0).Limit(1).Find(&all).Error; err != nil {
		return 0, nil, err
	}
	if last = all.LastPosition; after >= 0 && last > after {
		err = q.Model(&event{}).Where("position > ? AND position <= ? AND customer_id IS NOT NULL", after, last).
			Distinct().Pluck("customer_id", &customers).Error
	}
	return last, customers, err
}

// lockCounter locks the counter of all events until the transaction ends, and returns the counter. The error
// is db.ErrLocked when another transaction holds the lock for longer than the time wait.
func (s store) lockCounter(wait time.Duration) (all counter, err error) {
	lock := func() error { return db.ForUpdateWithin(s.DB, wait).Where("customer_id = ?", 0).Take(&all).Error }
	if err = lock(); !service.IsNotFound(err) {
		return all, err
	}
	first := clause.OnConflict{DoNothing: true} // the first events of the database
	if err = s.DB.Clauses(first).Create(&counter{}).Error; err == nil {
		err = lock()
	}
	return all, err
}

// newEvents reads events without a position, the first of each subject before its later events. It reads only
// the columns for positions.
func (s store) newEvents(limit int) (events []*event, err error) {
	order := "id" // ascends with the changes of a subject, because the changes wait for each other
	if !db.AscendingIDs(s.DB) {
		order = "created_at, id"
	}
	err = s.unplaced().Select("id", "customer_id").Order(order).Limit(limit).Find(&events).Error
	return events, err
}

// counters reads the counters of customers, by customer. Customers without an event have none.
func (s store) counters(customers []int64) (map[int64]int64, error) {
	var found []counter
	err := s.DB.Where("customer_id IN ?", customers).Find(&found).Error
	last := make(map[int64]int64, len(customers))
	for _, c := range found {
		last[c.CustomerID] = c.LastPosition
	}
	return last, err
}

// place writes the positions of events. It returns the number of events that had no position before.
func (s store) place(events []*event) (n int64, err error) {
	for len(events) > 0 && err == nil {
		some := events[:min(len(events), 100)] // a CASE of n rows takes the server n² steps
		events = events[len(some):]
		placed, failed := db.UpdateEach(s.unplaced(), some, "position", "customer_position")
		n, err = n+placed, failed
	}
	return n, err
}

// count writes a column of counters.
func (s store) count(column string, counters []counter) error {
	return s.DB.Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "customer_id"}}, DoUpdates: clause.AssignmentColumns([]string{column}),
	}).Create(&counters).Error
}

// oldEvent is the part of an event that prune reads.
type oldEvent struct {
	ID, Position     int64
	CustomerID       *int64
	CustomerPosition int64
	Old              bool
}

// prune deletes the first events that are older than the time age, at most limit events, and writes into the
// counters that they are deleted. It returns their number.
func (s store) prune(age time.Duration, limit int) (n int, err error) {
	all, err := s.lockCounter(time.Second) // Sequence writes the same counters
	if err != nil {
		return 0, err
	}
	var events []oldEvent
	err = s.DB.Model(&event{}).Where("position > ?", all.PrunedPosition).Order("position").Limit(limit).
		Select("id, position, customer_id, customer_position, created_at < ? AS old", db.Now(s.DB, -age)).
		Find(&events).Error
	if err != nil {
		return 0, err
	}
	var ids []int64
	for _, e := range events {
		if !e.Old {
			break
		}
		ids = append(ids, e.ID)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	latest := s.DB.Model(&event{}).Where("id IN ?", ids).Select("MAX(created_at)")
	err = s.DB.Exec(`UPDATE event_positions SET pruned_until = (?)
		WHERE customer_id = 0 AND (pruned_until IS NULL OR pruned_until < (?))`, latest, latest).Error
	if err == nil {
		err = s.DB.Where("id IN ?", ids).Delete(&event{}).Error
	}
	if err != nil {
		return 0, err
	}
	return len(ids), s.count("pruned_position", prunedCounters(events[:len(ids)]))
}

// pruningLag returns for how long the oldest event should have been deleted.
func (s *Service) pruningLag(ctx context.Context) (time.Duration, error) {
	if s.Retention == 0 {
		return 0, nil
	}
	q := s.db.Read(ctx).DB
	var first []struct{ Since, Now time.Time }
	err := q.Model(&event{}).Where("position > 0").Order("position").Limit(1).
		Select("created_at AS since, ? AS now", db.Now(q, -s.Retention)).Find(&first).Error
	if err != nil || len(first) == 0 {
		return 0, err
	}
	return max(0, first[0].Now.Sub(first[0].Since)), nil
}

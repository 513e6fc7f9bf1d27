package events

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm/clause"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/service"
)

// store runs the queries of this package on behalf of a caller. TestOnlyStoreUsesDatabase checks that only
// this file and tenancy.go use the field DB; all other files begin their queries in tenancy.go.
type store struct{ service.Store }

// unsequenced counts the events without a position: see db.CountDue.
func (s *Service) unsequenced(ctx context.Context) (int64, error) {
	return db.CountDue(s.db.Read(ctx).DB.Model(&event{}).Where("position IS NULL"))
}

// sequencingLag returns the age of the oldest event without a position.
func (s *Service) sequencingLag(ctx context.Context) (time.Duration, error) {
	return db.Age(s.db.Read(ctx).DB.Model(&event{}).Where("position IS NULL"), "created_at")
}

// hasNew reports whether there is an event without a position.
func (s store) hasNew() (bool, error) {
	var ids []int64
	err := s.DB.Model(&event{}).Where("position IS NULL").Limit(1).Pluck("id", &ids).Error
	return len(ids) > 0, err
}

// lockCounter locks the counter of all events until the transaction ends, and returns its value. It returns
// false when another transaction has the lock: it does not wait.
func (s store) lockCounter() (last int64, locked bool, err error) {
	var c counter
	lock := func() error { return db.ForUpdateWithin(s.DB, 0).Where("customer_id = ?", 0).Take(&c).Error }
	err = lock()
	if service.IsNotFound(err) { // the first events of the database
		first := clause.OnConflict{DoNothing: true}
		if err = s.DB.Clauses(first).Create(&counter{}).Error; err == nil {
			err = lock()
		}
	}
	if errors.Is(err, db.ErrLocked) {
		return 0, false, nil
	}
	return c.LastPosition, err == nil, err
}

// newEvents reads events without a position, in ascending order. It reads only the columns for positions.
func (s store) newEvents(limit int) (events []*event, err error) {
	err = s.DB.Select("id", "customer_id").Where("position IS NULL").Order("id").Limit(limit).Find(&events).Error
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

// place writes the positions of events that have none yet. It returns the number of such events.
func (s store) place(events []*event) (n int64, err error) {
	for len(events) > 0 && err == nil {
		some := events[:min(len(events), 100)] // a CASE of n rows takes the server n² steps
		events = events[len(some):]
		placed, failed := db.UpdateEach(s.DB.Model(&event{}).Where("position IS NULL"), some,
			"position", "customer_position")
		n, err = n+placed, failed
	}
	return n, err
}

// count writes counters.
func (s store) count(counters []counter) error {
	return s.DB.Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "customer_id"}}, DoUpdates: clause.AssignmentColumns([]string{"last_position"}),
	}).Select("customer_id", "last_position").Create(&counters).Error
}

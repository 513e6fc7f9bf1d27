package events

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/service"
)

// store runs the queries of this package on behalf of a caller. TestOnlyStoreUsesDatabase checks that only
// this file and tenancy.go use the field DB; all other files begin their queries in tenancy.go.
type store struct{ service.Store }

// migrated returns db.ErrUnavailable while the schema lacks migrations: see db.Migrated.
func (s *Service) migrated(ctx context.Context) error { return db.Migrated(ctx, s.db.DB) }

// unplaced begins a query for the events without a position, of all customers.
func (s store) unplaced() *gorm.DB { return s.DB.Model(&event{}).Where("position IS NULL") }

// unsequenced counts the events without a position, up to 10,000: see db.CountDue.
func (s *Service) unsequenced(ctx context.Context) (int64, error) {
	return db.CountDue(s.db.Read(ctx).unplaced())
}

// sequencingLag returns the age of the oldest event without a position.
func (s *Service) sequencingLag(ctx context.Context) (time.Duration, error) {
	return db.Age(s.db.Read(ctx).unplaced(), "created_at")
}

// hasWork reports whether an event has no position, or has a position that readers do not see yet.
func (s store) hasWork() (found bool, err error) {
	err = s.DB.Raw(`SELECT EXISTS (SELECT 1 FROM events WHERE position IS NULL) OR EXISTS (
		SELECT 1 FROM events WHERE position > (SELECT last_position FROM event_positions WHERE customer_id = 0))`).
		Scan(&found).Error
	return found, err
}

// news reads the position of the newest event, and the customers with events after the position after: see
// the type news.
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
	// The database has no counter yet. Another process may insert the row at the same time.
	first := map[string]any{"customer_id": 0, "last_position": 0, "begun_at": s.Now()}
	err = s.DB.Model(&counter{}).Clauses(clause.OnConflict{DoNothing: true}).Create(first).Error
	if err == nil {
		err = lock()
	}
	return all, err
}

// mayPrune reports whether the feed is older than the time age. Before that, no event is deleted, so that an
// update from a version without a feed does not delete histories at once.
func (s store) mayPrune(age time.Duration) (bool, error) {
	var feeds []counter
	err := s.DB.Where("customer_id = ? AND begun_at < ?", 0, db.Now(s.DB, -age)).Find(&feeds).Error
	return len(feeds) > 0, err
}

// newEvents reads up to limit events without a position. Each event comes after the earlier events of its
// subject. newEvents reads only the columns for positions.
func (s store) newEvents(limit int) (events []*event, err error) {
	order := "id" // a later event of a subject has a higher id, because the changes wait for each other
	if !db.AscendingIDs(s.DB) {
		order = "created_at, id"
	}
	err = s.unplaced().Select("id", "customer_id").Order(order).Limit(limit).Find(&events).Error
	return events, err
}

// hidesUnsynced reports whether readers see a transaction only when the transaction is on the disk. SQLite
// writes its log to the disk before it shows the end of the transaction (https://www.sqlite.org/wal.html).
func (s store) hidesUnsynced() bool { return s.DB.Name() == db.SQLite }

// unshown reads the events whose positions come after last, the last position that readers see, in the order
// of the positions. It reads only the columns for positions.
func (s store) unshown(last int64) (events []*event, err error) {
	err = s.DB.Model(&event{}).Select("customer_id", "position", "customer_position").
		Where("position > ?", last).Order("position").Find(&events).Error
	return events, err
}

// flush writes the locked counter of all events, but leaves its value unchanged. A server writes its log in
// the order of the transactions. So once this transaction is committed, the positions that it has read are on
// the disk, too.
func (s store) flush(all counter) error {
	for _, last := range []int64{all.LastPosition + 1, all.LastPosition} { // an update to the old value writes nothing
		err := s.DB.Model(&counter{}).Where("customer_id = ?", 0).UpdateColumn("last_position", last).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// counters reads the last position of each customer's feed, by customer. The result lacks customers without
// sequenced events.
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

// count writes one column of the counters, and inserts missing counters.
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

// prune deletes events that are older than the time age, in the order of their positions, up to the first
// younger event, and at most limit events. It moves pruned_position of the counters, and sets pruned_until to
// the time of the newest deleted event. It returns the number of deleted events.
//
// When expired is true, prune deletes only events up to pruned_position, which readers no longer get, and
// leaves pruned_position as it is. Such events exist after a restore from a backup: see docs/operations.md.
func (s store) prune(age time.Duration, expired bool, limit int) (n int, err error) {
	if may, err := s.mayPrune(age); err != nil || !may {
		return 0, err
	}
	all, err := s.lockCounter(time.Second) // keeps Sequence from writing the counters
	if err != nil {
		return 0, err
	}
	from, upTo := all.PrunedPosition, all.LastPosition
	if expired {
		from, upTo = 0, all.PrunedPosition
	}
	var events []oldEvent
	err = s.DB.Model(&event{}).Where("position > ? AND position <= ?", from, upTo).
		Order("position").Limit(limit).
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
	if err != nil || expired {
		return len(ids), err
	}
	return len(ids), s.count("pruned_position", prunedCounters(events[:len(ids)]))
}

// pruningLag returns by how much the oldest event is older than Retention, or 0.
func (s *Service) pruningLag(ctx context.Context) (time.Duration, error) {
	if s.Retention == 0 {
		return 0, nil
	}
	reader := s.db.Read(ctx)
	if may, err := reader.mayPrune(s.Retention); err != nil || !may {
		return 0, err
	}
	q := reader.DB
	var first []struct{ Since, Now time.Time }
	err := q.Model(&event{}).Where("position > 0").Order("position").Limit(1).
		Select("created_at AS since, ? AS now", db.Now(q, -s.Retention)).Find(&first).Error
	if err != nil || len(first) == 0 {
		return 0, err
	}
	return max(0, first[0].Now.Sub(first[0].Since)), nil
}

// locking returns a store in which every query locks the rows of its result until the transaction ends.
func (s store) locking() store {
	s.DB = db.ForUpdate(s.DB)
	return s
}

// findEndpoint returns an endpoint. Error: 404 webhook_endpoint_not_found.
func (s store) findEndpoint(id int64) (e endpoint, err error) {
	err = s.endpoints().Select("*, ? AS now", s.Now()).Take(&e, id).Error
	if service.IsNotFound(err) {
		err = apperr.WebhookEndpointNotFound.New(id)
	}
	return e, err
}

// lockEndpoint is like findEndpoint, and locks the row until the transaction ends.
func (s store) lockEndpoint(id int64) (endpoint, error) { return s.locking().findEndpoint(id) }

func (s store) listEndpoints(page db.PageRequest) ([]endpoint, *int64, error) {
	return db.Page[endpoint](s.endpoints().Select("*, ? AS now", s.Now()), page)
}

// countEndpoints counts the caller's endpoints. Until the transaction ends, no other transaction counts them:
// of two transactions that add an endpoint, the second also counts the endpoint of the first. countEndpoints
// locks the customer's row in webhook_owners, and first inserts it if it is missing, because a customer
// without endpoints has no other row to lock.
func (s store) countEndpoints() (n int64, err error) {
	owner := webhookOwner{CustomerID: s.Caller.Customer}
	lock := clause.OnConflict{
		Columns: []clause.Column{{Name: "customer_id"}}, DoUpdates: clause.AssignmentColumns([]string{"customer_id"}),
	}
	if err := s.DB.Clauses(lock).Create(&owner).Error; err != nil {
		return 0, err
	}
	err = s.endpoints().Count(&n).Error
	return n, err
}

func (s store) insertEndpoint(e *endpoint) error { return service.Insert(s.Store, []*endpoint{e}) }

// deleteEndpoint deletes an endpoint with its secrets. Error: 404 webhook_endpoint_not_found.
func (s store) deleteEndpoint(id int64) error {
	e, err := s.lockEndpoint(id)
	if err != nil {
		return err
	}
	return s.endpoints().Delete(&e).Error
}

// writeEndpoints writes locked endpoints: the columns of their progress, and the given columns.
func (s store) writeEndpoints(all []*endpoint, columns ...string) error {
	columns = append(columns, "position", "failures", "failing_since", "next_attempt_at", "slow", "disabled_at",
		"disabled_reason", "leased_by", "leased_until")
	_, err := db.UpdateEach(s.DB.Model(&endpoint{}), all, columns...)
	return err
}

// deliveries begins a query for the deliveries to an endpoint.
func (s store) deliveries(endpoint int64) *gorm.DB {
	return s.DB.Model(&delivery{}).Where("endpoint_id = ?", endpoint)
}

func (s store) insertDeliveries(all []*delivery) error {
	if len(all) == 0 {
		return nil
	}
	return service.Insert(s.Store, all)
}

// dueEndpoints reads the ids of enabled endpoints with undelivered events, without a lease and without a wait
// after a failure. The endpoint whose last lease ended first comes first.
func (s store) dueEndpoints(slow bool, limit int) (ids []int64, err error) {
	now := s.Now()
	err = s.DB.Table("webhook_endpoints e").
		Joins("JOIN event_positions p ON p.customer_id = COALESCE(e.customer_id, 0)").
		Where("e.disabled_at IS NULL AND e.position < p.last_position AND e.slow = ?", slow).
		Where("e.next_attempt_at IS NULL OR e.next_attempt_at <= ?", now).
		Where("e.leased_until IS NULL OR e.leased_until <= ?", now).
		Order("e.leased_until").Limit(limit).Pluck("e.id", &ids).Error
	return ids, err
}

// leaseEndpoints leases the enabled endpoints without a current lease and without a wait after a failure, and
// returns the leased endpoints. Another process may have served an endpoint since dueEndpoints has read it.
func (s store) leaseEndpoints(ids []int64, lease string) (leased []endpoint, err error) {
	now := s.Now()
	err = db.ByID(s.DB.Model(&endpoint{})).Where("id IN ? AND disabled_at IS NULL", ids).
		Where("next_attempt_at IS NULL OR next_attempt_at <= ?", now).
		Where("leased_until IS NULL OR leased_until <= ?", now).
		UpdateColumns(map[string]any{"leased_by": lease, "leased_until": db.Now(s.DB, leaseTime)}).Error
	if err != nil {
		return nil, err
	}
	err = s.DB.Select("*, ? AS now", s.Now()).Where("id IN ? AND leased_by = ?", ids, lease).Find(&leased).Error
	return leased, err
}

// renewLeases renews the leases of endpoints, except leases that have passed to another process.
func (s store) renewLeases(ids []int64, leases []string) error {
	return db.ByID(s.DB.Model(&endpoint{})).Where("id IN ? AND leased_by IN ?", ids, leases).
		UpdateColumn("leased_until", db.Now(s.DB, leaseTime)).Error
}

// lockEndpoints locks endpoints, in ascending id, and returns them by id. Deleted endpoints are missing.
func (s store) lockEndpoints(ids []int64) (map[int64]*endpoint, error) {
	var all []*endpoint
	err := db.ByID(db.ForUpdate(s.DB)).Select("*, ? AS now", s.Now()).
		Where("id IN ?", ids).Order("id").Find(&all).Error
	byID := make(map[int64]*endpoint, len(all))
	for _, e := range all {
		byID[e.ID] = e
	}
	return byID, err
}

// deleteDeliveries deletes deliveries older than seven days, 500 at a time. It returns the number of deleted
// deliveries.
func (s *Service) deleteDeliveries(ctx context.Context) (total int, err error) {
	for {
		q := s.db.Read(ctx).DB
		var ids []int64
		err := q.Model(&delivery{}).Where("attempted_at <= ?", db.Now(q, -deliveriesKept)).
			Order("attempted_at").Limit(500).Pluck("id", &ids).Error
		if err != nil || len(ids) == 0 {
			return total, err
		}
		res := q.Delete(&delivery{}, ids)
		if res.Error != nil {
			return total, res.Error
		}
		total += int(res.RowsAffected)
	}
}

// forgetSecrets deletes previous secrets whose time of overlap is over.
func (s *Service) forgetSecrets(ctx context.Context) (int, error) {
	q := s.db.Read(ctx).DB
	res := q.Model(&endpoint{}).Where("previous_until <= ?", db.Now(q, 0)).
		UpdateColumns(map[string]any{"previous_secret": nil, "previous_until": nil})
	return int(res.RowsAffected), res.Error
}

func (s store) countDisabled() (counts []struct {
	DisabledReason string
	N              int64
}, err error) {
	err = s.DB.Model(&endpoint{}).Select("disabled_reason, COUNT(*) AS n").Where("disabled_at IS NOT NULL").
		Group("disabled_reason").Scan(&counts).Error
	return counts, err
}

// oldestUndelivered returns the age of the oldest event that waits for an enabled endpoint that is not slow.
func (s store) oldestUndelivered() (time.Duration, error) {
	q := s.DB.Table("webhook_endpoints e").Where("e.disabled_at IS NULL AND NOT e.slow")
	ofAll, err := db.Age(q.Session(&gorm.Session{}).Where("e.customer_id IS NULL").
		Joins("JOIN events ON events.position = e.position + 1"), "events.created_at")
	if err != nil {
		return 0, err
	}
	ofCustomers, err := db.Age(q.Session(&gorm.Session{}).
		Joins("JOIN events ON events.customer_id = e.customer_id AND events.customer_position = e.position + 1"),
		"events.created_at")
	return max(ofAll, ofCustomers), err
}

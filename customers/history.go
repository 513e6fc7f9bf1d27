package customers

import (
	"time"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/history"
)

const subject = "customer"

// What happens to a customer.
const (
	created = "customer.created"
	updated = "customer.updated"
	deleted = "customer.deleted"
)

func event(what string, c customer, at time.Time) history.Event {
	return history.Event{Type: what, Subject: subject, SubjectID: c.ID, CustomerID: &c.ID, CreatedAt: at, Shown: view(c)}
}

// history reads a page of a customer's events, newest first, or returns 404 customer_not_found. To a caller who is bound to no
// customer that of a deleted one is there, too.
func (s store) history(id int64, cursor *int64, limit *int32) ([]history.Event, *int64, error) {
	q := s.customers()
	if s.caller.Customer == 0 {
		q = q.Unscoped()
	}
	if err := q.Select("id").Take(&customer{}, id).Error; missing(err) {
		return nil, nil, apperr.CustomerNotFound.New(id)
	} else if err != nil {
		return nil, nil, err
	}
	return s.events(id, cursor, limit)
}

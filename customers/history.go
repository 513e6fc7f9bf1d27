package customers

import (
	"time"

	"example.com/b2b/db"
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
	return history.Event{Type: what, Subject: subject, SubjectID: c.ID, CustomerID: &c.ID, CreatedAt: at, Payload: view(c)}
}

// events are those of what has just happened to customers.
func events(what string, customers []*customer) []history.Event {
	all := make([]history.Event, len(customers))
	for i, c := range customers {
		all[i] = event(what, *c, c.UpdatedAt)
	}
	return all
}

// history reads a page of a customer's events, or returns 404 customer_not_found.
func (s store) history(id int64, w db.PageRequest) ([]history.Event, *int64, error) {
	if _, err := s.find(id); err != nil {
		return nil, nil, err
	}
	return s.events(id, w)
}

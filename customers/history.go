package customers

import (
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/service"
)

const subject = "customer"

// The types of events.
const (
	created = "customer.created"
	updated = "customer.updated"
	deleted = "customer.deleted"
)

func event(eventType string, c customer, at time.Time) history.Event {
	return history.Event{
		Type: eventType, Subject: subject, SubjectID: c.ID, CustomerID: &c.ID, CreatedAt: at, Payload: view(c),
	}
}

// events returns an event for the last change of each customer.
func events(eventType string, customers []*customer) []history.Event {
	return service.Views(customers, func(c *customer) history.Event { return event(eventType, *c, c.UpdatedAt) })
}

// history reads a page of a customer's events. Error: 404 customer_not_found.
func (s store) history(id int64, page db.PageRequest) ([]history.Event, *int64, error) {
	if _, err := s.find(id); err != nil {
		return nil, nil, err
	}
	return s.Events(subject, id, page)
}

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

// history reads a page of the events of a customer, who may be deleted. Error: 404 customer_not_found.
func (s store) history(id int64, page db.PageRequest) ([]history.Event, *int64, error) {
	err := s.customers().Unscoped().Select("id").Take(&customer{}, id).Error
	if err != nil {
		return nil, nil, customerError(err, id)
	}
	return s.Events(subject, id, page)
}

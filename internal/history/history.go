// Package history stores the events of all services. Each change appends its event in the transaction of the
// change. The package knows no service.
package history

import (
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/openapi/contract"
)

// Event is a row of the table events: a change of a subject.
type Event struct {
	ID         int64
	Type       string // a value of the schema EventType in the OpenAPI documents, such as order.confirmed
	Subject    string // the kind of the subject, such as order
	SubjectID  int64
	CustomerID *int64 // the owner of the subject; nil for a product
	Origin
	CreatedAt      time.Time
	Representation string // the subject after the change, as JSON

	Payload any `gorm:"-"` // Append stores Payload as JSON in Representation
}

// Origin names the caller and the request that caused a change.
type Origin struct {
	Actor         string  // the caller's name: see auth.Principal
	CorrelationID *string // correlation id of the request; nil for background work
}

// By returns the origin of changes by a principal. correlationID is "" outside of requests.
func By(p auth.Principal, correlationID string) Origin {
	if correlationID == "" {
		return Origin{Actor: p.Subject}
	}
	return Origin{p.Subject, &correlationID}
}

// Key returns the id, for db.Page.
func (e Event) Key() int64 { return e.ID }

// Append inserts events in one statement. The parameter tx is the transaction of the changes. An event
// without an origin of its own gets the origin by.
func Append(tx *gorm.DB, by Origin, events ...Event) error {
	rows := make([][]any, len(events))
	for i, e := range events {
		representation, err := json.Marshal(e.Payload)
		if err != nil {
			return err
		}
		if e.Origin == (Origin{}) {
			e.Origin = by
		}
		rows[i] = []any{
			e.Type, e.Subject, e.SubjectID, e.CustomerID, e.Actor, e.CorrelationID, e.CreatedAt,
			string(representation),
		}
	}
	const columns = "type, subject, subject_id, customer_id, actor, correlation_id, created_at, " +
		"representation"
	return db.Insert(tx, "events", columns, rows)
}

// EstimateRows estimates the number of events as the difference between the last and the first id.
func EstimateRows(q *gorm.DB) (n int64, err error) {
	// There is a subquery for each id, because SQLite would read all rows for MAX and MIN in the same query.
	const ids = "(SELECT MAX(id) FROM events) - (SELECT MIN(id) FROM events) + 1"
	err = q.Raw("SELECT COALESCE(" + ids + ", 0)").Scan(&n).Error
	return n, err
}

// Page reads a page of the events of a subject. It does not check whether the caller may see the subject.
func Page(q *gorm.DB, subject string, id int64, w db.PageRequest) ([]Event, *int64, error) {
	return db.Page[Event](q.Where("subject = ? AND subject_id = ?", subject, id), w)
}

// Position returns the position of the newest event in the feed of a customer. For customer 0, it returns the
// position of the newest of all events. The Events service writes the positions.
func Position(q *gorm.DB, customer int64) (last int64, err error) {
	err = q.Raw("SELECT last_position FROM event_positions WHERE customer_id = ?", customer).Scan(&last).Error
	return last, err
}

// Response returns the answer for a page of events. The parameter next is the cursor of the next page.
func Response(events []Event, next *int64) contract.EventListResponse {
	data := make([]contract.ChangeEvent, len(events))
	for i, e := range events {
		data[i] = View(e)
	}
	return contract.EventListResponse{Success: true, Data: data, Meta: contract.Meta{NextCursor: next}}
}

// View returns an event as answers show it.
func View(e Event) contract.ChangeEvent {
	return contract.ChangeEvent{
		ID: e.ID, Type: contract.EventType(e.Type), Subject: contract.EventSubject(e.Subject),
		SubjectID: e.SubjectID, CustomerID: e.CustomerID, Actor: e.Actor, CorrelationID: e.CorrelationID,
		CreatedAt: contract.Time{Time: e.CreatedAt}, Representation: json.RawMessage(e.Representation),
	}
}

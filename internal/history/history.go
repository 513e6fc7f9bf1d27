// Package history keeps what has happened: a change appends its event in its own transaction. It knows no
// service.
package history

import (
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/auth"
	"example.com/b2b/openapi/contract"
)

// Event is a row of the table events: one change of one thing.
type Event struct {
	ID         int64
	Type       string // what happened
	Subject    string // to what kind of thing
	SubjectID  int64
	CustomerID *int64 // whom it concerns; nil for a product
	Origin
	CreatedAt      time.Time
	Representation string // the thing after it, as JSON

	Payload any `gorm:"-"` // what Append makes the representation of
}

// Origin is where a change comes from.
type Origin struct {
	Actor         string  // who made it: see auth.Principal
	CorrelationID *string // of the call; nil when no call made it
}

// By is the origin of what a principal does in the call with that correlation id, which is "" outside of
// calls.
func By(p auth.Principal, correlationID string) Origin {
	if correlationID == "" {
		return Origin{Actor: p.Subject}
	}
	return Origin{p.Subject, &correlationID}
}

// Key is the cursor of db.Page.
func (e Event) Key() int64 { return e.ID }

// Append writes events in one statement of the transaction that makes the changes. by is the origin of those
// that name none.
func Append(tx *gorm.DB, by Origin, events ...Event) error {
	rows := make([][]any, len(events))
	for i, e := range events {
		shown, err := json.Marshal(e.Payload)
		if err != nil {
			return err
		}
		if e.Origin == (Origin{}) {
			e.Origin = by
		}
		rows[i] = []any{e.Type, e.Subject, e.SubjectID, e.CustomerID, e.Actor, e.CorrelationID, e.CreatedAt, string(shown)}
	}
	return db.Insert(tx, "events", "type, subject, subject_id, customer_id, actor, correlation_id, created_at, representation", rows)
}

// Page reads a page of what has happened to one thing. Ask it for what the caller may see: all events of a
// thing are of one customer, or of none.
func Page(q *gorm.DB, subject string, id int64, w db.PageRequest) ([]Event, *int64, error) {
	return db.Page[Event](q.Where("subject = ? AND subject_id = ?", subject, id), w)
}

// Response shows a page.
func Response(events []Event, next *int64) contract.EventListResponse {
	data := make([]contract.ChangeEvent, len(events))
	for i, e := range events {
		data[i] = contract.ChangeEvent{
			ID: e.ID, Type: contract.EventType(e.Type), Subject: contract.EventSubject(e.Subject), SubjectID: e.SubjectID, CustomerID: e.CustomerID,
			Actor: e.Actor, CorrelationID: e.CorrelationID, CreatedAt: contract.Time{Time: e.CreatedAt}, Representation: json.RawMessage(e.Representation),
		}
	}
	return contract.EventListResponse{Success: true, Data: data, Meta: contract.Meta{NextCursor: next}}
}

package events

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/events/deliver"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/openapi/contract"
)

// endpoint is a row of the table webhook_endpoints.
type endpoint struct {
	ID             int64
	CustomerID     *int64 // the customer whose events the endpoint gets; nil for all events
	URL            string
	Description    *string
	Types          *list // types of events; nil for all types of Subjects
	Subjects       list  // the kinds of subjects whose events the creator could read
	Signature      deliver.Algorithm
	Secret         deliver.Secret
	PreviousSecret *deliver.Secret // signs besides Secret until PreviousUntil
	PreviousUntil  *time.Time
	Position       int64 // everything up to this position in the feed of CustomerID was delivered
	Failures       int32 // number of failed attempts since the last success
	FailingSince   *time.Time
	NextAttemptAt  *time.Time
	Slow           bool // the last attempt failed, or took longer than slowAfter
	DisabledAt     *time.Time
	DisabledReason *string
	LeasedBy       *string    // the lease whose holder may send events and change Position; nil without a lease
	LeasedUntil    *time.Time // the end of the current lease, or of the last lease
	CreatedBy      string
	CreatedAt      time.Time
	UpdatedAt      time.Time `gorm:"autoUpdateTime:false"` // time of the last change by a caller

	Now time.Time `gorm:"->"` // the database's clock; set by queries that select the column
}

// TableName implements gorm's Tabler.
func (endpoint) TableName() string { return "webhook_endpoints" }

func (e endpoint) Key() int64 { return e.ID }

// rowOf returns the row of an endpoint.
func rowOf(id int64) service.Row[store] {
	return service.Row[store]{Name: fmt.Sprint(id), See: func(q store) error {
		_, err := q.findEndpoint(id)
		return err
	}}
}

// webhookOwner is a row of the table webhook_owners. The method countEndpoints locks the row.
type webhookOwner struct {
	CustomerID int64 `gorm:"primaryKey;autoIncrement:false"`
}

// list is a list of names in a column, separated by commas.
type list string

func (l list) names() []string { return strings.Split(string(l), ",") }

func listOf[S ~string](names []S) list {
	all := service.Views(names, func(name S) string { return string(name) })
	slices.Sort(all)
	return list(strings.Join(slices.Compact(all), ","))
}

// Reasons why an endpoint is disabled: values of disabled_reason in the OpenAPI document.
const (
	requested = "requested"
	failing   = "failing"
	gone      = "gone"
)

// endpointSubject is the subject of events about endpoints. disabled is the type of the event for an endpoint
// that the service has disabled.
const (
	endpointSubject = "webhook_endpoint"
	disabled        = "webhook_endpoint.disabled"
)

const (
	maxEndpoints   = 20             // largest number of endpoints of a customer
	secretsOverlap = 24 * time.Hour // after a rotation, the previous secret still signs for this time
)

// wants reports whether the endpoint gets the event.
func (e endpoint) wants(happened history.Event) bool {
	return slices.Contains(e.Subjects.names(), happened.Subject) &&
		(e.Types == nil || slices.Contains(e.Types.names(), happened.Type))
}

// secrets returns the secrets that sign now.
func (e endpoint) secrets() []deliver.Secret {
	if e.PreviousSecret != nil && e.PreviousUntil.After(e.Now) {
		return []deliver.Secret{e.Secret, *e.PreviousSecret}
	}
	return []deliver.Secret{e.Secret}
}

// disable stops deliveries to the endpoint. The parameter reason is a constant for disabled_reason.
func (e *endpoint) disable(reason string) {
	e.DisabledAt, e.DisabledReason, e.NextAttemptAt = &e.Now, &reason, nil
}

// retryNow forgets the failures, and so ends the wait after a failure.
func (e *endpoint) retryNow() { e.Failures, e.FailingSince, e.NextAttemptAt = 0, nil, nil }

// endLease ends the lease: its holder can no longer change the position.
func (e *endpoint) endLease() { e.LeasedBy, e.LeasedUntil = nil, &e.Now }

// rotate gives the endpoint a new secret. For the time secretsOverlap, the previous secret signs besides the
// new secret.
func (e *endpoint) rotate() {
	until, before := e.Now.Add(secretsOverlap), e.Secret
	e.Secret, e.PreviousSecret, e.PreviousUntil = deliver.NewSecret(e.Signature), &before, &until
}

// endpointChange has the new values of an endpoint; a nil or unspecified field keeps the old value.
type endpointChange struct {
	url         *string
	description nullable.Nullable[string]
	types       *[]contract.EventType // new types of events; empty for all types
	enabled     *bool
}

func (ch endpointChange) apply(e *endpoint) {
	if ch.url != nil && *ch.url != e.URL {
		e.URL = *ch.url
		e.retryNow()
	}
	if ch.description.IsSpecified() {
		e.Description = nil
		if text, err := ch.description.Get(); err == nil {
			e.Description = &text
		}
	}
	if ch.types != nil {
		e.Types = listFrom(ch.types)
	}
	switch {
	case ch.enabled == nil || *ch.enabled == (e.DisabledAt == nil):
	case *ch.enabled:
		e.DisabledAt, e.DisabledReason = nil, nil
		e.retryNow()
	default:
		e.disable(requested)
	}
}

// create inserts an endpoint that gets the events from now on. Errors: 403 forbidden, 409
// too_many_webhook_endpoints.
func (s store) create(e *endpoint) error {
	subjects, err := s.granted()
	if err != nil {
		return err
	}
	e.CustomerID, e.Subjects, e.CreatedBy = s.owner(), listOf(subjects), s.Origin.Actor
	if err := e.checkTypes(); err != nil {
		return err
	}
	if e.CustomerID != nil {
		if n, err := s.countEndpoints(); err != nil {
			return err
		} else if n >= maxEndpoints {
			return apperr.TooManyWebhookEndpoints.New(maxEndpoints)
		}
	}
	reached, err := s.positions()
	if err != nil {
		return err
	}
	if e.Now, err = s.ReadClock(); err != nil {
		return err
	}
	e.Secret, e.Position = deliver.NewSecret(e.Signature), reached.LastPosition
	e.CreatedAt, e.UpdatedAt = e.Now, e.Now
	return s.insertEndpoint(e)
}

// checkTypes returns 403 forbidden when e.Types has a type of event whose subject is not in e.Subjects.
func (e endpoint) checkTypes() error {
	if e.Types == nil {
		return nil
	}
	for _, name := range e.Types.names() {
		if k := kindOf(name); !slices.Contains(e.Subjects.names(), k.subject) {
			return apperr.Forbidden.New().With("/types", apperr.Params{"scope": k.scope},
				"has %s, which the endpoint may not get: its creator could not read such events", name)
		}
	}
	return nil
}

// change changes an endpoint that the caller may see, and ends the lease of the process that sends to the
// endpoint. The caller must be allowed to read every kind of event that the endpoint gets, because the change
// may send these events to another address. Errors: 404 webhook_endpoint_not_found, 403 forbidden, and the
// error of fn.
func (s store) change(id int64, fn func(e *endpoint) error) (endpoint, error) {
	e, err := s.lockEndpoint(id)
	if err != nil {
		return e, err
	}
	if err := s.mayRead(e); err != nil {
		return e, err
	}
	if err := fn(&e); err != nil {
		return e, err
	}
	e.endLease()
	e.UpdatedAt = e.Now
	return e, s.writeEndpoints([]*endpoint{&e}, "url", "description", "types", "secret", "previous_secret",
		"previous_until", "updated_at")
}

// replay moves a locked endpoint to a position. Error: 410 events_expired when events after the position were
// deleted, or when no event has had the position.
func (s store) replay(e *endpoint, after int64) error {
	has, err := s.ofOwner(*e).positions()
	if err != nil {
		return err
	}
	if after < has.PrunedPosition || after > has.LastPosition {
		return expired(afterField, after, has)
	}
	e.Position = after
	e.retryNow()
	return nil
}

// deliveriesOf reads a page of the deliveries to an endpoint. Error: 404 webhook_endpoint_not_found.
func (s store) deliveriesOf(id int64, page db.PageRequest) ([]delivery, *int64, error) {
	if _, err := s.findEndpoint(id); err != nil {
		return nil, nil, err
	}
	return db.Page[delivery](s.deliveries(id), page)
}

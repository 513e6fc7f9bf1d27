package events

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"example.com/b2b/v2/events/deliver"
	"example.com/b2b/v2/internal/batch"
	"example.com/b2b/v2/internal/history"
)

var (
	deliveriesTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "b2b_webhook_deliveries_total",
		Help: "Attempts to send a webhook, by outcome.",
	}, []string{"outcome"})
	deliveryLag = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "b2b_webhook_lag_seconds",
		Help: "Age of the oldest event that waits for a webhook endpoint whose last attempt was good and quick.",
	})
	disabledEndpoints = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "b2b_webhook_endpoints_disabled",
		Help: "Disabled webhook endpoints, by reason.",
	}, []string{"reason"})
)

// delivery is a row of the table webhook_deliveries: an attempt to send a message to an endpoint, or a record
// of skipped events.
type delivery struct {
	ID          int64
	EndpointID  int64
	WebhookID   *string // webhook-id of the message; nil when nothing was sent
	Type        *string
	Position    *int64 // position of the event, or of the last skipped event; nil for a test message
	AttemptedAt time.Time
	Outcome     string
	Status      *int32 // HTTP status of the answer; nil without an answer
	DurationMS  int32
	Answer      *string
	Failure     *string

	began time.Time // start of the attempt, on the program's clock
}

// TableName implements gorm's Tabler.
func (delivery) TableName() string { return "webhook_deliveries" }

func (d delivery) Key() int64 { return d.ID }

// Outcomes of deliveries: values of outcome in the OpenAPI document.
const (
	delivered = "delivered"
	refused   = "refused" // the status of the answer was not 200 to 299
	failed    = "failed"  // no answer came
	skipped   = "skipped" // the events were deleted before they could be sent
)

const deliveriesKept = 7 * 24 * time.Hour

// deliveryOf returns the delivery for an attempt to send a message, and counts the attempt in
// deliveriesTotal.
func deliveryOf(id, messageType string, position *int64, a deliver.Attempt) *delivery {
	d := &delivery{
		WebhookID: &id, Type: &messageType, Position: position, began: a.Began,
		DurationMS: int32(a.Took.Milliseconds()), Answer: nonEmpty(a.Answer), Failure: nonEmpty(a.Failure),
	}
	switch {
	case a.Delivered():
		d.Outcome = delivered
	case a.Status != 0:
		d.Outcome = refused
	default:
		d.Outcome = failed
	}
	if a.Status != 0 {
		d.Status = new(int32(a.Status))
	}
	deliveriesTotal.WithLabelValues(d.Outcome).Inc()
	return d
}

func nonEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// happened sets AttemptedAt to the start of the attempt, on the database's clock. The parameter now is the
// present time of that clock.
func (d *delivery) happened(now time.Time) {
	d.AttemptedAt = now
	if !d.began.IsZero() {
		d.AttemptedAt = now.Add(-time.Since(d.began))
	}
}

// progress is what a turn has done since it last submitted its progress: its attempts, and the new position
// of the endpoint. It is a command of Service.recorder.
type progress struct {
	endpoint   int64
	lease      string
	position   int64            // the new position of the endpoint
	deliveries []*delivery      // attempts, and records of skipped events, in the order of their times
	failure    *deliver.Attempt // the last attempt, when it failed
	slow       bool             // the last attempt failed, or took longer than slowAfter
	skipped    bool             // the turn has skipped deleted events
	ended      bool             // the turn has ended, and its lease ends

	lost     bool   // set by record: the turn no longer has the lease, so the endpoint was not written
	disabled string // set by record: the reason why the endpoint was disabled
}

// ConflictKeys implements batch.Command.
func (p *progress) ConflictKeys() []string { return []string{strconv.FormatInt(p.endpoint, 10)} }

// Cost implements batch.Command.
func (p *progress) Cost() int { return 1 + len(p.deliveries) }

// Caller implements batch.Command. The Batcher uses the caller only for commands that wait for held rows, and
// record reports no held rows.
func (*progress) Caller() string { return "" }

// record writes the progress of several turns in one transaction. When a turn has lost its lease, record
// writes only its attempts: the turn must not move the position of an endpoint back, or undo a replay. record
// acts as the program itself, because the Batcher calls it without the context of a turn.
func (s *Service) record(ctx context.Context, all []*progress) (_ []batch.Held, rolledBack bool, err error) {
	err = s.db.ChangeReserved(asSystem(ctx), func(tx store) (failure error) {
		// An error of the COMMIT leaves rolledBack false: the transaction may have been committed.
		defer func() { rolledBack = failure != nil }()
		ids := make([]int64, len(all))
		for i, p := range all {
			ids[i] = p.endpoint
		}
		endpoints, err := tx.lockEndpoints(ids)
		if err != nil {
			return err
		}
		var changed []*endpoint
		var made []*delivery
		var happened []history.Event
		for _, p := range all {
			p.lost, p.disabled = true, ""
			e := endpoints[p.endpoint]
			if e == nil { // the endpoint was deleted
				continue
			}
			p.lost = e.LeasedBy == nil || *e.LeasedBy != p.lease
			for _, d := range p.deliveries {
				if p.lost && d.Outcome == skipped {
					continue // the turn no longer moves the position, so it has skipped nothing
				}
				d.ID, d.EndpointID = 0, e.ID
				d.happened(e.Now)
				made = append(made, d)
			}
			if p.lost {
				continue
			}
			p.apply(e)
			changed = append(changed, e)
			if p.disabled != "" {
				happened = append(happened, history.Event{
					Type: disabled, Subject: endpointSubject, SubjectID: e.ID, CustomerID: e.CustomerID,
					CreatedAt: e.Now, Payload: endpointView(*e),
				})
			}
		}
		if len(changed) > 0 {
			if err := tx.writeEndpoints(changed); err != nil {
				return err
			}
		}
		if err := tx.Record(happened...); err != nil {
			return err
		}
		return tx.insertDeliveries(made)
	})
	return nil, rolledBack, err
}

// apply sets the fields of the endpoint: its position, and after a failure the time of the next attempt, or
// the reason why the endpoint is disabled now.
func (p *progress) apply(e *endpoint) {
	if p.position > e.Position {
		since := e.FailingSince
		e.retryNow() // the failures belong to events before the new position
		if p.skipped && !p.hasDelivered() {
			// The position has only moved past deleted events, so the endpoint is still failing. Otherwise an
			// endpoint that always fails would never be disabled when Retention is shorter than giveUp.
			e.FailingSince = since
		}
	}
	e.Position, e.Slow = p.position, p.slow
	if p.ended {
		e.endLease()
	}
	if p.failure == nil {
		return
	}
	e.Failures++
	if e.FailingSince == nil {
		e.FailingSince = &e.Now
	}
	failingFor := e.Now.Sub(*e.FailingSince)
	switch {
	case p.failure.Gone():
		e.disable(gone)
	case failingFor >= giveUp:
		e.disable(failing)
	default:
		wait := waitAfter(e.Failures, p.failure.RetryAfter)
		next := e.Now.Add(min(wait, giveUp-failingFor))
		e.NextAttemptAt = &next
		return
	}
	p.disabled = *e.DisabledReason
}

func (p *progress) hasDelivered() bool {
	return slices.ContainsFunc(p.deliveries, func(d *delivery) bool { return d.Outcome == delivered })
}

const (
	giveUp    = 3 * 24 * time.Hour // an endpoint that has failed for this long is disabled
	firstWait = 5 * time.Second
	maxWait   = 6 * time.Hour // the longest wait after a failure, even if an endpoint asks for a longer wait
)

// waitAfter returns the wait after a number of failures in a row: five seconds after the first failure, then
// three times as long with each further failure, up to six hours. Each wait differs at random by up to a
// fifth, so that endpoints that failed together are not tried together. The wait is never shorter than
// retryAfter, or than six hours when retryAfter is longer.
func waitAfter(failures int32, retryAfter time.Duration) time.Duration {
	wait := firstWait
	for range failures - 1 {
		wait = min(3*wait, maxWait)
	}
	wait = wait*4/5 + rand.N(wait*2/5)
	return max(wait, min(retryAfter, maxWait))
}

func (s *Service) measureWebhooks(ctx context.Context) (int, error) {
	lag, err := s.db.Read(ctx).oldestUndelivered()
	deliveryLag.Set(lag.Seconds())
	counts, failure := s.db.Read(ctx).countDisabled()
	for _, reason := range []string{requested, failing, gone} {
		disabledEndpoints.WithLabelValues(reason).Set(0)
	}
	for _, c := range counts {
		disabledEndpoints.WithLabelValues(c.DisabledReason).Set(float64(c.N))
	}
	return 0, errors.Join(err, failure)
}

package events

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/events/deliver"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/eventsapi"
)

const (
	leaseTime   = 10 * time.Second // duration of a lease; afterwards another process may take the endpoint
	renewPause  = leaseTime / 4
	lookPause   = 100 * time.Millisecond // pause between two looks for endpoints with undelivered events
	busyPause   = 20 * time.Millisecond  // pause after a look that has begun to serve endpoints
	quickPlaces = 128                    // largest number of quick endpoints that are served at once
	slowPlaces  = 128                    // largest number of slow endpoints that are served at once
	slowAfter   = time.Second            // an endpoint is slow when an attempt takes longer
	turnTime    = 2 * time.Second        // a turn begins no attempt after this time
	pageSize    = 20                     // largest number of events that a turn has in memory
	stopTime    = 5 * time.Second        // when the process stops, running attempts may go on for this time
	submitTime  = 2 * time.Second        // after stopTime, the results must be recorded within this time
)

// dispatcher sends events to endpoints. It looks for endpoints with undelivered events, takes their leases,
// and gives each endpoint a turn. Slow endpoints have places of their own, so that a quick endpoint waits for
// no slow endpoint.
type dispatcher struct {
	*Service
	log    *slog.Logger
	name   string                 // the name of this process in leases
	leases int                    // number of leases that this process has taken
	places map[bool]chan struct{} // the occupied places of quick (false) and of slow (true) endpoints
	turns  sync.WaitGroup

	mu   sync.Mutex
	held map[int64]string // the leases of the turns, by endpoint
}

// Deliver sends events to webhook endpoints until ctx ends. Several processes may run Deliver at once: a
// lease keeps each endpoint with one process.
func (s *Service) Deliver(ctx context.Context, log *slog.Logger) {
	d := &dispatcher{
		Service: s, log: log.With("job", "deliver webhooks"), name: rand.Text(),
		places: map[bool]chan struct{}{false: make(chan struct{}, quickPlaces), true: make(chan struct{}, slowPlaces)},
		held:   map[int64]string{},
	}
	for _, outcome := range []string{delivered, refused, failed, skipped} {
		deliveriesTotal.WithLabelValues(outcome).Add(0) // so that Prometheus sees the first delivery as an increase
	}
	ctx = asSystem(ctx)
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(stopTime, stop) })
	d.turns.Go(func() { d.renew(ctx) })
	var failures db.Failures
	for ctx.Err() == nil {
		pause, err := lookPause, s.migrated(ctx)
		for _, slow := range []bool{false, true} {
			var begun int
			if err == nil {
				begun, err = d.look(ctx, sending, slow)
			}
			if begun > 0 {
				pause = busyPause
			}
		}
		if err != nil && ctx.Err() == nil {
			d.log.Log(ctx, failures.Level(), "webhooks cannot be delivered now", "error", err)
			pause = 10 * lookPause
		} else {
			failures.End()
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	d.turns.Wait()
}

// look begins turns for endpoints with undelivered events, as many as there are free places, and returns the
// number of turns. The context ctx ends when the process stops; the context sending ends later, to let
// attempts finish.
func (d *dispatcher) look(ctx, sending context.Context, slow bool) (begun int, err error) {
	places := d.places[slow]
	free := cap(places) - len(places)
	if free == 0 {
		return 0, nil
	}
	ids, err := d.db.Read(ctx).dueEndpoints(slow, free)
	if err != nil {
		return 0, err
	}
	d.mu.Lock()
	ids = slices.DeleteFunc(ids, func(id int64) bool { return d.held[id] != "" })
	d.mu.Unlock()
	taken := take(places, len(ids))
	if taken == 0 {
		return 0, nil
	}
	defer func() { give(places, taken-begun) }()
	d.leases++
	lease := fmt.Sprint(d.name, " ", d.leases)
	var leased []endpoint
	err = d.db.ChangeReserved(ctx, func(tx store) (err error) {
		leased, err = tx.leaseEndpoints(ids[:taken], lease)
		return err
	})
	if err != nil {
		return 0, err
	}
	pages, err := d.pages(ctx, leased)
	if err != nil {
		// The endpoints that were leased stay leased for leaseTime.
		return 0, err
	}
	for _, e := range leased {
		d.mu.Lock()
		d.held[e.ID] = lease
		d.mu.Unlock()
		t := turn{dispatcher: d, endpoint: e, page: pages[feedOf(e)], place: places}
		begun++
		d.turns.Go(func() { t.run(ctx, sending) })
	}
	return begun, nil
}

// take occupies up to n free places, and returns the number of places that it has occupied.
func take(places chan struct{}, n int) int {
	for i := range n {
		select {
		case places <- struct{}{}:
		default:
			return i
		}
	}
	return n
}

func give(places chan struct{}, n int) {
	for range n {
		<-places
	}
}

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// feed is a position in the feed of a customer; customer 0 stands for the feed of all events.
type feed struct{ customer, position int64 }

func feedOf(e endpoint) feed { return feed{valueOr(e.CustomerID, 0), e.Position} }

// next reads the events at the next pageSize positions of the endpoint's feed, after the endpoint's position.
func (s *Service) next(ctx context.Context, e endpoint) (page []placed, err error) {
	err = s.db.Read(ctx).ofOwner(e).events(e.Position, e.Position+pageSize).Find(&page).Error
	return page, err
}

// pages reads, for each endpoint, the next events after the endpoint's position. The result has the events by
// feed and position. pages reads the feeds of up to 50 customers in one statement. When several endpoints
// share a feed and a position, pages reads these events only once.
func (s *Service) pages(ctx context.Context, all []endpoint) (map[feed][]placed, error) {
	pages := map[feed][]placed{}
	var ofCustomers []feed
	for _, e := range all {
		at := feedOf(e)
		if _, found := pages[at]; found {
			continue
		}
		pages[at] = nil
		if at.customer != 0 {
			ofCustomers = append(ofCustomers, at)
			continue
		}
		page, err := s.next(ctx, e)
		if err != nil {
			return nil, err
		}
		pages[at] = page
	}
	for some := range slices.Chunk(ofCustomers, 50) {
		var events []placed
		if err := s.db.Read(ctx).eventsOfCustomers(some, pageSize).Find(&events).Error; err != nil {
			return nil, err
		}
		for _, at := range some {
			for _, e := range events {
				if *e.CustomerID == at.customer && e.Place > at.position && e.Place <= at.position+pageSize {
					pages[at] = append(pages[at], e)
				}
			}
		}
	}
	return pages, nil
}

// renew renews the leases of all turns until ctx ends.
func (d *dispatcher) renew(ctx context.Context) {
	var failures db.Failures
	for {
		select {
		case <-time.After(renewPause):
		case <-ctx.Done():
			// The leases need no renewal now: they last longer than stopTime and submitTime, within which the
			// turns end.
			return
		}
		var ids []int64
		var leases []string
		d.mu.Lock()
		for id, lease := range d.held {
			ids, leases = append(ids, id), append(leases, lease)
		}
		d.mu.Unlock()
		if len(ids) == 0 {
			continue
		}
		slices.Sort(ids)
		slices.Sort(leases)
		if err := d.db.Read(ctx).renewLeases(ids, slices.Compact(leases)); err == nil {
			failures.End()
		} else if ctx.Err() == nil {
			d.log.Log(ctx, failures.Level(), "leases of webhook endpoints could not be renewed", "error", err)
		}
	}
}

// turn sends events to an endpoint, one event after the other, until no event is left, an attempt fails, or
// turnTime is over.
type turn struct {
	*dispatcher
	endpoint endpoint
	page     []placed
	progress progress

	mu    sync.Mutex
	place chan struct{}
}

func (t *turn) run(ctx, sending context.Context) {
	slow := time.AfterFunc(slowAfter, t.slowDown)
	defer func() {
		slow.Stop()
		t.dispatcher.mu.Lock()
		delete(t.held, t.endpoint.ID)
		t.dispatcher.mu.Unlock()
		t.leave()
	}()
	over, stop := context.WithTimeout(ctx, turnTime)
	defer stop()
	t.progress = progress{endpoint: t.endpoint.ID, lease: *t.endpoint.LeasedBy, position: t.endpoint.Position,
		slow: t.endpoint.Slow}
	for {
		ended, err := t.sendPage(sending, over)
		if err == nil && !ended {
			t.page, err = t.next(sending, endpoint{CustomerID: t.endpoint.CustomerID, Position: t.progress.position})
		}
		if err != nil && !errors.Is(err, errLost) && ctx.Err() == nil {
			t.log.Error("a webhook endpoint will be served again when its lease has ended",
				"webhook_endpoint_id", t.endpoint.ID, "error", err)
		}
		if err != nil || ended {
			return
		}
	}
}

// leave gives the place of the turn back. slowDown may still run afterwards, and then does nothing.
func (t *turn) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	give(t.place, 1)
	t.place = nil
}

// slowDown runs when the turn has lasted for slowAfter. If the turn has a quick place and a slow place is
// free, it takes the slow place and gives the quick place back. Otherwise the turn keeps its place.
func (t *turn) slowDown() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if quick := t.places[false]; t.place == quick {
		select {
		case t.places[true] <- struct{}{}:
			t.place = t.places[true]
			give(quick, 1)
		default:
		}
	}
}

// sendPage sends the events of the page, and records the progress. It reports whether the turn has ended.
func (t *turn) sendPage(sending, over context.Context) (ended bool, err error) {
	p := &t.progress
	p.deliveries, p.ended = nil, false
	if skip, err := t.skip(sending); err != nil || skip {
		return false, err
	}
	for _, happened := range t.page {
		if p.failure != nil || over.Err() != nil {
			break
		}
		if t.endpoint.wants(happened.Event) {
			a, err := t.send(sending, happened)
			if err != nil {
				p.ended = sending.Err() != nil
				// Record the events that the endpoint has accepted, so that they are not sent again.
				return true, errors.Join(err, t.submit(sending))
			}
			p.slow = !a.Delivered() || a.Took > slowAfter
			if !a.Delivered() {
				p.failure = &a
				break
			}
		}
		p.position = happened.Place
	}
	p.ended = p.failure != nil || over.Err() != nil || len(t.page) < pageSize
	return p.ended, t.submit(sending)
}

// skip moves the position past events that were deleted before the endpoint got them, and records a delivery
// with the outcome skipped. It reports whether it has moved the position.
func (t *turn) skip(sending context.Context) (bool, error) {
	p := &t.progress
	if len(t.page) > 0 && t.page[0].Place == p.position+1 {
		return false, nil
	}
	has, err := t.db.Read(sending).ofOwner(t.endpoint).positions()
	if err != nil || has.PrunedPosition <= p.position {
		return false, err
	}
	p.position, p.skipped = has.PrunedPosition, true
	p.deliveries = []*delivery{{Outcome: skipped, Position: new(p.position)}}
	deliveriesTotal.WithLabelValues(skipped).Inc()
	return true, t.submit(sending)
}

// send makes one attempt to send an event, and adds the attempt to the progress. An attempt that fails
// because ctx has ended is not added: then the error is the error of ctx.
func (t *turn) send(ctx context.Context, happened placed) (deliver.Attempt, error) {
	body, err := messageOf(happened)
	if err != nil {
		return deliver.Attempt{}, err
	}
	id := fmt.Sprint("evt_", happened.ID)
	a := t.sender.Send(ctx, deliver.Message{URL: t.endpoint.URL, ID: id, Body: body, Secrets: t.endpoint.secrets()})
	if ctx.Err() != nil && !a.Delivered() {
		return a, ctx.Err() // this process has ended the attempt, and the endpoint did not fail
	}
	t.progress.deliveries = append(t.progress.deliveries, deliveryOf(id, happened.Type, &happened.Place, a))
	return a, nil
}

// messageOf returns the body of the message for an event.
func messageOf(e placed) ([]byte, error) {
	return json.Marshal(api.WebhookMessage{
		Type: e.Type, Timestamp: contract.Time{Time: e.CreatedAt}, Data: view(e),
	})
}

// errLost is the error of a turn whose lease has ended or has passed to another process.
var errLost = errors.New("the lease was lost")

// submit records the progress through the recorder. When the context sending has ended, submit still has the
// time submitTime. Error: errLost when the turn no longer has the lease.
func (t *turn) submit(sending context.Context) error {
	ctx, stop := context.WithCancel(context.WithoutCancel(sending))
	defer stop()
	defer context.AfterFunc(sending, func() { time.AfterFunc(submitTime, stop) })()
	p := t.progress // a copy, because the Batcher may still run the command after Submit has returned
	if err := t.recorder.Submit(ctx, &p); err != nil {
		return err
	}
	if p.disabled != "" {
		t.log.Warn("a webhook endpoint was disabled", "webhook_endpoint_id", t.endpoint.ID,
			"customer_id", valueOr(t.endpoint.CustomerID, 0), "reason", p.disabled)
	}
	if p.lost {
		return errLost
	}
	return nil
}

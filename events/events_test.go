package events_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/events/deliver"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/eventsapi"
)

var ctx = context.Background()

// system is a service on a database.
type system struct {
	*events.Service
	g    *gorm.DB
	base string
}

// serve runs a service on g. At the end of the test, the doctor must find no broken rule.
func serve(t *testing.T, g *gorm.DB, c events.Config) *system {
	t.Helper()
	s := &system{Service: events.New(g, c), g: g}
	s.base = webtest.Serve(t, s.Handler(webtest.Options()), webtest.Spec(t, api.Document))
	t.Cleanup(func() {
		checks, err := doctor.Examine(ctx, g, events.Rules())
		if err != nil || !doctor.Healthy(checks) {
			doctor.Print(os.Stderr, checks)
			t.Errorf("the data is broken: %v", err)
		}
	})
	return s
}

// event returns an event of an order of the customer. For customer 0, it returns an event of a product, which
// has no customer. The representation of the event shows the version.
func event(customer, id int64, version int) history.Event {
	e := history.Event{
		Type: "order.confirmed", Subject: "order", SubjectID: id, CustomerID: &customer,
		CreatedAt: time.Now().UTC().Truncate(time.Millisecond), Payload: map[string]int{"version": version},
	}
	if customer == 0 {
		e.Type, e.Subject, e.CustomerID = "product.updated", "product", nil
	}
	return e
}

// record appends events in a transaction, and calls the function hold before the transaction commits.
func (s *system) record(t *testing.T, hold func(), all ...history.Event) {
	t.Helper()
	err := db.InReservedTx(ctx, s.g, func(tx *gorm.DB) error {
		if err := history.Append(tx, history.Origin{Actor: "test"}, all...); err != nil {
			return err
		}
		if hold != nil {
			hold()
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// sequence gives positions to all committed events.
func (s *system) sequence(t *testing.T) {
	t.Helper()
	for {
		if n, err := s.SequenceBatch(ctx); err != nil {
			t.Fatal(err)
		} else if n == 0 {
			return
		}
	}
}

// token returns the header Authorization of a token with the scopes, bound to a customer unless customer is
// 0.
func token(t *testing.T, customer int64, scopes ...string) string {
	t.Helper()
	p := auth.Principal{Subject: "partner", Customer: customer, Scope: strings.Join(scopes, " ")}
	issued, err := webtest.Options().Tokens.Issue(p, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + issued
}

// get reads GET /events with a query and headers, and fails unless the answer is 200.
func (s *system) get(t *testing.T, query string, headers ...string) api.FeedResponse {
	t.Helper()
	status, body, _ := webtest.Do(t, "GET", s.base+"/events?"+query, "", headers...)
	var r api.FeedResponse
	if err := json.Unmarshal(body, &r); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %v %d %s", query, err, status, body)
	}
	return r
}

// positions returns the position and the id of the subject of each event, such as "1:10 2:11".
func positions(events []api.FeedEvent) string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprint(e.Position, ":", e.SubjectID))
	}
	return strings.Join(all, " ")
}

// TestLateCommit commits two events in the reverse order of their ids. A reader reads after each commit, and
// remembers only its last position. The reader must get both events.
func TestLateCommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			t.Skip("transactions run one after the other")
		}
		s := serve(t, g, events.Config{})
		inserted, commit := make(chan struct{}), make(chan struct{})
		var late sync.WaitGroup
		late.Go(func() { s.record(t, func() { close(inserted); <-commit }, event(1, 10, 0)) })
		<-inserted
		s.record(t, nil, event(1, 11, 0))
		s.sequence(t)
		first := s.get(t, "after=0")
		close(commit)
		late.Wait()
		s.sequence(t)
		second := s.get(t, fmt.Sprint("after=", first.Meta.NextAfter))
		if got := positions(first.Data) + ", " + positions(second.Data); got != "1:11, 2:10" {
			t.Error(got)
		}
		if first.Data[0].ID < second.Data[0].ID {
			t.Errorf("the ids %d, %d do not test anything", first.Data[0].ID, second.Data[0].ID)
		}
	})
}

// TestPositionsOnTheDisk ends a sequencer after it has given positions to events, and before it shows the
// events to readers. No reader and no endpoint may get these positions, because a database that crashes may
// forget them.
func TestPositionsOnTheDisk(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			t.Skip("SQLite shows nothing that is not on the disk: one transaction is enough")
		}
		s, r := serve(t, g, events.Config{Webhooks: deliver.Config{AllowPrivate: true}}), receive(t)
		partner := token(t, 1, auth.Admin)
		for _, authorization := range []string{token(t, 0, auth.Admin), partner} {
			c, err := api.NewClientWithResponses(s.base, api.WithRequestEditorFn(
				func(_ context.Context, q *http.Request) error {
					q.Header.Set("Authorization", authorization)
					return nil
				}))
			must(t, err)
			create(t, c, api.WebhookEndpointRequest{URL: r.URL})
		}
		s.record(t, nil, event(1, 10, 0))
		s.sequence(t)
		errEnd := errors.New("the sequencer ends")
		var ends atomic.Bool
		must(t, g.Callback().Create().Before("gorm:create").Register("end", func(tx *gorm.DB) {
			if ends.Load() && tx.Statement.Table == "event_positions" {
				_ = tx.AddError(errEnd)
			}
		}))
		halfSequence := func(all ...history.Event) {
			t.Helper()
			s.record(t, nil, all...)
			ends.Store(true)
			defer ends.Store(false)
			var without int64
			if _, err := s.SequenceBatch(ctx); !errors.Is(err, errEnd) {
				t.Fatal(err)
			}
			must(t, g.Table("events").Where("position IS NULL").Count(&without).Error)
			if without != 0 {
				t.Errorf("%d events have no position", without)
			}
		}
		want := func(ofAll, ofOne string) {
			t.Helper()
			all, one := s.get(t, ""), s.get(t, "", "Authorization", partner)
			if positions(all.Data) != ofAll || positions(one.Data) != ofOne ||
				all.Meta.NextAfter != int64(len(all.Data)) || one.Meta.LastPosition != int64(len(one.Data)) {
				t.Errorf("%s, of one %s, %+v %+v", positions(all.Data), positions(one.Data), all.Meta, one.Meta)
			}
		}
		halfSequence(event(1, 11, 0), event(2, 20, 0))
		want("1:10", "1:10")
		sending, stop := context.WithCancel(ctx)
		var work sync.WaitGroup
		work.Go(func() { s.Deliver(sending, webtest.Log(io.Discard)) })
		for deadline := time.Now().Add(patience); ; {
			var done []int64
			isDone := g.Table("webhook_endpoints").Where("position > 0 AND leased_by IS NULL")
			must(t, isDone.Pluck("position", &done).Error)
			if len(done) == 2 {
				if !slices.Equal(done, []int64{1, 1}) || !slices.Equal(r.subjects(2), []int64{10, 10}) {
					t.Errorf("the endpoints are at %v", done)
				}
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the event is not sent")
			}
		}
		stop()
		work.Wait()
		const forget = "UPDATE events SET position = NULL, customer_position = NULL WHERE position > 1"
		must(t, g.Exec(forget).Error)
		want("1:10", "1:10")
		s.sequence(t)
		want("1:10 2:11 3:20", "1:10 2:11")
		halfSequence(event(1, 12, 0))
		want("1:10 2:11 3:20", "1:10 2:11")
		s.sequence(t)
		want("1:10 2:11 3:20 4:12", "1:10 2:11 3:12")
		// A crash may also undo the transaction that has shown the events. Then a reader that has read the
		// events gets an empty page, and waits.
		const takeBack = "UPDATE event_positions SET last_position = last_position - 1 WHERE customer_id IN (0, 1)"
		must(t, g.Exec(takeBack).Error)
		for authorization, after := range map[string]int64{token(t, 0, auth.Admin): 4, partner: 3} {
			got := s.get(t, fmt.Sprint("after=", after), "Authorization", authorization)
			if len(got.Data) > 0 || got.Meta != (api.FeedMeta{NextAfter: after, LastPosition: after}) {
				t.Errorf("after %d: %+v", after, got)
			}
		}
		status, body, _ := webtest.Do(t, "GET", s.base+"/events?after=5", "")
		webtest.WantError(t, status, body, 410, "events_expired", "/query/after")
		s.sequence(t)
		want("1:10 2:11 3:20 4:12", "1:10 2:11 3:12")
	})
}

// TestOvertakenSequencer interrupts a sequencer that has given a position to an event, but has not shown the
// event to readers yet. Another sequencer shows this event, and sequences a second event. Readers must then
// see both events.
func TestOvertakenSequencer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			t.Skip("SQLite needs one transaction, which no other sequencer can overtake")
		}
		s, other := serve(t, g, events.Config{}), events.New(g, events.Config{})
		type mark struct{}
		overtaken := false
		must(t, g.Callback().Query().Before("gorm:query").Register("overtake", func(tx *gorm.DB) {
			if overtaken || tx.Statement.Context.Value(mark{}) == nil {
				return
			}
			var without int64
			must(t, g.Table("events").Where("position IS NULL").Count(&without).Error)
			if without > 0 {
				return // the sequencer has not committed the position yet
			}
			overtaken = true
			for _, further := range [][]history.Event{nil, {event(1, 11, 0)}} {
				s.record(t, nil, further...)
				_, err := other.SequenceBatch(ctx)
				must(t, err)
			}
		}))
		s.record(t, nil, event(1, 10, 0))
		_, err := s.SequenceBatch(context.WithValue(ctx, mark{}, true))
		must(t, err)
		if got := s.get(t, ""); !overtaken || positions(got.Data) != "1:10 2:11" || got.Meta.LastPosition != 2 {
			t.Errorf("overtaken %v: %s, %+v", overtaken, positions(got.Data), got.Meta)
		}
	})
}

// TestFeedIsGapless lets writers commit events out of the order of ids. Meanwhile two sequencers run on the
// same database, and many of their runs are canceled. Readers follow the feed of all events, and the feed of
// each customer. Each reader must get each event of its feed once, at the next position. It must get the
// events of a subject in the order of the changes.
func TestFeedIsGapless(t *testing.T) {
	const writers, rounds, customers = 6, 15, 3
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		other := events.New(g, events.Config{})
		written := make(chan struct{})
		var sequencers, readers sync.WaitGroup
		done, stop := context.WithCancel(ctx)
		for i, sequencer := range []*events.Service{s.Service, other} {
			sequencers.Go(func() {
				for n := 0; done.Err() == nil; n++ {
					some, cancel := context.WithTimeout(done, time.Duration(rand.N(10_000))*time.Microsecond)
					if n%2 == i { // every second run of a sequencer is not canceled
						cancel()
						some, cancel = context.WithCancel(done)
					}
					_, err := sequencer.SequenceBatch(some)
					if err != nil && some.Err() == nil && !errors.Is(err, db.ErrUnavailable) {
						t.Error(err)
					}
					cancel()
				}
			})
		}
		total := map[int64]int64{}                 // number of events in each feed
		got := make([]map[string]int, customers+1) // for each feed, the last version of each subject
		for feed := range got {
			got[feed] = map[string]int{}
			readers.Go(func() {
				var headers []string
				if feed > 0 {
					headers = []string{"Authorization", token(t, int64(feed), auth.Admin)}
				}
				var after int64
				for {
					page := s.get(t, fmt.Sprint("limit=7&wait=1&after=", after), headers...)
					for _, e := range page.Data {
						var shown struct{ Version int }
						_ = json.Unmarshal(e.Representation, &shown)
						subject := fmt.Sprint(e.Subject, e.SubjectID)
						if e.Position != after+1 || shown.Version != got[feed][subject]+1 {
							t.Errorf("feed %d: %s version %d at %d, after version %d and position %d",
								feed, subject, shown.Version, e.Position, got[feed][subject], after)
						}
						after, got[feed][subject] = e.Position, shown.Version
					}
					if page.Meta.NextAfter != after {
						t.Errorf("feed %d: next_after is %d after event %d", feed, page.Meta.NextAfter, after)
					}
					select {
					case <-written:
						if after == total[int64(feed)] || t.Failed() {
							return
						}
					default:
					}
				}
			})
		}
		for round := range rounds {
			var begun, ended sync.WaitGroup
			commits := make([]chan struct{}, writers)
			for w := range commits {
				customer := int64((w + round) % (customers + 1))
				all := []history.Event{event(customer, int64(10+w*10)+customer, 0)}
				if w%2 == 0 {
					all = append(all, event(customer, int64(10+w*10)+customer, 0))
				}
				total[customer] += int64(len(all))
				if customer > 0 {
					total[0] += int64(len(all))
				}
				commits[w] = make(chan struct{})
				if g.Name() == db.SQLite {
					close(commits[w]) // do not hold a transaction, because SQLite runs one at a time
				}
				begun.Add(1)
				ended.Go(func() {
					tries := 0
					err := db.InReservedTx(ctx, g, func(tx *gorm.DB) error {
						var n int
						err := tx.Raw("SELECT COUNT(*) FROM events WHERE subject = ? AND subject_id = ?",
							all[0].Subject, all[0].SubjectID).Scan(&n).Error
						for i := range all {
							all[i].Payload = map[string]int{"version": n + i + 1}
						}
						if err == nil {
							err = history.Append(tx, history.Origin{Actor: "test"}, all...)
						}
						if tries++; tries == 1 {
							begun.Done()
						}
						<-commits[w]
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			begun.Wait()
			if g.Name() != db.SQLite {
				for _, w := range rand.Perm(writers) {
					close(commits[w])
				}
			}
			ended.Wait()
		}
		close(written)
		readers.Wait()
		stop()
		sequencers.Wait()
		for feed, subjects := range got {
			var versions []int
			for _, last := range subjects {
				versions = append(versions, last)
			}
			if len(versions) == 0 || slices.Max(versions) < 2 {
				t.Errorf("feed %d has too few events to test the order: %v", feed, subjects)
			}
		}
	})
}

// TestRulesBesideSequencer examines the positions of events again and again while new events get positions.
// No rule of the doctor may be broken.
func TestRulesBesideSequencer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		done, stop := context.WithCancel(ctx)
		var writers sync.WaitGroup
		for customer := range int64(3) {
			writers.Go(func() {
				for done.Err() == nil {
					s.record(t, nil, event(customer, 10+customer, 0), event(customer, 10+customer, 0))
				}
			})
		}
		writers.Go(func() {
			for done.Err() == nil {
				if _, err := s.SequenceBatch(ctx); err != nil && !errors.Is(err, db.ErrUnavailable) {
					t.Error(err)
				}
			}
		})
		for range 30 {
			checks, err := doctor.Examine(ctx, g, events.Rules())
			if err != nil || !doctor.Healthy(checks) {
				t.Errorf("%+v %v", checks, err)
				break
			}
		}
		stop()
		writers.Wait()
	})
}

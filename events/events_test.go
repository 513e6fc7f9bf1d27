package events_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/events"
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

// event returns an event of an order, or of a product for customer 0. The representation of the event shows
// the version.
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

// sequence sequences all committed events.
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

// token returns the header Authorization of a token with the scopes, bound to a customer unless customer is 0.
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

// positions returns the positions and the subjects of events as text.
func positions(events []api.FeedEvent) string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprint(e.Position, ":", e.SubjectID))
	}
	return strings.Join(all, " ")
}

// TestLateCommit commits the first of two events after a reader has read the second. The reader, which
// remembers only the last position, gets both.
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

// TestFeedIsGapless lets writers commit out of the order of ids, while sequencers on the same database run
// and are canceled half-way, and readers follow the feed of all events and of each customer. Each reader must
// get each event of its feed once, at the next position, and the events of a subject in the order of the
// changes.
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
					if n%2 == i { // the other sequencer runs to its end
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
		total := map[int64]int64{}                 // events by customer
		got := make([]map[string]int, customers+1) // the last version by subject, for each feed
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
					close(commits[w]) // SQLite's transactions run one after the other
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

// TestRulesBesideSequencer examines the positions of events again and again while new events get theirs.
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

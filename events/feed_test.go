package events_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/eventsapi"
)

// TestWhichEvents reads the feed with tokens of different scopes and customers.
func TestWhichEvents(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		customer := event(1, 1, 0)
		customer.Type, customer.Subject = "customer.deleted", "customer"
		stock := event(0, 3, 0)
		stock.Type = "stock.adjusted"
		s.record(t, nil, event(1, 10, 0), event(2, 20, 0), event(0, 3, 0), customer, event(1, 11, 0), stock)
		s.sequence(t)
		for _, c := range []struct {
			name, token, query string
			want               string
			next, last         int64
		}{
			{"no token", "", "", "1:10 2:20 3:3 4:1 5:11 6:3", 6, 6},
			{"every scope", token(t, 0, auth.Admin), "", "1:10 2:20 3:3 4:1 5:11 6:3", 6, 6},
			{"no scope besides", token(t, 0, "events:read"), "", "", 6, 6},
			{"orders", token(t, 0, "events:read", "orders:read"), "", "1:10 2:20 5:11", 6, 6},
			{"customers", token(t, 0, "events:read", "customers:read"), "", "4:1", 6, 6},
			{"products", token(t, 0, "events:read", "products:read"), "", "3:3 6:3", 6, 6},
			{"partner", token(t, 1, auth.Admin), "", "1:10 2:1 3:11", 3, 3},
			{"partner, orders", token(t, 1, "events:read", "orders:read"), "", "1:10 3:11", 3, 3},
			{"partner, products", token(t, 2, "events:read", "products:read"), "", "", 1, 1},
			{"partner without events", token(t, 3, auth.Admin), "", "", 0, 0},
			{"page", "", "limit=2&after=1", "2:20 3:3", 3, 6},
			{"page of a type", "", "limit=1&types=order.confirmed&after=1", "2:20", 2, 6},
			{"types", "", "types=customer.deleted,stock.adjusted", "4:1 6:3", 6, 6},
			{"no event of the type", "", "types=order.created&after=2", "", 6, 6},
			{"partner, type", token(t, 1, auth.Admin), "types=customer.deleted", "2:1", 3, 3},
			{"after the last", "", "after=6", "", 6, 6},
		} {
			var headers []string
			if c.token != "" {
				headers = []string{"Authorization", c.token}
			}
			got := s.get(t, c.query, headers...)
			meta := api.FeedMeta{NextAfter: c.next, LastPosition: c.last}
			if positions(got.Data) != c.want || got.Meta != meta {
				t.Errorf("%s: %s %+v, want %s %+v", c.name, positions(got.Data), got.Meta, c.want, meta)
			}
		}
		for _, c := range []struct {
			token, query string
			status       int
			code, field  string
		}{
			{token(t, 0, "orders:read"), "", 403, "forbidden", "/header/Authorization"},
			{token(t, 0, "events:read", "orders:read"), "types=customer.created", 403, "forbidden", "/header/Authorization"},
			{token(t, 1, auth.Admin), "types=order.created,stock.adjusted", 403, "forbidden", "/header/Authorization"},
			{token(t, 0, auth.Admin), "types=order.created,", 400, "validation_failed", "/query/types"},
			{token(t, 0, auth.Admin), "types=order", 400, "validation_failed", "/query/types"},
			{token(t, 0, auth.Admin), "wait=61", 400, "validation_failed", "/query/wait"},
			{token(t, 0, auth.Admin), "after=-1", 400, "validation_failed", "/query/after"},
			{token(t, 0, auth.Admin), "after=7", 410, "events_expired", "/query/after"},
			{token(t, 1, auth.Admin), "after=4", 410, "events_expired", "/query/after"},
			{token(t, 3, auth.Admin), "after=1", 410, "events_expired", "/query/after"},
		} {
			status, body, _ := webtest.Do(t, "GET", s.base+"/events?"+c.query, "", "Authorization", c.token)
			webtest.WantError(t, status, body, c.status, c.code, c.field)
		}
	})
}

// TestRareType looks for two events of a rare type, with 12,000 other events between them. A page covers
// 5,000 positions, so one page has no event. A reader must continue after this page, and find both events. A
// stream must find the second event even when the database is slow.
func TestRareType(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		var slow atomic.Bool
		var reads atomic.Int32 // number of reads of events since slow is true
		must(t, g.Callback().Query().Before("gorm:query").Register("slow", func(tx *gorm.DB) {
			if tx.Statement.Table == "events" && slow.Load() && reads.Add(1) > 2 { // a stream begins with two reads
				time.Sleep(2 * time.Second)
			}
		}))
		rare := event(1, 1, 0)
		rare.Type = "order.canceled"
		s.record(t, nil, rare)
		for range 12 {
			s.record(t, nil, slices.Repeat([]history.Event{event(2, 2, 0)}, 1000)...)
		}
		rare.CreatedAt = time.Now().UTC().Truncate(time.Millisecond)
		s.record(t, nil, rare)
		s.sequence(t)
		var after int64
		var got []api.FeedEvent
		pages := 0
		for last := int64(-1); after != last; pages++ {
			page := s.get(t, fmt.Sprint("types=order.canceled&after=", after))
			got, after, last = append(got, page.Data...), page.Meta.NextAfter, page.Meta.LastPosition
		}
		if positions(got) != "1:1 12002:1" || pages != 3 {
			t.Errorf("%s in %d pages", positions(got), pages)
		}
		waited := s.get(t, "types=order.canceled&after=1&wait=1")
		if positions(waited.Data) != "12002:1" {
			t.Errorf("%s, waiting", positions(waited.Data))
		}
		slow.Store(true)
		stream := s.streamWithin(t, 3*time.Second, "types=order.canceled&after=1")
		for id := ""; id != "id: 12002"; {
			id = stream.want("id: ")
		}
	})
}

// TestLargeEvents reads events of 100 KB. A page must end when it exceeds 1 MiB, that is, after 11 events at
// most, even if its limit is higher. The next page must continue after the last event of the page.
func TestLargeEvents(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		var want []string
		for i := range int64(130) {
			large := event(1, i+1, 0)
			large.Payload = map[string]string{"note": strings.Repeat("x", 100<<10)}
			s.record(t, nil, large)
			want = append(want, fmt.Sprintf("%d:%d", i+1, i+1))
		}
		s.sequence(t)
		var got []string
		for after, last := int64(0), int64(-1); after != last; {
			page := s.get(t, fmt.Sprint("limit=1000&after=", after))
			if len(page.Data) == 0 || len(page.Data) > 11 { // 11 events exceed a page of 1 MiB
				t.Fatalf("a page has %d events", len(page.Data))
			}
			got = append(got, positions(page.Data))
			after, last = page.Meta.NextAfter, page.Meta.LastPosition
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q", got)
		}
		stream := s.stream(t, "limit=1000")
		for i := range want {
			if id := stream.want("id: "); id != fmt.Sprint("id: ", i+1) {
				t.Fatalf("%s, want %d", id, i+1)
			}
		}
	})
}

// TestRareTypeTakesTurns lets three readers look for a rare type among 20,000 events. The service allows one
// search at a time. The first page of a reader is no search. All further pages must be read one after the
// other.
func TestRareTypeTakesTurns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		for range 20 {
			s.record(t, nil, slices.Repeat([]history.Event{event(2, 2, 0)}, 1000)...)
		}
		s.sequence(t)
		var atOnce, most atomic.Int64
		further := func(tx *gorm.DB) bool { // reports whether the statement reads a page after the first
			where, ok := tx.Statement.Clauses["WHERE"].Expression.(clause.Where)
			return ok && slices.ContainsFunc(where.Exprs, func(e clause.Expression) bool {
				expr, ok := e.(clause.Expr)
				return ok && expr.SQL == "position > ? AND position <= ?" && expr.Vars[0].(int64) > 0
			})
		}
		before := func(tx *gorm.DB) {
			if further(tx) {
				most.Store(max(most.Load(), atOnce.Add(1)))
				time.Sleep(20 * time.Millisecond)
			}
		}
		after := func(tx *gorm.DB) {
			if further(tx) {
				atOnce.Add(-1)
			}
		}
		on := g.Callback().Query()
		if err := on.Before("gorm:query").Register("test:before", before); err != nil {
			t.Fatal(err)
		}
		if err := on.After("gorm:query").Register("test:after", after); err != nil {
			t.Fatal(err)
		}
		o := webtest.Options()
		o.Limits = web.Limits{Searches: 1, Readers: 20}
		base := webtest.Serve(t, s.Handler(o), webtest.Spec(t, api.Document))
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				status, body, _ := webtest.Do(t, "GET", base+"/events?after=0&types=order.canceled&wait=5", "")
				if status != 200 || !strings.Contains(string(body), `"next_after":20000`) {
					t.Errorf("%d %s", status, body)
				}
			})
		}
		readers.Wait()
		if most.Load() != 1 {
			t.Errorf("%d windows after the first were read at once", most.Load())
		}
	})
}

// TestIndexes checks that the queries of the feed and of the sequencer do not count, skip or sort rows.
func TestIndexes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		s.record(t, nil, event(1, 1, 0), event(0, 1, 0))
		dbtest.NoFilesort(t, g)
		s.sequence(t)
		s.get(t, "after=0")
		s.get(t, "after=0&types=order.confirmed", "Authorization", token(t, 1, auth.Admin))
	})
}

// TestLongPoll lets readers wait. An event must wake the readers of its feed, and no other reader.
func TestLongPoll(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		other := events.New(g, events.Config{}) // like another process, it cannot nudge the readers of s
		var reads atomic.Int64                  // number of reads by customer 3
		must(t, g.Callback().Query().After("gorm:query").Register("reads", func(tx *gorm.DB) {
			if auth.From(tx.Statement.Context).Customer == 3 {
				reads.Add(1)
			}
		}))
		var all, idle sync.WaitGroup
		got := make([]string, 4)
		for feed := range got {
			headers := []string{"Authorization", token(t, int64(feed), auth.Admin)}
			group := &all
			if feed == 3 { // customer 3 gets no event
				group = &idle
			}
			group.Go(func() { got[feed] = positions(s.get(t, "after=0&wait=60s", headers...).Data) })
		}
		events.WaitFor(t, s.Service, 4)
		s.record(t, nil, event(1, 10, 0), event(2, 20, 0))
		if n, err := other.SequenceBatch(ctx); n != 2 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		all.Wait()
		for round := range int64(10) {
			after, partner := fmt.Sprint("wait=60s&after=", 1+round), token(t, 1, auth.Admin)
			all.Go(func() { s.get(t, after, "Authorization", partner) })
			events.WaitFor(t, s.Service, 2)
			s.record(t, nil, event(1, 11+round, 0))
			if n, err := other.SequenceBatch(ctx); n != 1 || err != nil {
				t.Errorf("%d %v", n, err)
			}
			all.Wait()
		}
		s.Stop() // ends the wait of customer 3
		idle.Wait()
		// The request of customer 3 reads at its start, at the first news, which wakes all readers, and at
		// its end. The ten later events of customer 1 must not wake it.
		if n := reads.Load(); n == 0 || n > 5 {
			t.Errorf("the reader without events has read %d times", n)
		}
		if want := []string{"1:10 2:20", "1:10", "1:20", ""}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestStop stops the service while a request waits and a stream is open. Both must end at once, with complete
// answers.
func TestStop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		s.record(t, nil, event(1, 10, 0))
		s.sequence(t)
		stream := s.stream(t, "after=0")
		stream.want("id: 1")
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if got := s.get(t, "after=1&wait=60"); len(got.Data) != 0 || got.Meta.NextAfter != 1 {
				t.Errorf("%+v", got)
			}
		})
		events.WaitFor(t, s.Service, 2)
		s.Stop()
		waiting.Wait()
		stream.want("id: 1")
		if rest, err := io.ReadAll(stream.Reader); err != nil || strings.TrimSpace(string(rest)) != "" {
			t.Errorf("%q %v", rest, err)
		}
		begin := time.Now()
		s.get(t, "after=1&wait=60")
		if took := time.Since(begin); took < time.Second || took > 30*time.Second {
			t.Errorf("a follower that asks again gets an answer after %v, not a second", took)
		}
	})
}

// TestStopBehind opens a stream of 100 events after the service has stopped. The stream never waits, because
// it is far behind the last event. It must nevertheless end before the last event.
func TestStopBehind(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		const behind = 100
		for i := range int64(behind) {
			s.record(t, nil, event(1, i+1, 0))
		}
		s.sequence(t)
		s.Stop()
		stream := s.stream(t, "after=0&limit=1")
		text, err := io.ReadAll(stream.Reader)
		if read := strings.Count(string(text), "data: "); err != nil || read == 0 || read == behind {
			t.Errorf("%d events, %v", read, err)
		}
	})
}

// TestReaders fills the places for readers of events. A caller may take only half of the places that other
// callers leave free. A refused reader must get the header Retry-After.
func TestReaders(t *testing.T) {
	g := dbtest.Open(t, db.Config{Driver: db.SQLite, Path: t.TempDir() + "/test.db"})
	s := &system{Service: events.New(g, events.Config{}), g: g}
	o := webtest.Options()
	o.Limits = web.Limits{InFlight: 1, Exports: 1, Readers: 4}
	s.base = webtest.Serve(t, s.Handler(o), webtest.Spec(t, api.Document))
	bearer := func(subject string) string {
		p := auth.Principal{Subject: subject, Scope: auth.Admin}
		issued, err := webtest.Options().Tokens.Issue(p, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + issued
	}
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer s.Stop()
	for n, caller := range []string{"a", "a", "b"} {
		waiting.Go(func() { s.get(t, "wait=60", "Authorization", bearer(caller)) })
		events.WaitFor(t, s.Service, n+1)
	}
	for caller, want := range map[string]int{"a": 429, "b": 429, "c": 200} {
		status, body, header := webtest.Do(t, "GET", s.base+"/events", "", "Authorization", bearer(caller))
		if status != want || status != 200 && header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %s, want %d", caller, status, header, body, want)
		}
	}
}

// sse reads a stream of Server-Sent Events.
type sse struct {
	*bufio.Reader
	t *testing.T
}

// stream opens a stream with a query and headers. It does not use webtest, whose checks need whole answers.
func (s *system) stream(t *testing.T, query string, headers ...string) *sse {
	t.Helper()
	return s.streamWithin(t, webtest.Options().Timeout, query, headers...)
}

// streamWithin is like stream. The service ends the stream when it writes nothing for the time timeout.
func (s *system) streamWithin(t *testing.T, timeout time.Duration, query string, headers ...string) *sse {
	t.Helper()
	o := webtest.Options()
	o.Timeout = timeout
	server := httptest.NewServer(s.Handler(o))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/events?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	return &sse{bufio.NewReader(res.Body), t}
}

// want reads lines up to the first line with the beginning, and returns that line.
func (s *sse) want(beginning string) (line string) {
	s.t.Helper()
	for {
		line, err := s.ReadString('\n')
		if err != nil {
			s.t.Fatalf("no line begins with %q: %v", beginning, err)
		}
		if strings.HasPrefix(line, beginning) {
			return strings.TrimSpace(line)
		}
	}
}

// TestStream reads events as they come, and continues after the last id with a new stream.
func TestStream(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		s.record(t, nil, event(1, 10, 7), event(2, 20, 0))
		s.sequence(t)
		partner := []string{"Authorization", token(t, 1, auth.Admin)}
		stream := s.stream(t, "", partner...)
		stream.want("retry: ")
		stream.want("id: 1")
		var e api.FeedEvent
		err := json.Unmarshal([]byte(strings.TrimPrefix(stream.want("data: "), "data: ")), &e)
		if err != nil || e.SubjectID != 10 || e.Position != 1 || string(e.Representation) != `{"version":7}` {
			t.Errorf("%v %+v", err, e)
		}
		s.record(t, nil, event(2, 21, 0), event(1, 11, 0))
		s.sequence(t)
		if id := stream.want("id: "); id != "id: 2" {
			t.Error(id)
		}
		s.record(t, nil, event(1, 12, 0))
		s.sequence(t)
		again := s.stream(t, "after=0", append(partner, "Last-Event-ID", "2")...)
		if id := again.want("id: "); id != "id: 3" {
			t.Error(id)
		}
		status, body, _ := webtest.Do(t, "GET", s.base+"/events?after=4", "",
			append(partner, "Accept", "text/event-stream")...)
		webtest.WantError(t, status, body, 410, "events_expired", "/query/after")
		status, body, _ = webtest.Do(t, "GET", s.base+"/events?after=0", "", append(partner, "Last-Event-ID", "4")...)
		webtest.WantError(t, status, body, 410, "events_expired", "/header/Last-Event-ID")
		odd := s.stream(t, "after=2", append(partner, "Accept", "Text/Event-Stream")...) // media types ignore case
		odd.want("id: 3")
		// A generated client names both media types in the header Accept, but can read only JSON.
		got := s.get(t, "after=2", append(partner, "Accept", "application/json, text/event-stream")...)
		if positions(got.Data) != "3:12" {
			t.Errorf("%+v", got)
		}
	})
}

// TestStreamBegins sequences an event just after a new stream has read events for the first time. The service
// wakes its readers for this event before the stream waits, and does not wake them again. The stream must
// nevertheless send the event before its first comment. A comment comes only after a silence.
func TestStreamBegins(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		s.record(t, nil, event(1, 10, 0))
		s.sequence(t)
		var once sync.Once
		var other *sse
		err := g.Callback().Query().After("gorm:query").Register("begin", func(tx *gorm.DB) {
			if tx.Statement.Table == "events" && auth.From(tx.Statement.Context).Customer == 1 {
				once.Do(func() {
					s.record(t, nil, event(1, 11, 0))
					s.sequence(t)
					other.want("id: 2")
				})
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		other = s.stream(t, "after=0")
		other.want("id: 1")
		stream := s.stream(t, "after=0", "Authorization", token(t, 1, auth.Admin))
		for line := ""; line != "id: 2"; line = stream.want("") {
			if strings.HasPrefix(line, ":") {
				t.Fatal("the event came with the first comment only")
			}
		}
	})
}

// TestStreamBesideOtherTypes opens a stream for a type without events. Events of another type come more often
// than the stream may be silent. The stream must send its growing position, and must not be cut for its
// silence.
func TestStreamBesideOtherTypes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		stream := s.streamWithin(t, 2*time.Second, "types=order.created")
		var writer sync.WaitGroup
		done, stop := context.WithCancel(ctx)
		defer writer.Wait()
		defer stop()
		writer.Go(func() {
			for done.Err() == nil {
				s.record(t, nil, event(1, 10, 0))
				if _, err := s.SequenceBatch(ctx); err != nil {
					t.Error(err)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
		before := 0
		for range 3 {
			var id int
			if _, err := fmt.Sscanf(stream.want("id: "), "id: %d", &id); err != nil || id <= before {
				t.Fatalf("id %d after id %d: %v", id, before, err)
			}
			before = id
		}
	})
}

// TestStreamEnds opens a stream of one type of event, with a short life. The stream must end by itself, with
// a complete answer. The last id must be the position of the last event, although this event has another
// type.
func TestStreamEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{})
		s.SetStreamLife(100 * time.Millisecond)
		s.record(t, nil, event(1, 10, 0), event(0, 3, 0))
		s.sequence(t)
		text, err := io.ReadAll(s.stream(t, "after=0&types=order.confirmed"))
		if err != nil || !strings.Contains(string(text), "id: 1\ndata: ") ||
			!strings.HasSuffix(string(text), "id: 2\n\n") {
			t.Errorf("%v %q", err, text)
		}
	})
}

// age makes the feed older than any time of retention in these tests.
func (s *system) age(t *testing.T) {
	t.Helper()
	const age = "UPDATE event_positions SET begun_at = '2020-01-01 00:00:00' WHERE customer_id = 0"
	if err := s.g.Exec(age).Error; err != nil {
		t.Fatal(err)
	}
}

// TestPrune deletes old events while readers are at different places of the feed. A reader whose next events
// were deleted must get 410 events_expired; all other readers read on. No deleted position is given again.
func TestPrune(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{Retention: 48 * time.Hour})
		aged := func(hours int, customer, id int64) history.Event {
			e := event(customer, id, 0)
			e.CreatedAt = e.CreatedAt.Add(-time.Duration(hours) * time.Hour)
			return e
		}
		s.record(t, nil, aged(72, 1, 10), aged(71, 2, 20), aged(70, 1, 11), aged(1, 2, 21))
		if n, err := s.Prune(ctx); n != 0 || err != nil {
			t.Errorf("%d events without a position were deleted: %v", n, err)
		}
		// On TiDB, the events of a batch get their positions by time. The next events include an older event,
		// so they must be in another batch.
		s.sequence(t)
		s.record(t, nil, aged(70, 2, 22), aged(1, 1, 12))
		s.sequence(t)
		if n, err := s.Prune(ctx); n != 0 || err != nil {
			t.Errorf("%d events were deleted from a young feed: %v", n, err)
		}
		s.age(t)
		// The old event at position 5 is kept, because it comes after the young event at position 4.
		for _, want := range []int{3, 0} {
			if n, err := s.Prune(ctx); n != want || err != nil {
				t.Errorf("%d %v, want %d", n, err, want)
			}
		}
		one, two := token(t, 1, auth.Admin), token(t, 2, auth.Admin)
		for _, c := range []struct{ token, query, want string }{
			{"", "", "4:21 5:22 6:12"},
			{"", "after=3", "4:21 5:22 6:12"},
			{one, "", "3:12"},
			{one, "after=2", "3:12"},
			{two, "", "2:21 3:22"},
			{two, "after=1", "2:21 3:22"},
		} {
			var headers []string
			if c.token != "" {
				headers = []string{"Authorization", c.token}
			}
			if got := positions(s.get(t, c.query, headers...).Data); got != c.want {
				t.Errorf("%q is %s, want %s", c.query, got, c.want)
			}
		}
		for query, authorization := range map[string]string{
			"after=0": one, "after=1": one, "after=2": token(t, 0, auth.Admin),
		} {
			status, body, _ := webtest.Do(t, "GET", s.base+"/events?"+query, "", "Authorization", authorization)
			webtest.WantError(t, status, body, 410, "events_expired", "/query/after")
		}
		status, body, _ := webtest.Do(t, "GET", s.base+"/events?after=0", "")
		webtest.WantError(t, status, body, 410, "events_expired", "/query/after")
		if !strings.Contains(string(body), `"first_after":3,"last_position":6`) {
			t.Errorf("%s", body)
		}
		for range 3 { // 1,200 events, more than a transaction deletes
			s.record(t, nil, slices.Repeat([]history.Event{aged(50, 1, 13)}, 400)...)
		}
		s.sequence(t)
		const age = "UPDATE events SET created_at = (SELECT t FROM (SELECT MIN(created_at) AS t FROM events) AS e)"
		if err := g.Exec(age).Error; err != nil {
			t.Fatal(err)
		}
		if n, err := s.Prune(ctx); n != 1203 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		s.record(t, nil, event(2, 23, 0))
		s.sequence(t)
		got := positions(s.get(t, "").Data) + ", " + positions(s.get(t, "", "Authorization", two).Data)
		if got != "1207:23, 4:23" {
			t.Errorf("a number was given again: %s", got)
		}
	})
}

// TestPruneAfterRestore deletes old events after a restore from a backup. The statement of docs/operations.md
// has moved pruned_position beyond all restored events, so that readers no longer get them. The job must
// nevertheless delete the restored events that are old: otherwise it would be behind for ever. No position of
// the feed may change.
func TestPruneAfterRestore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{Retention: 48 * time.Hour})
		old, young := event(1, 10, 0), event(1, 11, 0)
		old.CreatedAt = old.CreatedAt.Add(-72 * time.Hour)
		s.record(t, nil, slices.Repeat([]history.Event{old}, 600)...) // more events than pruneStep (500)
		s.record(t, nil, young)
		s.sequence(t)
		s.age(t)
		must(t, g.Exec("UPDATE event_positions SET pruned_position = last_position + 1000000, "+
			"last_position = last_position + 1000000").Error)
		s.record(t, nil, old)
		s.record(t, nil, young)
		s.sequence(t)
		for _, job := range s.Jobs() {
			if job.Name != "delete old events" {
				continue
			}
			n, err := job.Run(ctx)
			must(t, err)
			lag, err := job.Lag(ctx)
			if n != 601 || lag != 0 || err != nil {
				t.Errorf("%d events are deleted, and the task is %s behind: %v", n, lag, err)
			}
		}
		for _, authorization := range []string{token(t, 0, auth.Admin), token(t, 1, auth.Admin)} {
			got := s.get(t, "", "Authorization", authorization)
			if positions(got.Data) != "1000603:11" {
				t.Errorf("the feed is %s", positions(got.Data))
			}
		}
		var kept int64
		must(t, g.Table("events").Count(&kept).Error)
		if kept != 2 {
			t.Errorf("%d events are left", kept)
		}
	})
}

// TestPruneReads deletes an event while a page with this event is read. A reader that asks for the oldest
// events must get the events that are left. A reader that has a position must get 410 events_expired, because
// a page without the event would hide the deletion from the reader.
func TestPruneReads(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g, events.Config{Retention: time.Hour})
		old := event(1, 10, 0)
		old.CreatedAt = old.CreatedAt.Add(-2 * time.Hour)
		s.record(t, nil, old, event(1, 11, 0))
		s.sequence(t)
		s.age(t)
		var pruned atomic.Bool
		err := g.Callback().Query().Before("gorm:query").Register("prune", func(tx *gorm.DB) {
			if tx.Statement.Table == "events" && !pruned.Swap(true) {
				if n, err := s.Prune(ctx); n != 1 || err != nil {
					t.Errorf("%d %v", n, err)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := positions(s.get(t, "").Data); got != "2:11" {
			t.Errorf("the oldest events are %s", got)
		}
		must(t, g.Exec("UPDATE events SET created_at = ?", old.CreatedAt).Error)
		s.record(t, nil, event(1, 12, 0))
		s.sequence(t)
		pruned.Store(false)
		status, body, _ := webtest.Do(t, "GET", s.base+"/events?after=1", "")
		webtest.WantError(t, status, body, 410, "events_expired", "/query/after")
	})
}

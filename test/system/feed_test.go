package system_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/openapi/eventsapi"
)

// follower reads a feed while services and the database are killed. Each request continues after the position
// of the last event.
type follower struct {
	c       *chaos
	name    string
	token   string
	streams bool // reads Server-Sent Events; otherwise makes requests that wait for events
	feed    int64
	after   int64
	ids     []int64      // ids of the events, in the order of the feed
	end     atomic.Int64 // the last position of the feed, once the system is at rest; -1 until then
}

// follow starts four followers: two read the feed of all events, two read the feed of the customer.
func (c *chaos) follow(customer int64) (all []*follower, ended *sync.WaitGroup) {
	ended = &sync.WaitGroup{}
	for _, f := range []*follower{
		{name: "requests"}, {name: "stream", streams: true},
		{name: "requests of a partner", feed: customer}, {name: "stream of a partner", streams: true, feed: customer},
	} {
		f.c = c
		f.end.Store(-1)
		f.token = newOwner(c.t, f.feed).token
		all = append(all, f)
		ended.Go(f.run)
	}
	return all, ended
}

// newOwner returns a caller who may read all events of a customer, or the events of all customers when
// customer is 0.
func newOwner(t *testing.T, customer int64) partner {
	t.Helper()
	p := auth.Principal{Subject: "owner", Customer: customer, Scope: auth.Admin}
	token, err := chaosTokens.Issue(p, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return partner{p, token}
}

func (f *follower) run() {
	for f.c.ctx.Err() == nil && f.after != f.end.Load() {
		if err := f.read(f.c.events[rand.IntN(len(f.c.events))]); err != nil {
			f.c.pause(20 * time.Millisecond) // a service or the database is down
		}
	}
}

// read makes a request, and adds the events of the answer to ids.
func (f *follower) read(base string) error {
	const wait = time.Second
	req, err := http.NewRequestWithContext(f.c.ctx, "GET", fmt.Sprintf("%s/events?wait=%d&after=%d", base,
		int(wait.Seconds()), f.after), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	if f.streams {
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Last-Event-ID", fmt.Sprint(f.after))
	}
	client := http.Client{Timeout: 4 * wait} // the timeout cuts a stream, often in the middle of an event
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode >= 500:
		return fmt.Errorf("status %d", res.StatusCode)
	case res.StatusCode != http.StatusOK:
		body, _ := io.ReadAll(res.Body)
		f.c.broken("the feed, %s: %d %s", f.name, res.StatusCode, body)
		f.c.giveUp()
		return nil
	case f.streams:
		return f.readStream(res.Body)
	}
	var page eventsapi.FeedResponse
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil {
		return err
	}
	for _, e := range page.Data {
		f.take(e)
	}
	return nil
}

func (f *follower) readStream(body io.Reader) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	var data string
	for lines.Scan() {
		if text, isData := strings.CutPrefix(lines.Text(), "data: "); isData {
			data = text
		}
		if lines.Text() != "" || data == "" {
			continue
		}
		var e eventsapi.FeedEvent
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			f.c.broken("the feed, %s: %v in %s", f.name, err, data)
		}
		f.take(e)
		if data = ""; f.after == f.end.Load() {
			return nil
		}
	}
	return lines.Err()
}

func (f *follower) take(e eventsapi.FeedEvent) {
	if e.Position != f.after+1 {
		f.c.broken("the feed, %s: position %d after position %d", f.name, e.Position, f.after)
	}
	f.after, f.ids = e.Position, append(f.ids, e.ID)
	select {
	case f.c.seen <- struct{}{}:
	default:
	}
}

// untilSequenced waits until all events have positions.
func (c *chaos) untilSequenced(g *gorm.DB) {
	defer time.AfterFunc(patience, c.giveUp).Stop()
	for left := int64(-1); left != 0 && c.ctx.Err() == nil; c.pause(20 * time.Millisecond) {
		if err := g.Raw("SELECT COUNT(*) FROM events WHERE position IS NULL").Scan(&left).Error; err != nil {
			c.broken("the database: %v", err)
			return
		}
	}
}

// compareFeeds waits until the followers have read all events, and compares the ids that they have read with
// the database.
func (c *chaos) compareFeeds(g *gorm.DB, all []*follower, ended *sync.WaitGroup) {
	defer time.AfterFunc(patience, c.giveUp).Stop()
	want := make([][]int64, len(all))
	for i, f := range all {
		q := g.Table("events").Order("position")
		if f.feed != 0 {
			q = q.Where("customer_id = ?", f.feed)
		}
		if err := q.Pluck("id", &want[i]).Error; err != nil {
			c.broken("the database: %v", err)
		}
		f.end.Store(int64(len(want[i])))
	}
	ended.Wait()
	for i, f := range all {
		if !slices.Equal(f.ids, want[i]) || len(f.ids) < 10 {
			c.broken("the feed, %s: %d events, want %d, or not the same", f.name, len(f.ids), len(want[i]))
		}
	}
}

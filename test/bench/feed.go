package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/b2b/v2/openapi/eventsapi"
)

// feed measures the delay of events while clients place orders. The delay begins at the time in the event,
// and ends when a reader of the feed gets the event. The column "all read after" has the time from the end of
// the load until the reader has got the last event.
func (b *bench) feed(ctx context.Context) error {
	for _, name := range []string{"feed", inAFile} {
		err := b.withDatabase(ctx, name, true, func(d *database) error {
			p, at, err := b.b2b(ctx, d.config)
			if err != nil {
				return err
			}
			defer p.stop()
			if err := indexed(ctx, d.pool); err != nil {
				return err
			}
			s := b.section(d.engine+": from commit to feed",
				"clients", "orders/s", "events/s in the feed", "delay p50", "delay p99", "all read after")
			for i, clients := range b.clients {
				reader, stop := context.WithCancel(ctx)
				r, err := b.follow(reader, at.events)
				if err != nil {
					stop()
					return err
				}
				l := load{clients: clients, first: int64(i+1) * 10_000_000, duration: b.duration, limit: 10_000_000}
				got, err := l.run(ctx, b.instances("b2b", []addresses{at}, p), createWithKey, d.server)
				if err != nil {
					stop()
					return err
				}
				ended := time.Now()
				delays, last, err := r.rest(d)
				if stop(); err != nil {
					return err
				}
				at := func(part float64) time.Duration { return delays[int(float64(len(delays)-1)*part)] }
				rate := float64(len(delays)) / last.Sub(r.began).Seconds()
				s.add(fmt.Sprint(clients), fmt.Sprintf("%.0f", got.rate), fmt.Sprintf("%.0f", rate),
					milliseconds(at(.5)), milliseconds(at(.99)), milliseconds(max(0, last.Sub(ended))))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// feedReader reads a stream of events.
type feedReader struct {
	began time.Time

	mu       sync.Mutex // guards all fields below
	delays   []time.Duration
	position int64     // position of the last event
	last     time.Time // arrival of the last event
}

// follow starts a goroutine that reads new events until ctx ends.
func (b *bench) follow(ctx context.Context, base string) (*feedReader, error) {
	get := func(query, accept string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, "GET", base+"/events?"+query, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+b.token)
		req.Header.Set("Accept", accept)
		res, err := http.DefaultClient.Do(req)
		if err == nil && res.StatusCode != http.StatusOK {
			res.Body.Close()
			err = fmt.Errorf("the feed answers %s", res.Status)
		}
		return res, err
	}
	var first eventsapi.FeedResponse
	// Wait until the feed gets no more events of earlier loads.
	for last := int64(-1); last != first.Meta.LastPosition; {
		last = first.Meta.LastPosition
		time.Sleep(500 * time.Millisecond)
		res, err := get("limit=1", "application/json")
		if err != nil {
			return nil, err
		}
		err = json.NewDecoder(res.Body).Decode(&first)
		if res.Body.Close(); err != nil {
			return nil, err
		}
	}
	res, err := get(fmt.Sprint("limit=1000&after=", first.Meta.LastPosition), "text/event-stream")
	if err != nil {
		return nil, err
	}
	r := &feedReader{began: time.Now(), position: first.Meta.LastPosition}
	go func() {
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			data, isData := strings.CutPrefix(lines.Text(), "data: ")
			var e eventsapi.FeedEvent
			if isData && json.Unmarshal([]byte(data), &e) == nil {
				r.mu.Lock()
				r.last, r.position = time.Now(), e.Position
				r.delays = append(r.delays, r.last.Sub(e.CreatedAt.Time))
				r.mu.Unlock()
			}
		}
	}()
	return r, nil
}

// rest waits until the reader has every event of the database. It returns the delays in ascending order, and
// the time of the last arrival.
func (r *feedReader) rest(d *database) (delays []time.Duration, last time.Time, err error) {
	for deadline := time.Now().Add(time.Minute); ; {
		var all int64
		row := d.pool.QueryRow("SELECT COALESCE(MAX(position), 0) + COALESCE(SUM(position IS NULL), 0) FROM events")
		if err := row.Scan(&all); err != nil {
			return nil, last, err
		}
		r.mu.Lock()
		delays, last, position := slices.Clone(r.delays), r.last, r.position
		r.mu.Unlock()
		switch {
		case position < all && time.Now().After(deadline):
			return nil, last, fmt.Errorf("the reader of the feed stays at %d of %d events", position, all)
		case position < all:
			time.Sleep(5 * time.Millisecond)
		case len(delays) == 0:
			return nil, last, errors.New("the reader of the feed has read nothing")
		default:
			slices.Sort(delays)
			return delays, last, nil
		}
	}
}

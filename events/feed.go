package events

import (
	"cmp"
	"context"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/web"
)

// query describes the events that a caller asks for.
type query struct {
	after *int64   // the position before the first event; nil begins with the oldest stored event
	field string   // JSON pointer of this position in the request, for errors
	types []string // the types of events; nil for each type
	limit int
}

// page is a part of a feed.
type page struct {
	events []placed
	next   int64 // the position after which the next page begins
	last   int64 // the position of the newest event
}

// ready returns the channel to wait on before the next page is read. The channel is closed if the feed
// already has events after p; otherwise ready returns woken. The caller must select on this channel together
// with the channels that end its reader, so that a reader that is always behind ends, too.
func (p page) ready(woken <-chan struct{}) <-chan struct{} {
	if p.next < p.last {
		return closed
	}
	return woken
}

var closed = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// placed is an event with its position in the caller's feed.
type placed struct {
	history.Event `gorm:"embedded"`
	Place         int64
}

// window is the largest number of positions that a page covers. Without the limit, a page for a rare type
// would read the whole table.
const window = 5000

const readStep = 50 // events that a statement reads

// read reads the next events of the caller's feed. Error: 410 events_expired when events after the given
// position were deleted, or when no event has had this position.
func (s store) read(q query) (page, error) {
	is, err := s.positions()
	if err != nil {
		return page{}, err
	}
	from := is.PrunedPosition
	if q.after != nil {
		from = *q.after
	}
	if from > is.LastPosition {
		if given, err := s.lastGiven(); err != nil || from > given {
			return page{}, cmp.Or(err, expired(q.field, from, is))
		}
		// A crash of the database has undone the last change of the counters: see SequenceBatch.
		return page{next: from, last: from}, nil
	}
	p := page{next: min(is.LastPosition, from+window), last: is.LastPosition}
	if from < is.LastPosition {
		cut := false
		if p.events, cut, err = s.readEvents(q, from, p.next); err != nil {
			return page{}, err
		}
		if cut {
			p.next = p.events[len(p.events)-1].Place
		}
	}
	if p.next > from {
		// Read the counter again: if events were deleted meanwhile, the page may lack these events.
		if is, err = s.positions(); err != nil {
			return page{}, err
		}
	}
	switch {
	case from >= is.PrunedPosition:
		return p, nil
	case q.after == nil:
		return s.read(q) // begins with the event that is now the oldest
	default:
		return page{}, expired(q.field, from, is)
	}
}

// readEvents reads the events after a position, up to the position upTo, in small steps. It stops at q.limit
// events, and at db.PageBytes, because the event of an order may have 200 KB. cut reports that it has
// stopped, so that more events may follow.
func (s store) readEvents(q query, after, upTo int64) (events []placed, cut bool, err error) {
	for left := db.PageBytes; ; {
		rows := s.events(after, upTo)
		if q.types != nil {
			rows = rows.Where(db.Likely(rows, "type IN ?"), q.types)
		}
		n := min(readStep, q.limit-len(events))
		some, cut, err := db.FindWithin[placed](rows.Limit(n), &left)
		if err != nil {
			return nil, false, err
		}
		events = append(events, some...)
		if cut || len(events) == q.limit {
			return events, true, nil
		}
		if len(some) < n {
			return events, false, nil
		}
		after = some[n-1].Place
	}
}

// expired returns 410 events_expired for a position outside of the feed that the counter describes. The
// parameter field is the place of the position in the request.
func expired(field string, after int64, is counter) error {
	params := apperr.Params{"after": after, "first_after": is.PrunedPosition, "last_position": is.LastPosition}
	return apperr.EventsExpired.New(after).With(field, params,
		"is %d, and must be from %d to %d", after, is.PrunedPosition, is.LastPosition)
}

const afterField = "/query/after"

// readWithin is like store.read. When the page is empty, it waits for an event, until the time wait is over
// or the service stops. A request that begins after Stop waits for a second at most. If such a request did
// not wait at all, its reader would repeat it in a tight loop until the process ends.
func (s *Service) readWithin(ctx context.Context, q query, wait time.Duration) (page, error) {
	reader := s.db.Read(ctx)
	if wait == 0 {
		return reader.read(q)
	}
	woken, leave := s.waiters.join(reader.feed(), s.news)
	defer leave()
	stopped := s.stopped
	select {
	case <-stopped:
		stopped, wait = nil, min(wait, time.Second)
	default:
	}
	waiting, stop := context.WithTimeout(ctx, wait)
	defer stop()
	p, err := reader.read(q)
	for err == nil && len(p.events) == 0 {
		select {
		case <-p.ready(woken):
		case <-waiting.Done():
			return p, ctx.Err()
		case <-stopped:
			return p, nil
		}
		var next page
		if next, err = reader.readAfter(waiting, p, q); err != nil && waiting.Err() != nil {
			// The waiting time was over before web.Search let the read begin.
			return p, ctx.Err()
		}
		p = next
	}
	return p, err
}

// readAfter is like read, for the page after p. If p has no event and the feed goes on after p, the types of
// q are rare, and the reader must read many events to find one. Such a read waits for its turn: see
// web.Search. Errors: the errors of read, and the error of ctx when ctx ends before the turn.
func (s store) readAfter(ctx context.Context, p page, q query) (next page, err error) {
	q.after = &p.next
	if len(p.events) > 0 || p.next >= p.last {
		return s.read(q)
	}
	err = web.Search(ctx, func() error {
		next, err = s.read(q)
		return err
	})
	return next, err
}

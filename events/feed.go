package events

import (
	"slices"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/history"
)

// placed is an event with its position among the events of the caller's feed.
type placed struct {
	history.Event `gorm:"embedded"`
	Place         int64
}

// page is a part of the feed.
type page struct {
	events []placed
	next   int64 // the position after which the next page begins
	last   int64 // the position of the newest event
}

// window is the number of positions that a page looks at, so that a filter that few events pass does not make
// a page read the whole table.
const window = 5000

// read reads the next events of the feed. For after it takes nil as the position before the oldest event. The
// list types filters the events; it filters nothing when empty. Error: 410 events_expired when events
// after the position were deleted, or no event has had it.
func (s store) read(after *int64, types []string, limit int) (page, error) {
	before, err := s.positions()
	if err != nil {
		return page{}, err
	}
	from := before.PrunedPosition
	if after != nil {
		from = *after
	}
	upTo := min(before.LastPosition, from+window)
	q := s.events(from, upTo)
	if len(types) > 0 {
		q = q.Where("type IN ?", types)
	}
	p := page{next: upTo, last: before.LastPosition}
	if err := q.Limit(limit).Find(&p.events).Error; err != nil {
		return page{}, err
	}
	if len(p.events) == limit {
		p.next = p.events[limit-1].Place
	}
	// Read again, because events may have been deleted since: the page would skip them.
	now, err := s.positions()
	if err != nil {
		return page{}, err
	}
	if from < now.PrunedPosition || from > before.LastPosition {
		params := apperr.Params{"after": from, "first_after": now.PrunedPosition, "last_position": now.LastPosition}
		return page{}, apperr.EventsExpired.New(from).With("/query/after", params,
			"is %d, and must be from %d to %d", from, now.PrunedPosition, now.LastPosition)
	}
	p.events = slices.Clip(p.events)
	return p, nil
}

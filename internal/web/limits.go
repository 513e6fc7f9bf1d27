package web

import (
	"slices"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/fair"
	"example.com/b2b/v2/internal/server"
)

// Limits bound the use of an engine; 0 sets no bound. Each caller may take a share of the requests, searches,
// imports and exports in progress: see fair.Semaphore.
type Limits struct {
	Rate     int // requests per second from each caller, on average; each engine counts for itself
	Burst    int // requests that a caller may send at once; 0 means twice Rate
	InFlight int // requests in progress, without imports, exports and readers of events
	Searches int // searches in progress (each may read a whole table); sixteen times as many may wait
	Imports  int // files being received or applied; each is on disk
	Exports  int // files being sent
	Readers  int // readers of events: streams, and requests that wait for an event

	// Proxies are addresses and networks of proxies: X-Forwarded-For counts only in requests from them.
	Proxies []string
}

// Factors for fair.New, named after the part of the slots that a lone caller gets.
const (
	fourFifths = 4 // for slots held briefly
	half       = 1 // for few slots, or slots held long; a second caller gets a quarter, a third an eighth
)

const waitingSearches = 16 // searches that may wait, for each search in progress

// largeBody is the size, in bytes, above which the JSON body of a request or an answer is large. A request
// needs a further slot to send a large body, and keeps the slot of its work until a large answer is written.
// Smaller bodies need no slot, because one such body on each connection fits into the memory.
const largeBody = 64 << 10

// workLimits bound the work in progress.
type workLimits struct {
	bodies, inFlight, waiting, searches, imports, exports, readers *fair.Semaphore
}

func newWorkLimits(l Limits) workLimits {
	forServices := l.InFlight / 20 // slots that only other services may take
	return workLimits{
		bodies:   fair.New((l.InFlight+9)/10, half, 0, "requests with a large body (MAX_REQUESTS_IN_FLIGHT)"),
		inFlight: fair.New(l.InFlight, fourFifths, forServices, "requests at work (MAX_REQUESTS_IN_FLIGHT)"),
		waiting: fair.New((1+waitingSearches)*l.Searches, half, 0,
			"searches at work or waiting (MAX_SEARCHES)"),
		searches: fair.New(l.Searches, fourFifths, 0, "searches at work (MAX_SEARCHES)"),
		imports:  fair.New(l.Imports, half, 0, "imports (MAX_IMPORTS)"),
		exports:  fair.New(l.Exports, half, 0, "exports (MAX_EXPORTS)"),
		readers:  fair.New(l.Readers, half, 0, "readers of events (MAX_EVENT_READERS)"),
	}
}

// limitWork holds slots while a request is in progress. When no slot is free for the caller, limitWork
// refuses the request at once: a retry is answered sooner than a request in a growing queue. Only searches
// wait. /health and /ready need no slot.
func limitWork(l workLimits) func(*gin.Context, *operation) {
	return func(c *gin.Context, op *operation) {
		if len(op.security) == 0 {
			return
		}
		endSearch, leave, err := l.begin(c, op)
		if err != nil {
			if op.streams {
				c.Header("Retry-After", "10") // ten seconds, because a file holds its slot for a long time
			}
			Fail(c, err)
			return
		}
		defer func() {
			endSearch()
			if answer, ok := c.Writer.(*responseBuffer); ok && answer.body.Len() > largeBody {
				answer.sent = leave
			} else {
				leave()
			}
		}()
		c.Next()
	}
}

// bodySlot is the slot that a request needs to send a large body.
type bodySlot struct {
	slots *fair.Semaphore
	end   func() // gives the slot back; nil without the slot
}

// take takes the slot. Errors: the errors of fair.Semaphore.TryAcquire.
func (s *bodySlot) take(c *gin.Context) error {
	slots, caller := s.slots, callerOf(c)
	if err := slots.TryAcquire(caller); err != nil {
		callOf(c).limit = "bodies"
		return err
	}
	s.end = func() { slots.Release(caller) }
	return nil
}

func callerOf(c *gin.Context) fair.Caller {
	p := auth.From(c.Request.Context())
	return fair.Caller{Name: p.ShareKey(), Service: p.ByService}
}

// begin takes the slots that a request needs. A search waits until its slot is free; other requests do not
// wait. The function endSearch gives the slots of a search back, and the function leave gives back the slot
// that every request has. Errors: the errors of fair.Semaphore.TryAcquire, and the error of the request's
// context when the context ends before the search gets its slot.
func (l workLimits) begin(c *gin.Context, op *operation) (endSearch, leave func(), err error) {
	caller := callerOf(c)
	slots, limit := l.inFlight, "requests"
	switch {
	case op.waits:
		slots, limit = l.readers, "readers"
	case op.row != nil:
		slots, limit = l.imports, "imports"
	case op.streams:
		slots, limit = l.exports, "exports"
	}
	given := func(parameter string) bool { return c.Query(parameter) != "" }
	isSearch := op.readsMany || slices.ContainsFunc(op.searches, given)
	var waiting *fair.Semaphore // places in the queue; nil for exports, because l.exports bounds their number
	if isSearch && !op.streams {
		waiting = l.waiting
	}
	// When the queue is full, refuse a search before it takes one of the slots that other requests need.
	if err := waiting.TryAcquire(caller); err != nil {
		callOf(c).limit = "searches"
		return nil, nil, err
	}
	if err := slots.TryAcquire(caller); err != nil {
		callOf(c).limit = limit
		waiting.Release(caller)
		return nil, nil, err
	}
	leave = func() { slots.Release(caller) }
	if op.waits {
		callOf(c).turn = &searchTurn{searches: l.searches, caller: caller}
	}
	if !isSearch {
		return func() {}, leave, nil
	}
	turn := &searchTurn{searches: l.searches, caller: caller}
	file, isFile := c.Writer.(*fileWriter)
	endSearch = func() {
		if isFile {
			// After a panic, the answer is written after endSearch. Write must not acquire the slot again.
			file.search = nil
		}
		turn.release()
		waiting.Release(caller)
	}
	if err := turn.acquire(c.Request.Context()); err != nil {
		endSearch()
		leave()
		return nil, nil, err
	}
	if isFile {
		file.search = turn
	}
	return endSearch, leave, nil
}

// keepConnection marks the connection of a request in progress as busy, so that the server does not close the
// connection to make room for a new caller.
func keepConnection(c *gin.Context, _ *operation) {
	done := server.Busy(c.Request.Context())
	defer done()
	c.Next()
}

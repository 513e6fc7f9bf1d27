package web

import (
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
	half       = 1 // for few slots, or slots held long: the next callers get a quarter, an eighth and so on
)

const waitingSearches = 16 // searches that may wait, for each search in progress

// workLimits bound the work in progress.
type workLimits struct {
	inFlight, waiting, searches, imports, exports, readers *fair.Semaphore
}

func newWorkLimits(l Limits) workLimits {
	forServices := l.InFlight / 20 // slots that only other services may take
	return workLimits{
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
		end, err := l.begin(c, op)
		if err != nil {
			if op.streams {
				c.Header("Retry-After", "10") // ten seconds, because a file holds its slot for a long time
			}
			Fail(c, err)
			return
		}
		defer end()
		c.Next()
	}
}

// begin takes the slots that a request needs. A search waits until its slot is free; other requests do not
// wait. The function end gives all slots back. Errors: the errors of fair.Semaphore.TryAcquire, and the error
// of the request's context when the context ends before the search gets its slot.
func (l workLimits) begin(c *gin.Context, op *operation) (end func(), err error) {
	p := auth.From(c.Request.Context())
	caller := fair.Caller{Name: p.ShareKey(), Service: p.ByService}
	slots, limit := l.inFlight, "requests"
	switch {
	case op.waits:
		slots, limit = l.readers, "readers"
	case op.row != nil:
		slots, limit = l.imports, "imports"
	case op.streams:
		slots, limit = l.exports, "exports"
	}
	isSearch := op.readsMany || op.searches && c.Query("search") != ""
	var waiting *fair.Semaphore // nil for exports: all exports may wait, since l.exports bounds their number
	if isSearch && !op.streams {
		waiting = l.waiting
	}
	// Searches beyond the queue are refused before they take one of the slots that other requests need.
	if err := waiting.TryAcquire(caller); err != nil {
		callOf(c).limit = "searches"
		return nil, err
	}
	if err := slots.TryAcquire(caller); err != nil {
		callOf(c).limit = limit
		waiting.Release(caller)
		return nil, err
	}
	if !isSearch {
		return func() { slots.Release(caller) }, nil
	}
	turn := &searchTurn{searches: l.searches, caller: caller}
	file, isFile := c.Writer.(*fileWriter)
	end = func() {
		if isFile {
			file.search = nil // the answer to a panic is written after end, and must not acquire the slot again
		}
		turn.release()
		waiting.Release(caller)
		slots.Release(caller)
	}
	if err := turn.acquire(c.Request.Context()); err != nil {
		end()
		return nil, err
	}
	if isFile {
		file.search = turn
	}
	return end, nil
}

// keepConnection marks the connection of a request in progress as busy, so that the server does not close the
// connection for a new caller.
func keepConnection(c *gin.Context, _ *operation) {
	done := server.Busy(c.Request.Context())
	defer done()
	c.Next()
}

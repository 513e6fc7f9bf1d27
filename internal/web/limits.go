package web

import (
	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/fair"
	"example.com/b2b/internal/server"
)

// Limits bound the use of an engine by callers; zero is no bound. Except for the rate, each caller has a
// share: see fair.Semaphore.
type Limits struct {
	Rate     int // requests of a caller a second, on average, counted by this engine alone
	Burst    int // requests of a caller at once; 0 is twice Rate
	InFlight int // requests at work, besides imports and exports
	Searches int // searches at work, because each may read a whole table; sixteen times as many wait
	Imports  int // files in reception or in application, each on disk
	Exports  int // files on their way to callers

	// Proxies are the addresses and networks whose X-Forwarded-For names the caller.
	Proxies []string
}

// Factors of a fair.Semaphore, by the share of a lone caller.
const (
	fourFifths = 4 // for slots held briefly
	half       = 1 // for few slots, or slots held long: the next callers get a quarter, an eighth and so on
)

const waitingSearches = 16 // for each search at work

// workLimits bound the work done at once.
type workLimits struct {
	inFlight, waiting, searches, imports, exports *fair.Semaphore
}

func newWorkLimits(l Limits) workLimits {
	forServices := l.InFlight / 20 // other services get these when callers have taken the rest
	return workLimits{
		inFlight: fair.New(l.InFlight, fourFifths, forServices, "requests at work (MAX_REQUESTS_IN_FLIGHT)"),
		waiting: fair.New((1+waitingSearches)*l.Searches, half, 0,
			"searches at work or waiting (MAX_SEARCHES)"),
		searches: fair.New(l.Searches, fourFifths, 0, "searches at work (MAX_SEARCHES)"),
		imports:  fair.New(l.Imports, half, 0, "imports (MAX_IMPORTS)"),
		exports:  fair.New(l.Exports, half, 0, "exports (MAX_EXPORTS)"),
	}
}

// limitWork holds slots for a request at work. Under too much work it refuses at once: a caller who tries
// again later is served sooner than in a growing queue. Only searches wait, briefly. /health and /ready have
// no bound.
func limitWork(l workLimits) func(*gin.Context, *operation) {
	return func(c *gin.Context, op *operation) {
		if len(op.security) == 0 {
			return
		}
		end, err := l.begin(c, op)
		if err != nil {
			if op.streams {
				c.Header("Retry-After", "10") // seconds, because files take long
			}
			Fail(c, err)
			return
		}
		defer end()
		c.Next()
	}
}

// begin takes the slots of an operation; end gives them back. Errors: those of fair.Semaphore.TryAcquire, and
// the error of the request's context.
func (l workLimits) begin(c *gin.Context, op *operation) (end func(), err error) {
	p := auth.From(c.Request.Context())
	caller := fair.Caller{Name: callerKey(c, p), Service: p.ByService}
	slots := l.inFlight
	switch {
	case op.row != nil:
		slots = l.imports
	case op.streams:
		slots = l.exports
	}
	if err := slots.TryAcquire(caller); err != nil {
		return nil, err
	}
	if !op.searches || c.Query("search") == "" {
		return func() { slots.Release(caller) }, nil
	}
	waiting := l.waiting
	if op.streams {
		waiting = nil // all exports may wait
	}
	if err := waiting.TryAcquire(caller); err != nil {
		slots.Release(caller)
		return nil, err
	}
	turn := &searchTurn{searches: l.searches, caller: caller}
	end = func() { turn.release(); waiting.Release(caller); slots.Release(caller) }
	if err := turn.acquire(c.Request.Context()); err != nil {
		end()
		return nil, err
	}
	if file, ok := c.Writer.(*fileWriter); ok {
		file.search = turn
	}
	return end, nil
}

// keepConnection keeps the connection of a request at work open when another caller wants its place.
func keepConnection(c *gin.Context, _ *operation) {
	done := server.Busy(c.Request.Context())
	defer done()
	c.Next()
}

package web

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
)

// Limits bounds what callers may take of an engine. Zero is no bound. Of everything that is bounded at once,
// one caller gets a share: see fairSemaphore.
type Limits struct {
	Rate     int // requests of one caller a second, on average; this engine's own count
	Burst    int // and at once; 0 is twice Rate
	InFlight int // requests at work, besides imports and exports
	Searches int // searches at work, of which each may read a whole table; sixteen times as many wait
	Imports  int // files that are received or worked through, of which each is on disk
	Exports  int // files that are made and sent

	// Proxies are the addresses and networks whose X-Forwarded-For says where a request comes from.
	Proxies []string
}

// limiter holds an engine to its Limits.
type limiter struct {
	Limits
	policy  []string
	buckets *lru.Cache[string, *rate.Limiter] // by caller; one that is forgotten is full again

	inFlight, waitingSearches, searches, imports, exports *fairSemaphore
}

// maxCallers bounds the memory of the buckets, to a few megabytes.
const maxCallers = 20_000

// Factors of a fairSemaphore, by what a caller alone gets of it.
const (
	fourFifths = 4 // of what is held briefly
	half       = 1 // of what is held for long, or is little: the next callers find a quarter, an eighth and so on
)

const waitingSearches = 16 // for each at work

func newLimiter(l Limits) *limiter {
	m := &limiter{Limits: l}
	if l.Rate > 0 {
		if m.Burst == 0 {
			m.Burst = 2 * l.Rate
		}
		// draft-ietf-httpapi-ratelimit-headers-10: the quota is a full bucket, its window the time in which an empty one fills.
		m.policy = []string{fmt.Sprintf(`"caller";q=%d;w=%d`, m.Burst, m.seconds(float64(m.Burst)))}
		m.buckets, _ = lru.New[string, *rate.Limiter](maxCallers)
	}
	m.inFlight = newFairSemaphore(l.InFlight, fourFifths, "requests at work (MAX_REQUESTS_IN_FLIGHT)")
	if m.inFlight != nil {
		m.inFlight.reserved = l.InFlight / 20 // so that other services are served when callers have taken the rest
	}
	m.waitingSearches = newFairSemaphore((1+waitingSearches)*l.Searches, half, "searches at work or waiting (MAX_SEARCHES)")
	m.searches = newFairSemaphore(l.Searches, fourFifths, "searches at work (MAX_SEARCHES)")
	m.imports = newFairSemaphore(l.Imports, half, "imports (MAX_IMPORTS)")
	m.exports = newFairSemaphore(l.Exports, half, "exports (MAX_EXPORTS)")
	return m
}

// seconds is how long so many tokens take to come, rounded up.
func (m *limiter) seconds(tokens float64) int {
	return int(math.Ceil(max(tokens, 0) / float64(m.Rate)))
}

// admit returns 429 rate_limited when the caller sends more than it may. refused says that its token is not
// valid: it counts for the address, so that guessing is limited, as a call without a token does. A service's
// call for a caller has been counted where that caller came in.
func (m *limiter) admit(c *gin.Context, caller auth.Principal, refused bool) error {
	if m.buckets == nil || caller.ByService {
		return nil
	}
	name := nameOf(c, caller)
	if refused {
		name = network(c.ClientIP())
	}
	bucket, known := m.buckets.Get(name)
	if !known {
		bucket = rate.NewLimiter(rate.Limit(m.Rate), m.Burst)
		if earlier, raced, _ := m.buckets.PeekOrAdd(name, bucket); raced {
			bucket = earlier
		}
	}
	now := time.Now()
	admitted, left := bucket.AllowN(now, 1), bucket.TokensAt(now)
	h := c.Writer.Header()
	h["Ratelimit-Policy"] = m.policy
	h["Ratelimit"] = []string{`"caller";r=` + strconv.Itoa(int(max(left, 0))) + ";t=" + strconv.Itoa(m.seconds(float64(m.Burst)-left))}
	if !admitted {
		h["Retry-After"] = []string{strconv.Itoa(max(1, m.seconds(1-left)))}
		return apperr.RateLimited.New("try again")
	}
	return nil
}

// nameOf names the caller for whom what is taken counts: by its token, else by its network. A service's call
// counts for the caller for whom it is made.
func nameOf(c *gin.Context, p auth.Principal) string {
	if !p.Known() && !p.ByService {
		return network(c.ClientIP())
	}
	return p.KeySpace()
}

// network is the address of an IPv4 caller, or the /64 of an IPv6 one, who has all of its addresses.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err == nil && a.Is6() && !a.Is4In6() {
		prefix, _ := a.WithZone("").Prefix(64)
		return prefix.String()
	}
	return address
}

// begin takes for a caller what an operation needs, and refuses at once when there is too much to do: a
// caller who tries again later is served sooner than one who waits in a queue that grows. Only searches wait,
// briefly. Whoever began must end. Errors: those of fairSemaphore.tryAcquire, and that of ctx.
func (m *limiter) begin(ctx context.Context, who caller, op *operation, search *searchTurn) (end func(), err error) {
	bound := m.inFlight
	switch {
	case op.row != nil:
		bound = m.imports
	case op.streams:
		bound = m.exports
	}
	if err := bound.tryAcquire(who); err != nil {
		return nil, err
	}
	if search == nil {
		return func() { bound.release(who) }, nil
	}
	waiting := m.waitingSearches
	if op.streams {
		waiting = nil // as many exports wait as there may be
	}
	if err := waiting.tryAcquire(who); err != nil {
		bound.release(who)
		return nil, err
	}
	end = func() { search.release(); waiting.release(who); bound.release(who) }
	if err := search.acquire(ctx); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// searchTurn is the slot of one search among those at work. An export gives it up while its reader takes what
// was found.
type searchTurn struct {
	searches *fairSemaphore
	who      caller
	held     bool
}

func (t *searchTurn) acquire(ctx context.Context) error {
	err := t.searches.acquire(ctx, t.who)
	t.held = err == nil
	return err
}

func (t *searchTurn) release() {
	if t.held {
		t.searches.release(t.who)
		t.held = false
	}
}

package web

import (
	"context"
	"errors"
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

// Limits bounds what callers may take of an engine. Zero is no bound.
type Limits struct {
	Rate     int // requests of one caller a second, on average; this engine's own count
	Burst    int // and at once; 0 is twice Rate
	InFlight int // requests at work
	Searches int // searches at work, of which each may read a whole table; eight times as many wait

	// Proxies are the addresses and networks whose X-Forwarded-For says where a request comes from.
	Proxies []string
}

// limiter holds an engine to its Limits.
type limiter struct {
	Limits
	policy   []string
	buckets  *lru.Cache[string, *rate.Limiter] // by caller; one that is forgotten is full again
	work     chan struct{}
	searches chan struct{}
	waiting  chan struct{} // searches at work or waiting
}

// maxCallers bounds the memory of the buckets, to a few megabytes.
const maxCallers = 20_000

const waitingSearches = 8 // for each at work

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
	if l.InFlight > 0 {
		m.work = make(chan struct{}, l.InFlight)
	}
	if l.Searches > 0 {
		m.searches, m.waiting = make(chan struct{}, l.Searches), make(chan struct{}, (1+waitingSearches)*l.Searches)
	}
	return m
}

// seconds is how long so many tokens take to come, rounded up.
func (m *limiter) seconds(tokens float64) int {
	return int(math.Ceil(max(tokens, 0) / float64(m.Rate)))
}

// admit returns 429 rate_limited when the caller sends more than it may. refused says that its token is not valid: it counts for the
// address, so that guessing is limited, as a call without a token does. A service's call for a caller has been counted where that
// caller came in.
func (m *limiter) admit(c *gin.Context, caller auth.Principal, refused bool) error {
	if m.buckets == nil || caller.ByService {
		return nil
	}
	name := caller.KeySpace()
	if refused || !caller.Known() {
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
		return apperr.RateLimited.New()
	}
	return nil
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

// begin returns 503 unavailable when there is too much to do, at once: a caller who tries again later is served sooner than one who
// waits in a queue that grows. Only searches wait, briefly. Whoever began must end.
func (m *limiter) begin(ctx context.Context, isSearch bool) (end func(), err error) {
	if !enter(m.work) {
		return nil, apperr.Unavailable.Because(errBusy)
	}
	if !isSearch || m.searches == nil {
		return func() { leave(m.work) }, nil
	}
	if !enter(m.waiting) {
		leave(m.work)
		return nil, apperr.Unavailable.Because(errBusySearching)
	}
	select {
	case m.searches <- struct{}{}:
		return func() { leave(m.searches); leave(m.waiting); leave(m.work) }, nil
	case <-ctx.Done():
		leave(m.waiting)
		leave(m.work)
		return nil, ctx.Err()
	}
}

var (
	errBusy          = errors.New("as many requests are at work as may be (MAX_REQUESTS_IN_FLIGHT)")
	errBusySearching = errors.New("as many searches wait as may (MAX_SEARCHES)")
)

func enter(room chan struct{}) bool {
	if room == nil {
		return true
	}
	select {
	case room <- struct{}{}:
		return true
	default:
		return false
	}
}

func leave(room chan struct{}) {
	if room != nil {
		<-room
	}
}

package web

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/server"
)

// maxCallers bounds the memory of the buckets, to a few megabytes.
const maxCallers = 20_000

// rateLimiter has a token bucket for each caller.
type rateLimiter struct {
	rate, burst int
	policy      []string                          // of the header RateLimit-Policy
	buckets     *lru.Cache[string, *rate.Limiter] // by callerKey; a bucket that is forgotten is full again
}

// newRateLimiter returns nil, which is no limit, for a rate of 0. A burst of
// 0 is twice the rate.
func newRateLimiter(perSecond, burst int) *rateLimiter {
	if perSecond == 0 {
		return nil
	}
	r := &rateLimiter{rate: perSecond, burst: cmp.Or(burst, 2*perSecond)}
	// draft-ietf-httpapi-ratelimit-headers-10: the quota is a full bucket, the window the time to fill it.
	r.policy = []string{fmt.Sprintf(`"caller";q=%d;w=%d`, r.burst, r.seconds(float64(r.burst)))}
	r.buckets, _ = lru.New[string, *rate.Limiter](maxCallers)
	return r
}

// callerKey returns the key under which the calls of a caller count, for the rate limit and for all shares:
// the token's subject, or the network of a caller without a token. A call of a service for a caller counts
// for that caller.
func callerKey(c *gin.Context, p auth.Principal) string {
	if p.Known() || p.ByService {
		return p.KeySpace()
	}
	return server.Network(c.ClientIP())
}

// admit returns 429 rate_limited when the caller sends more than it may. A call with an invalid token counts
// for the network, so that guessing is limited. A service's call for a caller has been counted at the service
// that the caller has asked.
func (r *rateLimiter) admit(c *gin.Context, caller auth.Principal, invalidToken bool) error {
	if r == nil || caller.ByService {
		return nil
	}
	key := callerKey(c, caller)
	if invalidToken {
		key = server.Network(c.ClientIP())
	}
	now, bucket := time.Now(), r.bucket(key)
	admitted, left := bucket.AllowN(now, 1), bucket.TokensAt(now)
	h := c.Writer.Header()
	h["Ratelimit-Policy"] = r.policy
	untilFull := r.seconds(float64(r.burst) - left)
	h["Ratelimit"] = []string{fmt.Sprintf(`"caller";r=%d;t=%d`, int(max(left, 0)), untilFull)}
	if !admitted {
		h["Retry-After"] = []string{strconv.Itoa(max(1, r.seconds(1-left)))}
		return apperr.RateLimited.New("try again")
	}
	return nil
}

func (r *rateLimiter) bucket(key string) *rate.Limiter {
	if bucket, ok := r.buckets.Get(key); ok {
		return bucket
	}
	bucket := rate.NewLimiter(rate.Limit(r.rate), r.burst)
	if earlier, ok, _ := r.buckets.PeekOrAdd(key, bucket); ok {
		return earlier // another request was faster
	}
	return bucket
}

// seconds returns how long the bucket takes to get so many tokens, rounded up.
func (r *rateLimiter) seconds(tokens float64) int {
	return int(math.Ceil(max(tokens, 0) / float64(r.rate)))
}

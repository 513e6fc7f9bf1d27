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

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
)

// maxCallers bounds the number of buckets, so that they take only a few megabytes.
const maxCallers = 20_000

// rateLimiter has a token bucket for each caller.
type rateLimiter struct {
	rate, burst int
	policy      []string                          // value of the header RateLimit-Policy
	buckets     *lru.Cache[string, *rate.Limiter] // buckets by ShareKey; a new bucket is full
}

// newRateLimiter returns a limiter. It admits perSecond requests from each caller on average, and burst
// requests at once. A burst of 0 means twice perSecond. When perSecond is 0, the limiter is nil, and admits
// all requests.
func newRateLimiter(perSecond, burst int) *rateLimiter {
	if perSecond == 0 {
		return nil
	}
	r := &rateLimiter{rate: perSecond, burst: cmp.Or(burst, 2*perSecond)}
	// draft-ietf-httpapi-ratelimit-headers-10: the quota (q) is a full bucket, the window (w) is the time in
	// seconds to fill an empty bucket.
	r.policy = []string{fmt.Sprintf(`"caller";q=%d;w=%d`, r.burst, r.seconds(float64(r.burst)))}
	r.buckets, _ = lru.New[string, *rate.Limiter](maxCallers)
	return r
}

// admit counts a request, and sets the RateLimit headers. Error: 429 rate_limited when the caller has sent
// too many requests. A request with an invalid token counts for the caller's network, so that guesses of
// tokens are limited. A request of another service is not counted, because that service has already counted
// the request of its caller.
func (r *rateLimiter) admit(c *gin.Context, caller auth.Principal) error {
	if r == nil || caller.ByService {
		return nil
	}
	now, bucket := time.Now(), r.bucket(caller.ShareKey())
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
		return earlier // another request has added the bucket first
	}
	return bucket
}

// seconds returns the time in which the bucket gets this number of tokens, in whole seconds, rounded up.
func (r *rateLimiter) seconds(tokens float64) int {
	return int(math.Ceil(max(tokens, 0) / float64(r.rate)))
}

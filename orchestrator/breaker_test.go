package orchestrator_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/b2b/internal/web/webtest"
)

// TestDeadPeerIsSpared makes many orchestrations at once while a peer is down. The peer sees few of their
// tries, each answer is the contract's, and as soon as the peer works again so do they.
func TestDeadPeerIsSpared(t *testing.T) {
	for _, step := range []string{customerStep, createStep, confirmStep} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			down := make([]func(http.ResponseWriter), 10_000)
			for i := range down {
				down[i] = answer(503, "unavailable")
			}
			p := &peers{instead: map[string][]func(http.ResponseWriter){step: down}}
			base := serve(t, p, time.Minute)
			const orchestrations = 60 // with 5 tries each
			var all sync.WaitGroup
			for range orchestrations {
				all.Go(func() {
					status, body, header := post(t, base, sample)
					webtest.WantError(t, status, body, 503, "upstream_unavailable")
					if header.Get("Retry-After") == "" {
						t.Error("no Retry-After")
					}
				})
			}
			all.Wait()
			p.mu.Lock()
			if seen := strings.Count(strings.Join(p.calls, ", ")+",", step+","); seen > 2*orchestrations {
				t.Errorf("the peer has seen %d of %d tries", seen, 5*orchestrations)
			}
			p.instead = nil
			p.mu.Unlock()
			for status := 0; status != http.StatusCreated; { // until the breaker lets a call through
				var body []byte
				if status, body, _ = post(t, base, sample); status != http.StatusCreated {
					webtest.WantError(t, status, body, 503, "upstream_unavailable")
				}
			}
			for range 5 {
				if status, body, _ := post(t, base, sample); status != http.StatusCreated {
					t.Errorf("after the first success: %d %s", status, body)
				}
			}
		})
	}
}

// TestOneDeadPeerDoesNotCloseTheOther: what the Orders API says of its own peer is no reason not to call it.
func TestOneDeadPeerDoesNotCloseTheOther(t *testing.T) {
	t.Parallel()
	down := make([]func(http.ResponseWriter), 15)
	for i := range down {
		down[i] = answer(503, "customers_unavailable")
	}
	p := &peers{instead: map[string][]func(http.ResponseWriter){createStep: down}}
	base := serve(t, p, time.Minute)
	for range len(down) / 5 {
		status, body, _ := post(t, base, sample)
		webtest.WantError(t, status, body, 503, "upstream_unavailable")
	}
	if status, body, _ := post(t, base, sample); status != http.StatusCreated {
		t.Errorf("%d %s", status, body)
	}
	if seen := strings.Count(strings.Join(p.calls, ", ")+",", createStep+","); seen != len(down)+1 {
		t.Errorf("%d calls, want %d", seen, len(down)+1)
	}
}

// TestDownIsNotLate: a peer known to be down is 503 while there is time, not 504 when it is over.
func TestDownIsNotLate(t *testing.T) {
	t.Parallel()
	down := make([]func(http.ResponseWriter), 10_000)
	for i := range down {
		down[i] = answer(503, "unavailable")
	}
	base := serve(
		t, &peers{instead: map[string][]func(http.ResponseWriter){customerStep: down}}, 500*time.Millisecond,
	)
	unavailable := false
	for range 8 { // a machine that stalls may be late for one of them
		status, body, header := post(t, base, sample)
		webtest.WantError(t, status, body, max(status, 503), "upstream_unavailable")
		unavailable = unavailable || status == http.StatusServiceUnavailable
		if header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if !unavailable {
		t.Error("each answer came when the time was over")
	}
}

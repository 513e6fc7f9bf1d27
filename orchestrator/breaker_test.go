package orchestrator_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/b2b/v2/internal/web/webtest"
)

// TestBreaker makes 60 orchestrations at the same time while a peer is down. The breaker must stop most tries
// before they reach the peer, and each answer must be an error of the contract. Orchestrations must succeed
// again as soon as the peer is up.
func TestBreaker(t *testing.T) {
	for _, step := range []string{customerStep, createStep, confirmStep} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			down := slices.Repeat([]fault{answer(503, "unavailable")}, 10_000)
			p := &peers{instead: map[string][]fault{step: down}}
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
			if calls := p.count(step); calls > 2*orchestrations {
				t.Errorf("the peer got %d of %d tries", calls, 5*orchestrations)
			}
			p.instead = nil
			p.mu.Unlock()
			for status := 0; status != http.StatusCreated; { // the breaker still stops some calls
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

// TestPeerOfAPeerIsDown lets the Orders API answer 503 customers_unavailable, because the Orders API cannot
// reach the Customers API. The breaker must not stop calls to the Orders API after these answers.
func TestPeerOfAPeerIsDown(t *testing.T) {
	t.Parallel()
	down := slices.Repeat([]fault{answer(503, "customers_unavailable")}, 15)
	p := &peers{instead: map[string][]fault{createStep: down}}
	base := serve(t, p, time.Minute)
	for range len(down) / 5 {
		status, body, _ := post(t, base, sample)
		webtest.WantError(t, status, body, 503, "upstream_unavailable")
	}
	if status, body, _ := post(t, base, sample); status != http.StatusCreated {
		t.Errorf("%d %s", status, body)
	}
	if calls := p.count(createStep); calls != len(down)+1 {
		t.Errorf("%d calls, want %d", calls, len(down)+1)
	}
}

// TestDownIsNotLate checks that the answer is 503 before the deadline of the request while a peer is down. An
// answer at the deadline would be 504.
func TestDownIsNotLate(t *testing.T) {
	t.Parallel()
	down := slices.Repeat([]fault{answer(503, "unavailable")}, 10_000)
	base := serve(t, &peers{instead: map[string][]fault{customerStep: down}}, 500*time.Millisecond)
	unavailable := false
	for range 8 { // the machine may stall during some of the requests, but hardly during all
		status, body, header := post(t, base, sample)
		webtest.WantError(t, status, body, max(status, 503), "upstream_unavailable")
		unavailable = unavailable || status == http.StatusServiceUnavailable
		if header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if !unavailable {
		t.Error("each answer came at the deadline")
	}
}

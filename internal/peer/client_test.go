package peer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"example.com/b2b/v2/internal/apperr"
)

// fakePeer answers with the stored handler and counts calls.
type fakePeer struct {
	*httptest.Server
	answer atomic.Pointer[func(w http.ResponseWriter)]
	seen   atomic.Int64
}

func newFakePeer(t *testing.T, answer func(w http.ResponseWriter)) *fakePeer {
	p := &fakePeer{}
	p.answer.Store(&answer)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.seen.Add(1)
		(*p.answer.Load())(w)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *fakePeer) call(ctx context.Context, c *http.Client) (int, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", p.URL, nil)
	if err != nil {
		return 0, err
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

func envelopeOf(status int, code string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"success":false,"error":"No.","code":%q}`, code)
	}
}

func ok(http.ResponseWriter)   {}
func lost(http.ResponseWriter) { panic(http.ErrAbortHandler) }
func endsEarly(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "100")
	fmt.Fprint(w, "less than that")
}
func rowHeld(w http.ResponseWriter) {
	w.Header().Set(apperr.HeldHeader, "true")
	envelopeOf(503, "unavailable")(w)
}
func html(w http.ResponseWriter) { http.Error(w, "<html>", http.StatusBadGateway) }

func TestBreaker(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		trips  bool
	}{
		"lost answer":     {lost, true},
		"cut answer":      {endsEarly, true},
		"gateway":         {html, true},
		"unavailable":     {envelopeOf(503, "unavailable"), true},
		"internal":        {envelopeOf(500, "internal"), true},
		"timeout":         {envelopeOf(504, "timeout"), true},
		"its own peer":    {envelopeOf(503, "customers_unavailable"), false},
		"refusal":         {envelopeOf(404, "order_not_found"), false},
		"too many":        {envelopeOf(429, "rate_limited"), false},
		"not a 5xx, html": {func(w http.ResponseWriter) { http.Error(w, "<html>", http.StatusNotFound) }, false},
		"a held row":      {rowHeld, false},
		"success":         {ok, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newFakePeer(t, c.answer)
			client := newClient(http.DefaultTransport, "peer", "", time.Minute, time.Hour)
			const calls = 3 * tripAfter
			notCalled := 0
			for range calls {
				if _, err := p.call(t.Context(), client); errors.Is(err, ErrDown) {
					notCalled++
				}
			}
			want := 0
			if c.trips {
				want = calls - tripAfter
			}
			if notCalled != want || p.seen.Load() != int64(calls-want) {
				t.Errorf("%d of %d calls were not made, the peer has seen %d", notCalled, calls, p.seen.Load())
			}
		})
	}
}

// TestBreakerIgnoresReadiness calls /ready often while the peer is not ready. The breaker must stay closed,
// because a peer that is about to stop still answers other calls.
func TestBreakerIgnoresReadiness(t *testing.T) {
	p := newFakePeer(t, envelopeOf(503, "unavailable"))
	client := newClient(http.DefaultTransport, "peer", "", time.Minute, time.Hour)
	for range 2 * tripAfter {
		res, err := client.Get(p.URL + "/ready")
		if err != nil || res.StatusCode != http.StatusServiceUnavailable {
			t.Fatal(res, err)
		}
	}
	works := ok
	p.answer.Store(&works)
	if status, err := p.call(t.Context(), client); status != http.StatusOK {
		t.Errorf("%d %v", status, err)
	}
}

func TestBreakerNeedsFailuresInARow(t *testing.T) {
	p := newFakePeer(t, lost)
	client := newClient(http.DefaultTransport, "peer", "", time.Minute, time.Hour)
	works, fails := ok, lost
	for i := range 5 * tripAfter {
		p.answer.Store(&fails)
		if i%tripAfter == 0 {
			p.answer.Store(&works)
		}
		if _, err := p.call(t.Context(), client); errors.Is(err, ErrDown) {
			t.Fatalf("call %d: %v", i, err)
		}
	}
}

// TestBreakerRecovers repeats calls, without pauses, until the breaker lets a call through. A failed trial
// call must open the breaker again. After a success, the breaker must let all calls through.
func TestBreakerRecovers(t *testing.T) {
	p := newFakePeer(t, lost)
	client := newClient(http.DefaultTransport, "peer", "", time.Minute, 20*time.Millisecond)
	for range 2 { // the failed trial call opens the breaker again
		for {
			if _, err := p.call(t.Context(), client); errors.Is(err, ErrDown) {
				break
			}
		}
		seen := p.seen.Load()
		for p.seen.Load() == seen {
			p.call(t.Context(), client)
		}
	}
	works := ok
	p.answer.Store(&works)
	for {
		status, err := p.call(t.Context(), client)
		if status == http.StatusOK {
			break
		}
		if !errors.Is(err, ErrDown) {
			t.Fatal(err)
		}
	}
	seen := p.seen.Load()
	for range 3 * tripAfter {
		if status, err := p.call(t.Context(), client); status != http.StatusOK {
			t.Fatalf("after the first success: %v", err)
		}
	}
	if p.seen.Load() != seen+3*tripAfter {
		t.Error("calls went missing")
	}
}

// TestBreakerProbes makes tripAfter concurrent trial calls. The breaker must let all of them through, and
// refuse a further call.
func TestBreakerProbes(t *testing.T) {
	p := newFakePeer(t, lost)
	client := newClient(http.DefaultTransport, "peer", "", time.Minute, time.Millisecond)
	for range tripAfter {
		p.call(t.Context(), client)
	}
	probing, leave := make(chan struct{}), make(chan struct{})
	held := func(http.ResponseWriter) { probing <- struct{}{}; <-leave }
	p.answer.Store(&held)
	probes := make(chan error)
	for range tripAfter {
		go func() {
			for {
				if _, err := p.call(t.Context(), client); !errors.Is(err, ErrDown) {
					probes <- err
					return
				}
			}
		}()
	}
	for range tripAfter {
		<-probing
	}
	if _, err := p.call(t.Context(), client); !errors.Is(err, ErrDown) {
		t.Errorf("a further call, while the probes are in flight: %v", err)
	}
	close(leave)
	for range tripAfter {
		if err := <-probes; err != nil {
			t.Error(err)
		}
	}
}

// TestBreakerIgnoresHurriedCallers calls a peer that has no answer yet, with deadlines that are much shorter
// than the timeout of a call. The breaker must stay closed, because the deadlines were too short.
func TestBreakerIgnoresHurriedCallers(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	p := newFakePeer(t, func(http.ResponseWriter) { <-release })
	client := newClient(http.DefaultTransport, "peer", "", time.Minute, time.Hour)
	for range 3 * tripAfter {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if _, err := p.call(ctx, client); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		cancel()
	}
	works := ok
	p.answer.Store(&works)
	if status, err := p.call(t.Context(), client); status != http.StatusOK {
		t.Error(err)
	}
}

// TestBreakerCountsSilence calls a peer that does not answer within the timeout of a call. The breaker must
// open, although the callers have time left.
func TestBreakerCountsSilence(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	p := newFakePeer(t, func(http.ResponseWriter) { <-release })
	client := newClient(http.DefaultTransport, "peer", "", 10*time.Millisecond, time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range tripAfter {
		if _, err := p.call(ctx, client); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if _, err := p.call(ctx, client); !errors.Is(err, ErrDown) {
		t.Error(err)
	}
}

func TestBreakerIgnoresCallersWhoLeave(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	p := newFakePeer(t, func(http.ResponseWriter) { entered <- struct{}{}; <-release })
	client := newClient(http.DefaultTransport, "peer", "", time.Minute, time.Hour)
	for range 3 * tripAfter {
		ctx, leave := context.WithCancel(t.Context())
		go func() { <-entered; leave() }()
		if _, err := p.call(ctx, client); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if _, err := p.call(ctx, client); !errors.Is(err, context.Canceled) { // ctx has ended before the call
			t.Fatal(err)
		}
	}
	works := ok
	p.answer.Store(&works)
	if status, err := p.call(t.Context(), client); status != http.StatusOK {
		t.Error(err)
	}
}

// TestTryLeavesTimeForAnother calls a peer that does not answer the first call. The client must give up the
// call early enough for a second call within the caller's deadline.
func TestTryLeavesTimeForAnother(t *testing.T) {
	p := newFakePeer(t, nil)
	release := make(chan struct{})
	defer close(release)
	works := ok
	hangs := func(http.ResponseWriter) { p.answer.Store(&works); <-release }
	p.answer.Store(&hangs)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	client := Peer{Timeout: time.Minute}.Client("peer")
	if _, err := p.call(ctx, client); !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		t.Errorf("%v, the caller's context: %v", err, ctx.Err())
	}
	if status, err := p.call(ctx, client); status != http.StatusOK {
		t.Error(err)
	}
}

// TestNoRedirect answers with a redirect to another host. The client must not follow the redirect, because
// the other host would get the service token.
func TestNoRedirect(t *testing.T) {
	other := newFakePeer(t, ok)
	p := newFakePeer(t, func(w http.ResponseWriter) {
		w.Header().Set("Location", other.URL)
		w.WriteHeader(http.StatusFound)
	})
	client := newClient(http.DefaultTransport, "peer", "service-token", time.Minute, time.Minute)
	status, err := p.call(t.Context(), client)
	if status != http.StatusFound || err != nil || other.seen.Load() != 0 {
		t.Errorf("%d %v, and %d calls of the other host", status, err, other.seen.Load())
	}
}

package web

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"example.com/b2b/internal/apperr"
)

// caller is who holds slots of a fairSemaphore.
type caller struct {
	name    string
	service bool // the call came with the service token
}

// fairSemaphore is a semaphore of which no caller can take everything: a caller may hold at most `factor`
// times as many slots as are free. Alone it gets factor/(1+factor) of them, n callers get factor/(1+n*factor)
// each, and some are free for the next caller. That is the dynamic threshold by which switches share their
// memory (Choudhury and Hahne, 1998). A nil one is no bound.
type fairSemaphore struct {
	size, factor int
	reserved     int    // of size, for calls of services
	what         string // its slots are, and the variable that sets size: for the log

	mu    sync.Mutex
	taken int
	by    map[string]int // slots, by the names of the callers who have some
	queue []*waiter      // in the order of their arrival
	turn  int            // of the waiter who got a slot last
}

type waiter struct {
	caller
	turn     int
	acquired chan struct{} // closed by whoever gives it a slot
}

// newFairSemaphore returns nil, which is no bound, for size 0.
func newFairSemaphore(size, factor int, what string) *fairSemaphore {
	if size == 0 {
		return nil
	}
	return &fairSemaphore{size: size, factor: factor, what: what, by: map[string]int{}}
}

// free returns how many slots are free for a caller.
func (s *fairSemaphore) free(who caller) int {
	if who.service {
		return s.size - s.taken
	}
	return s.size - s.reserved - s.taken
}

// tryAcquire takes a slot, which the caller must release. Errors: 503 unavailable when none is free, 429
// rate_limited when the caller has its share.
func (s *fairSemaphore) tryAcquire(who caller) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch free := s.free(who); {
	case free <= 0:
		return apperr.Unavailable.Because(fmt.Errorf("all %d %s are taken", s.size, s.what))
	case s.by[who.name] >= s.factor*free:
		cause := fmt.Errorf("the caller has %d of %d %s", s.by[who.name], s.size, s.what)
		return apperr.RateLimited.Because(cause, "wait until some of yours are answered")
	}
	s.give(who)
	return nil
}

// acquire waits for a slot, which the caller must release. Callers take turns: each slot or waiter that a
// caller has already puts it one turn behind callers who have none (start-time fair queueing).
func (s *fairSemaphore) acquire(ctx context.Context, who caller) error {
	if s == nil {
		return nil
	}
	w := &waiter{caller: who, acquired: make(chan struct{})}
	s.mu.Lock()
	w.turn = s.turn + 1 + s.by[who.name]
	for _, earlier := range s.queue {
		if earlier.name == who.name {
			w.turn++
		}
	}
	s.queue = append(s.queue, w)
	s.serve()
	s.mu.Unlock()
	select {
	case <-w.acquired:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.queue, w); i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
		return ctx.Err()
	}
	return nil // it was given one meanwhile
}

func (s *fairSemaphore) release(who caller) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.by[who.name]--; s.by[who.name] == 0 {
		delete(s.by, who.name)
	}
	s.serve()
}

func (s *fairSemaphore) give(who caller) {
	s.taken++
	s.by[who.name]++
}

// serve gives waiters what is free.
func (s *fairSemaphore) serve() {
	for {
		next := -1
		for i, w := range s.queue {
			if s.by[w.name] < s.factor*s.free(w.caller) && (next < 0 || w.turn < s.queue[next].turn) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		w := s.queue[next]
		s.queue = slices.Delete(s.queue, next, next+1)
		s.turn = w.turn
		s.give(w.caller)
		close(w.acquired)
	}
}

// Package fair shares slots among callers.
package fair

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"example.com/b2b/v2/internal/apperr"
)

// Caller takes slots of a Semaphore.
type Caller struct {
	Name    string
	Service bool // the request has the service token, so the caller may take the reserved slots
}

// Semaphore is a semaphore in which no caller can take every slot. A caller gets a slot only while the caller
// has fewer slots than factor times the free slots. So a lone caller gets factor/(1+factor) of the slots,
// each of n callers gets factor/(1+n*factor), and some slots stay free for a new caller. The rule is the
// dynamic threshold by which network switches share memory (Choudhury and Hahne, 1998). A nil Semaphore has
// no bound.
type Semaphore struct {
	size, factor, reserved int
	name                   string

	mu     sync.Mutex
	used   int
	usedBy map[string]int // slots in use, by the caller's name; without an entry for 0 slots
	queue  []*waiter      // waiters in the order of arrival
	turn   int            // turn of the waiter that last got a slot
}

type waiter struct {
	Caller
	turn     int
	acquired chan struct{} // closed when the waiter has its slot
}

// New returns a semaphore; the parameter size is the number of its slots. For the size 0, New returns nil.
// Only services may take the reserved slots. The parameter name says in log lines what the slots are, and
// which variable sets their number.
func New(size, factor, reserved int, name string) *Semaphore {
	if size == 0 {
		return nil
	}
	return &Semaphore{size: size, factor: factor, reserved: reserved, name: name, usedBy: map[string]int{}}
}

// TryAcquire takes a slot without waiting; the caller must release the slot. Errors: 503 unavailable when no
// slot is free, 429 rate_limited when the caller has its share.
func (s *Semaphore) TryAcquire(caller Caller) error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	free, own := s.free(caller), s.usedBy[caller.Name]
	if free <= 0 {
		return apperr.Unavailable.Because(fmt.Errorf("all %d %s are taken", s.size, s.name))
	}
	if own >= s.factor*free {
		cause := fmt.Errorf("the caller has %d of %d %s", own, s.size, s.name)
		return apperr.RateLimited.Because(cause, "wait until some of yours are answered")
	}
	s.take(caller)
	return nil
}

// Acquire waits for a slot, which the caller must release. It returns the error of ctx when ctx ends before
// there is a slot. Callers take turns (start-time fair queueing): a new waiter gets the next turn, or a later
// turn by one for each slot and each waiter that its caller already has.
func (s *Semaphore) Acquire(ctx context.Context, caller Caller) error {
	if s == nil {
		return nil
	}
	w := s.enqueue(caller)
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
	return nil // the waiter got its slot while ctx ended
}

// Release gives back a slot of the caller, for the next waiter.
func (s *Semaphore) Release(caller Caller) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	s.usedBy[caller.Name]--
	if s.usedBy[caller.Name] == 0 {
		delete(s.usedBy, caller.Name)
	}
	s.serveQueue()
}

func (s *Semaphore) enqueue(caller Caller) *waiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &waiter{Caller: caller, turn: s.turn + 1 + s.usedBy[caller.Name], acquired: make(chan struct{})}
	for _, earlier := range s.queue {
		if earlier.Name == caller.Name {
			w.turn++
		}
	}
	s.queue = append(s.queue, w)
	s.serveQueue()
	return w
}

// free returns how many slots are free for a caller.
func (s *Semaphore) free(caller Caller) int {
	if caller.Service {
		return s.size - s.used
	}
	return s.size - s.reserved - s.used
}

func (s *Semaphore) take(caller Caller) {
	s.used++
	s.usedBy[caller.Name]++
}

// serveQueue gives free slots to waiters, in the order of their turns, until no waiter may have a slot.
func (s *Semaphore) serveQueue() {
	for {
		next := -1
		for i, w := range s.queue {
			mayHave := s.usedBy[w.Name] < s.factor*s.free(w.Caller)
			if mayHave && (next < 0 || w.turn < s.queue[next].turn) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		w := s.queue[next]
		s.queue = slices.Delete(s.queue, next, next+1)
		s.turn = w.turn
		s.take(w.Caller)
		close(w.acquired)
	}
}

package fair

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// state returns the number of used slots, of callers with slots, and of waiters.
func (s *Semaphore) state() (taken, callers, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used, len(s.usedBy), len(s.queue)
}

// TestQueue queues many waiters of one caller, and then a waiter of each of two other callers. The next two
// slots must go to the two other callers.
func TestQueue(t *testing.T) {
	s := New(1, 4, 0, "slots")
	acquired := make(chan string)
	wait := func(name string, waiting int) {
		go func() {
			if err := s.Acquire(t.Context(), Caller{Name: name}); err != nil {
				t.Error(err)
			}
			acquired <- name
		}()
		for _, _, n := s.state(); n < waiting; _, _, n = s.state() {
			time.Sleep(time.Millisecond)
		}
	}
	wait("greedy", 0)
	last := <-acquired
	for i := range 8 {
		wait("greedy", i+1)
	}
	wait("other", 9)
	wait("another", 10)
	for _, want := range []string{"other", "another", "greedy"} {
		s.Release(Caller{Name: last})
		if last = <-acquired; last != want {
			t.Errorf("the next is %s, want %s", last, want)
		}
	}
	for range 7 {
		s.Release(Caller{Name: last})
		last = <-acquired
	}
}

// TestSemaphore acquires and releases slots of several callers at random. At most all 20 slots may be used at
// a time, and no state may remain at the end.
func TestSemaphore(t *testing.T) {
	s := New(20, 1, 0, "slots")
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			name := fmt.Sprint(n % 7)
			for range 100 {
				if n%2 == 0 {
					wait := time.Duration(rand.IntN(200)) * time.Microsecond
					ctx, stop := context.WithTimeout(t.Context(), wait)
					if s.Acquire(ctx, Caller{Name: name}) == nil {
						s.Release(Caller{Name: name})
					}
					stop()
				} else if s.TryAcquire(Caller{Name: name}) == nil {
					s.Release(Caller{Name: name})
				}
				if taken, _, _ := s.state(); taken > 20 {
					t.Errorf("%d of 20 are taken", taken)
				}
			}
		})
	}
	all.Wait()
	if taken, callers, waiting := s.state(); taken+callers+waiting != 0 {
		t.Errorf("%d are taken, by %d callers; %d wait", taken, callers, waiting)
	}
}

package fair

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// state returns how many slots are taken, by how many callers, and how many waiters there are.
func (s *Semaphore) state() (taken, callers, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used, len(s.usedBy), len(s.queue)
}

// TestFairQueue has one caller's waiters queue before another one's comes: the latter is the next.
func TestFairQueue(t *testing.T) {
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

// TestFairSemaphore has many callers come and go at random: nobody has more than its share when it comes, and
// nothing is kept of those who have gone.
func TestFairSemaphore(t *testing.T) {
	s := New(20, 1, 0, "slots")
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			name := fmt.Sprint(n % 7)
			for range 100 {
				if n%2 == 0 {
					ctx, stop := context.WithTimeout(t.Context(), time.Duration(rand.IntN(200))*time.Microsecond)
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

package events

import (
	"testing"
	"time"
)

// QuickPlaces is the number of quick endpoints that a process serves at once.
const QuickPlaces = quickPlaces

// SetStreamLife sets the average life of the streams that begin from now on.
func (s *Service) SetStreamLife(life time.Duration) { s.streamLife = life }

// WaitFor waits until n requests wait for events.
func WaitFor(t testing.TB, s *Service, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		s.waiters.mu.Lock()
		waiting := len(s.waiters.all)
		s.waiters.mu.Unlock()
		if waiting >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d requests wait for events, want %d", waiting, n)
		}
		time.Sleep(time.Millisecond)
	}
}

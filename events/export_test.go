package events

import "time"

// QuickPlaces is the number of quick endpoints that a process serves at once.
const QuickPlaces = quickPlaces

// WaitFor waits until n requests wait for events.
func WaitFor(s *Service, n int) {
	for {
		s.waiters.mu.Lock()
		waiting := len(s.waiters.all)
		s.waiters.mu.Unlock()
		if waiting >= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

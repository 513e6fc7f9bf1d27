package web

import "context"

// MaxCallers is how many buckets an engine keeps.
const MaxCallers = maxCallers

// FairSemaphore is one of which tests see what is taken.
type FairSemaphore struct{ *fairSemaphore }

func NewFairSemaphore(size, factor int) FairSemaphore {
	return FairSemaphore{newFairSemaphore(size, factor, "slots of the test")}
}

func (s FairSemaphore) TryAcquire(name string) error { return s.tryAcquire(caller{name: name}) }

func (s FairSemaphore) Acquire(ctx context.Context, name string) error {
	return s.acquire(ctx, caller{name: name})
}

func (s FairSemaphore) Release(name string) { s.release(caller{name: name}) }

// State returns how many slots are taken, by how many callers, and how many wait for one.
func (s FairSemaphore) State() (taken, callers, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken, len(s.by), len(s.queue)
}

package web

import (
	"context"

	"example.com/b2b/v2/internal/fair"
)

// searchTurn is the slot of a search in progress. An export releases the slot while the caller reads results,
// and acquires it again afterwards. A reader of events acquires the slot for single reads: see Search.
type searchTurn struct {
	searches *fair.Semaphore
	caller   fair.Caller
	held     bool
}

func (t *searchTurn) acquire(ctx context.Context) error {
	err := t.searches.Acquire(ctx, t.caller)
	t.held = err == nil
	return err
}

func (t *searchTurn) release() {
	if t.held {
		t.searches.Release(t.caller)
		t.held = false
	}
}

// Search runs fn, which reads many rows, while it holds a slot for searches. It is for requests that wait for
// an event; for other requests, it only runs fn. Errors: the error of fn, or of ctx when ctx ends before a
// slot is free.
func Search(ctx context.Context, fn func() error) error {
	begun, ok := ctx.Value(callKey{}).(*call)
	if !ok || begun.turn == nil {
		return fn()
	}
	if err := begun.turn.acquire(ctx); err != nil {
		return err
	}
	defer begun.turn.release()
	return fn()
}

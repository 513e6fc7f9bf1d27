package web

import (
	"context"

	"example.com/b2b/v2/internal/fair"
)

// searchTurn is the slot of a search in progress. An export releases the slot while the caller reads results,
// and acquires it again afterwards.
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

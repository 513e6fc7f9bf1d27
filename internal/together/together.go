// Package together carries calls out in groups, so that what a group costs once, such as a commit, is shared by its calls. It knows
// neither a service nor a database.
package together

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Call is one that a Queue carries out. Do of the queue leaves the outcome in it.
type Call interface {
	Names() []string // what it concerns: two calls with a name in common are not under way at once
	Weight() int     // its part of Queue.Weight
}

// Queue carries out calls, in groups. A call that comes while fewer than AtOnce groups are under way begins at once, alone; those that
// come meanwhile make up the next group, in the order in which they came. So without contention nobody waits for anybody.
type Queue[C Call] struct {
	AtOnce int // groups under way at once
	Weight int // of a group; a heavier call is a group by itself

	// Do carries out a group. Its ctx ends when the last caller has gone or has no more time. Undone says that err has left nothing
	// behind, as a panic does: each call of the group is tried once more by itself then, so that one bad call harms no other.
	Do func(ctx context.Context, group []C) (undone bool, err error)

	mu      sync.Mutex
	waiting []*waiter[C] // in the order in which they came
	running int          // groups
	under   int          // calls of these
	busy    map[string]bool
}

// waiter is a call and the caller that waits for it.
type waiter[C Call] struct {
	call C
	ctx  context.Context // the caller's
	err  error
	done chan struct{}
}

// Carry carries the call out, or returns an error of Do, or that of ctx, without waiting any longer: the call may be carried out all
// the same then, unless ctx had ended before its group began.
func (q *Queue[C]) Carry(ctx context.Context, call C) error {
	w := &waiter[C]{call: call, ctx: ctx, done: make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, w)
	q.begin()
	q.mu.Unlock()
	select {
	case <-w.done:
		if w.err != nil && ctx.Err() != nil {
			return ctx.Err() // it is why the group ended, where this was its last caller
		}
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Load is how many groups are under way, and how many calls wait for one.
func (q *Queue[C]) Load() (groups, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.running, len(q.waiting)
}

// begin starts groups while there is one to start. q.mu is held.
func (q *Queue[C]) begin() {
	for q.running < q.AtOnce {
		group := q.next()
		if len(group) == 0 {
			return
		}
		q.running++
		q.under += len(group)
		go q.run(group)
	}
}

// next takes a group out of the waiting, leaving out who has gone. q.mu is held.
func (q *Queue[C]) next() (group []*waiter[C]) {
	// Of groups under way at once each gets its share, lest many calls take turns with few.
	share := (q.under + len(q.waiting) + q.AtOnce - 1) / q.AtOnce
	weight, left := 0, q.waiting[:0]
	for i, w := range q.waiting {
		if len(group) == share || len(group) > 0 && weight+w.call.Weight() > q.Weight {
			left = append(left, q.waiting[i:]...)
			break
		}
		names := w.call.Names()
		switch {
		case w.ctx.Err() != nil:
			w.err = w.ctx.Err()
			close(w.done)
		case q.anyBusy(names):
			left = append(left, w)
		default:
			for _, name := range names {
				q.busy[name] = true
			}
			weight += w.call.Weight()
			group = append(group, w)
		}
	}
	clear(q.waiting[len(left):])
	q.waiting = left
	return group
}

func (q *Queue[C]) anyBusy(names []string) bool {
	if q.busy == nil {
		q.busy = map[string]bool{}
	}
	for _, name := range names {
		if q.busy[name] {
			return true
		}
	}
	return false
}

// run carries a group out and starts the next one before it tells the callers.
func (q *Queue[C]) run(group []*waiter[C]) {
	if undone, err := q.do(group); err != nil && undone && len(group) > 1 {
		for i, w := range group {
			if w.err = w.ctx.Err(); w.err == nil {
				_, w.err = q.do(group[i : i+1])
			}
		}
	} else {
		for _, w := range group {
			w.err = err
		}
	}
	q.mu.Lock()
	for _, w := range group {
		for _, name := range w.call.Names() {
			delete(q.busy, name)
		}
	}
	q.running--
	q.under -= len(group)
	q.begin()
	q.mu.Unlock()
	for _, w := range group {
		close(w.done)
	}
}

// do calls Do, and makes an error of a panic: it belongs to a call, and has nobody above it here who would recover.
func (q *Queue[C]) do(group []*waiter[C]) (undone bool, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	left := new(atomic.Int64)
	left.Store(int64(len(group)))
	calls := make([]C, len(group))
	for i, w := range group {
		calls[i] = w.call
		defer context.AfterFunc(w.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})()
	}
	defer func() {
		if p := recover(); p != nil {
			undone, err = true, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return q.Do(ctx, calls)
}

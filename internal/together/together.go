// Package together carries calls out in groups, so that what a group costs once, such as a commit, is shared by its calls. It knows
// neither a service nor a database.
package together

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Call is one that a Queue carries out. Do of the queue leaves the outcome in it.
type Call interface {
	Names() []string // what it concerns: two calls with a name in common are not under way at once
	Weight() int     // its part of Queue.Weight
}

// Queue carries out calls, in groups. A call that comes while fewer than AtOnce groups are under way begins at once, alone; those that
// come meanwhile make up the next group, in the order in which they came. So without contention nobody waits for anybody.
type Queue[C Call] struct {
	AtOnce int // groups under way at once, not counting those that take longer than Patience
	Weight int // of a group; a heavier call is a group by itself

	// Do carries out a group. Its ctx ends when the last caller has gone or has no more time. Undone says that err leaves nothing
	// behind, as a panic does: each call of the group is tried once more by itself then, so that one bad call harms no other.
	Do func(ctx context.Context, group []C) (undone bool, err error)

	mu      sync.Mutex
	waiting []*waiter[C] // in the order in which they came
	running int          // groups
	under   int          // calls of these
	busy    map[string]bool
}

// Patience is how long the others wait for a group that cannot go on, such as one whose rows somebody else holds.
const Patience = time.Second

// waiter is a call and the caller that waits for it.
type waiter[C Call] struct {
	call C
	ctx  context.Context // the caller's
	err  error
	done chan struct{}
}

// end tells the caller.
func (w *waiter[C]) end(err error) {
	w.err = err
	close(w.done)
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
	weight, left, passed := 0, q.waiting[:0], map[string]bool{}
	for i, w := range q.waiting {
		if len(group) == share || len(group) > 0 && weight+w.call.Weight() > q.Weight {
			left = append(left, q.waiting[i:]...)
			break
		}
		names := w.call.Names()
		free := !slices.ContainsFunc(names, func(name string) bool { return q.busy[name] || passed[name] })
		switch {
		case w.ctx.Err() != nil:
			w.end(w.ctx.Err())
		case free:
			weight += w.call.Weight()
			group = append(group, w)
			q.mark(names, true)
		default:
			left = append(left, w)
			for _, name := range names { // nobody overtakes it
				passed[name] = true
			}
		}
	}
	clear(q.waiting[len(left):])
	q.waiting = left
	return group
}

// mark makes names busy, or frees them. q.mu is held.
func (q *Queue[C]) mark(names []string, busy bool) {
	if q.busy == nil {
		q.busy = map[string]bool{}
	}
	for _, name := range names {
		if busy {
			q.busy[name] = true
		} else {
			delete(q.busy, name)
		}
	}
}

// run carries a group out and starts the next one before it tells the callers.
func (q *Queue[C]) run(group []*waiter[C]) {
	var once sync.Once
	next := func() { // in this one's place
		once.Do(func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.running--
			q.under -= len(group)
			q.begin()
		})
	}
	slow := time.AfterFunc(Patience, next)
	undone, err := q.do(group)
	if err != nil && undone && len(group) > 1 {
		var alone sync.WaitGroup
		for _, w := range group {
			alone.Go(func() {
				err := w.ctx.Err()
				if err == nil {
					_, err = q.do([]*waiter[C]{w})
				}
				q.leave(w)
				w.end(err)
			})
		}
		alone.Wait()
		slow.Stop()
		next()
		return
	}
	slow.Stop()
	q.leave(group...)
	next()
	for _, w := range group {
		w.end(err)
	}
}

// leave frees the names of calls that are over, for which others may wait.
func (q *Queue[C]) leave(group ...*waiter[C]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range group {
		q.mark(w.call.Names(), false)
	}
	q.begin()
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

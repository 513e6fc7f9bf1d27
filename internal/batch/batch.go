// Package batch runs commands in batches, so that the commands of a batch share what a batch costs once, such
// as a commit. It knows neither a service nor a database.
package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Command is run by a Batcher. The outcome is left in the command by Batcher.Run.
type Command interface {
	ConflictKeys() []string // two commands with a key in common never run at the same time
	Cost() int              // counts towards Batcher.MaxCost
}

// Batcher runs commands in batches. A command that comes while fewer than MaxConcurrent batches run starts at
// once, alone; the commands that come meanwhile make up the next batch, in their order of arrival. So without
// contention no command waits for another.
//
// A command that needs a row which another transaction holds does not keep the others waiting: Run sets the
// command aside, and the Batcher runs it again once the row is free.
type Batcher[C Command] struct {
	MaxConcurrent int           // batches at once, not counting at most maxStalled that have stalled
	MaxCost       int           // of a batch; a command that costs more is a batch by itself
	StallTimeout  time.Duration // how long others wait for a batch that does not end, such as one whose commit is slow
	MaxHeld       int           // commands that may wait for held rows for HeldTimeout; where there are more, see BriefTimeout

	// Run runs a batch. Its ctx ends when the last caller has gone or has no more time. A command that it
	// lists in held has not been run, because a row is held. Where err is not nil, rolledBack says that the
	// batch left nothing behind, as a panic does: each of its other commands is tried once more by itself
	// then, so that one bad command harms no other.
	Run func(ctx context.Context, batch []C) (held []Held, rolledBack bool, err error)

	mu       sync.Mutex
	waiting  []*waiter[C] // in their order of arrival
	running  int          // batches
	stalled  int          // batches that run, and are not in running any more
	atWork   int          // commands of the batches in running
	busy     map[string]bool
	heldRows map[string]*heldRow[C]
	heldWait int  // commands in heldRows
	probing  bool // probe runs
}

// Held is a row that another transaction holds.
type Held struct {
	Row      string // its name, for Batcher.IsHeld
	Commands []int  // indexes in the batch of the commands that need the row

	// IsFree waits for the row, for so long at most, and keeps no lock.
	IsFree func(ctx context.Context, wait time.Duration) bool
}

// ErrHeld says that a command was not run, because another transaction has held a row for too long.
var ErrHeld = errors.New("another transaction holds a row that is needed")

const (
	// DefaultStallTimeout is Batcher.StallTimeout where that is zero.
	DefaultStallTimeout = time.Second
	// HeldTimeout is how long a command waits for a row that another transaction holds.
	HeldTimeout = 10 * time.Second
	// BriefTimeout is that time where more than MaxHeld commands wait, for a row with more than its share.
	BriefTimeout = 1500 * time.Millisecond

	maxStalled = 4                      // batches, lest they take all connections
	maxAlone   = 4                      // commands of a batch that was rolled back, at once
	probePause = 100 * time.Millisecond // between two rounds of looking whether held rows are free
	probeWait  = 100 * time.Millisecond // for one row in a round; for the others the round does not wait
	mostHeld   = 6                      // times MaxHeld commands wait at most
)

// heldRow has the commands that wait for a row, in their order of arrival.
type heldRow[C Command] struct {
	isFree  func(ctx context.Context, wait time.Duration) bool
	waiting []*waiter[C]
}

// waiter is a command, and the caller that waits for it.
type waiter[C Command] struct {
	command C
	ctx     context.Context // the caller's
	heldAt  time.Time       // when the command began to wait for held rows; zero before
	err     error
	done    chan struct{}
}

// end tells the caller.
func (w *waiter[C]) end(err error) {
	w.err = err
	close(w.done)
}

// Submit runs the command and returns nil, an error of Run, ErrHeld, or, without waiting any longer, the
// error of ctx: the command may be run all the same then, unless ctx had ended before its batch began.
func (b *Batcher[C]) Submit(ctx context.Context, command C) error {
	w := &waiter[C]{command: command, ctx: ctx, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, w)
	b.start()
	b.mu.Unlock()
	select {
	case <-w.done:
		if w.err != nil && ctx.Err() != nil {
			return ctx.Err() // which ended the batch, where this was its last caller
		}
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Load returns how many batches run, and how many commands wait for a batch, and for held rows.
func (b *Batcher[C]) Load() (batches, waiting, held int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.running, len(b.waiting), b.heldWait
}

// IsHeld reports whether Run has found the row held, and nobody has found it free since: a batch need not
// wait for the row.
func (b *Batcher[C]) IsHeld(row string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.heldRows[row] != nil
}

// start starts batches while there is one to start. b.mu is held.
func (b *Batcher[C]) start() {
	for b.running < b.MaxConcurrent {
		batch := b.next()
		if len(batch) == 0 {
			return
		}
		b.running++
		b.atWork += len(batch)
		go b.run(batch)
	}
}

// next takes a batch out of the waiting commands, and drops commands whose caller has gone. b.mu is held.
func (b *Batcher[C]) next() (batch []*waiter[C]) {
	// Batches that run at once get equal shares, lest many commands take turns with few.
	share := (b.atWork + len(b.waiting) + b.MaxConcurrent - 1) / b.MaxConcurrent
	cost, left, passed := 0, b.waiting[:0], map[string]bool{}
	for i, w := range b.waiting {
		if len(batch) == share || len(batch) > 0 && cost+w.command.Cost() > b.MaxCost {
			left = append(left, b.waiting[i:]...)
			break
		}
		keys := w.command.ConflictKeys()
		free := !slices.ContainsFunc(keys, func(key string) bool { return b.busy[key] || passed[key] })
		switch {
		case w.ctx.Err() != nil:
			w.end(w.ctx.Err())
		case free:
			cost += w.command.Cost()
			batch = append(batch, w)
			b.mark(keys, true)
		default:
			left = append(left, w)
			for _, key := range keys { // no later command overtakes this command
				passed[key] = true
			}
		}
	}
	clear(b.waiting[len(left):])
	b.waiting = left
	return batch
}

// mark makes conflict keys busy, or frees them. b.mu is held.
func (b *Batcher[C]) mark(keys []string, busy bool) {
	if b.busy == nil {
		b.busy = map[string]bool{}
	}
	for _, key := range keys {
		if busy {
			b.busy[key] = true
		} else {
			delete(b.busy, key)
		}
	}
}

// run runs a batch and starts the next batch before it tells the callers.
func (b *Batcher[C]) run(batch []*waiter[C]) {
	end := b.watch(len(batch))
	held, rolledBack, err := b.try(batch)
	if err == nil || !rolledBack || len(batch) == 1 {
		b.settle(batch, held, err, end)
		return
	}
	batch = b.setAside(batch, held)
	var alone sync.WaitGroup
	room := make(chan struct{}, maxAlone)
	for _, w := range batch {
		room <- struct{}{}
		alone.Go(func() {
			defer func() { <-room }()
			held, err := []Held(nil), w.ctx.Err()
			if err == nil {
				held, _, err = b.try([]*waiter[C]{w})
			}
			b.settle([]*waiter[C]{w}, held, err, func() {})
		})
	}
	alone.Wait()
	b.settle(nil, nil, nil, end)
}

// setAside settles the commands of a batch that need held rows, and returns the others.
func (b *Batcher[C]) setAside(batch []*waiter[C], held []Held) (others []*waiter[C]) {
	var those []*waiter[C]
	at := map[int]int{} // in those, by the index in the batch
	for _, h := range held {
		for i, c := range h.Commands {
			if _, known := at[c]; !known {
				at[c], those = len(those), append(those, batch[c])
			}
			h.Commands[i] = at[c]
		}
	}
	b.settle(those, held, nil, func() {})
	return slices.DeleteFunc(batch, func(w *waiter[C]) bool { return slices.Contains(those, w) })
}

// watch lets others start once a batch of n commands has stalled. The returned function ends the
// batch; b.mu must be held.
func (b *Batcher[C]) watch(n int) (end func()) {
	ended, stalled, stallTimeout := false, false, cmp.Or(b.StallTimeout, DefaultStallTimeout)
	leave := func() { b.running, b.atWork = b.running-1, b.atWork-n }
	var timer *time.Timer
	b.mu.Lock()
	defer b.mu.Unlock()
	timer = time.AfterFunc(stallTimeout, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if ended {
			return
		}
		if b.stalled == maxStalled {
			timer.Reset(stallTimeout)
			return
		}
		stalled, b.stalled = true, b.stalled+1
		leave()
		b.start()
	})
	return func() {
		timer.Stop()
		if ended = true; stalled {
			b.stalled--
		} else {
			leave()
		}
	}
}

// settle frees the conflict keys of commands that have been run, lets those that need held rows wait, starts
// what may start, and tells the callers of all others.
func (b *Batcher[C]) settle(batch []*waiter[C], held []Held, err error, end func()) {
	b.mu.Lock()
	for _, w := range batch {
		b.mark(w.command.ConflictKeys(), false)
	}
	parked := b.park(batch, held)
	end()
	b.start()
	b.mu.Unlock()
	for i, w := range batch {
		if why, waits := parked[i]; !waits {
			w.end(err)
		} else if why != nil {
			w.end(why)
		}
	}
}

// try calls Run, and makes an error of a panic, which has no caller here who would recover.
func (b *Batcher[C]) try(batch []*waiter[C]) (held []Held, rolledBack bool, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	left := new(atomic.Int64)
	left.Store(int64(len(batch)))
	commands := make([]C, len(batch))
	for i, w := range batch {
		commands[i] = w.command
		defer context.AfterFunc(w.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})()
	}
	defer func() {
		if p := recover(); p != nil {
			held, rolledBack, err = nil, true, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return b.Run(ctx, commands)
}

// park lets commands of a batch wait for held rows. It returns, by their index, the commands that have not
// been run, with ErrHeld for those that may not wait. b.mu is held.
func (b *Batcher[C]) park(batch []*waiter[C], held []Held) map[int]error {
	parked := map[int]error{}
	for _, h := range held {
		for _, i := range h.Commands {
			if _, twice := parked[i]; twice {
				continue // the command waits for one row after the other
			}
			w := batch[i]
			if w.heldAt.IsZero() {
				w.heldAt = time.Now()
			}
			if b.heldWait >= mostHeld*b.MaxHeld || time.Since(w.heldAt) > HeldTimeout {
				parked[i] = ErrHeld
				continue
			}
			parked[i] = nil
			row := b.heldRows[h.Row]
			if row == nil {
				row = b.hold(h)
			}
			row.waiting = append(row.waiting, w)
			b.heldWait++
		}
	}
	return parked
}

// hold notes that a row is held, and looks from now on whether it still is. b.mu is held.
func (b *Batcher[C]) hold(h Held) *heldRow[C] {
	if b.heldRows == nil {
		b.heldRows = map[string]*heldRow[C]{}
	}
	if !b.probing {
		b.probing = true
		go b.probe()
	}
	row := &heldRow[C]{isFree: h.IsFree}
	b.heldRows[h.Row] = row
	return row
}

// probe looks whether held rows are free until no command waits for any.
func (b *Batcher[C]) probe() {
	for {
		time.Sleep(probePause)
		rows := b.stillHeld()
		if len(rows) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), DefaultStallTimeout)
		wait := probeWait // for the first of them, which is another one in each round
		for name, row := range rows {
			if row.free(ctx, wait) {
				b.release(name)
			}
			wait = 0
		}
		cancel()
	}
}

// free reports whether the row is free. Where that cannot be told, its commands may find out why.
func (r *heldRow[C]) free(ctx context.Context, wait time.Duration) (free bool) {
	defer func() {
		if recover() != nil {
			free = true
		}
	}()
	return r.isFree(ctx, wait)
}

// stillHeld ends the commands that have waited for too long, and returns the rows for which others wait.
func (b *Batcher[C]) stillHeld() map[string]*heldRow[C] {
	b.mu.Lock()
	defer b.mu.Unlock()
	crowded, share := b.heldWait > b.MaxHeld, b.MaxHeld/max(len(b.heldRows), 1)
	for name, row := range b.heldRows {
		timeout := HeldTimeout
		if crowded && len(row.waiting) > share { // commands for other rows must not pay for these
			timeout = BriefTimeout
		}
		row.waiting = slices.DeleteFunc(row.waiting, func(w *waiter[C]) bool {
			err := w.ctx.Err()
			if err == nil && time.Since(w.heldAt) > timeout {
				err = ErrHeld
			}
			if err != nil {
				b.heldWait--
				w.end(err)
			}
			return err != nil
		})
		if len(row.waiting) == 0 {
			delete(b.heldRows, name)
		}
	}
	b.probing = len(b.heldRows) > 0
	return maps.Clone(b.heldRows)
}

// release runs the commands that have waited for a row before those that came later.
func (b *Batcher[C]) release(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	row := b.heldRows[name]
	delete(b.heldRows, name)
	b.heldWait -= len(row.waiting)
	b.waiting = append(row.waiting, b.waiting...)
	b.start()
}

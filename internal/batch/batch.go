// Package batch runs commands in batches, so that the commands of a batch share the cost of a transaction.
// The package is independent of services and databases.
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

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"example.com/b2b/v2/internal/timing"
)

var (
	batchSize = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "b2b_batch_size",
		Help:    "Commands in a batch.",
		Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200},
	}, []string{"batch"})
	batchWait = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "b2b_batch_wait_seconds",
		Help:    "Wait of a command until its batch began.",
		Buckets: []float64{.0001, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"batch"})
)

// Command is a piece of work for a Batcher. Batcher.Run stores the outcome in the command.
type Command interface {
	ConflictKeys() []string // commands with a common key never run at the same time
	Cost() int              // counts towards Batcher.MaxCost
	Caller() string         // who sent the command; callers share the places for waiting: see makeRoom
}

// Batcher runs commands in batches. While fewer than MaxConcurrent batches run, a new command starts at once,
// in a batch by itself; otherwise new commands queue up and form the next batch, in order of arrival. Without
// contention, commands do not wait for each other.
//
// A command may need a row that another transaction holds. The command does not delay the other commands: Run
// leaves it out of the batch, and the Batcher runs it again when the row is free.
//
// Set the exported fields before the first call. Several goroutines may call the methods.
type Batcher[C Command] struct {
	Name          string        // the label of the metrics
	MaxConcurrent int           // how many batches run at once; up to four stalled batches do not count
	MaxCost       int           // highest total cost of a batch; a more expensive command runs by itself
	StallTimeout  time.Duration // after this time a batch counts as stalled; 0 means DefaultStallTimeout
	MaxHeld       int           // when more commands than this wait for held rows, BriefTimeout applies

	// Run runs a batch. ctx ends when no caller waits any more. Run leaves out the commands listed in held,
	// because another transaction holds a row that they need. After an error, rolledBack says that the batch
	// changed nothing; a panic counts as rolled back. When a batch of several commands is rolled back, the
	// Batcher runs each command that is not in held once more, in a batch by itself. So a bad command does
	// not fail other commands.
	Run func(ctx context.Context, batch []C) (held []Held, rolledBack bool, err error)

	mu         sync.Mutex
	queue      []*waiter[C]    // waiting commands in order of arrival
	running    int             // batches that run and have not stalled
	stalled    int             // batches that run and have stalled
	inProgress int             // commands in the batches that the field running counts
	busy       map[string]bool // conflict keys of running commands
	heldRows   map[string]*heldRow[C]
	heldCount  int  // commands that wait for heldRows
	probing    bool // whether the method probe runs
}

// Held is a row that another transaction holds.
type Held struct {
	Row      string // the name of the row, for Batcher.IsHeld
	Commands []int  // the commands that need the row, as indexes in the batch

	// IsFree waits until the row is free, but not longer than the time wait, and reports whether the row is
	// free. It keeps no lock.
	IsFree func(ctx context.Context, wait time.Duration) bool
}

// ErrHeld means that a command was not run, because it needs a row that another transaction holds. The
// command has waited too long (HeldTimeout, BriefTimeout, or three quarters of the time until the caller's
// deadline), or too many other commands were waiting (see Batcher.makeRoom).
var ErrHeld = errors.New("another transaction holds a row that is needed")

const (
	// DefaultStallTimeout is the default of Batcher.StallTimeout.
	DefaultStallTimeout = time.Second
	// HeldTimeout limits the time that a command waits for held rows.
	HeldTimeout = 10 * time.Second
	// BriefTimeout replaces HeldTimeout when more than MaxHeld commands wait for held rows. It applies only
	// to rows for which more commands wait than MaxHeld divided by the number of held rows.
	BriefTimeout = 1500 * time.Millisecond

	maxStalled    = 4                      // most stalled batches: each may keep a database connection
	maxRetries    = 4                      // how many commands of a rolled-back batch are retried at once
	probePause    = 100 * time.Millisecond // pause between rounds of probing the held rows
	probeWait     = 100 * time.Millisecond // wait for the first row of a round; no wait for the later rows
	maxHeldFactor = 6                      // at most maxHeldFactor * MaxHeld commands wait for held rows
)

// heldRow lists the commands that wait for a row, in order of arrival.
type heldRow[C Command] struct {
	isFree  func(ctx context.Context, wait time.Duration) bool
	waiting []*waiter[C]
}

// waiter is a command whose caller waits in Submit.
type waiter[C Command] struct {
	command C
	ctx     context.Context // context of the caller
	heldAt  time.Time       // when the command first had to wait for a held row; zero until then
	giveUp  time.Time       // when the command stops waiting for held rows; zero without a deadline
	asked   time.Time       // when the command was submitted, or when its last run ended
	err     error
	done    chan struct{}
}

// waitsTooLong reports whether w has waited for held rows for longer than the timeout, or beyond w.giveUp.
func (w *waiter[C]) waitsTooLong(timeout time.Duration) bool {
	return time.Since(w.heldAt) > timeout || !w.giveUp.IsZero() && time.Now().After(w.giveUp)
}

// end lets Submit return err.
func (w *waiter[C]) end(err error) {
	w.err = err
	close(w.done)
}

// Submit runs the command and returns the error of Run, or ErrHeld. When ctx ends, Submit returns the error
// of ctx at once; the command may still be run if its batch has begun.
//
// A command waits for held rows during at most three quarters of the time until the deadline of ctx, so that
// the caller gets ErrHeld before its deadline. A calling service would take a missing answer for a fault of
// this service.
func (b *Batcher[C]) Submit(ctx context.Context, command C) error {
	w := &waiter[C]{command: command, ctx: ctx, asked: time.Now(), done: make(chan struct{})}
	if deadline, ok := ctx.Deadline(); ok {
		w.giveUp = w.asked.Add(deadline.Sub(w.asked) * 3 / 4)
	}
	b.mu.Lock()
	b.queue = append(b.queue, w)
	b.start()
	b.mu.Unlock()
	select {
	case <-w.done:
		if w.err != nil && ctx.Err() != nil {
			return ctx.Err() // w.err may only say that the batch was canceled, because all callers had left
		}
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Load returns the numbers of running batches, of queued commands, and of commands that wait for held rows.
func (b *Batcher[C]) Load() (batches, queued, held int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.running, len(b.queue), b.heldCount
}

// IsHeld reports whether Run has found the row held, and no probe has found the row free since then. A batch
// should not wait for a held row.
func (b *Batcher[C]) IsHeld(row string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.heldRows[row] != nil
}

// start starts batches from the queue, until MaxConcurrent batches run or all queued commands must wait. b.mu
// must be held.
func (b *Batcher[C]) start() {
	for b.running < b.MaxConcurrent {
		batch := b.next()
		if len(batch) == 0 {
			return
		}
		b.running++
		b.inProgress += len(batch)
		go b.run(batch)
	}
}

// next takes a batch from the queue. It also removes the commands whose callers have gone. b.mu must be held.
func (b *Batcher[C]) next() (batch []*waiter[C]) {
	// Each of the concurrent batches gets an equal share of the commands. Without equal shares, large and
	// small batches would alternate, which is slower.
	share := (b.inProgress + len(b.queue) + b.MaxConcurrent - 1) / b.MaxConcurrent
	cost := 0
	remaining := b.queue[:0]
	blocked := map[string]bool{} // keys of commands that stay in the queue; no other command overtakes them
	for i, w := range b.queue {
		if len(batch) == share || len(batch) > 0 && cost+w.command.Cost() > b.MaxCost {
			remaining = append(remaining, b.queue[i:]...)
			break
		}
		keys := w.command.ConflictKeys()
		conflict := slices.ContainsFunc(keys, func(key string) bool { return b.busy[key] || blocked[key] })
		switch {
		case w.ctx.Err() != nil:
			w.end(w.ctx.Err())
		case conflict:
			remaining = append(remaining, w)
			for _, key := range keys {
				blocked[key] = true
			}
		default:
			cost += w.command.Cost()
			batch = append(batch, w)
			b.markBusy(keys)
		}
	}
	clear(b.queue[len(remaining):])
	b.queue = remaining
	return batch
}

func (b *Batcher[C]) markBusy(keys []string) {
	if b.busy == nil {
		b.busy = map[string]bool{}
	}
	for _, key := range keys {
		b.busy[key] = true
	}
}

// run runs a batch, and after a rollback runs each command by itself. The next batch starts before the
// callers get their results.
func (b *Batcher[C]) run(batch []*waiter[C]) {
	end := b.watch(len(batch))
	held, rolledBack, err := b.try(batch)
	if err == nil || !rolledBack || len(batch) == 1 {
		b.finish(batch, held, err, end)
		return
	}
	batch = b.setAside(batch, held)
	var retries sync.WaitGroup
	slots := make(chan struct{}, maxRetries)
	for _, w := range batch {
		slots <- struct{}{}
		retries.Go(func() {
			defer func() { <-slots }()
			var held []Held
			err := w.ctx.Err()
			if err == nil {
				held, _, err = b.try([]*waiter[C]{w})
			}
			b.finish([]*waiter[C]{w}, held, err, func() {})
		})
	}
	retries.Wait()
	b.finish(nil, nil, nil, end)
}

// setAside calls the method finish for the commands of a batch that need held rows, and returns the other
// commands.
func (b *Batcher[C]) setAside(batch []*waiter[C], held []Held) (others []*waiter[C]) {
	var needy []*waiter[C]
	index := map[int]int{} // the index in needy of each command, by its index in batch
	for _, h := range held {
		for i, c := range h.Commands {
			if _, listed := index[c]; !listed {
				index[c] = len(needy)
				needy = append(needy, batch[c])
			}
			h.Commands[i] = index[c]
		}
	}
	b.finish(needy, held, nil, func() {})
	return slices.DeleteFunc(batch, func(w *waiter[C]) bool { return slices.Contains(needy, w) })
}

// watch watches a batch of n commands. After StallTimeout, the batch no longer counts as running, so that
// another batch may start. Call the function end when the batch has ended, with b.mu held.
func (b *Batcher[C]) watch(n int) (end func()) {
	ended, stalled := false, false
	stallTimeout := cmp.Or(b.StallTimeout, DefaultStallTimeout)
	leave := func() {
		b.running--
		b.inProgress -= n
	}
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
		stalled = true
		b.stalled++
		leave()
		b.start()
	})
	return func() {
		timer.Stop()
		ended = true
		if stalled {
			b.stalled--
		} else {
			leave()
		}
	}
}

// finish frees the conflict keys of a batch, calls park for the commands that need held rows, calls the
// function end, and starts the next batches. A command that may not wait for its row ends with ErrHeld. A
// command that needs no held row ends with err.
func (b *Batcher[C]) finish(batch []*waiter[C], held []Held, err error, end func()) {
	b.mu.Lock()
	for _, w := range batch {
		for _, key := range w.command.ConflictKeys() {
			delete(b.busy, key)
		}
	}
	parked, refused := b.park(batch, held)
	end()
	b.start()
	b.mu.Unlock()
	for i, w := range batch {
		switch {
		case refused[i]:
			w.end(ErrHeld)
		case !parked[i]:
			w.end(err)
		}
	}
}

// try calls Batcher.Run. It turns a panic into an error, because it does not run on a caller's goroutine, so
// no caller could recover from the panic.
func (b *Batcher[C]) try(batch []*waiter[C]) (held []Held, rolledBack bool, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ctx, times := timing.With(ctx)
	ctx, span := b.trace(ctx, batch)
	defer span.End()
	begin := time.Now()
	defer func() { b.measure(batch, begin, times) }()
	var callers atomic.Int64
	callers.Store(int64(len(batch)))
	commands := make([]C, len(batch))
	for i, w := range batch {
		commands[i] = w.command
		defer context.AfterFunc(w.ctx, func() {
			if callers.Add(-1) == 0 {
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

// trace begins the span of a batch. The span belongs to no single request: it has a link to each recorded
// span of a command, and each of these spans has a link to the batch. When no command has a recorded span,
// the batch has no span.
func (b *Batcher[C]) trace(ctx context.Context, batch []*waiter[C]) (context.Context, trace.Span) {
	var requests []trace.Span
	var links []trace.Link
	for _, w := range batch {
		if request := trace.SpanFromContext(w.ctx); request.IsRecording() {
			requests = append(requests, request)
			links = append(links, trace.Link{SpanContext: request.SpanContext()})
		}
	}
	if links == nil {
		return ctx, noop.Span{}
	}
	ctx, span := tracer.Start(ctx, "batch of "+b.Name, trace.WithLinks(links...),
		trace.WithAttributes(attribute.Int("b2b.batch.size", len(batch))))
	for _, request := range requests {
		request.AddLink(trace.Link{SpanContext: span.SpanContext()})
	}
	return ctx, span
}

var tracer = otel.Tracer("example.com/b2b/v2/internal/batch")

// measure records a batch that has run since begin, with the times of its parts.
func (b *Batcher[C]) measure(batch []*waiter[C], begin time.Time, times *timing.Times) {
	size, end, parts := len(batch), time.Now(), times.Parts()
	batchSize.WithLabelValues(b.Name).Observe(float64(size))
	for _, w := range batch {
		batchWait.WithLabelValues(b.Name).Observe(begin.Sub(w.asked).Seconds())
		timing.From(w.ctx).Batch(size, begin.Sub(w.asked), end.Sub(begin), parts)
		w.asked = end
	}
}

// park lets the commands of the parameter held wait for their rows. The result parked has the indexes of the
// commands that wait now. The result refused has the indexes of the commands that have waited too long, or
// find no place among the waiting commands: see makeRoom. b.mu must be held.
func (b *Batcher[C]) park(batch []*waiter[C], held []Held) (parked, refused map[int]bool) {
	parked, refused = map[int]bool{}, map[int]bool{}
	for _, h := range held {
		for _, i := range h.Commands {
			if parked[i] || refused[i] {
				continue // the command needs a second held row; it waits for one row at a time
			}
			w := batch[i]
			if w.heldAt.IsZero() {
				w.heldAt = time.Now()
			}
			if w.waitsTooLong(HeldTimeout) || !b.makeRoom(w) {
				refused[i] = true
				continue
			}
			parked[i] = true
			row := b.heldRows[h.Row]
			if row == nil {
				row = b.addHeldRow(h)
			}
			row.waiting = append(row.waiting, w)
			b.heldCount++
		}
	}
	return parked, refused
}

// makeRoom reports whether w may wait for a held row. When maxHeldFactor * MaxHeld commands wait already,
// another command must give its place to w: the last command of the caller with the most waiting commands.
// That command ends with ErrHeld. But w gets the place only if its caller has at least two waiting commands
// fewer. So no caller can take all places. b.mu must be held.
func (b *Batcher[C]) makeRoom(w *waiter[C]) bool {
	if b.heldCount < maxHeldFactor*b.MaxHeld {
		return true
	}
	waiting, last := map[string]int{}, map[string]*waiter[C]{}
	rows := map[*waiter[C]]*heldRow[C]{}
	for _, row := range b.heldRows {
		for _, other := range row.waiting {
			caller := other.command.Caller()
			waiting[caller]++
			if last[caller] == nil || other.heldAt.After(last[caller].heldAt) {
				last[caller], rows[other] = other, row
			}
		}
	}
	own, most := w.command.Caller(), ""
	for caller, n := range waiting {
		if n > waiting[most] {
			most = caller
		}
	}
	if waiting[most] < waiting[own]+2 {
		return false
	}
	leaves := last[most]
	row := rows[leaves]
	row.waiting = slices.DeleteFunc(row.waiting, func(other *waiter[C]) bool { return other == leaves })
	b.heldCount--
	leaves.end(ErrHeld)
	return true
}

// addHeldRow records a held row, and starts probing the held rows. b.mu must be held.
func (b *Batcher[C]) addHeldRow(h Held) *heldRow[C] {
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

// probe checks the held rows again and again, until no command waits.
func (b *Batcher[C]) probe() {
	for {
		time.Sleep(probePause)
		rows := b.removeExpired()
		if len(rows) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), DefaultStallTimeout)
		wait := probeWait // for the first row only; a map has a random order, so each row is first at times
		for name, row := range rows {
			if row.free(ctx, wait) {
				b.release(name)
			}
			wait = 0
		}
		cancel()
	}
}

// free reports whether the row is free. After a panic of isFree, the row counts as free, so that its commands
// run again and report the reason.
func (r *heldRow[C]) free(ctx context.Context, wait time.Duration) (free bool) {
	defer func() {
		if recover() != nil {
			free = true
		}
	}()
	return r.isFree(ctx, wait)
}

// removeExpired ends the commands that have waited too long, and returns the rows with waiting commands.
func (b *Batcher[C]) removeExpired() map[string]*heldRow[C] {
	b.mu.Lock()
	defer b.mu.Unlock()
	crowded := b.heldCount > b.MaxHeld
	share := b.MaxHeld / max(len(b.heldRows), 1)
	for name, row := range b.heldRows {
		timeout := HeldTimeout
		if crowded && len(row.waiting) > share { // so that commands that wait for other rows find a place
			timeout = BriefTimeout
		}
		row.waiting = slices.DeleteFunc(row.waiting, func(w *waiter[C]) bool {
			err := w.ctx.Err()
			if err == nil && w.waitsTooLong(timeout) {
				err = ErrHeld
			}
			if err != nil {
				b.heldCount--
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

// release puts the commands that waited for a row at the head of the queue, and starts batches.
func (b *Batcher[C]) release(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	row := b.heldRows[name]
	delete(b.heldRows, name)
	b.heldCount -= len(row.waiting)
	b.queue = append(row.waiting, b.queue...)
	b.start()
}

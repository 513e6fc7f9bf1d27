package batch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/b2b/v2/internal/batch"
	"example.com/b2b/v2/internal/timing"
)

// command is a command with a name. Its cost is at least 1.
type command struct {
	name   string
	cost   int
	keys   []string
	caller string
}

func (c *command) ConflictKeys() []string { return c.keys }
func (c *command) Cost() int              { return max(c.cost, 1) }
func (c *command) Caller() string         { return c.caller }

// bench is a Batcher whose batches run until the test sends their outcome.
type bench struct {
	*batch.Batcher[*command]
	t     *testing.T
	begun chan []string // the names of a batch's commands
	end   chan outcome
	alone map[string]chan outcome // outcomes of commands in a batch by themselves, by the command's name
}

// outcome is the result of Run for a batch.
type outcome struct {
	held       []batch.Held
	rolledBack bool
	err        error
	panicked   any
}

func newBench(t *testing.T, maxConcurrent int) *bench {
	b := &bench{t: t, begun: make(chan []string, 100), end: make(chan outcome)}
	b.Batcher = &batch.Batcher[*command]{MaxConcurrent: maxConcurrent, MaxCost: 10, MaxHeld: 3}
	b.Run = func(ctx context.Context, commands []*command) ([]batch.Held, bool, error) {
		var names []string
		for _, c := range commands {
			names = append(names, c.name)
		}
		b.begun <- names
		end := b.end
		if alone := b.alone[names[0]]; alone != nil && len(commands) == 1 {
			end = alone
		}
		select {
		case o := <-end:
			if o.panicked != nil {
				panic(o.panicked)
			}
			return o.held, o.rolledBack, o.err
		case <-ctx.Done():
			return nil, true, errors.New("the context of the batch is done")
		}
	}
	return b
}

// submit submits a command, and waits until the command is in the queue or in a batch. It returns the channel
// on which the error of Submit arrives.
func (b *bench) submit(ctx context.Context, c *command) <-chan error {
	b.t.Helper()
	running, waiting, held := b.Load()
	result := make(chan error, 1)
	go func() { result <- b.Submit(ctx, c) }()
	for {
		if r, w, h := b.Load(); r != running || w != waiting || h != held {
			return result
		}
		runtime.Gosched()
	}
}

func (b *bench) wantBegun(names ...string) {
	b.t.Helper()
	if got := <-b.begun; !slices.Equal(got, names) {
		b.t.Errorf("the batch is %v, want %v", got, names)
	}
}

func want(t *testing.T, result <-chan error, text string) {
	t.Helper()
	if got := fmt.Sprint(<-result); !strings.HasPrefix(got, text) {
		t.Errorf("%q, want %q", got, text)
	}
}

func TestBatcher(t *testing.T) {
	ctx := t.Context()
	t.Run("commands that arrive meanwhile form the next batch", func(t *testing.T) {
		b := newBench(t, 1)
		first := b.submit(ctx, &command{name: "a"})
		b.wantBegun("a")
		second, third := b.submit(ctx, &command{name: "b"}), b.submit(ctx, &command{name: "c"})
		b.end <- outcome{}
		want(t, first, "<nil>")
		b.wantBegun("b", "c")
		b.end <- outcome{}
		want(t, second, "<nil>")
		want(t, third, "<nil>")
	})
	t.Run("two concurrent batches share the waiting commands", func(t *testing.T) {
		b := newBench(t, 2)
		b.submit(ctx, &command{name: "a"})
		b.wantBegun("a")
		b.submit(ctx, &command{name: "b"})
		b.wantBegun("b")
		for _, name := range []string{"c", "d", "e"} {
			b.submit(ctx, &command{name: name})
		}
		b.end <- outcome{}
		b.wantBegun("c", "d")
		b.end <- outcome{}
		b.wantBegun("e")
		b.end <- outcome{}
		b.end <- outcome{}
	})
	t.Run("no two concurrent batches have a key in common", func(t *testing.T) {
		b := newBench(t, 2)
		b.submit(ctx, &command{name: "a", keys: []string{"x"}})
		b.wantBegun("a")
		b.submit(ctx, &command{name: "b", keys: []string{"y", "x"}})
		b.submit(ctx, &command{name: "c", keys: []string{"z"}})
		b.wantBegun("c")
		b.submit(ctx, &command{name: "d", keys: []string{"x"}})
		b.end <- outcome{}
		b.end <- outcome{}
		b.wantBegun("b")
		b.end <- outcome{}
		b.wantBegun("d")
		b.end <- outcome{}
	})
	t.Run("cost", func(t *testing.T) {
		b := newBench(t, 1)
		b.submit(ctx, &command{name: "a"})
		b.wantBegun("a")
		for _, c := range []*command{
			{name: "b", cost: 6}, {name: "c", cost: 4}, {name: "d", cost: 11}, {name: "e"},
		} {
			b.submit(ctx, c)
		}
		for _, names := range [][]string{{"b", "c"}, {"d"}, {"e"}} {
			b.end <- outcome{}
			b.wantBegun(names...)
		}
		b.end <- outcome{}
	})
	t.Run("a command whose caller has gone is dropped", func(t *testing.T) {
		b := newBench(t, 1)
		b.submit(ctx, &command{name: "a"})
		b.wantBegun("a")
		gone, leave := context.WithCancel(ctx)
		second, third := b.submit(gone, &command{name: "b"}), b.submit(ctx, &command{name: "c"})
		leave()
		want(t, second, "context canceled")
		b.end <- outcome{}
		b.wantBegun("c")
		b.end <- outcome{}
		want(t, third, "<nil>")
	})
	t.Run("a batch is canceled when all its callers have gone", func(t *testing.T) {
		b := newBench(t, 1)
		b.submit(ctx, &command{name: "a"})
		b.wantBegun("a")
		var leave [2]context.CancelFunc
		var results [2]<-chan error
		for i := range leave {
			var gone context.Context
			gone, leave[i] = context.WithCancel(ctx)
			results[i] = b.submit(gone, &command{name: fmt.Sprint(i)})
		}
		b.end <- outcome{}
		b.wantBegun("0", "1")
		leave[0]()
		want(t, results[0], "context canceled")
		if running, _, _ := b.Load(); running != 1 {
			t.Error("the batch ended with its first caller")
		}
		leave[1]()
		want(t, results[1], "context canceled")
		for running := 1; running != 0; running, _, _ = b.Load() { // until the batch has ended
			runtime.Gosched()
		}
	})
	t.Run("no command overtakes a waiting command with the same key", func(t *testing.T) {
		b := newBench(t, 3)
		for _, c := range []*command{{name: "x", keys: []string{"x"}}, {name: "y", keys: []string{"y"}}} {
			b.submit(ctx, c)
			b.wantBegun(c.name)
		}
		b.submit(ctx, &command{name: "both", keys: []string{"x", "y"}})
		b.submit(ctx, &command{name: "later", keys: []string{"y"}})
		b.end <- outcome{}
		b.end <- outcome{}
		b.wantBegun("both")
		b.end <- outcome{}
		b.wantBegun("later")
		b.end <- outcome{}
	})
	t.Run("a stalled batch does not hold up other commands", func(t *testing.T) {
		b := newBench(t, 1)
		stuck := b.submit(ctx, &command{name: "stuck", keys: []string{"x"}})
		b.wantBegun("stuck")
		behind := b.submit(ctx, &command{name: "behind", keys: []string{"x"}})
		other := b.submit(ctx, &command{name: "other"})
		b.wantBegun("other")
		if got := len(behind) + len(stuck); got != 0 {
			t.Errorf("%d commands with the key have ended", got)
		}
		b.end <- outcome{}
		b.end <- outcome{}
		b.wantBegun("behind")
		b.end <- outcome{}
		for _, result := range []<-chan error{stuck, other, behind} {
			want(t, result, "<nil>")
		}
	})
	for name, failed := range map[string]outcome{
		"rolled back": {rolledBack: true, err: errors.New("refused")}, "panicked": {panicked: "oh"},
	} {
		t.Run("a bad command harms no other/"+name, func(t *testing.T) {
			b := newBench(t, 1)
			b.alone = map[string]chan outcome{
				"good": make(chan outcome), "bad": make(chan outcome), "other": make(chan outcome),
			}
			first := b.submit(ctx, &command{name: "a"})
			b.wantBegun("a")
			results := map[string]<-chan error{}
			for _, name := range []string{"good", "bad", "other"} {
				results[name] = b.submit(ctx, &command{name: name})
			}
			b.end <- outcome{}
			b.wantBegun("good", "bad", "other")
			want(t, first, "<nil>")
			b.end <- failed
			b.alone["other"] <- outcome{} // "other" ends before "bad", because the retries run side by side
			want(t, results["other"], "<nil>")
			b.alone["bad"] <- failed
			want(t, results["bad"], map[string]string{"rolled back": "refused", "panicked": "panic: oh\n"}[name])
			b.alone["good"] <- outcome{}
			want(t, results["good"], "<nil>")
		})
	}
	t.Run("no retry when the outcome of the commit is unknown", func(t *testing.T) {
		b := newBench(t, 1)
		b.submit(ctx, &command{name: "a"})
		b.wantBegun("a")
		second, third := b.submit(ctx, &command{name: "b"}), b.submit(ctx, &command{name: "c"})
		b.end <- outcome{}
		b.wantBegun("b", "c")
		b.end <- outcome{err: errors.New("the answer of the commit is lost")}
		want(t, second, "the answer of the commit is lost")
		want(t, third, "the answer of the commit is lost")
		if len(b.begun) != 0 {
			t.Error("a command was run again")
		}
	})
}

// row is a row that another session holds until free is set.
type row struct {
	name string
	free atomic.Bool
}

// holds returns the outcome of a batch in which the commands with these indexes must wait for the row.
func (r *row) holds(commands ...int) outcome {
	isFree := func(context.Context, time.Duration) bool { return r.free.Load() }
	return outcome{held: []batch.Held{{Row: r.name, Commands: commands, IsFree: isFree}}}
}

// TestHeldRows runs commands. Some of them need a row that another session holds; only these must wait.
func TestHeldRows(t *testing.T) {
	ctx := t.Context()
	wantHeld := func(t *testing.T, b *bench, n int) {
		t.Helper()
		for {
			if _, _, held := b.Load(); held == n {
				return
			}
			runtime.Gosched()
		}
	}
	t.Run("commands run again when the row is free, before later commands", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		first := b.submit(ctx, &command{name: "a", keys: []string{"k"}})
		b.wantBegun("a")
		second, third := b.submit(ctx, &command{name: "b"}), b.submit(ctx, &command{name: "c"})
		b.end <- x.holds(0)
		b.wantBegun("b", "c")
		if !b.IsHeld("x") {
			t.Error("x is not known to be held")
		}
		b.end <- x.holds(1)
		want(t, second, "<nil>")
		wantHeld(t, b, 2)
		// A command that waits for a held row leaves its conflict key free.
		gate := b.submit(ctx, &command{name: "gate", keys: []string{"k"}})
		b.wantBegun("gate")
		late := b.submit(ctx, &command{name: "late"})
		x.free.Store(true)
		wantHeld(t, b, 0)
		b.end <- outcome{}
		want(t, gate, "<nil>")
		b.wantBegun("a", "c", "late")
		b.end <- outcome{}
		for _, result := range []<-chan error{first, third, late} {
			want(t, result, "<nil>")
		}
	})
	t.Run("one row after the other", func(t *testing.T) {
		b, x, y := newBench(t, 1), &row{name: "x"}, &row{name: "y"}
		result := b.submit(ctx, &command{name: "both"})
		b.wantBegun("both")
		b.end <- outcome{held: slices.Concat(x.holds(0).held, y.holds(0).held)}
		wantHeld(t, b, 1)
		x.free.Store(true)
		b.wantBegun("both")
		b.end <- y.holds(0)
		wantHeld(t, b, 1)
		y.free.Store(true)
		b.wantBegun("both")
		b.end <- outcome{}
		want(t, result, "<nil>")
	})
	t.Run("many commands wait briefly", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		var results []<-chan error
		for i := range 19 { // one command more than may wait: maxHeldFactor (6) × MaxHeld (3)
			results = append(results, b.submit(ctx, &command{name: fmt.Sprint(i)}))
			b.wantBegun(fmt.Sprint(i))
			b.end <- x.holds(0)
		}
		for _, result := range results {
			want(t, result, batch.ErrHeld.Error()) // the last command fails at once: 18 commands wait already
		}
	})
	t.Run("no caller takes all places", func(t *testing.T) {
		b, x, y := newBench(t, 1), &row{name: "x"}, &row{name: "y"}
		waits, leave := context.WithCancel(ctx)
		park := func(c *command, row *row) <-chan error {
			result := b.submit(waits, c)
			b.wantBegun(c.name)
			b.end <- row.holds(0)
			return result
		}
		var greedy []<-chan error
		for i := range 18 { // as many commands as may wait: maxHeldFactor (6) × MaxHeld (3)
			greedy = append(greedy, park(&command{name: fmt.Sprint(i), caller: "greedy"}, []*row{x, y}[i/9]))
		}
		var good []<-chan error
		for i := range 9 {
			good = append(good, park(&command{name: fmt.Sprint("good ", i), caller: "good"}, x))
			want(t, greedy[17-i], batch.ErrHeld.Error())
			wantHeld(t, b, 18)
		}
		want(t, park(&command{name: "more", caller: "good"}, x), batch.ErrHeld.Error())
		leave()
		for _, result := range append(good, greedy[:9]...) {
			want(t, result, context.Canceled.Error())
		}
	})
	t.Run("a command waits for a limited time", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		result := b.submit(ctx, &command{name: "a"})
		b.wantBegun("a")
		b.end <- x.holds(0)
		want(t, result, batch.ErrHeld.Error())
		wantHeld(t, b, 0)
		if b.IsHeld("x") {
			t.Error("x is reported as held, and no command waits for x")
		}
	})
	t.Run("a command gives up in time for its caller", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		brief, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		result := b.submit(brief, &command{name: "a"})
		b.wantBegun("a")
		b.end <- x.holds(0)
		want(t, result, batch.ErrHeld.Error())
		if brief.Err() != nil {
			t.Error("the caller has gone")
		}
	})
	t.Run("a command waits no longer than its caller", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		gone, leave := context.WithCancel(ctx)
		result := b.submit(gone, &command{name: "a"})
		b.wantBegun("a")
		b.end <- x.holds(0)
		wantHeld(t, b, 1)
		leave()
		want(t, result, "context canceled")
		wantHeld(t, b, 0)
	})
	t.Run("a row is held when the commands of a batch run alone", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		b.alone = map[string]chan outcome{"b": make(chan outcome), "c": make(chan outcome)}
		b.submit(ctx, &command{name: "a"})
		b.wantBegun("a")
		second, third := b.submit(ctx, &command{name: "b"}), b.submit(ctx, &command{name: "c"})
		b.end <- outcome{}
		b.wantBegun("b", "c")
		b.end <- outcome{rolledBack: true, err: errors.New("lost")}
		b.alone["c"] <- x.holds(0)
		b.alone["b"] <- outcome{}
		want(t, second, "<nil>")
		wantHeld(t, b, 1)
		x.free.Store(true)
		b.alone["c"] <- outcome{}
		want(t, third, "<nil>")
	})
	t.Run("a batch is rolled back and reports held rows", func(t *testing.T) {
		b, x, y := newBench(t, 1), &row{name: "x"}, &row{name: "y"}
		b.alone = map[string]chan outcome{"b": make(chan outcome)}
		b.submit(ctx, &command{name: "a"})
		b.wantBegun("a")
		second, third := b.submit(ctx, &command{name: "b"}), b.submit(ctx, &command{name: "c"})
		fourth := b.submit(ctx, &command{name: "d"})
		b.end <- outcome{}
		b.wantBegun("b", "c", "d")
		held := slices.Concat(x.holds(2, 1).held, y.holds(1).held)
		b.end <- outcome{rolledBack: true, err: errors.New("lost"), held: held}
		b.alone["b"] <- outcome{}
		want(t, second, "<nil>")
		wantHeld(t, b, 2)
		x.free.Store(true)
		b.wantBegun("b")
		b.wantBegun("d", "c")
		b.end <- outcome{}
		want(t, third, "<nil>")
		want(t, fourth, "<nil>")
	})
}

// TestStalled submits six commands, one after the other, to a Batcher that runs one batch at a time. No batch
// ends. Four batches may stall and let the next batch start. The fifth batch must run, and the sixth command
// must wait.
func TestStalled(t *testing.T) {
	b := newBench(t, 1)
	var results []<-chan error
	for i := range 5 {
		results = append(results, b.submit(t.Context(), &command{name: fmt.Sprint(i)}))
		b.wantBegun(fmt.Sprint(i))
	}
	results = append(results, b.submit(t.Context(), &command{name: "5"}))
	select {
	case got := <-b.begun:
		t.Errorf("%v began beside four stalled batches", got)
	case <-time.After(2 * batch.DefaultStallTimeout):
	}
	for range 6 {
		b.end <- outcome{}
	}
	for _, result := range results {
		want(t, result, "<nil>")
	}
}

// TestBatcherUnderLoad submits many commands at the same time. Each command must run exactly once, and never
// together with a command with the same key.
func TestBatcherUnderLoad(t *testing.T) {
	const total, keys = 2000, 5
	var mu sync.Mutex
	running, runs, batches := map[string]bool{}, map[string]int{}, 0
	b := batch.Batcher[*command]{MaxConcurrent: 3, MaxCost: 50}
	b.Run = func(_ context.Context, commands []*command) ([]batch.Held, bool, error) {
		mu.Lock()
		batches++
		for _, c := range commands {
			if running[c.keys[0]] {
				t.Errorf("the key %s is in two batches", c.keys[0])
			}
			running[c.keys[0]] = true
			runs[c.name]++
		}
		mu.Unlock()
		runtime.Gosched()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range commands {
			running[c.keys[0]] = false
		}
		return nil, false, nil
	}
	var wg sync.WaitGroup
	for i := range total {
		wg.Go(func() {
			c := &command{name: fmt.Sprint(i), keys: []string{fmt.Sprint(i % keys)}}
			if err := b.Submit(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(runs) != total || batches == total {
		t.Errorf("%d of %d commands were run, in %d batches", len(runs), total, batches)
	}
	for name, times := range runs {
		if times != 1 {
			t.Errorf("the command %s was run %d times", name, times)
		}
	}
}

// TestTimes runs commands in batches. The times of each caller must have the size and the duration of the
// command's batch, and the slowest statement of the batch.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &batch.Batcher[*command]{MaxConcurrent: 1, MaxCost: 100}
		b.Run = func(ctx context.Context, _ []*command) ([]batch.Held, bool, error) {
			timing.From(ctx).Statement("UPDATE things", 2*time.Second)
			time.Sleep(3 * time.Second)
			return nil, false, nil
		}
		b.StallTimeout = time.Minute
		var all sync.WaitGroup
		var collected [3]*timing.Times
		for i := range collected {
			var ctx context.Context
			ctx, collected[i] = timing.With(t.Context())
			all.Go(func() { b.Submit(ctx, &command{}) })
			synctest.Wait()
		}
		all.Wait()
		for i, want := range []timing.Parts{
			{BatchSize: 1, Batch: 3 * time.Second},
			{BatchSize: 2, Batch: 3 * time.Second, BatchWait: 3 * time.Second},
			{BatchSize: 2, Batch: 3 * time.Second, BatchWait: 3 * time.Second},
		} {
			want.Slowest, want.SlowestTime = "UPDATE things", 2*time.Second
			if got := collected[i].Parts(); got != want {
				t.Errorf("%d: %+v, want %+v", i, got, want)
			}
		}
	})
}

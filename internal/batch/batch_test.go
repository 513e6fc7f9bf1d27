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
	"time"

	"example.com/b2b/internal/batch"
)

// call says its name, and what it does.
type call struct {
	name   string
	weight int
	about  []string
}

func (c *call) ConflictKeys() []string { return c.about }
func (c *call) Cost() int              { return max(c.weight, 1) }

// bench is a Batcher whose batches end when the test says so.
type bench struct {
	*batch.Batcher[*call]
	t     *testing.T
	begun chan []string // the names of a group's calls
	end   chan outcome
	alone map[string]chan outcome // for groups of one call of these names
}

// outcome is what Do returns of a group.
type outcome struct {
	held     []batch.Held
	undone   bool
	err      error
	panicked any
}

func newBench(t *testing.T, atOnce int) *bench {
	b := &bench{t: t, begun: make(chan []string, 100), end: make(chan outcome)}
	b.Batcher = &batch.Batcher[*call]{
		MaxConcurrent: atOnce,
		MaxCost:       10,
		MaxHeld:       3,
		Run: func(ctx context.Context, group []*call) ([]batch.Held, bool, error) {
			var names []string
			for _, c := range group {
				names = append(names, c.name)
			}
			b.begun <- names
			end := b.end
			if alone := b.alone[names[0]]; alone != nil && len(group) == 1 {
				end = alone
			}
			select {
			case o := <-end:
				if o.panicked != nil {
					panic(o.panicked)
				}
				return o.held, o.undone, o.err
			case <-ctx.Done():
				return nil, true, errors.New("the group's time is over")
			}
		},
	}
	return b
}

// carry starts a call, waits until it is in the queue or under way, and returns where its error will be.
func (b *bench) carry(ctx context.Context, c *call) <-chan error {
	b.t.Helper()
	groups, waiting, held := b.Load()
	result := make(chan error, 1)
	go func() { result <- b.Submit(ctx, c) }()
	for {
		if g, w, h := b.Load(); g != groups || w != waiting || h != held {
			return result
		}
		runtime.Gosched()
	}
}

func (b *bench) wantBegun(names ...string) {
	b.t.Helper()
	if got := <-b.begun; !slices.Equal(got, names) {
		b.t.Errorf("the group is %v, want %v", got, names)
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
	t.Run("what comes meanwhile is the next group", func(t *testing.T) {
		b := newBench(t, 1)
		first := b.carry(ctx, &call{name: "a"})
		b.wantBegun("a")
		second, third := b.carry(ctx, &call{name: "b"}), b.carry(ctx, &call{name: "c"})
		b.end <- outcome{}
		want(t, first, "<nil>")
		b.wantBegun("b", "c")
		b.end <- outcome{}
		want(t, second, "<nil>")
		want(t, third, "<nil>")
	})
	t.Run("two groups at once share", func(t *testing.T) {
		b := newBench(t, 2)
		b.carry(ctx, &call{name: "a"})
		b.wantBegun("a")
		b.carry(ctx, &call{name: "b"})
		b.wantBegun("b")
		for _, name := range []string{"c", "d", "e"} {
			b.carry(ctx, &call{name: name})
		}
		b.end <- outcome{}
		b.wantBegun("c", "d")
		b.end <- outcome{}
		b.wantBegun("e")
		b.end <- outcome{}
		b.end <- outcome{}
	})
	t.Run("a name is under way once", func(t *testing.T) {
		b := newBench(t, 2)
		b.carry(ctx, &call{name: "a", about: []string{"x"}})
		b.wantBegun("a")
		b.carry(ctx, &call{name: "b", about: []string{"y", "x"}})
		b.carry(ctx, &call{name: "c", about: []string{"z"}})
		b.wantBegun("c")
		b.carry(ctx, &call{name: "d", about: []string{"x"}})
		b.end <- outcome{}
		b.end <- outcome{}
		b.wantBegun("b")
		b.end <- outcome{}
		b.wantBegun("d")
		b.end <- outcome{}
	})
	t.Run("weight", func(t *testing.T) {
		b := newBench(t, 1)
		b.carry(ctx, &call{name: "a"})
		b.wantBegun("a")
		for _, c := range []*call{{name: "b", weight: 6}, {name: "c", weight: 4}, {name: "d", weight: 11}, {name: "e"}} {
			b.carry(ctx, c)
		}
		for _, group := range [][]string{{"b", "c"}, {"d"}, {"e"}} {
			b.end <- outcome{}
			b.wantBegun(group...)
		}
		b.end <- outcome{}
	})
	t.Run("who has gone is left out", func(t *testing.T) {
		b := newBench(t, 1)
		b.carry(ctx, &call{name: "a"})
		b.wantBegun("a")
		gone, leave := context.WithCancel(ctx)
		second, third := b.carry(gone, &call{name: "b"}), b.carry(ctx, &call{name: "c"})
		leave()
		want(t, second, "context canceled")
		b.end <- outcome{}
		b.wantBegun("c")
		b.end <- outcome{}
		want(t, third, "<nil>")
	})
	t.Run("a group ends with its last caller", func(t *testing.T) {
		b := newBench(t, 1)
		b.carry(ctx, &call{name: "a"})
		b.wantBegun("a")
		var leave [2]context.CancelFunc
		var results [2]<-chan error
		for i := range leave {
			var gone context.Context
			gone, leave[i] = context.WithCancel(ctx)
			results[i] = b.carry(gone, &call{name: fmt.Sprint(i)})
		}
		b.end <- outcome{}
		b.wantBegun("0", "1")
		leave[0]()
		want(t, results[0], "context canceled")
		if groups, _, _ := b.Load(); groups != 1 {
			t.Error("the group ended with its first caller")
		}
		leave[1]()
		want(t, results[1], "context canceled")
		for groups := 1; groups != 0; groups, _, _ = b.Load() { // for ever, if the group does not end
			runtime.Gosched()
		}
	})
	t.Run("nobody overtakes whom a name keeps waiting", func(t *testing.T) {
		b := newBench(t, 3)
		for _, c := range []*call{{name: "x", about: []string{"x"}}, {name: "y", about: []string{"y"}}} {
			b.carry(ctx, c)
			b.wantBegun(c.name)
		}
		b.carry(ctx, &call{name: "both", about: []string{"x", "y"}})
		b.carry(ctx, &call{name: "later", about: []string{"y"}})
		b.end <- outcome{}
		b.end <- outcome{}
		b.wantBegun("both")
		b.end <- outcome{}
		b.wantBegun("later")
		b.end <- outcome{}
	})
	t.Run("a group that cannot go on does not keep the others", func(t *testing.T) {
		b := newBench(t, 1)
		stuck := b.carry(ctx, &call{name: "stuck", about: []string{"x"}})
		b.wantBegun("stuck")
		behind, other := b.carry(ctx, &call{name: "behind", about: []string{"x"}}), b.carry(ctx, &call{name: "other"})
		b.wantBegun("other")
		if got := len(behind) + len(stuck); got != 0 {
			t.Errorf("%d calls of its name have ended", got)
		}
		b.end <- outcome{}
		b.end <- outcome{}
		b.wantBegun("behind")
		b.end <- outcome{}
		for _, result := range []<-chan error{stuck, other, behind} {
			want(t, result, "<nil>")
		}
	})
	for name, failed := range map[string]outcome{"undone": {undone: true, err: errors.New("refused")}, "panicked": {panicked: "oh"}} {
		t.Run("one bad call harms no other/"+name, func(t *testing.T) {
			b := newBench(t, 1)
			b.alone = map[string]chan outcome{
				"good": make(chan outcome), "bad": make(chan outcome), "other": make(chan outcome),
			}
			first := b.carry(ctx, &call{name: "a"})
			b.wantBegun("a")
			results := map[string]<-chan error{}
			for _, name := range []string{"good", "bad", "other"} {
				results[name] = b.carry(ctx, &call{name: name})
			}
			b.end <- outcome{}
			b.wantBegun("good", "bad", "other")
			want(t, first, "<nil>")
			b.end <- failed
			b.alone["other"] <- outcome{} // none waits for another
			want(t, results["other"], "<nil>")
			b.alone["bad"] <- failed
			want(t, results["bad"], map[string]string{"undone": "refused", "panicked": "panic: oh\n"}[name])
			b.alone["good"] <- outcome{}
			want(t, results["good"], "<nil>")
		})
	}
	t.Run("what may be done is not tried again", func(t *testing.T) {
		b := newBench(t, 1)
		b.carry(ctx, &call{name: "a"})
		b.wantBegun("a")
		second, third := b.carry(ctx, &call{name: "b"}), b.carry(ctx, &call{name: "c"})
		b.end <- outcome{}
		b.wantBegun("b", "c")
		b.end <- outcome{err: errors.New("the answer of the commit is lost")}
		want(t, second, "the answer of the commit is lost")
		want(t, third, "the answer of the commit is lost")
		if len(b.begun) != 0 {
			t.Error("a call was tried again")
		}
	})
}

// row is held until it is freed.
type row struct {
	name string
	free atomic.Bool
}

// holds is a batch's outcome in which the row keeps the commands of these indexes waiting.
func (r *row) holds(commands ...int) outcome {
	return outcome{
		held: []batch.Held{
			{
				Row: r.name, Commands: commands,
				IsFree: func(context.Context, time.Duration) bool { return r.free.Load() },
			},
		},
	}
}

// TestHeldRows sets commands aside whose rows somebody else holds, and nobody else's.
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
	t.Run("run again when the row is free, before later commands", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		first := b.carry(ctx, &call{name: "a", about: []string{"k"}})
		b.wantBegun("a")
		second, third := b.carry(ctx, &call{name: "b"}), b.carry(ctx, &call{name: "c"})
		b.end <- x.holds(0)
		b.wantBegun("b", "c")
		if !b.IsHeld("x") {
			t.Error("x is not known to be held")
		}
		b.end <- x.holds(1)
		want(t, second, "<nil>")
		wantHeld(t, b, 2)
		gate := b.carry(ctx, &call{name: "gate", about: []string{"k"}}) // the key of a command that waits is free
		b.wantBegun("gate")
		late := b.carry(ctx, &call{name: "late"})
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
		result := b.carry(ctx, &call{name: "both"})
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
	t.Run("many wait briefly", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		var results []<-chan error
		for i := range 19 { // MaxHeld is 3
			results = append(results, b.carry(ctx, &call{name: fmt.Sprint(i)}))
			b.wantBegun(fmt.Sprint(i))
			b.end <- x.holds(0)
		}
		for _, result := range results {
			want(t, result, batch.ErrHeld.Error()) // the last one at once: six times MaxHeld wait
		}
	})
	t.Run("for so long at most", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		result := b.carry(ctx, &call{name: "a"})
		b.wantBegun("a")
		b.end <- x.holds(0)
		want(t, result, batch.ErrHeld.Error())
		wantHeld(t, b, 0)
		if b.IsHeld("x") {
			t.Error("x is still said to be held, and nobody waits for it")
		}
	})
	t.Run("no longer than its caller", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		gone, leave := context.WithCancel(ctx)
		result := b.carry(gone, &call{name: "a"})
		b.wantBegun("a")
		b.end <- x.holds(0)
		wantHeld(t, b, 1)
		leave()
		want(t, result, "context canceled")
		wantHeld(t, b, 0)
	})
	t.Run("of a batch that was rolled back", func(t *testing.T) {
		b, x := newBench(t, 1), &row{name: "x"}
		b.alone = map[string]chan outcome{"b": make(chan outcome), "c": make(chan outcome)}
		b.carry(ctx, &call{name: "a"})
		b.wantBegun("a")
		second, third := b.carry(ctx, &call{name: "b"}), b.carry(ctx, &call{name: "c"})
		b.end <- outcome{}
		b.wantBegun("b", "c")
		b.end <- outcome{undone: true, err: errors.New("lost")}
		b.alone["c"] <- x.holds(0)
		b.alone["b"] <- outcome{}
		want(t, second, "<nil>")
		wantHeld(t, b, 1)
		x.free.Store(true)
		b.alone["c"] <- outcome{}
		want(t, third, "<nil>")
	})
	t.Run("of a batch that is rolled back for them", func(t *testing.T) {
		b, x, y := newBench(t, 1), &row{name: "x"}, &row{name: "y"}
		b.alone = map[string]chan outcome{"b": make(chan outcome)}
		b.carry(ctx, &call{name: "a"})
		b.wantBegun("a")
		second, third, fourth := b.carry(
			ctx, &call{name: "b"},
		), b.carry(
			ctx, &call{name: "c"},
		), b.carry(
			ctx, &call{name: "d"},
		)
		b.end <- outcome{}
		b.wantBegun("b", "c", "d")
		b.end <- outcome{undone: true, err: errors.New("lost"), held: slices.Concat(x.holds(2, 1).held, y.holds(1).held)}
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

// TestStalled lets others start in the place of batches that do not end, and of so many at most.
func TestStalled(t *testing.T) {
	b := newBench(t, 1)
	var results []<-chan error
	for i := range 5 {
		results = append(results, b.carry(t.Context(), &call{name: fmt.Sprint(i)}))
		b.wantBegun(fmt.Sprint(i))
	}
	results = append(results, b.carry(t.Context(), &call{name: "5"}))
	select {
	case got := <-b.begun:
		t.Errorf("%v began beside four batches that have stalled", got)
	case <-time.After(2 * batch.DefaultStallTimeout):
	}
	for range 6 {
		b.end <- outcome{}
	}
	for _, result := range results {
		want(t, result, "<nil>")
	}
}

// TestBatcherUnderLoad carries out many calls, each exactly once, and never two of a name at once.
func TestBatcherUnderLoad(t *testing.T) {
	const calls, names = 2000, 5
	var mu sync.Mutex
	under, done, groups := map[string]bool{}, map[string]int{}, 0
	q := batch.Batcher[*call]{MaxConcurrent: 3, MaxCost: 50}
	q.Run = func(_ context.Context, group []*call) ([]batch.Held, bool, error) {
		mu.Lock()
		groups++
		for _, c := range group {
			if under[c.about[0]] {
				t.Errorf("%s is under way twice", c.about[0])
			}
			under[c.about[0]] = true
			done[c.name]++
		}
		mu.Unlock()
		runtime.Gosched()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range group {
			under[c.about[0]] = false
		}
		return nil, false, nil
	}
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			if err := q.Submit(t.Context(), &call{name: fmt.Sprint(i), about: []string{fmt.Sprint(i % names)}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(done) != calls || groups == calls {
		t.Errorf("%d of %d calls carried out, in %d groups", len(done), calls, groups)
	}
	for name, times := range done {
		if times != 1 {
			t.Errorf("call %s was carried out %d times", name, times)
		}
	}
}

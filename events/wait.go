package events

import (
	"context"
	"sync"
	"time"
)

// waiters holds the requests of this process that wait for events. While there are waiters, one goroutine
// asks the database for news on behalf of all. The zero value is ready to use.
type waiters struct {
	mu      sync.Mutex
	all     map[*waiter]struct{}
	polling bool
	nudged  chan struct{}
}

type waiter struct {
	feed  int64 // the customer whose events the request waits for; 0 for all events
	woken chan struct{}
}

// news returns the position of the newest event of all feeds, and the customers whose feeds have events after
// the position after. A negative after stands for an unknown position: customers is then nil.
type news func(ctx context.Context, after int64) (last int64, customers []int64, err error)

// join adds a waiter for the events of a feed. The channel woken gets an element after new events of the
// feed, when the database fails, and sometimes without a reason. Every event that is sequenced after join
// wakes the waiter. An earlier event does not, so the caller must read the feed after join. Call leave when
// the request ends.
func (w *waiters) join(feed int64, ask news) (woken <-chan struct{}, leave func()) {
	added := &waiter{feed, make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all, w.nudged = map[*waiter]struct{}{}, make(chan struct{}, 1)
	}
	w.all[added] = struct{}{}
	if !w.polling {
		w.polling = true
		go w.poll(ask)
	}
	return added.woken, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, added)
	}
}

// nudge makes the poller look for news at once.
func (w *waiters) nudge() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.polling {
		select {
		case w.nudged <- struct{}{}:
		default:
		}
	}
}

// poll asks for news and wakes waiters, until there are no waiters.
func (w *waiters) poll(ask news) {
	last := int64(-1) // unknown: the first news wakes all waiters
	for {
		now, customers, err := askWithin(ask, last)
		everybody := err != nil || last < 0
		w.mu.Lock()
		if len(w.all) == 0 {
			w.polling = false
			w.mu.Unlock()
			return
		}
		if everybody || now != last {
			w.wake(everybody, customers)
		}
		w.mu.Unlock()
		if err == nil {
			last = now
		}
		select {
		case <-w.nudged:
		case <-time.After(pause):
		}
	}
}

// wake wakes the waiters for the feed of all events, and the waiters for the feeds of the customers. When
// everybody is true, wake wakes all waiters.
func (w *waiters) wake(everybody bool, customers []int64) {
	concerned := map[int64]bool{0: true}
	for _, c := range customers {
		concerned[c] = true
	}
	for waiting := range w.all {
		if everybody || concerned[waiting.feed] {
			select {
			case waiting.woken <- struct{}{}:
			default:
			}
		}
	}
}

func askWithin(ask news, after int64) (int64, []int64, error) {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	return ask(ctx, after)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// contender is an implementation to measure. All contenders of an operation are measured in turn.
type contender struct {
	name      string
	service   []int // process ids; nil for raw SQL, which runs in this process
	transport func(o operation, clients int) http.RoundTripper
	target    func(o operation, n int64) vegeta.Target
}

// load describes calls by a number of clients. Each client sends its next call after the answer to its
// previous call.
type load struct {
	clients  int
	duration time.Duration // 0 means that only the field limit ends the load
	first    int64         // the number of the first call
	limit    int64         // maximum number of calls
}

// sample has the figures of a load.
type sample struct {
	calls, errors     int64
	rate              float64 // successful calls per second
	p50, p99, max     time.Duration
	service, database time.Duration // CPU time per call
	memory            uint64        // peak memory of the service, in bytes
}

// run measures a contender under the load. The parameter server is the process id of the database server, or
// 0.
func (l load) run(ctx context.Context, c contender, o operation, server int) (s sample, err error) {
	client := &http.Client{Timeout: time.Minute, Transport: c.transport(o, l.clients)}
	defer client.CloseIdleConnections()
	var made atomic.Int64
	next := func(t *vegeta.Target) error {
		n := made.Add(1)
		if n > l.limit {
			return vegeta.ErrNoTargets
		}
		*t = c.target(o, l.first+n-1)
		return nil
	}
	workers := uint64(l.clients)
	attacker := vegeta.NewAttacker(vegeta.Client(client), vegeta.Workers(workers), vegeta.MaxWorkers(workers))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	service, database, err := usedBoth(c.service, server)
	if err != nil {
		return s, err
	}
	forgetPeak(c.service...)
	var m vegeta.Metrics
	rate := vegeta.Rate{Freq: o.rate, Per: time.Second} // a rate of 0 means as fast as possible
	// Repeat a short load that has ended before its first call, as may happen on a busy machine.
	for m.Requests == 0 && made.Load() < l.limit && ctx.Err() == nil {
		for r := range attacker.Attack(next, rate, l.duration, "") {
			if r.Error != vegeta.ErrNoTargets.Error() {
				m.Add(r)
			}
		}
	}
	m.Close()
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	serviceAfter, databaseAfter, err := usedBoth(c.service, server)
	if err != nil {
		return s, err
	}
	s = sample{
		calls: int64(m.Requests), rate: m.Throughput, p50: m.Latencies.P50, p99: m.Latencies.P99,
		max: m.Latencies.Max, memory: serviceAfter.peak,
	}
	s.errors = s.calls - int64(float64(m.Requests)*m.Success+0.5)
	examples := m.Errors[:min(3, len(m.Errors))]
	if s.calls == s.errors {
		return s, fmt.Errorf("%s, %s: %w: %v", o.name, c.name, errNoSuccess, examples)
	}
	if s.errors > 0 {
		log.Printf("%s, %s: %d of %d calls failed: %v", o.name, c.name, s.errors, s.calls, examples)
	}
	s.service = (serviceAfter.cpu - service.cpu) / time.Duration(s.calls)
	s.database = (databaseAfter.cpu - database.cpu) / time.Duration(s.calls)
	return s, nil
}

var errNoSuccess = errors.New("no call succeeded")

// besideHeld runs the load while another session holds heldProduct. At the same time, an equal number of
// other clients order heldProduct. The sample does not count the orders of the other clients, which wait or
// are refused. On a busy machine, no measured order of raw SQL may succeed in a short round either: its
// transactions wait for rows that the waiting ones have locked. Then the sample has only errors.
func (l load) besideHeld(ctx context.Context, c contender, o operation, d *database) (s sample, err error) {
	release, err := d.hold(ctx, heldProduct)
	if err != nil {
		return s, err
	}
	var waiting sync.WaitGroup
	waiting.Go(func() {
		// Ignore the error, because all orders of heldProduct may fail.
		_, _ = l.run(ctx, c, *o.held, d.server)
	})
	if s, err = l.run(ctx, c, o, d.server); errors.Is(err, errNoSuccess) {
		err = nil
	}
	err = errors.Join(err, release())
	waiting.Wait()
	return s, err
}

// overHTTP returns the transport for contenders that run in processes of their own: b2b and the peers.
func overHTTP(_ operation, clients int) http.RoundTripper {
	return &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}
}

// median returns the median of each figure, except that calls and errors are sums, and the longest call and
// the peak of memory are maxima.
func median(rounds []sample) (s sample) {
	s = sample{
		rate:     middle(rounds, func(s sample) float64 { return s.rate }),
		p50:      middle(rounds, func(s sample) time.Duration { return s.p50 }),
		p99:      middle(rounds, func(s sample) time.Duration { return s.p99 }),
		service:  middle(rounds, func(s sample) time.Duration { return s.service }),
		database: middle(rounds, func(s sample) time.Duration { return s.database }),
	}
	for _, r := range rounds {
		s.calls, s.errors = s.calls+r.calls, s.errors+r.errors
		s.max, s.memory = max(s.max, r.max), max(s.memory, r.memory)
	}
	return s
}

func middle[V float64 | time.Duration](rounds []sample, of func(sample) V) V {
	var all []V
	for _, r := range rounds {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// Package timing collects the times of the parts of a request, in the context of the request. The access log
// shows the result, so that a line of a slow request names the cause.
package timing

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Times are the times of the parts of a request. The methods also work on a nil *Times: they do nothing.
type Times struct {
	mu    sync.Mutex
	parts Parts
}

// Parts are the sums over all parts of a kind. A statement of a batch works for several requests, so
// Statements and Database do not count it. Pool and Slowest do count the waits and statements of batches.
type Parts struct {
	Statements  int           // number of SQL statements
	Database    time.Duration // time of these SQL statements
	Pool        time.Duration // wait for a connection to the database
	Turn        time.Duration // wait for earlier requests that change the same row
	Slowest     string        // name of the slowest SQL statement
	SlowestTime time.Duration
	BatchSize   int           // commands in the last batch that ran a command of the request
	BatchWait   time.Duration // sum of the waits until a batch began
	Batch       time.Duration // sum of the times of whole batches
	Calls       int           // calls to other services, retries included
	Called      time.Duration // time of the calls to other services
	Age         time.Duration // age of the oldest data from a replica; 0 without such data
	Current     bool          // ReadLagging of package service has read from the primary
}

type key struct{}

// With returns a context that collects the times of a request, and these times.
func With(ctx context.Context) (context.Context, *Times) {
	t := new(Times)
	return context.WithValue(ctx, key{}, t), t
}

// From returns the times of the request with the context ctx; nil outside a request.
func From(ctx context.Context) *Times {
	t, _ := ctx.Value(key{}).(*Times)
	return t
}

// Parts returns the times so far.
func (t *Times) Parts() (parts Parts) {
	t.add(func(p *Parts) { parts = *p })
	return parts
}

// Statement adds an SQL statement.
func (t *Times) Statement(name string, took time.Duration) {
	t.add(func(p *Parts) {
		p.Statements++
		p.Database += took
		if took > p.SlowestTime {
			p.Slowest, p.SlowestTime = name, took
		}
	})
}

// Pool adds a wait for a connection to the database.
func (t *Times) Pool(waited time.Duration) { t.add(func(p *Parts) { p.Pool += waited }) }

// Turn adds a wait for earlier requests that change the same row.
func (t *Times) Turn(waited time.Duration) { t.add(func(p *Parts) { p.Turn += waited }) }

// Batch adds a batch of the given size that ran a command of the request. The parameter own has the slowest
// statement of the batch, and its wait for a connection.
func (t *Times) Batch(size int, waited, took time.Duration, own Parts) {
	t.add(func(p *Parts) {
		p.BatchSize = size
		p.BatchWait += waited
		p.Batch += took
		p.Pool += own.Pool
		if own.SlowestTime > p.SlowestTime {
			p.Slowest, p.SlowestTime = own.Slowest, own.SlowestTime
		}
	})
}

// Call adds a call to another service.
func (t *Times) Call(took time.Duration) {
	t.add(func(p *Parts) {
		p.Calls++
		p.Called += took
	})
}

// Read adds a read by ReadLagging of package service. The parameter age is the age of the data from a
// replica, or 0 for current data from the primary.
func (t *Times) Read(age time.Duration) {
	t.add(func(p *Parts) { p.Age, p.Current = max(p.Age, age), p.Current || age == 0 })
}

func (t *Times) add(change func(*Parts)) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.parts)
}

// Milliseconds returns a time as an attribute of a log line: in milliseconds, with the microseconds as decimals.
func Milliseconds(name string, d time.Duration) slog.Attr {
	return slog.Float64(name, float64(d.Microseconds())/1000)
}

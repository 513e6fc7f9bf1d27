package db

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
)

var (
	replicaAge = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "b2b_replica_age_seconds",
		Help: "The replica has every change that is older than this; 0 without DB_READ_HOST.",
	})
	replicaAway = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "b2b_replica_away",
		Help: "1 while DB_READ_HOST is set and its server does not answer, or lags too much to be read.",
	})
	laggingReads = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "b2b_lagging_reads_total",
		Help: "Reads that may lag, by the server that answered: replica or primary.",
	}, []string{"server"})
	readsOfReplica = laggingReads.WithLabelValues("replica")
	readsOfPrimary = laggingReads.WithLabelValues("primary")
)

const (
	beatInterval = 500 * time.Millisecond
	beatTimeout  = 2 * time.Second // limits each statement that writes or reads a beat
	beatsLast    = 24 * time.Hour  // the row of a crashed process is deleted at this age
)

// replica is the server Config.ReadHost, which copies the database with a delay, the lag.
//
// Beats measure the lag. A beat is the time for which this process has run. The process writes each beat into
// its row of the table replica_beats, and then reads the row from the replica. When the replica shows a beat,
// it has every change that was committed before the beat. The clocks of the servers do not matter. The row
// also proves that the server is a replica of this database: a clone does not have the row.
//
// replica does not ask the server for its replication status. The status would need a further right, differs
// by engine, and shows no lag while the replica has lost its source without noticing.
type replica struct {
	copy    *gorm.DB
	maxLag  time.Duration
	process string    // key of this process's row in replica_beats
	begun   time.Time // start of the process; a beat is the time since then

	mu        sync.Mutex
	seen      time.Duration      // the last beat that the replica has shown
	answering context.Context    // ends when the replica no longer answers; nil before its first answer
	lose      context.CancelFunc // cancels answering
}

// ReplicaState says whether reads that may lag come from the replica.
type ReplicaState string

// The states of a replica. Except in the state ReplicaUsed, all reads come from the primary.
const (
	NoReplica      ReplicaState = ""     // Config.ReadHost is not set
	ReplicaUsed    ReplicaState = "used" // reads that may lag come from the replica
	ReplicaLagging ReplicaState = "lags" // the replica lags by more than Config.ReadMaxLag
	ReplicaAway    ReplicaState = "away" // the replica does not answer, or copies another database
)

// openReplica returns the replica of a Config. It does not connect, so that services start without the
// replica.
func (c Config) openReplica() (*replica, error) {
	c.Host, c.Port = c.ReadHost, c.ReadPort
	pool, err := c.mysqlPool(true)
	if err != nil {
		return nil, err
	}
	base := mysql.New(mysql.Config{Conn: pool, SkipInitializeWithVersion: true})
	g, err := dialector{Dialector: base}.open()
	return &replica{copy: g, maxLag: c.ReadMaxLag, process: rand.Text(), begun: time.Now()}, err
}

// ReadLagging runs fn on the replica of g, and returns the age of the data: fn has seen every change older
// than this age. ReadLagging runs fn on g, the primary, and returns the age 0, when there is no replica, when
// the replica is away or lags too much, and after an error on the replica. So every error that it returns,
// such as a row that is not found, comes from the primary. fn must only read, and may run twice.
func ReadLagging(ctx context.Context, g *gorm.DB, fn func(q *gorm.DB) error) (age time.Duration, err error) {
	if r := g.Dialector.(dialector).replica; r != nil {
		if age, done := r.read(ctx, fn); done {
			readsOfReplica.Inc()
			return age, nil
		}
	}
	readsOfPrimary.Inc()
	return 0, fn(g.WithContext(ctx))
}

// read runs fn on the replica, and reports whether fn has succeeded.
func (r *replica) read(ctx context.Context, fn func(q *gorm.DB) error) (age time.Duration, done bool) {
	state, seen, answering := r.state()
	if state != ReplicaUsed {
		return 0, false
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// When the replica stops answering, cancel fn, so that the request has time left to ask the primary.
	defer context.AfterFunc(answering, cancel)()
	if err := fn(r.copy.WithContext(ctx)); err != nil {
		return 0, false
	}
	return r.age(seen), true
}

// age returns the time since a beat. A replica that has shown the beat has every change older than this age.
func (r *replica) age(beat time.Duration) time.Duration { return time.Since(r.begun) - beat }

func (r *replica) state() (state ReplicaState, seen time.Duration, answering context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.answering == nil || r.answering.Err() != nil:
		state = ReplicaAway
	case r.age(r.seen) > r.maxLag:
		state = ReplicaLagging
	default:
		state = ReplicaUsed
	}
	return state, r.seen, r.answering
}

// StateOfReplica returns the state of the replica of g.
func StateOfReplica(g *gorm.DB) ReplicaState {
	r := g.Dialector.(dialector).replica
	if r == nil {
		return NoReplica
	}
	state, _, _ := r.state()
	return state
}

// WatchReplica measures the lag of the replica of g, and logs each change of its state, until the function
// stop is called. Reads do not use the replica before the call of WatchReplica. After stop, they no longer
// use the replica once its last beat is older than Config.ReadMaxLag. Without a replica, WatchReplica does
// nothing.
func WatchReplica(g *gorm.DB, log *slog.Logger) (stop func()) {
	r := g.Dialector.(dialector).replica
	if r == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { r.watch(ctx, g, log) })
	return func() { cancel(); ended.Wait() }
}

func (r *replica) watch(ctx context.Context, g *gorm.DB, log *slog.Logger) {
	exec := func(ctx context.Context, statement string, args ...any) error {
		ctx, cancel := context.WithTimeout(ctx, beatTimeout)
		defer cancel()
		return g.WithContext(ctx).Exec(statement, args...).Error
	}
	const write = "REPLACE INTO replica_beats (process, running_ms, updated_at) VALUES (?, ?, ?)"
	err := exec(ctx, "DELETE FROM replica_beats WHERE updated_at < ?", Now(g, -beatsLast))
	last := NoReplica
	for {
		// Take the beat before the statement runs: a later beat would make the age too small.
		beat := r.age(0).Milliseconds()
		err = errors.Join(err, exec(ctx, write, r.process, beat, Now(g, 0)))
		select {
		case <-time.After(beatInterval):
		case <-ctx.Done():
			// If the statement fails, a later process deletes the row after beatsLast.
			_ = exec(context.WithoutCancel(ctx), "DELETE FROM replica_beats WHERE process = ?", r.process)
			return
		}
		err = errors.Join(err, r.look(ctx))
		state, seen, _ := r.state()
		show(log, state, state != last, r.age(seen), err)
		last, err = state, nil
	}
}

// show sets the metrics of a replica, and logs a new state.
func show(log *slog.Logger, state ReplicaState, isNew bool, age time.Duration, err error) {
	replicaAge.Set(age.Seconds())
	replicaAway.Set(0)
	if state != ReplicaUsed {
		replicaAway.Set(1)
	}
	switch {
	case isNew && state == ReplicaUsed:
		log.Info("lists are read from the replica", "age_ms", age.Milliseconds())
	case isNew:
		log.Warn("lists are read from the primary, because the replica cannot be used",
			"state", state, "age_ms", age.Milliseconds(), "error", err)
	}
}

var errNoBeat = errors.New("the replica has no beat of this process: it lags, or copies another database")

// look reads the last beat from the replica. Without an answer, it ends the reads that wait for the replica.
func (r *replica) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	var beats []int64
	err := r.copy.WithContext(ctx).Table("replica_beats").Where("process = ?", r.process).
		Pluck("running_ms", &beats).Error
	if err == nil && len(beats) == 0 {
		err = errNoBeat
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		if r.lose != nil {
			r.lose()
		}
		return err
	}
	if r.answering == nil || r.answering.Err() != nil {
		r.answering, r.lose = context.WithCancel(context.Background())
	}
	r.seen = time.Duration(beats[0]) * time.Millisecond
	return nil
}

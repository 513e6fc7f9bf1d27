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
)

func init() {
	for _, server := range []string{"replica", "primary"} {
		laggingReads.WithLabelValues(server) // so that Prometheus sees the first read as an increase
	}
}

const (
	beatInterval = 500 * time.Millisecond
	beatTimeout  = 2 * time.Second // the longest wait for an answer to a beat, and for the replica's answer
	beatsLast    = 24 * time.Hour  // age at which the row of a process that has crashed is deleted
)

// replica is another server that copies the database, and lags behind: the server c.ReadHost of a Config.
//
// The lag is measured by beats. A process writes into its row of the table replica_beats for how long it has
// run, and reads the row on the replica. So the replica has every change that was committed before the beat
// that it shows. No clock of a server matters, and a server that copies another database, such as a clone of
// this database, does not have the row.
//
// The status of the replica (SHOW REPLICA STATUS) would need a right, differs by engine, and shows no lag
// while the replica has lost its source without noticing.
type replica struct {
	copy    *gorm.DB // its connections refuse writes
	maxAge  time.Duration
	process string    // the key of the row
	begun   time.Time // when the process has begun; beats are times since then

	mu        sync.Mutex
	seen      time.Duration // the newest beat that the replica has shown
	answering context.Context
	lose      context.CancelFunc // ends answering
}

// ReplicaState says whether reads that may lag are read from the replica.
type ReplicaState string

// The states of a replica.
const (
	NoReplica      ReplicaState = ""     // DB_READ_HOST is not set
	ReplicaUsed    ReplicaState = "used" // reads that may lag come from the replica
	ReplicaLagging ReplicaState = "lags" // the replica lags by more than Config.ReadMaxLag: reads come from the primary
	ReplicaAway    ReplicaState = "away" // the replica does not answer, or copies another database: the same
)

// openReplica returns the replica of a Config. It connects to nothing: a replica that is away must not keep a
// service from starting.
func (c Config) openReplica() (*replica, error) {
	c.Host, c.Port = c.ReadHost, c.ReadPort
	pool, err := c.mysqlPool(true) // a write would part the replica from its source
	if err != nil {
		return nil, err
	}
	base := mysql.New(mysql.Config{Conn: pool, SkipInitializeWithVersion: true})
	g, err := gorm.Open(dialector{Dialector: base}, gormConfig())
	return &replica{copy: g, maxAge: c.ReadMaxLag, process: rand.Text(), begun: time.Now()}, err
}

// ReadLagging runs fn on the replica of g, and returns the age of the data: fn has seen every change that is
// older. Without a replica, while the replica is away or lags by more than Config.ReadMaxLag, and when fn
// fails on the replica, ReadLagging runs fn on g, and the age is 0. So an error, such as a row that is not
// found, always comes from g. fn must only read, and leave no traces when it runs a second time.
func ReadLagging(ctx context.Context, g *gorm.DB, fn func(q *gorm.DB) error) (age time.Duration, err error) {
	if r := g.Dialector.(dialector).replica; r != nil {
		if age, done := r.read(ctx, fn); done {
			laggingReads.WithLabelValues("replica").Inc()
			return age, nil
		}
	}
	laggingReads.WithLabelValues("primary").Inc()
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
	// A replica that falls silent would hold fn until the request's time is over.
	defer context.AfterFunc(answering, cancel)()
	if err := fn(r.copy.WithContext(ctx)); err != nil {
		return 0, false
	}
	return r.age(seen), true
}

// age returns the age of data that has all changes up to a beat.
func (r *replica) age(beat time.Duration) time.Duration { return time.Since(r.begun) - beat }

func (r *replica) state() (state ReplicaState, seen time.Duration, answering context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.answering == nil || r.answering.Err() != nil:
		return ReplicaAway, r.seen, nil
	case r.age(r.seen) > r.maxAge:
		return ReplicaLagging, r.seen, nil
	}
	return ReplicaUsed, r.seen, r.answering
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

// WatchReplica measures the lag of the replica of g until the function stop is called, and logs each change of
// its state. Without WatchReplica the replica is never read. Without a replica WatchReplica does nothing.
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
	err := exec(ctx, "DELETE FROM replica_beats WHERE updated_at < ?", Now(g, -beatsLast))
	last := NoReplica
	for ctx.Err() == nil {
		// The time is read before the statement, so that the age is never too small.
		err = errors.Join(err, exec(ctx,
			"REPLACE INTO replica_beats (process, running_ms, updated_at) VALUES (?, ?, ?)", r.process, time.Since(r.begun).Milliseconds(), Now(g, 0)))
		select {
		case <-time.After(beatInterval):
		case <-ctx.Done():
		}
		err = errors.Join(err, r.look(ctx))
		if state, seen, _ := r.state(); ctx.Err() == nil {
			r.show(log, state, state != last, r.age(seen), err)
			last, err = state, nil
		}
	}
	// Without this, another process deletes the row one day.
	_ = exec(context.WithoutCancel(ctx), "DELETE FROM replica_beats WHERE process = ?", r.process)
}

// show sets the metrics, and logs the state when it is new.
func (r *replica) show(log *slog.Logger, state ReplicaState, isNew bool, age time.Duration, err error) {
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

var errNoBeat = errors.New("the replica does not have the beats of this process: it copies another database, or lags")

// look reads the newest beat on the replica. When the replica does not answer, look ends all reads on the
// replica.
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

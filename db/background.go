package db

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"gorm.io/gorm"
)

// Job is repeated work of a service beside requests.
type Job struct {
	Name      string        // in the log; also of the lock of an exclusive job
	Interval  time.Duration // between the end of a run and the start of the next, give or take a fifth
	Exclusive bool          // only one process runs the job at a time: see RunExclusive

	// Run does all due work and returns the number of changed rows. A run ends after three minutes;
	// longer work must go on in the next run.
	Run func(ctx context.Context) (rows int, err error)
}

// RunJobs runs jobs side by side, each of them again and again, until ctx ends. RunJobs logs every run with
// changed rows or failed. The job goes on after a failure, also when a statement got no answer, as over a
// connection that a firewall has forgotten.
func RunJobs(ctx context.Context, g *gorm.DB, log *slog.Logger, jobs ...Job) {
	var all sync.WaitGroup
	for _, j := range jobs {
		all.Go(func() { j.repeat(ctx, g, log.With("job", j.Name)) })
	}
	all.Wait()
}

func (j Job) repeat(ctx context.Context, g *gorm.DB, log *slog.Logger) {
	for ctx.Err() == nil {
		start := time.Now()
		rows, err := j.runOnce(ctx, g)
		if rows > 0 && errors.Is(err, context.DeadlineExceeded) {
			err = nil // the next run goes on
		}
		if err != nil && ctx.Err() == nil {
			log.Error("background job failed and will be tried again", "rows", rows, "error", err)
		} else if rows > 0 {
			log.Info("background job changed rows", "rows", rows, "seconds", time.Since(start).Seconds())
		}
		select {
		case <-time.After(j.Interval*4/5 + rand.N(j.Interval*2/5)):
		case <-ctx.Done():
		}
	}
}

// runTimeout bounds a run of a job, as long as an exclusive run keeps its lock. A variable for tests.
var runTimeout = 3 * time.Minute

func (j Job) runOnce(ctx context.Context, g *gorm.DB) (rows int, err error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	if !j.Exclusive {
		return j.Run(ctx)
	}
	_, err = RunExclusive(ctx, g, j.Name, func(ctx context.Context) (err error) {
		rows, err = j.Run(ctx)
		return err
	})
	return rows, err
}

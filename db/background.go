package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"gorm.io/gorm"
)

var (
	jobSuccess = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "b2b_job_last_success_timestamp_seconds",
		Help: "When a background job last ended without a failure in this process.",
	}, []string{"task"}) // Prometheus gives each scraped metric a label "job" of its own
	jobSeconds = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "b2b_job_last_duration_seconds",
		Help: "Time of the last run of a background job.",
	}, []string{"task"})
	jobRows = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "b2b_job_rows_total",
		Help: "Rows changed by background jobs.",
	}, []string{"task"})
	jobFailures = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "b2b_job_failures_total",
		Help: "Failed runs of background jobs.",
	}, []string{"task"})
	jobLag = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "b2b_job_lag_seconds",
		Help: "Age of the oldest work that a background job has left undone; 0 when nothing is due.",
	}, []string{"task"})
	jobDue = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "b2b_job_due_rows",
		Help: "Rows that a background job has left undone, counted up to 10000.",
	}, []string{"task"})
)

// Job is work that a service repeats in the background.
type Job struct {
	Name      string        // used in the log and in metrics, and for the lock of an exclusive job
	Interval  time.Duration // pause between two runs; varies at random by up to a fifth
	Exclusive bool          // only one process runs the job at a time: see RunExclusive

	// Run does all due work, and returns the number of changed rows. ctx ends after three minutes; the next
	// run then does the rest.
	Run func(ctx context.Context) (rows int, err error)

	// Lag returns the age of the oldest work that is still to do. Due returns the number of rows that are
	// still to do: see CountDue. Each function may be nil. RunJobs sets a metric by each function, even when
	// another process has done the run.
	Lag func(ctx context.Context) (time.Duration, error)
	Due func(ctx context.Context) (rows int64, err error)

	share time.Duration // limits a run, if it is shorter than runTimeout; 0 sets no limit
}

// RunJobs runs jobs side by side, and repeats each job, until ctx ends. It logs every run that has changed
// rows. It logs the first of several failures in a row, and then one a minute: see Failures. A run fails
// while the schema lacks migrations. After a failure, a job pauses for about a second at least. A run ends
// after three minutes, so a statement that never gets an answer does not stop a job for ever.
func RunJobs(ctx context.Context, g *gorm.DB, log *slog.Logger, jobs ...Job) {
	var all sync.WaitGroup
	for _, j := range jobs {
		all.Go(func() { j.repeat(ctx, g, log.With("job", j.Name)) })
	}
	all.Wait()
}

// RunJobsOnce runs each job once, one after the other, and logs as RunJobs does. A run gets an equal share of
// the time that is left until the deadline of ctx. The error names the jobs that failed.
func RunJobsOnce(ctx context.Context, g *gorm.DB, log *slog.Logger, jobs ...Job) error {
	var failures []error
	for i, j := range jobs {
		if deadline, found := ctx.Deadline(); found {
			// A tenth of the time is left for the method measure.
			j.share = time.Until(deadline) * 9 / 10 / time.Duration(len(jobs)-i)
		}
		if err := j.runAndReport(ctx, g, log.With("job", j.Name), new(Failures)); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", j.Name, err))
		}
	}
	return errors.Join(failures...)
}

// runAndReport runs the job, and reports the run in the log and in metrics.
func (j Job) runAndReport(ctx context.Context, g *gorm.DB, log *slog.Logger, failures *Failures) error {
	start := time.Now()
	// Without Migrated, the error of a job would name a missing table, and not the missing migration.
	rows, err := 0, Migrated(ctx, g)
	if err == nil {
		rows, err = j.runAndMeasure(ctx, g)
	}
	jobSeconds.WithLabelValues(j.Name).Set(time.Since(start).Seconds())
	jobRows.WithLabelValues(j.Name).Add(float64(rows))
	if err == nil {
		jobSuccess.WithLabelValues(j.Name).SetToCurrentTime()
	}
	if err != nil && ctx.Err() == nil {
		jobFailures.WithLabelValues(j.Name).Inc()
		log.Log(ctx, failures.Level(), "background job failed and will be tried again", "rows", rows, "error", err)
	}
	if rows > 0 {
		log.Info("background job changed rows", "rows", rows, "seconds", time.Since(start).Seconds())
	}
	if err == nil {
		failures.End()
	}
	return err
}

// Failures chooses the log levels of several failures in a row, so that an outage of the database does not
// fill the log. The zero value is ready for use.
type Failures struct{ logged time.Time }

// Level returns the log level of a failure: error for the first failure since End, and then for one failure a
// minute; debug for all other failures.
func (f *Failures) Level() slog.Level {
	if time.Since(f.logged) < logFailureEvery {
		return slog.LevelDebug
	}
	f.logged = time.Now()
	return slog.LevelError
}

// End ends a row of failures. The level of the next failure is error again.
func (f *Failures) End() { f.logged = time.Time{} }

const logFailureEvery = time.Minute

func (j Job) runAndMeasure(ctx context.Context, g *gorm.DB) (rows int, err error) {
	rows, err = j.runOnce(ctx, g)
	if rows > 0 && errors.Is(err, context.DeadlineExceeded) {
		err = nil // the run was cut short, and the next run does the rest
	}
	return rows, errors.Join(err, j.measure(ctx))
}

// failurePause is the shortest pause after a failed run, before the random variation of a fifth. Without a
// pause, a failing job would keep a processor busy while the database is away. Tests change failurePause.
var failurePause = time.Second

func (j Job) repeat(ctx context.Context, g *gorm.DB, log *slog.Logger) {
	jobFailures.WithLabelValues(j.Name).Add(0) // so that Prometheus sees the first failure as an increase
	// The first run may take long, so set the metrics before it. runAndReport reports an error of measure.
	_ = j.measure(ctx)
	var failures Failures
	for ctx.Err() == nil {
		pause := j.Interval
		if j.runAndReport(ctx, g, log, &failures) != nil {
			pause = max(pause, failurePause)
		}
		select {
		case <-time.After(pause*4/5 + rand.N(pause*2/5)):
		case <-ctx.Done():
		}
	}
}

// measure sets the metrics of the work that is left.
func (j Job) measure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	if j.Lag != nil {
		lag, err := j.Lag(ctx)
		if err != nil {
			return err
		}
		jobLag.WithLabelValues(j.Name).Set(lag.Seconds())
	}
	if j.Due != nil {
		due, err := j.Due(ctx)
		if err != nil {
			return err
		}
		jobDue.WithLabelValues(j.Name).Set(float64(due))
	}
	return nil
}

const measureTimeout = 10 * time.Second

// runTimeout limits a run of a job. It is shorter than the 200 seconds for which the server keeps the lock of
// an exclusive run. Tests change runTimeout.
var runTimeout = 3 * time.Minute

func (j Job) runOnce(ctx context.Context, g *gorm.DB) (rows int, err error) {
	limit := runTimeout
	if j.share != 0 {
		limit = min(limit, j.share)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
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

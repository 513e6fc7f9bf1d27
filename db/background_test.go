package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// TestRunJobs runs four jobs: the first changes rows, the second fails, the third has nothing to do, and the
// fourth is exclusive, while another connection holds its lock at first.
func TestRunJobs(t *testing.T) {
	t.Cleanup(db.SetFailurePause(0))
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		ctx, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		var changed, failed, idle int
		var exclusive, free atomic.Int64
		job := func(name string, isExclusive bool, run func() (int, error)) db.Job {
			return db.Job{
				Name: name, Interval: time.Millisecond, Exclusive: isExclusive,
				Run: func(context.Context) (int, error) { return run() },
			}
		}
		locked, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = db.RunExclusive(ctx, g, "exclusive", func(context.Context) error {
				close(locked)
				time.Sleep(100 * time.Millisecond)
				free.Store(exclusive.Load())
				return nil
			})
		}()
		<-locked
		db.RunJobs(ctx, g, log,
			job("changes", false, func() (int, error) { changed++; return 7, nil }),
			job("fails", false, func() (int, error) { failed++; return 0, errors.New("as tested") }),
			job("idle", false, func() (int, error) { idle++; return 0, nil }),
			job("exclusive", true, func() (int, error) {
				exclusive.Add(1)
				select {
				case <-ended:
					if exclusive.Load() > 3 {
						cancel()
					}
				default:
				}
				return 0, nil
			}),
		)
		if changed < 2 || failed < 2 || idle < 2 || exclusive.Load() < 2 || ctx.Err() != context.Canceled {
			t.Errorf("%d, %d, %d and %d runs: %v", changed, failed, idle, exclusive.Load(), ctx.Err())
		}
		if g.Name() == db.MySQL && free.Load() != 0 {
			t.Errorf("%d exclusive runs beside another one", free.Load())
		}
		for line, want := range map[string]bool{
			"level=INFO msg=\"background job changed rows\" job=changes rows=7":                                      true,
			"level=ERROR msg=\"background job failed and will be tried again\" job=fails rows=0 error=\"as tested\"": true,
			"job=idle": false, "job=exclusive": false,
		} {
			if strings.Contains(out.String(), line) != want {
				t.Errorf("%s is in the log: %v\n%.2000s", line, !want, &out)
			}
		}
	})
}

// TestRunJobsFailurePause runs a job that fails and a job that succeeds, both with an interval of a
// millisecond. The pause after a failure is an hour. So after 50 runs of the successful job, the log must
// have a single line about the failing job.
func TestRunJobsFailurePause(t *testing.T) {
	t.Cleanup(db.SetFailurePause(time.Hour))
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		ctx, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		var out bytes.Buffer
		failed, runs := make(chan struct{}), 0
		db.RunJobs(ctx, g, slog.New(slog.NewTextHandler(&out, nil)),
			db.Job{Name: "fails", Interval: time.Millisecond, Run: func(context.Context) (int, error) {
				select {
				case <-failed:
				default:
					close(failed)
				}
				return 0, errors.New("as tested")
			}},
			db.Job{Name: "works", Interval: time.Millisecond, Run: func(context.Context) (int, error) {
				<-failed
				if runs++; runs == 50 {
					cancel()
				}
				return 0, nil
			}})
		if n := strings.Count(out.String(), "background job failed"); n != 1 || runs < 50 {
			t.Errorf("%d lines beside %d runs: %.2000s", n, runs, &out)
		}
	})
}

// TestFailures runs a job that fails three times, succeeds, and fails again. The log must have the first
// failure and the first failure after the success, but no other failure.
func TestFailures(t *testing.T) {
	t.Cleanup(db.SetFailurePause(0))
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		ctx, cancel := context.WithTimeout(ctx, soon)
		defer cancel()
		var out bytes.Buffer
		runs := 0
		db.RunJobs(ctx, g, slog.New(slog.NewTextHandler(&out, nil)),
			db.Job{Name: "fails", Interval: time.Millisecond, Run: func(context.Context) (int, error) {
				runs++
				switch {
				case runs == 4:
					return 0, nil
				case runs == 7:
					cancel()
				}
				return 0, fmt.Errorf("failure %d", runs)
			}})
		for failure, want := range map[string]bool{"failure 1": true, "failure 2": false, "failure 3": false,
			"failure 5": true, "failure 6": false} {
			if strings.Contains(out.String(), failure) != want {
				t.Errorf("%s is in the log: %v\n%s", failure, !want, &out)
			}
		}
	})
}

// TestRunJobsOnceShares runs two jobs, one after the other. The first job takes all the time that it gets.
// The second job must still get its share of the time until the deadline.
func TestRunJobsOnceShares(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
		defer cancel()
		ran := false
		err := db.RunJobsOnce(ctx, g, slog.New(slog.DiscardHandler),
			db.Job{Name: "greedy", Run: func(ctx context.Context) (int, error) { <-ctx.Done(); return 1, ctx.Err() }},
			db.Job{Name: "modest", Run: func(ctx context.Context) (int, error) { ran = true; return 0, ctx.Err() }})
		if err != nil || !ran {
			t.Errorf("ran %v: %v", ran, err)
		}
	})
}

// TestRunJobsBeforeMigration runs a job on a database without a schema. The job must not run, and the log
// must name the command to run.
func TestRunJobsBeforeMigration(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g, err := db.Open(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close(g) })
		var out bytes.Buffer
		ran := false
		err = db.RunJobsOnce(ctx, g, slog.New(slog.NewTextHandler(&out, nil)),
			db.Job{Name: "early", Run: func(context.Context) (int, error) { ran = true; return 0, nil }})
		if ran || !errors.Is(err, db.ErrUnavailable) || strings.Count(out.String(), "run b2b migrate") != 1 {
			t.Errorf("ran %v: %v: %s", ran, err, &out)
		}
	})
}

package db

import "time"

// SetRunTimeout bounds the runs of jobs, and returns what undoes that.
func SetRunTimeout(d time.Duration) (undo func()) {
	before := runTimeout
	runTimeout = d
	return func() { runTimeout = before }
}

// Rows returns at how many rows callers of Take are, or wait.
func (t *Turns) Rows() int { return len(t.rows) }

package db

import "time"

// SetRunTimeout sets the timeout for a run of a job, and returns a function that restores the old timeout.
func SetRunTimeout(d time.Duration) (undo func()) {
	before := runTimeout
	runTimeout = d
	return func() { runTimeout = before }
}

// Rows returns the number of rows with a turn taken or awaited.
func (t *Turns) Rows() int { return len(t.rows) }

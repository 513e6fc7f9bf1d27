package db

import (
	"time"

	"gorm.io/gorm"
)

// SetRunTimeout sets the timeout for a run of a job, and returns a function that restores the old timeout.
func SetRunTimeout(d time.Duration) (undo func()) {
	before := runTimeout
	runTimeout = d
	return func() { runTimeout = before }
}

// SetFailurePause sets the shortest pause after a failed run of a job, and returns a function that restores
// the old pause.
func SetFailurePause(d time.Duration) (undo func()) {
	before := failurePause
	failurePause = d
	return func() { failurePause = before }
}

// Rows returns the number of rows for which a caller has a turn or waits for a turn.
func (t *Turns) Rows() int { return len(t.rows) }

// SetReplica replaces the connections to the replica of g. Call SetReplica before WatchReplica.
func SetReplica(g, other *gorm.DB) {
	g.Dialector.(dialector).replica.copy = other
}

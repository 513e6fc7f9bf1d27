package db

import "time"

// SetRoundTimeout bounds the rounds of Every, and returns what undoes that.
func SetRoundTimeout(d time.Duration) (undo func()) {
	before := roundTimeout
	roundTimeout = d
	return func() { roundTimeout = before }
}

// Rows returns at how many rows callers of Take are, or wait.
func (t *Turns) Rows() int { return len(t.rows) }

package db

import (
	"time"

	"gorm.io/gorm"
)

// SetRoundTimeout bounds the rounds of Every, and returns what undoes that.
func SetRoundTimeout(d time.Duration) (undo func()) {
	before := roundTimeout
	roundTimeout = d
	return func() { roundTimeout = before }
}

// Turns returns at how many rows callers of Turn are, or wait.
func Turns(g *gorm.DB) int { return len(g.Dialector.(dialector).turns.rows) }

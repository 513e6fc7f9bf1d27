package db

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// ErrLocked is an ErrConflict: another transaction holds a row, and has not let go of it in time. Only the statement has failed; the
// transaction goes on, with the locks that it has.
var ErrLocked = fmt.Errorf("another transaction holds a row: %w", ErrConflict)

const (
	// lockWait is how long a statement of ForUpdate takes at most, the wait for rows that other transactions hold included.
	lockWait = 300 * time.Millisecond
	// leastWait is the shortest wait that a busy machine does not take for the work itself. Below, ForUpdate does not wait at all.
	leastWait = 50 * time.Millisecond
	// otherWait is how many seconds any other statement waits for a row: the least that MySQL knows.
	otherWait = "1"
	// waitTimeout is how many seconds the server keeps a connection that says nothing, and the locks of its transaction.
	waitTimeout = "20"
)

// ForUpdate locks the rows that a query reads until the transaction ends. Its error is ErrLocked where another transaction holds a row
// for longer than 300 ms. SQLite needs no row locks: its transactions run one after the other.
func ForUpdate(tx *gorm.DB) *gorm.DB { return forUpdate(tx, lockWait) }

// forUpdate is ForUpdate with another wait. The limit is one of the whole statement, because no engine has a lock wait below a second
// besides none at all, by which a statement loses against every other transaction:
// https://dev.mysql.com/doc/refman/8.4/en/optimizer-hints.html#optimizer-hints-execution-time,
// https://mariadb.com/kb/en/aborting-statements/
func forUpdate(tx *gorm.DB, wait time.Duration) *gorm.DB {
	locking := clause.Locking{Strength: clause.LockingStrengthUpdate}
	if tx.Name() == SQLite {
		return tx
	}
	if wait < leastWait {
		locking.Options = clause.LockingOptionsNoWait
		return tx.Clauses(locking)
	}
	limit := selectLimit{after: fmt.Sprintf("/*+ MAX_EXECUTION_TIME(%d) */", wait.Milliseconds())}
	if tx.Dialector.(dialector).mariaDB {
		limit = selectLimit{before: fmt.Sprintf("SET STATEMENT max_statement_time=%.3f FOR", wait.Seconds())}
	}
	return tx.Clauses(limit, locking)
}

// selectLimit adds SQL before or after the word SELECT.
type selectLimit struct{ before, after string }

// Build implements clause.Expression.
func (selectLimit) Build(clause.Builder) {}

// ModifyStatement implements gorm.StatementModifier.
func (l selectLimit) ModifyStatement(s *gorm.Statement) {
	c := s.Clauses["SELECT"]
	if l.before != "" {
		c.BeforeExpression = clause.Expr{SQL: l.before}
	}
	if l.after != "" {
		c.AfterNameExpression = clause.Expr{SQL: l.after}
	}
	s.Clauses["SELECT"] = c
}

// LockFree locks the rows of a query that have these ids, one by one in ascending order, and returns those that another transaction
// holds now.
func LockFree(q *gorm.DB, ids []int64) (held []int64, err error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	q = q.Session(&gorm.Session{})
	for _, id := range ids {
		free, err := IsFree(q.Where("id = ?", id), 0)
		if err != nil {
			return nil, err
		}
		if !free {
			held = append(held, id)
		}
	}
	return held, nil
}

// IsFree locks the rows of a query, as ForUpdate does, and reports whether it got them in time. Outside of a transaction it lets go of
// them at once.
func IsFree(q *gorm.DB, wait time.Duration) (bool, error) {
	var id int64
	err := forUpdate(q, wait).Select("id").Take(&id).Error
	switch {
	case errors.Is(err, ErrLocked):
		return false, nil
	case errors.Is(err, gorm.ErrRecordNotFound):
		return true, nil
	}
	return true, err
}

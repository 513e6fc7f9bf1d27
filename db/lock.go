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
	// rowsWait is how long LockFree waits, for all rows together.
	rowsWait = 100 * time.Millisecond
	// otherWait is how many seconds any other statement waits for a row: the least that MySQL knows.
	otherWait = "1"
)

// ForUpdate locks the rows that a query reads until the transaction ends. Its error is ErrLocked where another transaction holds a row
// for longer than 300 ms. SQLite needs no row locks: its transactions run one after the other.
func ForUpdate(tx *gorm.DB) *gorm.DB { return forUpdate(tx, lockWait) }

// forUpdate is ForUpdate with another wait. The limit is one of the whole statement, because no engine has a lock wait below a second
// besides no wait at all, by which a statement would lose against every other one:
// https://dev.mysql.com/doc/refman/8.4/en/optimizer-hints.html#optimizer-hints-execution-time,
// https://mariadb.com/kb/en/aborting-statements/
func forUpdate(tx *gorm.DB, wait time.Duration) *gorm.DB {
	if tx.Name() == SQLite {
		return tx
	}
	limit := selectLimit{after: fmt.Sprintf("/*+ MAX_EXECUTION_TIME(%d) */", max(wait.Milliseconds(), 1))}
	if tx.Dialector.(dialector).mariaDB {
		limit = selectLimit{before: fmt.Sprintf("SET STATEMENT max_statement_time=%.3f FOR", max(wait.Seconds(), 0.001))}
	}
	return tx.Clauses(limit, clause.Locking{Strength: clause.LockingStrengthUpdate})
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
// holds. It waits 100 ms at most, for all of them together.
func LockFree(q *gorm.DB, ids []int64) (held []int64, err error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	q = q.Session(&gorm.Session{})
	for _, id := range ids {
		free, err := IsFree(q.Where("id = ?", id), rowsWait/time.Duration(len(ids)))
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

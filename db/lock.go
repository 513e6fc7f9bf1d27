package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// ErrLocked is an ErrConflict: another transaction holds a row, and has not let go of it in time. Only the statement has failed; the
// transaction goes on, with the locks that it has.
var ErrLocked = fmt.Errorf("another transaction holds a row: %w", ErrConflict)

const (
	// rowWait is how long a statement of ForUpdate takes at most, the wait for rows that other transactions hold included.
	rowWait = 300 * time.Millisecond
	// leastWait is the shortest wait that a busy machine does not take for the work itself. Below, ForUpdate does not wait at all.
	leastWait = 50 * time.Millisecond
	// otherWait is how many seconds any other statement waits for a row: the least that MySQL knows.
	otherWait = "1"
	// waitTimeout is how many seconds the server keeps a connection that says nothing, and the locks of its transaction.
	waitTimeout = "20"
)

// ForUpdate locks the rows that a query reads until the transaction ends. Its error is ErrLocked where another transaction holds a row
// for longer than 300 ms. SQLite needs no row locks: its transactions run one after the other.
func ForUpdate(tx *gorm.DB) *gorm.DB { return forUpdate(tx, rowWait) }

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
		if err := lockRow(q, id, 0); errors.Is(err, ErrLocked) {
			held = append(held, id)
		} else if err != nil {
			return nil, err
		}
	}
	return held, nil
}

// IsFree waits for a row that another transaction holds, for so long at most, and keeps no lock. Its error is ErrLocked when the row is
// still held.
func IsFree(ctx context.Context, g *gorm.DB, table string, id int64, wait time.Duration) error {
	// TiDB locks nothing outside of a transaction.
	return transact(ctx, g, func(tx *gorm.DB) error { return lockRow(tx.Table(table), id, wait) }, begin(g))
}

func lockRow(q *gorm.DB, id int64, wait time.Duration) error {
	return forUpdate(q, wait).Where("id = ?", id).Select("id").Find(&id).Error
}

// turnWait is how long Turn waits.
const turnWait = 2 * time.Second

// Turn waits until it is the caller's turn at a row among the callers of this process. Whoever changes a single row that its request names
// takes a turn before its transaction begins: where another process holds the row, one transaction waits for it, with its connection,
// and not one for each request. Its error is ErrLocked after two seconds, or that of ctx. Call done when the transaction has ended.
func Turn(ctx context.Context, g *gorm.DB, row string) (done func(), err error) {
	if g.Name() == SQLite {
		return func() {}, nil
	}
	all := g.Dialector.(dialector).turns
	all.mu.Lock()
	turn := all.rows[row]
	if turn == nil {
		turn = &rowTurn{taken: make(chan struct{}, 1)}
		all.rows[row] = turn
	}
	turn.callers++
	all.mu.Unlock()
	leave := func() {
		all.mu.Lock()
		defer all.mu.Unlock()
		if turn.callers--; turn.callers == 0 {
			delete(all.rows, row)
		}
	}
	patience := time.NewTimer(turnWait)
	defer patience.Stop()
	select {
	case turn.taken <- struct{}{}:
		return func() { <-turn.taken; leave() }, nil
	case <-patience.C:
		err = ErrLocked
	case <-ctx.Done():
		err = ctx.Err()
	}
	leave()
	return nil, err
}

// rowTurns has the rows at which callers of Turn are, or wait.
type rowTurns struct {
	mu   sync.Mutex
	rows map[string]*rowTurn
}

type rowTurn struct {
	taken   chan struct{}
	callers int
}

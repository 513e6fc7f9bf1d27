package db

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

const (
	// maxWait is how long a statement waits for a locked row: innodb_lock_wait_timeout, 1 s at least.
	maxWait = time.Second
	// minWait is the shortest time limit of a statement. A shorter limit ends statements without any wait
	// when the server is busy.
	minWait = 50 * time.Millisecond
	// waitTimeout is how many seconds the server keeps a silent connection, with the locks of its
	// transaction.
	waitTimeout = "20"
)

// ForUpdate locks the rows of a query until the transaction ends. The query's error is ErrLocked when
// another transaction holds a row for longer than a second. SQLite needs no row locks: its transactions run
// serially.
func ForUpdate(q *gorm.DB) *gorm.DB { return ForUpdateWithin(q, maxWait) }

// ForUpdateWithin is ForUpdate with a shorter wait than a second; 0 does not wait. No engine has lock waits
// between 0 and a second, so wait limits the whole statement:
// https://dev.mysql.com/doc/refman/8.4/en/optimizer-hints.html#optimizer-hints-execution-time,
// https://mariadb.com/kb/en/aborting-statements/
func ForUpdateWithin(q *gorm.DB, wait time.Duration) *gorm.DB {
	locking := clause.Locking{Strength: clause.LockingStrengthUpdate}
	server := q.Dialector.(dialector)
	switch wait = max(wait, minWait); {
	case q.Name() == SQLite:
		return q
	case wait >= maxWait:
	case server.mariaDB: // MariaDB's NOWAIT rolls the transaction back where innodb_rollback_on_timeout is set
		limit := fmt.Sprintf("SET STATEMENT max_statement_time=%.3f FOR", wait.Seconds())
		q = q.Clauses(selectLimit{before: limit})
	case wait == minWait:
		locking.Options = clause.LockingOptionsNoWait
	default:
		q = q.Clauses(selectLimit{after: fmt.Sprintf("/*+ MAX_EXECUTION_TIME(%d) */", wait.Milliseconds())})
	}
	return q.Clauses(locking)
}

// ByID makes a statement on a model find its rows by the primary key. When a statement names many rows of a
// small table, MySQL and MariaDB would scan the table and wait for locked rows of no concern to the
// statement.
func ByID(q *gorm.DB) *gorm.DB {
	if q.Name() == SQLite {
		return q
	}
	return q.Clauses(byID{})
}

type byID struct{}

// Build implements clause.Expression.
func (byID) Build(clause.Builder) {}

// ModifyStatement implements gorm.StatementModifier.
func (byID) ModifyStatement(s *gorm.Statement) {
	for _, name := range []string{"FROM", "UPDATE"} {
		c := s.Clauses[name]
		c.AfterExpression = clause.Expr{SQL: "FORCE INDEX (PRIMARY)"}
		s.Clauses[name] = c
	}
}

// selectLimit adds SQL before or after the keyword SELECT.
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

// turnWait is how long Take waits.
const turnWait = 2 * time.Second

// Turns lets the requests of a process change a row in turns. A request takes a turn before the transaction
// begins. When another process holds the row, only a single request waits, with a connection.
// The zero value is ready to use.
type Turns struct {
	mu   sync.Mutex
	rows map[string]*turn
}

type turn struct {
	taken   chan struct{}
	callers int // also waiting callers
}

// Take waits for the caller's turn at a row. The error is ErrLocked after two seconds, or ctx's. Call done
// when the transaction has ended.
func (t *Turns) Take(ctx context.Context, row string) (done func(), err error) {
	here := t.enter(row)
	patience := time.NewTimer(turnWait)
	defer patience.Stop()
	select {
	case here.taken <- struct{}{}:
		return func() { <-here.taken; t.leave(row) }, nil
	case <-patience.C:
		err = ErrLocked
	case <-ctx.Done():
		err = ctx.Err()
	}
	t.leave(row)
	return nil, err
}

func (t *Turns) enter(row string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[string]*turn{}
	}
	if t.rows[row] == nil {
		t.rows[row] = &turn{taken: make(chan struct{}, 1)}
	}
	t.rows[row].callers++
	return t.rows[row]
}

func (t *Turns) leave(row string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows[row].callers--; t.rows[row].callers == 0 {
		delete(t.rows, row)
	}
}

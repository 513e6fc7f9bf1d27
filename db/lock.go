package db

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"example.com/b2b/v2/internal/timing"
)

const (
	// maxWait is the longest time that a statement waits for a locked row. It is the value of
	// innodb_lock_wait_timeout, which cannot be less than a second.
	maxWait = time.Second
	// minWait is the shortest time limit of a statement. On a busy server, a shorter limit would end
	// statements that wait for no row.
	minWait = 50 * time.Millisecond
	// waitTimeout is the number of seconds after which the server closes an idle connection, and so frees the
	// locks of its transaction.
	waitTimeout = "20"
)

// ForUpdate makes a query lock its rows until the transaction ends. The query fails with ErrLocked when
// another transaction holds a row for longer than a second. On SQLite, ForUpdate does nothing, because
// transactions run serially.
func ForUpdate(q *gorm.DB) *gorm.DB { return ForUpdateWithin(q, maxWait) }

// ForUpdateWithin is ForUpdate with a shorter wait. A wait of a second or more is the wait of ForUpdate. No
// engine can limit the wait for a lock to less than a second, so a shorter wait limits the whole statement:
// see https://dev.mysql.com/doc/refman/8.4/en/optimizer-hints.html#optimizer-hints-execution-time and
// https://mariadb.com/kb/en/aborting-statements/. When wait is at most minWait, the query does not wait for a
// lock; MariaDB waits for minWait.
func ForUpdateWithin(q *gorm.DB, wait time.Duration) *gorm.DB {
	locking := clause.Locking{Strength: clause.LockingStrengthUpdate}
	server := q.Dialector.(dialector)
	switch wait = max(wait, minWait); {
	case q.Name() == SQLite:
		return q
	case wait >= maxWait:
	// On MariaDB, NOWAIT would roll the transaction back if innodb_rollback_on_timeout is on.
	case server.mariaDB:
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
// small table, MySQL and MariaDB would otherwise scan the table, and wait for locked rows that the statement
// does not need.
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

// selectLimit limits the time of a SELECT, by SQL before or after the keyword SELECT.
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

// turnWait is the longest wait of Turns.Take.
const turnWait = 2 * time.Second

// Turns lets the requests of a process change a row one after the other. A request takes its turn before its
// transaction begins. So when another process holds the row, only one request occupies a connection while it
// waits. The zero value is ready to use.
type Turns struct {
	mu   sync.Mutex
	rows map[string]*turn
}

type turn struct {
	taken   chan struct{}
	callers int // callers that have the turn or wait for the turn
}

// Take waits for the caller's turn to change a row. Call the function done when the transaction has ended.
// The error is ErrLocked after two seconds, or the error of ctx when ctx ends.
func (t *Turns) Take(ctx context.Context, row string) (done func(), err error) {
	here := t.enter(row)
	begin := time.Now()
	defer func() { timing.From(ctx).Turn(time.Since(begin)) }()
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

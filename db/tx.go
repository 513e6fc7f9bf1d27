package db

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"gorm.io/gorm"

	"example.com/b2b/v2/internal/timing"
)

// InTx runs fn in a transaction, and commits when fn returns nil. InTx runs fn again after a deadlock, after
// a wait of a second for a row that another transaction holds, and when fn returns ErrConflict. So fn must
// not leave traces outside of tx. InTx gives up after 12 tries or five seconds, with ErrConflict; the pauses
// between the tries are random, and grow. Transactions do not nest: InTx fails when g is in a transaction,
// and tx cannot begin another transaction.
//
// Except on SQLite, InTx uses at most a third of the connections. So reads and InReservedTx still get a
// connection when transactions of InTx wait for rows.
func InTx(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	room := g.Dialector.(dialector).transactions
	return retryTx(ctx, func() error {
		// When g is in a transaction, g.DB fails, and transact will return an error. So take no place in
		// room.
		if _, err := g.DB(); err == nil && room != nil {
			if err := enter(ctx, room); err != nil {
				return err
			}
			defer func() { <-room }()
		}
		return transact(ctx, g, fn, begin(g))
	})
}

// enter takes a place in room. A wait for a place counts as a wait for a connection, because a larger pool
// remedies both waits. Error: the error of ctx when ctx ends first.
func enter(ctx context.Context, room chan struct{}) error {
	select {
	case room <- struct{}{}:
		return nil
	default:
	}
	defer noteWait(ctx, time.Now())
	select {
	case room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// noteWait adds a wait for a connection to the metrics, and to the times of the request.
func noteWait(ctx context.Context, begin time.Time) {
	waited := time.Since(begin)
	connectionSeconds.Observe(waited.Seconds())
	timing.From(ctx).Pool(waited)
}

// InReservedTx is InTx without the limit on connections. It is for callers that run few transactions at once.
func InReservedTx(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	return retryTx(ctx, func() error { return transact(ctx, g, fn, begin(g)) })
}

// TryTx runs fn once, in a transaction, and rolls the transaction back. It returns the error of fn.
func TryTx(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	err := transact(ctx, g, func(tx *gorm.DB) error { return cmp.Or(fn(tx), errRollback) }, begin(g))
	if errors.Is(err, errRollback) {
		return nil
	}
	return err
}

var errRollback = errors.New("rolled back")

func retryTx(ctx context.Context, try func() error) error {
	return retry(ctx, 12, 5*time.Second, try)
}

func begin(g *gorm.DB) string {
	if g.Name() == SQLite {
		return "BEGIN IMMEDIATE"
	}
	return "START TRANSACTION"
}

// retry runs fn again while fn fails with ErrConflict. The parameters tries and limit bound the number and
// the time of all tries.
func retry(ctx context.Context, tries uint, limit time.Duration, fn func() error) error {
	wait := backoff.NewExponentialBackOff() // the pauses have jitter
	wait.InitialInterval, wait.MaxInterval = 5*time.Millisecond, 250*time.Millisecond
	tried := false
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		if tried {
			retries.Inc()
		}
		tried = true
		err := fn()
		if err != nil && !errors.Is(translate(err), ErrConflict) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(tries), backoff.WithMaxElapsedTime(limit))
	return err
}

// Snapshot runs fn once, in a transaction that reads all tables as of one moment. fn must not write; only
// MySQL and MariaDB refuse writes. Meanwhile other transactions may write; on SQLite, the transactions of
// this process wait until fn has ended.
func Snapshot(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	if g.Name() == SQLite {
		return transact(ctx, g, fn, "BEGIN")
	}
	const repeatableRead = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
	err := transact(ctx, g, fn, repeatableRead, "START TRANSACTION READ ONLY")
	if isUnsupported(err) {
		err = transact(ctx, g, fn, repeatableRead, "START TRANSACTION")
	}
	return err
}

// transact runs fn in a transaction, and commits when fn returns nil. The parameter begin has the statements
// that start the transaction.
//
// The function transact does not use sql.Tx, because Commit and Rollback of sql.Tx take no context
// (https://pkg.go.dev/database/sql/driver#Tx) and wait for the answer of the server without a limit. When the
// server is cut off at that moment, the request and its connection would wait until TCP gives up.
func transact(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error, begin ...string) error {
	pool, err := g.DB()
	if err != nil {
		return fmt.Errorf("db: a transaction within another: %w", err)
	}
	return onConn(ctx, pool, func(conn *sql.Conn) (clean bool, err error) {
		for _, statement := range begin {
			if err := execLogged(ctx, g, conn, statement); err != nil {
				return false, err // not clean: SET TRANSACTION may change the next transaction
			}
		}
		tx := g.Session(&gorm.Session{NewDB: true, Context: ctx})
		tx.Statement.ConnPool = statements{conn}
		if err = fn(tx); err == nil {
			err = execLogged(ctx, g, conn, "COMMIT")
		}
		return err == nil || finish(ctx, conn, "ROLLBACK") == nil, err
	})
}

// statements hides the methods of a connection that begin a transaction: on MySQL, beginning a second
// transaction would commit the first.
type statements struct{ gorm.ConnPool }

// onConn takes a connection from the pool, and runs fn on the connection. When fn panics or reports that the
// connection is not clean, onConn closes the connection, and the server rolls back the open transaction.
func onConn(ctx context.Context, pool *sql.DB, fn func(conn *sql.Conn) (clean bool, err error)) error {
	begin := time.Now()
	conn, err := pool.Conn(ctx)
	noteWait(ctx, begin)
	if err != nil {
		return translate(err)
	}
	clean := false
	defer func() {
		if !clean {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = conn.Close()
	}()
	clean, err = fn(conn)
	return translate(err)
}

// execLogged runs a statement that gorm does not run, and counts and logs the statement as gorm's statements.
func execLogged(ctx context.Context, g *gorm.DB, conn *sql.Conn, statement string) error {
	begin := time.Now()
	_, err := conn.ExecContext(ctx, statement)
	if log, ok := g.Logger.(statementLog); ok {
		log.add(ctx, statement, statement, begin, 0)
	}
	return err
}

// finish runs a statement that ends a transaction or a lock, or resets a setting of the connection. The
// statement gets a second of its own, because the time of the request may be over.
func finish(ctx context.Context, conn *sql.Conn, statement string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, err := conn.ExecContext(ctx, statement, args...)
	return err
}

// RunExclusive runs the function work and returns true, unless another call with the same name already runs
// on the same database, in this process or in another process.
//
// The lock ends with its connection, and after about three minutes. A process that has lost contact with the
// database may still be at work when the next process starts. So RunExclusive only saves double work: the
// function work must stay correct when two processes run it at once.
//
// Each call takes two connections: one for the lock, and one for the function work. On SQLite, and in a pool
// of fewer than exclusiveFrom connections, there is no lock, and every call runs the function.
func RunExclusive(
	ctx context.Context, g *gorm.DB, name string, work func(ctx context.Context) error,
) (ran bool, err error) {
	pool, err := g.DB()
	if err != nil {
		return false, err
	}
	if g.Name() == SQLite || pool.Stats().MaxOpenConnections < exclusiveFrom {
		return true, work(ctx)
	}
	err = onConn(ctx, pool, func(conn *sql.Conn) (clean bool, err error) {
		if err := lock(name).take(ctx, conn, 0); errors.Is(err, ErrConflict) {
			return true, nil
		} else if err != nil {
			return false, err
		}
		ran = true
		// Unlock even after a panic of the function work.
		defer func() { clean = lock(name).SessionUnlock(ctx, conn) == nil }()
		return false, work(ctx)
	})
	return ran, err
}

// exclusiveFrom is the least pool size with which RunExclusive takes a lock. A process of all services has
// eight exclusive jobs: when all of them hold their locks, two connections are left for the work.
const exclusiveFrom = 10

// lock is the name of a lock on the server. A connection holds the lock until SessionUnlock, or until the
// connection ends. The type implements goose's lock.SessionLocker.
type lock string

// lockName is an SQL expression for the name of a lock on the server, at most 64 characters. The name
// includes the database, because all databases of a server share the names of locks.
const lockName = "CONCAT('b2b ', SHA2(CONCAT(DATABASE(), ' ', ?), 224))"

// take waits for the lock for at most the given seconds, and then returns ErrConflict. TiDB waits for at
// least a second, and gives up early when many connections ask at once.
func (l lock) take(ctx context.Context, conn *sql.Conn, seconds int) error {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+lockName+", ?)", string(l), seconds).Scan(&got)
	if err == nil && !got.Valid {
		return errors.New("GET_LOCK failed")
	} else if err == nil && got.Int64 == 0 {
		return fmt.Errorf("%w: another process has held the lock %q for too long", ErrConflict, string(l))
	}
	if err == nil { // raise the timeout: the connection is silent while the job runs
		_, err = conn.ExecContext(ctx, "SET SESSION wait_timeout = 200")
	}
	return translate(err)
}

// SessionLock waits for the lock for about a minute at most. Error: ErrConflict when the time is over.
func (l lock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	return retry(ctx, 50, time.Minute, func() error { return l.take(ctx, conn, 1) })
}

func (l lock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	return errors.Join(
		finish(ctx, conn, "DO RELEASE_LOCK("+lockName+")", string(l)),
		finish(ctx, conn, "SET SESSION wait_timeout = "+waitTimeout),
	)
}

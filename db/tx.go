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
	mysqldriver "github.com/go-sql-driver/mysql"
	"gorm.io/gorm"
)

// InTx runs fn in a transaction and commits when fn returns nil. After a deadlock, after a wait of a second
// for another transaction's row, or when fn returns ErrConflict, InTx runs fn again: 12 times or for five
// seconds at most, with growing, jittered pauses. So fn must not leave traces outside of tx. When no try
// succeeds, the error is ErrConflict. Transactions do not nest: g must not be in one, and tx refuses to begin
// another.
//
// InTx uses at most a third of the connections. Where transactions wait for stuck rows, reads and
// InReservedTx still get a connection.
func InTx(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	room := g.Dialector.(dialector).transactions
	return retryTx(ctx, func() error {
		if _, err := g.DB(); err == nil && room != nil { // in a transaction g.DB fails, and so will transact
			select {
			case room <- struct{}{}:
				defer func() { <-room }()
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return transact(ctx, g, fn, begin(g))
	})
}

// InReservedTx is InTx without the limit of connections, for callers with few transactions at once.
func InReservedTx(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	return retryTx(ctx, func() error { return transact(ctx, g, fn, begin(g)) })
}

// TryTx runs fn once, in a transaction to be rolled back.
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

// retry runs fn until it does not fail with an ErrConflict, at most tries times and until limit has passed.
func retry(ctx context.Context, tries uint, limit time.Duration, fn func() error) error {
	wait := backoff.NewExponentialBackOff() // with jitter
	wait.InitialInterval, wait.MaxInterval = 5*time.Millisecond, 250*time.Millisecond
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := fn()
		if err != nil && !errors.Is(translate(err), ErrConflict) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(tries), backoff.WithMaxElapsedTime(limit))
	return err
}

// Snapshot runs fn once, in a transaction that reads all tables as of one moment. fn must not write: only
// MySQL and MariaDB refuse to. On SQLite, other transactions may write meanwhile.
func Snapshot(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	if g.Name() == SQLite {
		return transact(ctx, g, fn, "BEGIN")
	}
	const repeatableRead = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
	err := transact(ctx, g, fn, repeatableRead, "START TRANSACTION READ ONLY")
	var my *mysqldriver.MySQLError
	if errors.As(err, &my) && my.Number == 1235 { // ER_NOT_SUPPORTED_YET: TiDB has no READ ONLY
		err = transact(ctx, g, fn, repeatableRead, "START TRANSACTION")
	}
	return err
}

// transact runs fn in a transaction, started by the statements in begin.
//
// transact does not use sql.Tx, because Commit and Rollback of sql.Tx take no context
// (https://pkg.go.dev/database/sql/driver#Tx) and wait for the answer without end. When the server is cut off
// at that moment, the request and its connection would wait until TCP gives up.
func transact(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error, begin ...string) error {
	pool, err := g.DB()
	if err != nil {
		return fmt.Errorf("db: a transaction within another: %w", err)
	}
	return onConn(ctx, pool, func(conn *sql.Conn) (clean bool, err error) {
		for _, statement := range begin {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return false, err // not clean: SET TRANSACTION may have set the level of the next transaction
			}
		}
		tx := g.Session(&gorm.Session{NewDB: true, Context: ctx})
		tx.Statement.ConnPool = statements{conn}
		if err = fn(tx); err == nil {
			_, err = conn.ExecContext(ctx, "COMMIT")
		}
		return err == nil || finish(ctx, conn, "ROLLBACK") == nil, err
	})
}

// statements hides a connection's methods to begin a transaction. On MySQL, to begin another would
// commit the first.
type statements struct{ gorm.ConnPool }

// onConn runs fn on a connection of its own. When fn panics or does not report a clean connection, onConn
// closes the connection, and the server rolls back its transaction.
func onConn(ctx context.Context, pool *sql.DB, fn func(conn *sql.Conn) (clean bool, err error)) error {
	conn, err := pool.Conn(ctx)
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

// finish runs a statement to end a transaction or a lock. It has a second, because the time of
// the request may be over.
func finish(ctx context.Context, conn *sql.Conn, statement string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, err := conn.ExecContext(ctx, statement, args...)
	return err
}

// RunExclusive runs work unless another call, here or in another process, is running work of the same name on
// the same database. RunExclusive reports whether work ran.
//
// The lock ends with its connection, and after about three minutes. A process without contact to the database
// may then still be at work when the next process starts. So RunExclusive saves double work, and work must
// stay correct when two processes do it.
//
// The lock takes a connection, and work another. On SQLite, and in a pool of fewer than exclusiveFrom
// connections, there is no lock, and every call runs work.
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
		defer func() { clean = lock(name).SessionUnlock(ctx, conn) == nil }() // when work panics, too
		return false, work(ctx)
	})
	return ran, err
}

// exclusiveFrom is how many connections a pool needs for exclusive runs: a process has five exclusive jobs,
// and two connections for each cannot all be taken by locks.
const exclusiveFrom = 10

// lock is the name of a lock on the server, held until the connection ends. It implements goose's
// lock.SessionLocker.
type lock string

// lockName is the server's name of a lock. The name includes the database, because all databases of a server
// share the names. 64 characters are allowed.
const lockName = "CONCAT('b2b ', SHA2(CONCAT(DATABASE(), ' ', ?), 224))"

// take returns ErrConflict when other connections have held the lock for so many seconds. TiDB waits for a
// second at least, and gives up early when many connections ask at once.
func (l lock) take(ctx context.Context, conn *sql.Conn, seconds int) error {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+lockName+", ?)", string(l), seconds).Scan(&got)
	if err == nil && !got.Valid {
		return errors.New("GET_LOCK failed")
	} else if err == nil && got.Int64 == 0 {
		return fmt.Errorf("%w: another process has held the lock %q for too long", ErrConflict, string(l))
	}
	if err == nil { // the connection is silent while work runs
		_, err = conn.ExecContext(ctx, "SET SESSION wait_timeout = 200")
	}
	return translate(err)
}

// SessionLock waits for about a minute.
func (l lock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	return retry(ctx, 50, time.Minute, func() error { return l.take(ctx, conn, 1) })
}

func (l lock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	return errors.Join(
		finish(ctx, conn, "DO RELEASE_LOCK("+lockName+")", string(l)),
		finish(ctx, conn, "SET SESSION wait_timeout = "+waitTimeout),
	)
}

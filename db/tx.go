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

// InTx runs fn in a transaction and commits when it returns nil. When the database ends the transaction in
// favour of another (a deadlock, a row held by another for too long), or fn returns ErrConflict, InTx runs fn
// again, a bounded number of times, for five seconds at most; so fn must not leave traces outside of tx. Its
// last error is then ErrConflict. There is no transaction within another: g must not be in one, and
// tx refuses to begin one.
//
// The transactions of InTx take a third of the connections at most: where rows are stuck, reads and
// InReservedTx still have theirs.
func InTx(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	room := g.Dialector.(dialector).transactions
	return inTx(ctx, func() error {
		if _, err := g.DB(); err == nil && room != nil { // else transact refuses
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

// InReservedTx is InTx for callers that see to it themselves that they run few transactions at once.
func InReservedTx(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	return inTx(ctx, func() error { return transact(ctx, g, fn, begin(g)) })
}

// TryTx runs fn once, in a transaction that is rolled back.
func TryTx(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	err := transact(ctx, g, func(tx *gorm.DB) error { return cmp.Or(fn(tx), errRollback) }, begin(g))
	if errors.Is(err, errRollback) {
		return nil
	}
	return err
}

var errRollback = errors.New("rolled back")

func inTx(ctx context.Context, try func() error) error {
	return retry(ctx, 12, 5*time.Second, try)
}

func begin(g *gorm.DB) string {
	if g.Name() == SQLite {
		return "BEGIN IMMEDIATE"
	}
	return "START TRANSACTION"
}

// retry runs fn again while it loses against another transaction, at most tries times and for so long.
func retry(ctx context.Context, tries uint, limit time.Duration, fn func() error) error {
	wait := backoff.NewExponentialBackOff() // jittered
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

// Snapshot runs fn once, in a transaction that reads all tables as they were at one moment. MySQL and MariaDB
// refuse to write in it; SQLite and TiDB do not, so fn must not. On SQLite it lets others write meanwhile.
func Snapshot(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	if g.Name() == SQLite {
		return transact(ctx, g, fn, "BEGIN")
	}
	const repeatableRead = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
	err := transact(ctx, g, fn, repeatableRead, "START TRANSACTION READ ONLY")
	var my *mysqldriver.MySQLError
	if errors.As(err, &my) && my.Number == 1235 { // ER_NOT_SUPPORTED_YET: TiDB knows no READ ONLY
		err = transact(ctx, g, fn, repeatableRead, "START TRANSACTION")
	}
	return err
}

// transact runs fn in one transaction, which the statements in begin start.
//
// It goes around sql.Tx because that one's Commit and Rollback do not obey a context: driver.Tx takes none
// (https://pkg.go.dev/database/sql/driver#Tx), so a driver waits for the answer without end. A server that is
// cut off at that moment would keep the request, and its connection, waiting for as long as TCP does.
func transact(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error, begin ...string) error {
	pool, err := g.DB()
	if err != nil {
		return fmt.Errorf("db: a transaction within another: %w", err)
	}
	return onConn(ctx, pool, func(conn *sql.Conn) (clean bool, err error) {
		for _, statement := range begin {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return false, err // an isolation level may be set for the next transaction
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

// statements is what gorm sees of a transaction's connection: nothing that begins another one, which would
// commit the first.
type statements struct{ gorm.ConnPool }

// onConn runs fn on a connection that nobody else uses. Unless fn leaves it clean, it is closed, and the
// server ends what has begun on it; so it is when fn panics.
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

// finish runs a statement that ends something, for a request whose time is over, too.
func finish(ctx context.Context, conn *sql.Conn, statement string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, err := conn.ExecContext(ctx, statement, args...)
	return err
}

// RunExclusive runs work unless another process, or another call, is running work of that name on the same
// database. It reports whether it ran it. The lead ends with work, or with the connection that holds it: a
// leader that is cut off from the database may still work when the next one starts, so RunExclusive saves
// double work and does not make it harmless. Work that takes longer than three minutes may lose the lead on
// the way.
//
// A lead takes a connection, and work needs another. So on SQLite, and in a pool of few connections, which
// several leads could take away from each other's work, there is no lead: each call runs work.
func RunExclusive(ctx context.Context, g *gorm.DB, name string, work func(ctx context.Context) error) (led bool, err error) {
	pool, err := g.DB()
	if err != nil {
		return false, err
	}
	if g.Name() == SQLite || pool.Stats().MaxOpenConnections < leadsFrom {
		return true, work(ctx)
	}
	err = onConn(ctx, pool, func(conn *sql.Conn) (clean bool, err error) {
		if err := lock(name).take(ctx, conn, 0); errors.Is(err, ErrConflict) {
			return true, nil
		} else if err != nil {
			return false, err
		}
		led = true
		defer func() { clean = lock(name).SessionUnlock(ctx, conn) == nil }() // when work panics, too
		return false, work(ctx)
	})
	return led, err
}

// leadsFrom is how many connections a pool must have for leads: twice as many as there are in one process,
// and more.
const leadsFrom = 8

// lock is the name of one that the server frees when the connection ends, whatever ends it. It implements
// goose's lock.SessionLocker.
type lock string

// The name of a lock is the server's, not the database's, and may have 64 characters.
const lockName = "CONCAT('b2b ', SHA2(CONCAT(DATABASE(), ' ', ?), 224))"

// take returns ErrConflict when others have held the lock for so many seconds. TiDB waits for one at least,
// and gives up early when many ask at once.
func (l lock) take(ctx context.Context, conn *sql.Conn, seconds int) error {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+lockName+", ?)", string(l), seconds).Scan(&got)
	if err == nil && !got.Valid {
		return errors.New("GET_LOCK failed") // https://dev.mysql.com/doc/refman/8.4/en/locking-functions.html#function_get-lock
	} else if err == nil && got.Int64 == 0 {
		return fmt.Errorf("%w: another process has held the lock %q for too long", ErrConflict, string(l))
	}
	if err == nil { // its connection says nothing while the work lasts
		_, err = conn.ExecContext(ctx, "SET SESSION wait_timeout = 200")
	}
	return translate(err)
}

// SessionLock waits for about a minute.
func (l lock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	return retry(ctx, 50, time.Minute, func() error { return l.take(ctx, conn, 1) })
}

func (l lock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	return errors.Join(finish(ctx, conn, "DO RELEASE_LOCK("+lockName+")", string(l)), finish(ctx, conn, "SET SESSION wait_timeout = "+waitTimeout))
}

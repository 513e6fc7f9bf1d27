package db

import (
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

// InTx runs fn in a transaction and commits when it returns nil. When the database ends the transaction in favour of another
// (a deadlock, a lock held too long), or fn returns ErrConflict, InTx runs fn again a bounded number of times; so fn must not
// leave traces outside of tx. Its last error is then apperr's unavailable. There is no transaction within another: g must not be in
// one, and tx refuses to begin one.
func InTx(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	begin := "START TRANSACTION"
	if g.Name() == SQLite {
		begin = "BEGIN IMMEDIATE"
	}
	return retry(ctx, 12, func() error { return transact(ctx, g, fn, begin) })
}

// retry runs fn again while it loses against another transaction, at most tries times.
func retry(ctx context.Context, tries uint, fn func() error) error {
	wait := backoff.NewExponentialBackOff() // jittered
	wait.InitialInterval, wait.MaxInterval = 5*time.Millisecond, 250*time.Millisecond
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := fn()
		if err != nil && !errors.Is(translate(err), ErrConflict) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(tries))
	return err
}

// Snapshot runs fn once, in a transaction that reads all tables as they were at one moment. MySQL and MariaDB refuse to write in
// it; SQLite and TiDB do not, so fn must not. On SQLite it lets others write meanwhile.
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
// (https://pkg.go.dev/database/sql/driver#Tx), so a driver waits for the answer without end. A server that is cut off at that
// moment would keep the request, and its connection, waiting for as long as TCP does.
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

// statements is what gorm sees of a transaction's connection: nothing that begins another one, which would commit the first.
type statements struct{ gorm.ConnPool }

// onConn runs fn on a connection that nobody else uses. Unless fn leaves it clean, it is closed, and the server ends what has begun
// on it; so it is when fn panics.
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

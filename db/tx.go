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
	begin := []string{"START TRANSACTION"}
	if g.Name() == SQLite {
		begin = []string{"BEGIN IMMEDIATE"}
	}
	wait := backoff.NewExponentialBackOff() // jittered
	wait.InitialInterval, wait.MaxInterval = 5*time.Millisecond, 250*time.Millisecond
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := transact(ctx, g, begin, fn)
		if err != nil && !errors.Is(err, ErrConflict) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(12))
	return err
}

// Snapshot runs fn once, in a transaction that reads all tables as they were at one moment. MySQL and MariaDB refuse to write in
// it; SQLite and TiDB do not, so fn must not. On SQLite it lets others write meanwhile.
func Snapshot(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	if g.Name() == SQLite {
		return transact(ctx, g, []string{"BEGIN"}, fn)
	}
	const repeatableRead = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
	err := transact(ctx, g, []string{repeatableRead, "START TRANSACTION READ ONLY"}, fn)
	var my *mysqldriver.MySQLError
	if errors.As(err, &my) && my.Number == 1235 { // ER_NOT_SUPPORTED_YET: TiDB knows no READ ONLY
		err = transact(ctx, g, []string{repeatableRead, "START TRANSACTION"}, fn)
	}
	return err
}

// transact runs fn in one transaction, which the statements in begin start.
//
// It goes around sql.Tx because that one's Commit and Rollback do not obey a context: driver.Tx takes none
// (https://pkg.go.dev/database/sql/driver#Tx), so a driver waits for the answer without end. A server that is cut off at that
// moment would keep the request, and its connection, waiting for as long as TCP does.
func transact(ctx context.Context, g *gorm.DB, begin []string, fn func(tx *gorm.DB) error) error {
	pool, err := g.DB()
	if err != nil {
		return fmt.Errorf("db: a transaction within another: %w", err)
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	for _, statement := range begin {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			giveBack(conn, false) // an isolation level may be set for the next transaction
			return translate(err)
		}
	}
	committed := false
	defer func() { // when fn panics, too
		if !committed {
			rollBack(ctx, conn)
		}
	}()
	tx := g.Session(&gorm.Session{NewDB: true, Context: ctx})
	tx.Statement.ConnPool = statements{conn}
	if err := fn(tx); err != nil {
		return translate(err)
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return translate(err)
	}
	committed = true
	giveBack(conn, true)
	return nil
}

// statements is what gorm sees of a transaction's connection: nothing that begins another one, which would commit the first.
type statements struct{ gorm.ConnPool }

// rollBack ends the transaction and gives the connection back. It is for requests whose time is over, too.
func rollBack(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, err := conn.ExecContext(ctx, "ROLLBACK")
	giveBack(conn, err == nil)
}

// giveBack returns the connection to its pool, or closes it when it is not clean. The server then ends what it has begun.
func giveBack(conn *sql.Conn, clean bool) {
	if !clean {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = conn.Close()
}

package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gorm.io/gorm"
)

// Lead runs work unless another process, or another call, is running work of that name on the same database. It reports whether it
// ran it. The lead ends with work, or with the connection that holds it: a leader that is cut off from the database may still work
// when the next one starts, so Lead saves double work and does not make it harmless. Work that takes longer than three minutes may
// lose the lead on the way.
//
// On SQLite, and with a single connection, which work itself needs, there is no lead: each call runs work.
func Lead(ctx context.Context, g *gorm.DB, name string, work func(ctx context.Context) error) (led bool, err error) {
	pool, err := g.DB()
	if err != nil {
		return false, err
	}
	if g.Name() == SQLite || pool.Stats().MaxOpenConnections == 1 {
		return true, work(ctx)
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return false, translate(err)
	}
	free := false
	defer func() { giveBack(conn, free) }()
	if led, err = lock(ctx, conn, name, 0); err != nil || !led {
		free = err == nil
		return false, translate(err)
	}
	defer func() { // when work panics or its time is over, too
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		free = unlock(ctx, conn, name) == nil
	}()
	return true, work(ctx)
}

// The name of a lock is the server's, not the database's, and may have 64 characters.
const lockName = "CONCAT('b2b ', SHA2(CONCAT(DATABASE(), ' ', ?), 224))"

// lock takes a lock that the server frees when the connection ends, whatever ends it. It returns false when others have held it for
// wait. TiDB waits for a second at least, and gives up early when many ask at once.
func lock(ctx context.Context, conn *sql.Conn, name string, wait time.Duration) (bool, error) {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+lockName+", ?)", name, int(wait.Seconds())).Scan(&got)
	if errors.Is(translate(err), ErrConflict) {
		return false, nil
	}
	if err == nil && !got.Valid {
		err = errors.New("GET_LOCK failed") // https://dev.mysql.com/doc/refman/8.4/en/locking-functions.html#function_get-lock
	}
	return got.Int64 == 1, err
}

func unlock(ctx context.Context, conn *sql.Conn, name string) error {
	_, err := conn.ExecContext(ctx, "DO RELEASE_LOCK("+lockName+")", name)
	return err
}

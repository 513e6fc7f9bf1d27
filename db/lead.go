package db

import (
	"context"
	"database/sql"
	"errors"

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
	err = onConn(ctx, pool, func(conn *sql.Conn) (clean bool, err error) {
		if led, err = lock(ctx, conn, name, 0); !led {
			return err == nil, err
		}
		defer func() { clean = unlock(ctx, conn, name) == nil }() // when work panics, too
		return false, work(ctx)
	})
	return led, err
}

// The name of a lock is the server's, not the database's, and may have 64 characters.
const lockName = "CONCAT('b2b ', SHA2(CONCAT(DATABASE(), ' ', ?), 224))"

// lock takes a lock that the server frees when the connection ends, whatever ends it. It returns false when others have held it for
// so many seconds. TiDB waits for one at least, and gives up early when many ask at once.
func lock(ctx context.Context, conn *sql.Conn, name string, seconds int) (bool, error) {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+lockName+", ?)", name, seconds).Scan(&got)
	if errors.Is(translate(err), ErrConflict) {
		return false, nil
	}
	if err == nil && !got.Valid {
		err = errors.New("GET_LOCK failed") // https://dev.mysql.com/doc/refman/8.4/en/locking-functions.html#function_get-lock
	}
	return got.Int64 == 1, err
}

func unlock(ctx context.Context, conn *sql.Conn, name string) error {
	return finish(ctx, conn, "DO RELEASE_LOCK("+lockName+")", name)
}

package db

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// sqlitePool is the connections to an SQLite file: one that writes, for SQLite has one writer, and a queue in
// front of one connection beats busy errors behind several; and some that read. A statement that gorm begins
// with SELECT, outside of a transaction, reads what has been committed, and waits neither for the one that
// writes nor for another process that does.
type sqlitePool struct {
	*sql.DB // writes
	readers *sql.DB
	path    string
	stop    context.CancelFunc // of boundLog
}

const (
	readers       = 4           // connections; each takes up to 2 MB for the pages that it has read
	readersIdle   = time.Minute // then they give that back
	lockWait      = "10000"     // milliseconds that a statement waits for another process's lock
	briefLockWait = "1000"
	mostLog       = 64 << 20 // bytes of the write-ahead log
)

// openSQLite makes the file's folder when it is missing.
func openSQLite(path string) (*sqlitePool, error) {
	if path == ":memory:" {
		return nil, errors.New("the database must be a file: each connection to :memory: has one of its own")
	}
	p := &sqlitePool{path: path}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	open := func(pragmas ...string) (*sql.DB, error) {
		q := url.Values{
			"_pragma":      append(pragmas, "busy_timeout("+lockWait+")"),
			"_txlock":      {"immediate"},
			"_time_format": {"sqlite"},
			"_timezone":    {"UTC"},
			"_texttotime":  {"1"}, // a time that an expression makes has no declared type
		}
		dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
		return sql.Open("sqlite", dsn.String())
	}
	var err, readersErr error
	p.DB, err = open("journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)")
	p.readers, readersErr = open("query_only(1)")
	if err := errors.Join(err, readersErr); err != nil {
		return nil, err
	}
	p.SetMaxOpenConns(1)
	p.readers.SetMaxOpenConns(readers)
	p.readers.SetMaxIdleConns(readers)
	p.readers.SetConnMaxIdleTime(readersIdle)
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go p.boundLog(ctx)
	return p, nil
}

// GetDBConn implements gorm.GetDBConnector: transactions are for the connection that writes.
func (p *sqlitePool) GetDBConn() (*sql.DB, error) { return p.DB, nil }

// QueryContext implements gorm.ConnPool.
func (p *sqlitePool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return p.of(query).QueryContext(ctx, query, args...)
}

// QueryRowContext implements gorm.ConnPool.
func (p *sqlitePool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return p.of(query).QueryRowContext(ctx, query, args...)
}

func (p *sqlitePool) of(query string) *sql.DB {
	if strings.HasPrefix(strings.TrimSpace(query), "SELECT ") {
		return p.readers
	}
	return p.DB
}

// Close ends those that read first: the last connection of all tidies the files up, which a reader may not.
func (p *sqlitePool) Close() error {
	p.stop()
	return errors.Join(p.readers.Close(), p.DB.Close())
}

// briefly runs statements on the connection that writes, and waits for the locks of others for a second at
// most.
func (p *sqlitePool) briefly(ctx context.Context, statements ...string) error {
	return onConn(ctx, p.DB, func(conn *sql.Conn) (clean bool, err error) {
		_, err = conn.ExecContext(ctx, "PRAGMA busy_timeout = "+briefLockWait)
		for i := 0; i < len(statements) && err == nil; i++ {
			_, err = conn.ExecContext(ctx, statements[i])
		}
		return finish(ctx, conn, "PRAGMA busy_timeout = "+lockWait) == nil, err
	})
}

// boundLog makes the write-ahead log short again when it has become long. SQLite begins the log anew when no
// read needs it, and under long reads, of which one begins before another ends, there may be no such moment.
// The checkpoint makes writers wait for those reads, for a second at most.
func (p *sqlitePool) boundLog(ctx context.Context) {
	for ctx.Err() == nil {
		pause := time.Second
		if log, err := os.Stat(p.path + "-wal"); err == nil && log.Size() > mostLog {
			_ = p.briefly(ctx, "PRAGMA wal_checkpoint(TRUNCATE)") // which fails while a read is long, and is tried again
			pause = 10 * time.Second
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// ready makes a change of no row, writes one page and waits for the disk, as the smallest order does, and
// looks whether an order would find room on the disk: SQLite writes over what it has of the disk already, so
// the page alone may fit where nothing else does.
func (p *sqlitePool) ready(ctx context.Context, change string) error {
	err := p.briefly(ctx, change, "PRAGMA user_version = 1")
	if err == nil {
		err = p.room()
	}
	return err
}

// room returns an error when the disk has none for 64 KB more, which is about what a small order takes.
func (p *sqlitePool) room() error {
	f, err := os.CreateTemp(filepath.Dir(p.path), ".ready-*")
	if err != nil {
		return err
	}
	_ = os.Remove(f.Name()) // at once, so that no kill leaves the file behind; Windows removes no open file
	_, err = f.Write(make([]byte, 64<<10))
	err = errors.Join(err, f.Close())
	_ = os.Remove(f.Name())
	return err
}

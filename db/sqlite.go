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

// sqlitePool holds the connections to an SQLite file: a writer and some readers. SQLite allows a single
// writer at a time. So all statements that write wait for one connection; with several connections, they
// would fail with busy errors. A SELECT outside of a transaction uses a reader: the reader sees committed
// rows, and does not wait for a writer of this or another process.
type sqlitePool struct {
	*sql.DB // the writer
	readers *sql.DB
	path    string
	stop    context.CancelFunc // ends boundLog
}

const (
	maxReaders    = 4           // largest number of readers; each caches up to 2 MB of pages
	readersIdle   = time.Minute // idle time after which a reader is closed and its cache freed
	lockWait      = "10000"     // milliseconds to wait for the lock of another process
	briefLockWait = "1000"      // milliseconds to wait for the lock of another process, in the method briefly
	logPages      = "4000"      // pages of 4 KB after which SQLite copies the write-ahead log into the file
	maxLog        = 64 << 20    // bytes of the write-ahead log from which boundLog truncates the log
)

// openSQLite returns the pool for a file, and creates the file's folder if missing.
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
			"_texttotime":  {"1"}, // reads times even from expressions, which have no declared type
		}
		dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}
		connector, err := newPreparing(dsn.String())
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(connector), nil
	}
	var err, readersErr error
	p.DB, err = open("journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"temp_store(MEMORY)", // a journal in a file costs system calls for each larger statement
		"wal_autocheckpoint("+logPages+")")
	p.readers, readersErr = open("query_only(1)")
	if err := errors.Join(err, readersErr); err != nil {
		return nil, err
	}
	p.SetMaxOpenConns(1)
	p.readers.SetMaxOpenConns(maxReaders)
	p.readers.SetMaxIdleConns(maxReaders)
	p.readers.SetConnMaxIdleTime(readersIdle)
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go p.boundLog(ctx)
	return p, nil
}

// GetDBConn implements gorm.GetDBConnector: transactions use the writer.
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

// Close closes the writer last: the last connection removes the write-ahead log, and a reader cannot write.
func (p *sqlitePool) Close() error {
	p.stop()
	return errors.Join(p.readers.Close(), p.DB.Close())
}

// briefly runs statements on the writer, and waits at most a second for locks of other processes.
func (p *sqlitePool) briefly(ctx context.Context, statements ...string) error {
	return onConn(ctx, p.DB, func(conn *sql.Conn) (clean bool, err error) {
		_, err = conn.ExecContext(ctx, "PRAGMA busy_timeout = "+briefLockWait)
		for i := 0; i < len(statements) && err == nil; i++ {
			_, err = conn.ExecContext(ctx, statements[i])
		}
		return finish(ctx, conn, "PRAGMA busy_timeout = "+lockWait) == nil, err
	})
}

// boundLog truncates the write-ahead log whenever it is longer than maxLog, until ctx ends. SQLite itself
// restarts the log only at a moment without reads, and overlapping long reads leave no such moment. The
// truncation makes writers wait for reads, for a second at most.
func (p *sqlitePool) boundLog(ctx context.Context) {
	for ctx.Err() == nil {
		pause := time.Second
		if log, err := os.Stat(p.path + "-wal"); err == nil && log.Size() > maxLog {
			_ = p.briefly(ctx, "PRAGMA wal_checkpoint(TRUNCATE)") // the checkpoint fails during a long read
			pause = 10 * time.Second
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// ready returns an error when the database cannot be written. It runs the statement in the parameter change,
// which must change no row, then writes a page, and waits for the disk. Last, it checks the free space of the
// disk: SQLite reuses free space in the file, so the page may fit although the disk is full.
func (p *sqlitePool) ready(ctx context.Context, change string) error {
	err := p.briefly(ctx, change, "PRAGMA user_version = 1")
	if err == nil {
		err = p.hasSpace()
	}
	return err
}

// hasSpace returns an error when the disk has no space for 64 KB, about the size of a small order.
func (p *sqlitePool) hasSpace() error {
	f, err := os.CreateTemp(filepath.Dir(p.path), ".ready-*")
	if err != nil {
		return err
	}
	_ = os.Remove(f.Name()) // remove now, so that a kill leaves no file; on Windows, only Remove below works
	_, err = f.Write(make([]byte, 64<<10))
	err = errors.Join(err, f.Close())
	_ = os.Remove(f.Name())
	return err
}

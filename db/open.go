// Package db opens the database, migrates its schema, runs transactions and background jobs, and reads pages
// of lists. It hides the differences between SQLite, MySQL, MariaDB and TiDB. Except for the sample data, it
// knows no table of a service.
package db

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"golang.org/x/sync/singleflight"
	"gorm.io/driver/mysql"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// The values of Config.Driver.
const (
	MySQL  = "mysql"
	SQLite = "sqlite"
)

// Config describes the database to open.
type Config struct {
	Driver         string // MySQL or SQLite
	Path           string // SQLite: the file; Open creates its folder if missing
	Host           string // Host and all fields below: MySQL only
	Port           int
	User, Password string
	Name           string
	MaxConns       int    // largest number of connections at once
	TLS            string // off, preferred, required (unverified) or verify; "" is off
	TLSCA          string // for verify: a PEM file of CA certificates; "" means the machine's certificates

	ReadHost   string // a replica, for ReadLagging, with the same user, password, name and TLS; "" for none
	ReadPort   int
	ReadMaxLag time.Duration // a replica that lags by more than this time is not read
}

// String returns the driver and the place of the database. It shows neither the user nor the password.
func (c Config) String() string {
	if c.Driver == SQLite {
		return "SQLite " + c.Path
	}
	return fmt.Sprintf("MySQL %s at %s", c.Name, net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
}

// answerTimeout limits the time to connect.
const answerTimeout = 5 * time.Second

// Open connects to the database. Without an answer, it fails after answerTimeout.
func Open(ctx context.Context, c Config) (*gorm.DB, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	pool, base, err := c.pool()
	if err != nil {
		return nil, err
	}
	// When several processes open a new SQLite file, the first switches the file to WAL. Meanwhile the other
	// processes may get SQLITE_BUSY at once, in spite of busy_timeout.
	if err := retry(ctx, 30, time.Minute, func() error { return pool.PingContext(ctx) }); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	wrapped := dialector{Dialector: base, ready: new(singleflight.Group), migrated: new(atomic.Bool)}
	if c.Driver == MySQL {
		var version string
		if err := pool.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
			return nil, errors.Join(err, pool.Close())
		}
		wrapped.mariaDB, wrapped.tiDB = strings.Contains(version, "MariaDB"), strings.Contains(version, "TiDB")
		wrapped.transactions = make(chan struct{}, max(1, c.MaxConns/3))
		if c.ReadHost != "" {
			if wrapped.replica, err = c.openReplica(); err != nil {
				return nil, errors.Join(err, pool.Close())
			}
		}
	}
	return wrapped.open()
}

func (d dialector) open() (*gorm.DB, error) {
	g, err := gorm.Open(d, &gorm.Config{
		TranslateError:         true,
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		NowFunc:                func() time.Time { return time.Now().UTC() },
		Logger:                 logger.Discard, // package web logs errors, and Log logs slow statements
	})
	if err != nil {
		return nil, err
	}
	if err := g.Callback().Query().Replace("gorm:query", query); err != nil {
		return nil, err
	}
	// gorm does not translate the errors of Rows. Raw(...).Scan uses Rows.
	return g, g.Callback().Row().After("gorm:row").Register("b2b:translate", func(tx *gorm.DB) {
		tx.Error = translate(tx.Error)
	})
}

// connections is a *sql.DB or a *sqlitePool.
type connections interface {
	PingContext(ctx context.Context) error
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	Close() error
}

func (c Config) pool() (connections, gorm.Dialector, error) {
	if c.Driver == SQLite {
		pool, err := openSQLite(c.Path)
		return pool, sqlite.New(sqlite.Config{Conn: pool}), err
	}
	pool, err := c.mysqlPool(false)
	return pool, mysql.New(mysql.Config{Conn: pool}), err
}

// mysqlPool returns a pool of connections to c.Host. With readOnly, the server refuses writes.
func (c Config) mysqlPool(readOnly bool) (*sql.DB, error) {
	m := mysqldriver.NewConfig()
	m.Net, m.Addr = "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	m.User, m.Passwd, m.DBName = c.User, c.Password, c.Name
	modes := map[string]string{"preferred": "preferred", "required": "skip-verify", "verify": "true"}
	m.TLSConfig = modes[c.TLS]
	if c.TLSCA != "" {
		pem, err := os.ReadFile(c.TLSCA)
		if err != nil {
			return nil, err
		}
		m.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		if !m.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate in PEM", c.TLSCA)
		}
	}
	m.ParseTime, m.Loc = true, time.UTC
	m.RejectReadOnly = !readOnly // closes connections to a server that has become a replica
	m.InterpolateParams = true   // saves the round trip that prepares a statement
	m.ClientFoundRows = true     // an UPDATE counts all rows that it finds, changed or not, as on SQLite
	m.Logger = &mysqldriver.NopLogger{}
	m.Params = map[string]string{
		"time_zone":                "'+00:00'",
		"sql_mode":                 "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
		"innodb_lock_wait_timeout": "1",         // seconds, as in the constant maxWait
		"lock_wait_timeout":        "5",         // seconds, for table locks; the default is a day or a year
		"wait_timeout":             waitTimeout, // seconds; ends silent connections, and so their locks
	}
	connector, err := mysqldriver.NewConnector(m) // sql.Open with a DSN would not use m.Logger
	if err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connecting{connector, readOnly})
	pool.SetMaxOpenConns(c.MaxConns)
	pool.SetMaxIdleConns(c.MaxConns)
	pool.SetConnMaxIdleTime(10 * time.Second) // before the server closes it: see wait_timeout
	pool.SetConnMaxLifetime(3 * time.Minute)
	return pool, nil
}

// connecting sets the isolation of each new connection, and limits the time to connect.
//
// READ COMMITTED is enough, because every invariant is checked in the condition of the statement that writes,
// or while the row is locked. REPEATABLE READ would add gap locks and, with MariaDB's
// innodb_snapshot_isolation, a retry for every race.
//
// When requests wait for a full pool, database/sql opens new connections in a single goroutine, one after the
// other, without the deadline of a request. Without the limit, a server that accepts connections and does not
// answer would block this goroutine, and so the pool, for ever.
type connecting struct {
	driver.Connector
	readOnly bool // the server refuses writes; TiDB does not, because it has no read-only sessions
}

// Connect implements driver.Connector. When the server does not answer in time, the error is ErrUnavailable
// and not context.DeadlineExceeded, because the time limit is not the deadline of a request.
func (c connecting) Connect(ctx context.Context) (_ driver.Conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	defer func() {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("%w: %v", ErrUnavailable, err)
		}
	}()
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	// The isolation is set by a statement and not by a parameter of the DSN: a parameter needs the name of
	// the variable, which older MariaDB calls tx_isolation.
	const isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
	set := func(statement string) error {
		_, err := conn.(driver.ExecerContext).ExecContext(ctx, statement, nil)
		return err
	}
	err = set(isolation)
	if err == nil && c.readOnly {
		if err = set("SET SESSION TRANSACTION READ ONLY"); isUnsupported(err) {
			err = nil
		}
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// readyWithin limits the time in which Ready or Migrated gets a connection and runs a statement.
const readyWithin = 2 * time.Second

// Ready returns nil when the database answers, has the table, and lets this user write to the table.
// Otherwise it returns ErrUnavailable, within three seconds, or the error of ctx when ctx ends. The table
// must have a column id. Ready runs a statement that neither changes nor locks a row; calls at the same time
// share the statement. On MySQL, Ready does not notice a full disk; for SQLite see sqlitePool.ready.
func Ready(ctx context.Context, g *gorm.DB, table string) error {
	answer := g.Dialector.(dialector).ready.DoChan(table, func() (any, error) {
		return nil, ready(context.WithoutCancel(ctx), g, table)
	})
	select {
	case a := <-answer:
		return a.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func ready(ctx context.Context, g *gorm.DB, table string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	change := "UPDATE " + table + " SET id = id WHERE 1 = 0"
	var err error
	if p, ok := g.ConnPool.(*sqlitePool); ok {
		err = p.ready(ctx, change)
	} else {
		err = g.WithContext(ctx).Exec(change).Error
	}
	if err != nil && !errors.Is(err, ErrUnavailable) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// Close ends all connections.
func Close(g *gorm.DB) error {
	if p, ok := g.ConnPool.(*sqlitePool); ok {
		return p.Close()
	}
	pool, err := g.DB()
	if err != nil {
		return err
	}
	err = pool.Close()
	if r := g.Dialector.(dialector).replica; r != nil {
		err = errors.Join(err, Close(r.copy))
	}
	return err
}

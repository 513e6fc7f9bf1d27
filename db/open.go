// Package db opens the database, migrates its schema, runs transactions and background jobs, and reads pages
// of lists. The package hides the differences between SQLite, MySQL, MariaDB and TiDB, and knows no
// table of a service.
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
	Path           string // SQLite: the file, in a folder that Open makes if missing
	Host           string // this and all below: MySQL only
	Port           int
	User, Password string
	Name           string
	MaxConns       int    // connections at once
	TLS            string // off, preferred, required (unverified) or verify; "" is off
	TLSCA          string // for verify: a PEM file with the CA's certificates; "" is the machine's own
}

// String returns the place of the data, without the password.
func (c Config) String() string {
	if c.Driver == SQLite {
		return "SQLite " + c.Path
	}
	return fmt.Sprintf("MySQL %s at %s", c.Name, net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
}

// answerTimeout bounds the time to connect.
const answerTimeout = 5 * time.Second

// Open connects to the database and fails within seconds without an answer.
func Open(ctx context.Context, c Config) (*gorm.DB, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	pool, base, err := c.pool()
	if err != nil {
		return nil, err
	}
	// When several processes open a new SQLite file, the first switches the file to WAL; meanwhile the others
	// may get SQLITE_BUSY at once, whatever busy_timeout is.
	if err := retry(ctx, 30, time.Minute, func() error { return pool.PingContext(ctx) }); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	wrapped := dialector{Dialector: base, ready: new(singleflight.Group)}
	if c.Driver == MySQL {
		var version string
		if err := pool.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
			return nil, errors.Join(err, pool.Close())
		}
		wrapped.mariaDB = strings.Contains(version, "MariaDB")
		wrapped.transactions = make(chan struct{}, max(1, c.MaxConns/3))
	}
	return gorm.Open(wrapped, &gorm.Config{
		TranslateError:         true,
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		NowFunc:                func() time.Time { return time.Now().UTC() },
		Logger:                 logger.Discard, // package web logs each error; see LogSlow
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
	m := mysqldriver.NewConfig()
	m.Net, m.Addr = "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	m.User, m.Passwd, m.DBName = c.User, c.Password, c.Name
	modes := map[string]string{"preferred": "preferred", "required": "skip-verify", "verify": "true"}
	m.TLSConfig = modes[c.TLS]
	if c.TLSCA != "" {
		pem, err := os.ReadFile(c.TLSCA)
		if err != nil {
			return nil, nil, err
		}
		m.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		if !m.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return nil, nil, fmt.Errorf("%s has no certificate in PEM", c.TLSCA)
		}
	}
	m.ParseTime, m.Loc = true, time.UTC
	m.InterpolateParams = true // no round trip to prepare
	m.ClientFoundRows = true   // an UPDATE counts the rows it found, changed or not, as SQLite does
	m.Logger = &mysqldriver.NopLogger{}
	m.Params = map[string]string{
		"time_zone":                "'+00:00'",
		"sql_mode":                 "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
		"innodb_lock_wait_timeout": "1",         // maxWait
		"lock_wait_timeout":        "5",         // seconds, for tables; default: a year, on MariaDB a day
		"wait_timeout":             waitTimeout, // seconds; bounds locks of a vanished client
	}
	connector, err := mysqldriver.NewConnector(m) // a driver with a DSN string would log by itself
	if err != nil {
		return nil, nil, err
	}
	pool := sql.OpenDB(connecting{connector})
	pool.SetMaxOpenConns(c.MaxConns)
	pool.SetMaxIdleConns(c.MaxConns)
	pool.SetConnMaxIdleTime(10 * time.Second) // shorter than wait_timeout
	pool.SetConnMaxLifetime(3 * time.Minute)
	return pool, mysql.New(mysql.Config{Conn: pool}), nil
}

// connecting sets the isolation of each new connection, and bounds the time to connect.
//
// READ COMMITTED is enough: every invariant stands in the condition of the writing statement, or behind a
// row lock. REPEATABLE READ would add gap locks and, with MariaDB's innodb_snapshot_isolation, a retry for
// every race.
//
// A full pool makes new connections serially, without the deadline of a request. Without the
// bound, a server with accepted connections and no answers would block the pool for ever.
type connecting struct{ driver.Connector }

func (c connecting) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	// A statement, because the variable is called tx_isolation on older MariaDB.
	const isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
	if _, err := conn.(driver.ExecerContext).ExecContext(ctx, isolation, nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// readyWithin bounds the wait of Ready for a connection or a statement.
const readyWithin = 2 * time.Second

// Ready returns ErrUnavailable, within three seconds, unless the database answers, has the table, and lets
// this user write there. table must have a column id. Ready runs a statement without changes or locks; calls
// at the same time share the statement. Ready does not notice a full disk on MySQL; for SQLite see
// sqlitePool.ready.
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
	return pool.Close()
}

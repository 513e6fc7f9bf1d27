// Package db opens the database, keeps its schema up to date and runs transactions. It holds what differs
// between SQLite, MySQL, MariaDB and TiDB, so that the services need not know on which they run. It knows no
// service's table.
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

// Drivers that Config names.
const (
	MySQL  = "mysql"
	SQLite = "sqlite"
)

// Config says which database to open.
type Config struct {
	Driver         string // MySQL or SQLite
	Path           string // SQLite: the file; its folder is made when missing
	Host           string // MySQL, as are the next ones
	Port           int
	User, Password string
	Name           string
	MaxConns       int    // connections at once; SQLite always has one
	TLS            string // off, preferred (when the server has it), required (whoever the server is) or verify; "" is off
	TLSCA          string // verify: the file with the CA's certificates, in PEM; "" for those that this machine trusts
}

// String says where the data lies, without the password.
func (c Config) String() string {
	if c.Driver == SQLite {
		return "SQLite " + c.Path
	}
	return fmt.Sprintf("MySQL %s at %s", c.Name, net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
}

// answerTimeout bounds how long a server may take to let a client in.
const answerTimeout = 5 * time.Second

// Open connects to the database and fails within seconds when it does not answer.
func Open(ctx context.Context, c Config) (*gorm.DB, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	pool, base, err := c.pool()
	if err != nil {
		return nil, err
	}
	// Of several processes that first open one SQLite file, one switches it to WAL; the others may be told at
	// once that it is busy, whatever busy_timeout says.
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
		Logger:                 logger.Discard, // package web logs each error once
	})
}

// connections are a *sql.DB or a *sqlitePool.
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
	m.TLSConfig = map[string]string{"preferred": "preferred", "required": "skip-verify", "verify": "true"}[c.TLS]
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
		"innodb_lock_wait_timeout": "1",         // longestWait
		"lock_wait_timeout":        "5",         // seconds for a table that another session holds or changes; else a year, or a day on MariaDB
		"wait_timeout":             waitTimeout, // seconds that the server keeps the locks of a frozen client, or one whose machine is gone
	}
	connector, err := mysqldriver.NewConnector(m) // from a DSN string the driver would log by itself
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

// connecting sets each new connection's isolation, and bounds how long a server may take to let it in.
//
// Nothing here relies on reading twice: what must hold is in the condition of the statement that writes, or
// behind a row lock. Repeatable reads would add gap locks, and on newer MariaDB, whose
// innodb_snapshot_isolation refuses to update a row that changed since the first read, a retry for every
// race.
//
// A full pool makes its new connections one after the other, without a request's deadline. So a single one
// that was accepted and then never answered would take the pool from all requests for ever.
type connecting struct{ driver.Connector }

func (c connecting) Connect(ctx context.Context) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	// A statement, because the variable is called tx_isolation on older MariaDB.
	if _, err := conn.(driver.ExecerContext).ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// readyWithin bounds the wait of Ready for a connection or a statement.
const readyWithin = 2 * time.Second

// Ready asks the database whether it does a service's work: it answers, has the table, and lets this user
// write there. The table is one of the service's own and has a column id. It costs one statement, which
// changes no row and locks none, but is refused where a change would be. For SQLite see sqlitePool.ready; a
// full MySQL is found by requests only. Its error is ErrUnavailable, and comes within three seconds.
// Callers who ask at once get one answer.
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

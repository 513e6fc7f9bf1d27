// Package db opens the database, keeps its schema up to date and runs transactions. It holds what differs between MySQL and
// SQLite, so that the services need not know on which they run.
package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	mysqldriver "github.com/go-sql-driver/mysql"
	"gorm.io/driver/mysql"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	sqlitedriver "modernc.org/sqlite"

	"example.com/b2b/internal/apperr"
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
	MaxConns       int // connections at once; SQLite always has one
}

// String says where the data lies, without the password.
func (c Config) String() string {
	if c.Driver == SQLite {
		return "SQLite " + c.Path
	}
	return fmt.Sprintf("MySQL %s at %s", c.Name, net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
}

// lockWait bounds how long a statement waits for a row that another transaction holds, and idleWait how long the server keeps a
// silent connection, and so the locks of a client whose machine is gone. The pool's own connections do not live that long.
const (
	lockWait = 10 * time.Second
	idleWait = connLifetime + 20*time.Second

	connLifetime = 3 * time.Minute // a proxy or the server may close them later
)

// Open connects to the database and fails within seconds when it does not answer.
func Open(ctx context.Context, c Config) (*gorm.DB, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// Of several processes that first open one SQLite file, one switches it to WAL; the others may be told at once that it is
	// busy, whatever busy_timeout says.
	return backoff.Retry(ctx, func() (*gorm.DB, error) {
		g, err := connect(ctx, c)
		if err != nil && !errors.Is(translate(err), ErrConflict) {
			err = backoff.Permanent(err)
		}
		return g, err
	}, backoff.WithMaxTries(10))
}

func connect(ctx context.Context, c Config) (*gorm.DB, error) {
	dialector, err := c.dialector()
	if err != nil {
		return nil, err
	}
	g, err := gorm.Open(dialector, &gorm.Config{
		TranslateError:         true,
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		NowFunc:                func() time.Time { return time.Now().UTC() },
		Logger:                 logger.Discard, // package web logs each error once
	})
	if err != nil {
		return nil, err
	}
	pool, err := g.DB()
	if err != nil {
		return nil, err
	}
	conns := c.MaxConns
	if c.Driver == SQLite {
		conns = 1 // SQLite has one writer; a queue in front of one connection beats busy errors behind several
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	if c.Driver == MySQL {
		pool.SetConnMaxLifetime(connLifetime)
	}
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return g, nil
}

func (c Config) dialector() (gorm.Dialector, error) {
	if c.Driver == SQLite {
		if err := os.MkdirAll(filepath.Dir(c.Path), 0o755); err != nil {
			return nil, err
		}
		q := url.Values{
			"_pragma":      {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
			"_txlock":      {"immediate"},
			"_time_format": {"sqlite"},
			"_timezone":    {"UTC"},
			"_texttotime":  {"1"}, // a time that an expression makes has no declared type
		}
		dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: c.Path}).EscapedPath(), RawQuery: q.Encode()}
		return translating{sqlite.New(sqlite.Config{DriverName: "sqlite", DSN: dsn.String()})}, nil
	}
	m := mysqldriver.NewConfig()
	m.Net, m.Addr = "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	m.User, m.Passwd, m.DBName = c.User, c.Password, c.Name
	m.Timeout = 5 * time.Second
	m.ParseTime, m.Loc = true, time.UTC
	m.InterpolateParams = true // no round trip to prepare
	m.ClientFoundRows = true   // an UPDATE counts the rows it found, changed or not, as SQLite does
	m.Logger = &mysqldriver.NopLogger{}
	m.Params = map[string]string{
		"time_zone":                "'+00:00'",
		"sql_mode":                 "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
		"innodb_lock_wait_timeout": strconv.Itoa(int(lockWait.Seconds())),
		"wait_timeout":             strconv.Itoa(int(idleWait.Seconds())),
	}
	connector, err := mysqldriver.NewConnector(m) // from a DSN string, which gorm would make, the driver would log by itself
	if err != nil {
		return nil, err
	}
	return translating{mysql.New(mysql.Config{Conn: sql.OpenDB(readCommitted{connector})})}, nil
}

// readCommitted sets each new connection's isolation. Nothing here relies on reading twice: what must hold is in the condition of
// the statement that writes, or behind a row lock. Repeatable reads would add gap locks, and on newer MariaDB, whose
// innodb_snapshot_isolation refuses to update a row that changed since the first read, a retry for every race.
type readCommitted struct{ driver.Connector }

func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
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

// InTx runs fn in a transaction and commits when it returns nil. When the database ends the transaction in favour of another
// (a deadlock, a lock held too long), or fn returns ErrConflict, InTx runs fn again a bounded number of times; so fn must not
// leave traces outside of tx. Its last error is then apperr's unavailable.
func InTx(ctx context.Context, g *gorm.DB, fn func(tx *gorm.DB) error) error {
	wait := backoff.NewExponentialBackOff() // jittered
	wait.InitialInterval, wait.MaxInterval = 5*time.Millisecond, 250*time.Millisecond
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := translate(begin(ctx, g).Transaction(fn))
		if err != nil && !errors.Is(err, ErrConflict) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(12))
	return err
}

// begin returns a session whose transactions obey ctx in COMMIT too: a server that is cut off at that moment would keep the
// request, and its connection, waiting for as long as TCP does, as database/sql passes no context on to it.
func begin(ctx context.Context, g *gorm.DB) *gorm.DB {
	start := "START TRANSACTION"
	if g.Name() == SQLite {
		start = "BEGIN IMMEDIATE"
	}
	g = g.WithContext(ctx)
	if pool, ok := g.Statement.ConnPool.(*sql.DB); ok {
		g.Statement.ConnPool = beginner{pool, start}
	}
	return g
}

// beginner implements gorm.ConnPoolBeginner.
type beginner struct {
	*sql.DB
	start string
}

func (b beginner) BeginTx(ctx context.Context, _ *sql.TxOptions) (gorm.ConnPool, error) {
	conn, err := b.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx := &transaction{conn, ctx}
	if _, err := conn.ExecContext(ctx, b.start); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}

// transaction, by pointer, implements gorm.TxCommitter on a connection of its own.
type transaction struct {
	*sql.Conn
	ctx context.Context
}

func (t *transaction) Commit() error { return t.end(t.ctx, "COMMIT") }

// Rollback is for requests whose time is over, too.
func (t *transaction) Rollback() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), time.Second)
	defer cancel()
	return t.end(ctx, "ROLLBACK")
}

// end gives the connection back when its transaction has ended, and else closes it, which ends it too.
func (t *transaction) end(ctx context.Context, statement string) error {
	_, err := t.ExecContext(ctx, statement)
	if err != nil {
		_ = t.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = t.Close()
	return err
}

// Now is an SQL expression for the database's own clock, moved by after. It has milliseconds and is in UTC.
func Now(g *gorm.DB, after time.Duration) clause.Expr {
	if g.Name() == SQLite {
		return gorm.Expr("strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', ?)", fmt.Sprintf("%+.3f seconds", after.Seconds()))
	}
	if after == 0 {
		return gorm.Expr("UTC_TIMESTAMP(3)")
	}
	return gorm.Expr("UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND", after.Microseconds())
}

// ForUpdate locks the rows that a query reads until the transaction ends. SQLite needs no row locks: its transactions run one
// after the other.
func ForUpdate(tx *gorm.DB) *gorm.DB {
	if tx.Name() == SQLite {
		return tx
	}
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}

// Containing keeps the rows in which one of the columns contains text literally, whatever its case.
func Containing(g *gorm.DB, text string, columns ...string) *gorm.DB {
	lower := "LOWER"
	if g.Name() == SQLite {
		lower = sqliteLower
	}
	conditions, args := make([]string, len(columns)), make([]any, len(columns))
	for i, column := range columns {
		conditions[i] = fmt.Sprintf("INSTR(%s(%s), ?) > 0", lower, column)
		args[i] = strings.ToLower(text)
	}
	return g.Where("("+strings.Join(conditions, " OR ")+")", args...)
}

// Order is the direction of a list.
type Order string

// The directions of a list, by id.
const (
	OldestFirst Order = "id"
	NewestFirst Order = "id DESC"
)

// Page reads one page of a list behind the last id already seen, and returns the cursor of the next page: nil when there is
// none. T is a gorm model; Key is its id.
func Page[T interface{ Key() int64 }](q *gorm.DB, order Order, cursor *int64, limit *int32) ([]T, *int64, error) {
	if cursor != nil && order == OldestFirst {
		q = q.Where("id > ?", *cursor)
	} else if cursor != nil && *cursor > 0 {
		q = q.Where("id < ?", *cursor)
	}
	size := int(*limit) // the spec's default fills it
	var rows []T
	if err := q.Order(string(order)).Limit(size + 1).Find(&rows).Error; err != nil {
		return nil, nil, err
	}
	if len(rows) <= size {
		return rows, nil, nil
	}
	next := rows[size-1].Key()
	return rows[:size], &next, nil
}

// sqliteLower is LOWER for all of Unicode; SQLite's own knows ASCII only.
const sqliteLower = "unicode_lower"

func init() {
	sqlitedriver.MustRegisterDeterministicScalarFunction(sqliteLower, 1, func(_ *sqlitedriver.FunctionContext, args []driver.Value) (driver.Value, error) {
		if s, ok := args[0].(string); ok {
			return strings.ToLower(s), nil
		}
		return args[0], nil
	})
}

// Close ends all connections.
func Close(g *gorm.DB) error {
	pool, err := g.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}

// Ping asks the database whether it does its work: it answers, has the schema, and lets this user write. It costs one statement,
// which changes no row and locks none, but is refused where a change would be. On SQLite it also writes one page and waits for
// the disk, as the smallest order does, because nothing less finds a disk that is full. A full MySQL is found by requests only.
func Ping(ctx context.Context, g *gorm.DB) error {
	err := g.WithContext(ctx).Exec("UPDATE idempotency_keys SET status = status WHERE 1 = 0").Error
	if err == nil && g.Name() == SQLite {
		err = g.WithContext(ctx).Exec("PRAGMA user_version = 1").Error
	}
	if err != nil && !errors.As(err, new(*apperr.Error)) {
		err = apperr.Unavailable.Because(err)
	}
	return err
}

// NotBefore is an SQL expression for the database's clock, or for the column where that is later: on MySQL a statement that has
// waited for a row's lock sees the time at which it began to wait.
func NotBefore(g *gorm.DB, column string) clause.Expr {
	now := Now(g, 0)
	if g.Name() == SQLite {
		return now // transactions run one after the other
	}
	return clause.Expr{SQL: "GREATEST(" + column + ", ?)", Vars: []any{now}}
}

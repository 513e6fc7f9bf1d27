// Package dbtest gives each test a new, migrated database on each engine: always on SQLite, and on MySQL,
// MariaDB and TiDB if TEST_MYSQL_DSN, TEST_MARIADB_DSN and TEST_TIDB_DSN are set. `make test` starts the
// installed MySQL and MariaDB servers and sets their variables.
package dbtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
)

// Servers are the engines besides SQLite, with the environment variables of their DSNs. The user of a DSN
// must be allowed to create databases.
var Servers = []struct{ Engine, Variable string }{
	{"MySQL", "TEST_MYSQL_DSN"},
	{"MariaDB", "TEST_MARIADB_DSN"},
	{"TiDB", "TEST_TIDB_DSN"}, // needs tidb_enable_check_constraint = ON
}

// runner is implemented by *testing.T and *testing.B.
type runner[T any] interface {
	testing.TB
	Run(name string, f func(t T)) bool
}

// Each runs a test or a benchmark on each engine, each time on a migrated database of its own.
func Each[T runner[T]](t T, test func(t T, g *gorm.DB)) {
	EachConfig(t, func(t T, c db.Config) { test(t, Open(t, c)) })
}

// EachConfig is like the function Each, but on an empty database, which is dropped afterwards.
func EachConfig[T runner[T]](t T, test func(t T, c db.Config)) {
	t.Run("SQLite", func(t T) {
		test(t, db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "test.db")})
	})
	for _, s := range Servers {
		if dsn := os.Getenv(s.Variable); dsn != "" {
			t.Run(s.Engine, func(t T) { test(t, create(t, dsn)) })
		}
	}
}

// Open opens and migrates the database, and closes the database at the end of the test.
func Open(t testing.TB, c db.Config) *gorm.DB {
	t.Helper()
	g, err := db.Open(context.Background(), c)
	must(t, err)
	t.Cleanup(func() { db.Close(g) })
	_, err = db.Migrate(context.Background(), g)
	must(t, err)
	return g
}

func create(t testing.TB, dsn string) db.Config {
	t.Helper()
	m, err := mysql.ParseDSN(dsn)
	must(t, err)
	host, port, err := net.SplitHostPort(m.Addr)
	must(t, err)
	c := db.Config{Driver: db.MySQL, Host: host, User: m.User, Password: m.Passwd, Name: "mysql"}
	c.MaxConns = 25
	c.Port, err = strconv.Atoi(port)
	must(t, err)
	admin, err := db.Open(context.Background(), c)
	must(t, err)
	c.Name = "test_" + strings.ToLower(rand.Text())
	must(t, admin.Exec("CREATE DATABASE "+c.Name).Error)
	t.Cleanup(func() { must(t, errors.Join(admin.Exec("DROP DATABASE "+c.Name).Error, db.Close(admin))) })
	return c
}

// SetClock stops the database's clock at a whole second, on a single connection that g has from now on. It
// skips the test on SQLite, which has the program's clock.
func SetClock(t testing.TB, g *gorm.DB, at time.Time) {
	t.Helper()
	if g.Name() == db.SQLite {
		t.Skip("SQLite has the program's clock")
	}
	pool, err := g.DB()
	must(t, err)
	pool.SetMaxOpenConns(1)
	must(t, g.Exec(fmt.Sprint("SET timestamp = ", at.Unix())).Error)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// NoFilesort fails the test when g later runs a SELECT that counts rows, skips rows with OFFSET, or,
// according to the engine's plan, sorts rows.
func NoFilesort(t *testing.T, g *gorm.DB) {
	t.Helper()
	var explained sync.Map
	explain(t, g, "dbtest:no filesort", func(statement string, ask func() string) {
		if _, known := explained.LoadOrStore(statement, true); known {
			return
		}
		plan := ask()
		for _, bad := range []string{"OFFSET", "COUNT(", "filesort", "TEMP B-TREE", "Sort_", "TopN_"} {
			if strings.Contains(statement+plan, bad) {
				t.Errorf("%s has %s in it or in its plan: %s", statement, bad, plan)
			}
		}
	})
}

// WantIndex calls the function do. It fails the test unless the last SELECT of this call on g uses the index.
func WantIndex(t *testing.T, g *gorm.DB, index string, do func()) {
	t.Helper()
	var last atomic.Value
	name := "dbtest:index " + index
	explain(t, g, name, func(statement string, ask func() string) { last.Store(statement + " has the plan " + ask()) })
	do()
	must(t, g.Callback().Query().Remove(name))
	if plan, _ := last.Load().(string); !strings.Contains(plan, index) {
		t.Errorf("not by %s: %s", index, plan)
	}
}

// setStatement matches the prefix of a statement with a time limit on MariaDB. EXPLAIN refuses the prefix.
var setStatement = regexp.MustCompile("^SET STATEMENT .*? FOR ")

// For every SELECT that g runs from now on, explain calls the function look. The arguments of look are the
// statement, and a function that asks the engine for the plan.
func explain(t *testing.T, g *gorm.DB, name string, look func(statement string, ask func() string)) {
	t.Helper()
	prefix := "EXPLAIN QUERY PLAN "
	if g.Name() == db.MySQL {
		prefix = "EXPLAIN FORMAT=TRADITIONAL "
	}
	must(t, g.Callback().Query().After("gorm:query").Register(name, func(tx *gorm.DB) {
		if tx.Error != nil || tx.DryRun { // DryRun: a subquery of another statement
			return
		}
		statement := setStatement.ReplaceAllString(tx.Statement.SQL.String(), "")
		look(statement, func() string {
			var plan []map[string]any
			sameTx := tx.Session(&gorm.Session{NewDB: true})
			err := sameTx.Raw(prefix+statement, tx.Statement.Vars...).Scan(&plan).Error
			if err != nil || len(plan) == 0 {
				t.Errorf("%s has the plan %v: %v", statement, plan, err)
			}
			return fmt.Sprint(plan)
		})
	}))
}

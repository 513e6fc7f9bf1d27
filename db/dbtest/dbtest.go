// Package dbtest gives each test a fresh, migrated, real database on every engine that the environment names: SQLite always,
// MySQL and MariaDB where TEST_MYSQL_DSN and TEST_MARIADB_DSN are set (`make test` starts the servers it finds and sets them), and
// TiDB where TEST_TIDB_DSN is.
package dbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"

	"example.com/b2b/db"
)

// Servers are the engines besides SQLite, and the variables that hold their DSNs: a user who may create databases.
var Servers = []struct{ Engine, Variable string }{
	{"MySQL", "TEST_MYSQL_DSN"},
	{"MariaDB", "TEST_MARIADB_DSN"},
	{"TiDB", "TEST_TIDB_DSN"}, // with tidb_enable_check_constraint = ON
}

// Each runs test once for each engine, on a migrated database of its own.
func Each(t *testing.T, test func(t *testing.T, g *gorm.DB)) {
	EachConfig(t, func(t *testing.T, c db.Config) { test(t, Open(t, c)) })
}

// EachConfig runs test once for each engine, on an empty database of its own that is dropped afterwards.
func EachConfig(t *testing.T, test func(t *testing.T, c db.Config)) {
	t.Run("SQLite", func(t *testing.T) {
		test(t, db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "test.db")})
	})
	for _, s := range Servers {
		if dsn := os.Getenv(s.Variable); dsn != "" {
			t.Run(s.Engine, func(t *testing.T) { test(t, create(t, dsn)) })
		}
	}
}

// Open opens and migrates the database, and closes it when the test ends.
func Open(t *testing.T, c db.Config) *gorm.DB {
	t.Helper()
	g, err := db.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(g) })
	if _, err := db.Migrate(context.Background(), g); err != nil {
		t.Fatal(err)
	}
	return g
}

func create(t *testing.T, dsn string) db.Config {
	t.Helper()
	m, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(m.Addr)
	if err != nil {
		t.Fatal(err)
	}
	c := db.Config{Driver: db.MySQL, Host: host, User: m.User, Password: m.Passwd, Name: "mysql", MaxConns: 25}
	if c.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	admin, err := db.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.Name = "test_" + strings.ToLower(rand.Text())
	if err := admin.Exec("CREATE DATABASE " + c.Name).Error; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := admin.Exec("DROP DATABASE " + c.Name).Error; err != nil {
			t.Error(err)
		}
		db.Close(admin)
	})
	return c
}

// NoFilesort fails the test when, from now on, g runs a SELECT that sorts rows or counts them away with OFFSET. It asks the
// engine how it would run each.
func NoFilesort(t *testing.T, g *gorm.DB) {
	t.Helper()
	explained := map[string]bool{}
	var mu sync.Mutex
	err := g.Callback().Query().After("gorm:query").Register("dbtest:explain", func(tx *gorm.DB) {
		statement := tx.Statement.SQL.String()
		mu.Lock()
		defer mu.Unlock()
		if explained[statement] || tx.Error != nil {
			return
		}
		explained[statement] = true
		if strings.Contains(statement, "OFFSET") || strings.Contains(statement, "COUNT(") {
			t.Errorf("%s", statement)
		}
		explain := "EXPLAIN QUERY PLAN "
		if g.Name() == db.MySQL {
			explain = "EXPLAIN "
		}
		rows, err := tx.Statement.ConnPool.QueryContext(tx.Statement.Context, explain+statement, tx.Statement.Vars...) // in the same transaction
		if err != nil {
			t.Errorf("%s: %v", statement, err)
			return
		}
		defer rows.Close()
		columns, _ := rows.Columns()
		for rows.Next() {
			values, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
			for i := range values {
				targets[i] = &values[i]
			}
			if err := rows.Scan(targets...); err != nil {
				t.Error(err)
			}
			plan := fmt.Sprint(values)
			if strings.Contains(plan, "filesort") || strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("%s sorts: %s", statement, plan)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

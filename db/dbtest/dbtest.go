// Package dbtest gives each test a new, migrated database on each engine: on SQLite, and on MySQL, MariaDB
// and TiDB if TEST_MYSQL_DSN, TEST_MARIADB_DSN and TEST_TIDB_DSN are set. `make test` starts the installed
// MySQL and MariaDB servers and sets their variables. TEST_ENGINES may choose some of the engines.
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
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest/server"
)

// Servers are the engines besides SQLite, with the environment variables of their DSNs. The user of a DSN
// must be allowed to create databases.
var Servers = []struct{ Engine, Variable string }{
	{"MySQL", "TEST_MYSQL_DSN"},
	{"MariaDB", "TEST_MARIADB_DSN"},
	{"TiDB", "TEST_TIDB_DSN"},
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
	if server.IsChosen("SQLite") {
		t.Run("SQLite", func(t T) {
			test(t, db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "test.db")})
		})
	}
	for _, s := range Servers {
		if dsn := os.Getenv(s.Variable); dsn != "" && server.IsChosen(s.Engine) {
			t.Run(s.Engine, func(t T) { test(t, Create(t, dsn)) })
		}
	}
}

// Open opens and migrates the database, and closes the database at the end of the test. The migrations run in
// the first database of each server and process; later databases get a copy of the resulting schema.
func Open(t testing.TB, c db.Config) *gorm.DB {
	t.Helper()
	s := schemaOf(c)
	s.Lock()
	defer s.Unlock()
	_, err := os.Stat(c.Path)
	if c.Driver == db.SQLite && s.file != nil && errors.Is(err, os.ErrNotExist) {
		must(t, os.WriteFile(c.Path, s.file, 0o600))
	}
	g, err := db.Open(context.Background(), c)
	must(t, err)
	t.Cleanup(func() { db.Close(g) })
	if s.statements != nil && len(tables(t, g)) == 0 {
		must(t, g.Connection(func(tx *gorm.DB) (err error) {
			for _, statement := range s.statements {
				err = errors.Join(err, tx.Exec(statement).Error)
			}
			return err
		}))
		return g
	}
	steps, err := db.Migrate(context.Background(), g)
	must(t, err)
	if steps > 0 {
		s.learn(t, g)
	}
	return g
}

// Create creates an empty database on a server, and drops the database at the end of the test.
func Create(t testing.TB, dsn string) db.Config {
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
	// TiDB ignores CHECK constraints without this setting. For the other engines, the statement is a comment.
	must(t, admin.Exec("/*T! SET GLOBAL tidb_enable_check_constraint = ON */").Error)
	c.Name = "test_" + strings.ToLower(rand.Text())
	must(t, admin.Exec("CREATE DATABASE "+c.Name).Error)
	t.Cleanup(func() { must(t, errors.Join(admin.Exec("DROP DATABASE "+c.Name).Error, db.Close(admin))) })
	return c
}

// schema is the schema that the migrations create in an empty database of a server.
type schema struct {
	sync.Mutex
	file       []byte   // SQLite: the content of a database file
	statements []string // other engines: SQL that creates the schema, for one connection
}

var schemas sync.Map // *schema by driver and address of the server

func schemaOf(c db.Config) *schema {
	s, _ := schemas.LoadOrStore(fmt.Sprint(c.Driver, c.Host, c.Port), &schema{})
	return s.(*schema)
}

// learn keeps a copy of a database that was just migrated. On SQLite, the copy is the file, with all rows.
// For the other engines, the copy has the tables, and rows only in the table goose_db_version. So learn fails
// the test when a migration has inserted a row into another table.
func (s *schema) learn(t testing.TB, g *gorm.DB) {
	t.Helper()
	if g.Name() == db.SQLite {
		path := filepath.Join(t.TempDir(), "schema.db")
		must(t, g.Exec("VACUUM INTO ?", path).Error)
		file, err := os.ReadFile(path)
		must(t, err)
		s.file = file
		return
	}
	statements := []string{"SET foreign_key_checks = 0"} // a table may refer to later tables
	for _, table := range tables(t, g) {
		var name, create string
		must(t, g.Raw("SHOW CREATE TABLE "+table).Row().Scan(&name, &create))
		statements = append(statements, create)
		var filled bool
		must(t, g.Raw("SELECT EXISTS (SELECT 1 FROM "+table+")").Scan(&filled).Error)
		if filled && table != "goose_db_version" {
			t.Fatal("a migration fills the table " + table)
		}
	}
	var versions []int64
	must(t, g.Raw("SELECT version_id FROM goose_db_version ORDER BY id").Scan(&versions).Error)
	for _, version := range versions {
		statements = append(statements, fmt.Sprintf(
			"INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, TRUE)", version))
	}
	s.statements = append(statements, "SET foreign_key_checks = 1")
}

// tables returns the names of all tables of a MySQL database, and none for SQLite.
func tables(t testing.TB, g *gorm.DB) (names []string) {
	t.Helper()
	if g.Name() == db.MySQL {
		must(t, g.Raw("SHOW TABLES").Scan(&names).Error)
	}
	return names
}

// IsTiDB reports whether the engine is TiDB.
func IsTiDB(g *gorm.DB) bool {
	var version string
	return g.Name() == db.MySQL && g.Raw("SELECT VERSION()").Scan(&version).Error == nil &&
		strings.Contains(version, "TiDB")
}

// SetClock stops the clock of the database at a whole second, and limits g to a single connection. It skips
// the test on SQLite, which has the program's clock.
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

// Apply runs the migration with the number again, on a database that has the migration.
func Apply(t testing.TB, g *gorm.DB, number int64) {
	t.Helper()
	pool, err := g.DB()
	must(t, err)
	dialect := map[string]goose.Dialect{db.SQLite: goose.DialectSQLite3, db.MySQL: goose.DialectMySQL}[g.Name()]
	migrations, err := goose.NewProvider(dialect, pool, os.DirFS("../db/migrations/"+g.Name()))
	must(t, err)
	must(t, g.Exec("DELETE FROM goose_db_version WHERE version_id = ?", number).Error)
	_, err = migrations.ApplyVersion(t.Context(), number, true)
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Waiting returns the number of statements on the database of g that wait for a locked row. Such statements
// stay in the server's process list, while other statements leave it quickly. Do not use Waiting on SQLite.
func Waiting(t testing.TB, g *gorm.DB) (n int) {
	t.Helper()
	database := g.Migrator().CurrentDatabase()
	var running []struct{ DB, Info string }
	must(t, g.Raw("SHOW FULL PROCESSLIST").Scan(&running).Error)
	for _, r := range running {
		if r.DB == database &&
			(strings.HasSuffix(r.Info, " FOR UPDATE") || strings.HasPrefix(r.Info, "UPDATE ")) {
			n++
		}
	}
	return n
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
		if strings.Contains(plan, "Point_Get_") || strings.Contains(plan, "stats:pseudo") {
			return // TiDB sorts even a single row; without statistics, it may sort because it expects few rows
		}
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
	if plans := plansOf(t, g, do); !strings.Contains(plans[len(plans)-1], index) {
		t.Errorf("not by %s: %s", index, plans[len(plans)-1])
	}
}

// WantIndexes calls the function do. It fails the test unless each index is used by some SELECT of this call
// on g.
func WantIndexes(t *testing.T, g *gorm.DB, do func(), indexes ...string) {
	t.Helper()
	plans := plansOf(t, g, do)
	for _, index := range indexes {
		if !slices.ContainsFunc(plans, func(plan string) bool { return strings.Contains(plan, index) }) {
			t.Errorf("none by %s: %q", index, plans)
		}
	}
}

// byID matches the plan of a SELECT that reads rows by their ids.
var byID = regexp.MustCompile(`id=\?|type:(range|const)|_Get_`)

// WantIDs calls the function do. It fails the test unless the first SELECT of this call on g uses the index,
// to find ids, and the last SELECT reads rows by ids.
func WantIDs(t *testing.T, g *gorm.DB, index string, do func()) {
	t.Helper()
	plans := plansOf(t, g, do)
	if !strings.Contains(plans[0], index) || !byID.MatchString(plans[len(plans)-1]) {
		t.Errorf("not by ids that %s finds: %q", index, plans)
	}
}

// plansOf calls the function do, and returns all SELECTs of this call on g with their plans.
func plansOf(t *testing.T, g *gorm.DB, do func()) (plans []string) {
	t.Helper()
	var mu sync.Mutex
	explain(t, g, "dbtest:plans", func(statement string, ask func() string) {
		plan := ask()
		mu.Lock()
		defer mu.Unlock()
		plans = append(plans, statement+" has the plan "+plan)
	})
	do()
	must(t, g.Callback().Query().Remove("dbtest:plans"))
	mu.Lock()
	defer mu.Unlock()
	if len(plans) == 0 {
		t.Fatal("no SELECT")
	}
	return plans
}

// setStatement matches the prefix of a statement with a time limit on MariaDB. EXPLAIN refuses the prefix.
var setStatement = regexp.MustCompile("^SET STATEMENT .*? FOR ")

// explain calls the function look for every SELECT that g runs from now on. The arguments of look are the
// statement, and a function that asks the engine for the plan. The parameter name is the name of the callback
// of gorm.
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

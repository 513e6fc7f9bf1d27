package db_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

func TestMigrateSeveralAtOnce(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		var steps atomic.Int64
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				g, err := db.Open(ctx, c) // a pool of its own, as a separate process has
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close(g)
				n, err := db.Migrate(ctx, g)
				if err != nil {
					t.Error(err)
				}
				steps.Add(int64(n))
			})
		}
		wg.Wait()
		files, err := os.ReadDir("migrations/" + c.Driver)
		if err != nil {
			t.Fatal(err)
		}
		if int(steps.Load()) != len(files) {
			t.Errorf("%d steps were taken for %d migrations", steps.Load(), len(files))
		}
	})
}

// TestMigrateAgainAfterAKill interrupts migrations, and runs Migrate again. MySQL commits each DDL statement,
// so an interrupted migration leaves a part of its changes. The first migration is interrupted after a few
// statements; then each migration is interrupted before its version is recorded.
func TestMigrateAgainAfterAKill(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("SQLite executes a migration in one transaction")
		}
		g, err := db.Open(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(g)
		// The table of goose exists, without its first row.
		done := append(
			statements(t, "migrations/versions.sql")[:1],
			statements(t, "migrations/mysql/00001_init.sql")[:3]...)
		for _, statement := range done {
			if err := g.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
		applied, err := db.Migrate(ctx, g)
		if err != nil || applied < 2 {
			t.Fatalf("%d versions, %v", applied, err)
		}
		var versions []int64
		err = g.Raw("SELECT version_id FROM goose_db_version WHERE version_id > 0 ORDER BY version_id").
			Scan(&versions).Error
		if err != nil || len(versions) != applied {
			t.Fatalf("%v, want %d versions: %v", versions, applied, err)
		}
		for i, version := range versions {
			if err := g.Exec("DELETE FROM goose_db_version WHERE version_id >= ?", version).Error; err != nil {
				t.Fatal(err)
			}
			if again, err := db.Migrate(ctx, g); err != nil || again != len(versions)-i {
				t.Errorf("killed at the end of version %d: %d versions, %v", version, again, err)
			}
		}
		if err := g.Exec("SELECT updated_at FROM orders").Error; err != nil {
			t.Error(err)
		}
	})
}

// TestMigrateBesideHeldRow runs a migration while a transaction holds a row that the migration changes. The
// transaction holds the row for longer than a statement waits. The migration must go on once the row is free.
func TestMigrateBesideHeldRow(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("SQLite runs transactions serially")
		}
		g, err := db.Open(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(g)
		if _, err := db.Migrate(ctx, g); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Seed(ctx, g); err != nil {
			t.Fatal(err)
		}
		before := []string{"DELETE FROM goose_db_version WHERE version_id >= 11", "UPDATE order_items SET sku = NULL"}
		for _, statement := range before {
			if err := g.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
		updates := func() (n int64) {
			const running = "SELECT COUNT(*) FROM information_schema.processlist " +
				"WHERE db = DATABASE() AND info LIKE 'UPDATE order_items SET%'"
			//
			err := g.Raw(running).Scan(&n).Error
			// The process list also has the statements of other tests. Error 3854: MySQL cannot compare a
			// statement that has the bytes of a hash. Ask again until this statement has ended.
			for strings.Contains(fmt.Sprint(err), "Error 3854") {
				err = g.Raw(running).Scan(&n).Error
			}
			if err != nil {
				t.Error(err)
			}
			return n
		}
		holder := g.Begin()
		defer holder.Rollback()
		if err := holder.Exec("UPDATE order_items SET name = 'held' WHERE order_id = 1").Error; err != nil {
			t.Fatal(err)
		}
		migrated := make(chan error, 1)
		go func() {
			fresh, err := db.Open(ctx, c) // a new pool, because g remembers that the schema was complete
			if err == nil {
				defer db.Close(fresh)
				_, err = db.Migrate(ctx, fresh)
			}
			migrated <- err
		}()
		for updates() == 0 {
			if len(migrated) > 0 {
				t.Fatal("the migration has not waited: ", <-migrated)
			}
		}
		for updates() > 0 {
		}
		if err := holder.Commit().Error; err != nil {
			t.Fatal(err)
		}
		if err := <-migrated; err != nil {
			t.Fatal(err)
		}
		var without int64
		err = g.Raw("SELECT COUNT(*) FROM order_items WHERE sku IS NULL").Scan(&without).Error
		if err != nil || without > 0 {
			t.Errorf("%d lines without a sku, %v", without, err)
		}
	})
}

// statements splits an SQL file into statements, as the client of the database does.
func statements(t *testing.T, file string) []string {
	t.Helper()
	sql, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSpace(string(sql)), ";\n")
	all[len(all)-1] = strings.TrimSuffix(all[len(all)-1], ";")
	return all
}

// TestSchemaFile compares schema.sql with the migrations: both create exactly the same tables, and a database
// from schema.sql has no pending migration.
func TestSchemaFile(t *testing.T) {
	definitions := func(t *testing.T, g *gorm.DB) map[string]string {
		t.Helper()
		var tables []string
		if err := g.Raw("SHOW TABLES").Scan(&tables).Error; err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, table := range tables {
			var name, definition string
			if err := g.Raw("SHOW CREATE TABLE "+table).Row().Scan(&name, &definition); err != nil {
				t.Fatal(err)
			}
			all[table], _, _ = strings.Cut(definition, ") ENGINE") // the rest has the counter of AUTO_INCREMENT
		}
		return all
	}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("schema.sql is for MySQL")
		}
		c.MaxConns = 1 // USE applies to a single connection
		g, err := db.Open(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close(g) })
		// Do not use dbtest.Open, which may copy a schema instead of running the migrations.
		if _, err := db.Migrate(ctx, g); err != nil {
			t.Fatal(err)
		}
		migrated := definitions(t, g)
		for _, statement := range []string{"DROP DATABASE ", "CREATE DATABASE ", "USE "} {
			if err := g.Exec(statement + c.Name).Error; err != nil {
				t.Fatal(err)
			}
		}
		for _, statement := range statements(t, "schema.sql") {
			if err := g.Exec(statement).Error; err != nil {
				t.Fatalf("%v: %s", err, statement)
			}
		}
		loaded := definitions(t, g)
		if len(loaded) != len(migrated) || len(loaded) < 6 {
			t.Errorf("%d tables, the migrations make %d", len(loaded), len(migrated))
		}
		for table, want := range migrated {
			if loaded[table] != want {
				t.Errorf("schema.sql has\n%s\nthe migrations make\n%s", loaded[table], want)
			}
		}
		if steps, err := db.Migrate(ctx, g); err != nil || steps != 0 {
			t.Errorf("%d migrations were left to do, %v", steps, err)
		}
		if loaded, err := db.Seed(ctx, g); err != nil || !loaded {
			t.Errorf("seeded %v, %v", loaded, err)
		}
	})
}

func TestConstraints(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if _, err := db.Seed(ctx, g); err != nil {
			t.Fatal(err)
		}
		for name, statement := range map[string]string{
			"stock below zero":      "UPDATE products SET stock = -1 WHERE id = 1",
			"price below zero":      "UPDATE products SET price_cents = -1 WHERE id = 1",
			"sku twice":             "UPDATE products SET sku = 'LAPTOP-HP-2024' WHERE id = 1",
			"email twice":           "UPDATE customers SET email = 'OPS@ACME.com' WHERE id = 2",
			"line without product":  "UPDATE order_items SET product_id = 99 WHERE order_id = 2",
			"line without order":    "UPDATE order_items SET order_id = 99 WHERE order_id = 2",
			"line of nothing":       "UPDATE order_items SET qty = 0, subtotal_cents = 0 WHERE order_id = 2",
			"wrong subtotal":        "UPDATE order_items SET subtotal_cents = 1 WHERE order_id = 2",
			"unknown status":        "UPDATE orders SET status = 'PAID' WHERE id = 1",
			"confirmed at no time":  "UPDATE orders SET confirmed_at = NULL WHERE id = 1",
			"canceled at no time":   "UPDATE orders SET status = 'CANCELED' WHERE id = 1",
			"created and confirmed": "UPDATE orders SET status = 'CREATED' WHERE id = 1",
			"product that is sold":  "DELETE FROM products WHERE id = 1",
		} {
			if err := g.Exec(statement).Error; err == nil {
				t.Errorf("%s: %s was accepted", name, statement)
			}
		}
		// On MySQL, orders have no foreign key to customers: see 00009_customer_lock.sql.
		if g.Name() == db.SQLite && g.Exec("UPDATE orders SET customer_id = 99 WHERE id = 1").Error == nil {
			t.Error("an order without a customer was accepted")
		}
		if err := g.Exec("UPDATE customers SET deleted_at = CURRENT_TIMESTAMP WHERE id = 1").Error; err != nil {
			t.Fatal(err)
		}
		if err := g.Exec("UPDATE customers SET email = 'OPS@ACME.com' WHERE id = 2").Error; err != nil {
			t.Errorf("the email of a deleted customer is not free: %v", err)
		}
	})
}

// TestMigrationsAreTwins expects that SQLite and MySQL have migrations with the same names.
func TestMigrationsAreTwins(t *testing.T) {
	names := map[string][]string{}
	for _, kind := range []string{"mysql", "sqlite"} {
		files, err := fs.Glob(os.DirFS("migrations/"+kind), "*.sql")
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		names[kind] = files
	}
	if !slices.Equal(names["mysql"], names["sqlite"]) {
		t.Errorf("migrations for MySQL: %v, for SQLite: %v", names["mysql"], names["sqlite"])
	}
}

// TestIDsAscendOnTiDB expects AUTO_ID_CACHE 1 on each table that gives out ids. Without this option, each
// TiDB server gives out ids of a range of its own, and the last event of an order may not have the highest
// id.
func TestIDsAscendOnTiDB(t *testing.T) {
	files, err := filepath.Glob("migrations/mysql/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	tables, table := 0, regexp.MustCompile(`(?s)CREATE TABLE[^;]*AUTO_INCREMENT[^;]*;`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range table.FindAllString(string(text), -1) {
			if tables++; !strings.HasSuffix(statement, " /*T![auto_id_cache] AUTO_ID_CACHE 1 */;") {
				t.Errorf("%s: %s", file, statement)
			}
		}
	}
	if tables < 5 {
		t.Errorf("only %d tables", tables)
	}
}

// TestTablesInDocs compares the ER diagram of docs/orders.md with the columns that the migrations make. The
// diagram leaves out generated columns, and the tables search_grams, order_blocks, replica_beats and
// goose_db_version.
func TestTablesInDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/orders.md")
	if err != nil {
		t.Fatal(err)
	}
	_, diagram, _ := strings.Cut(string(text), "```mermaid\nerDiagram\n")
	diagram, _, _ = strings.Cut(diagram, "```")
	drawn := map[string][]string{}
	table := regexp.MustCompile(`(?ms)^    (\w+) \{\n(.*?)^    \}`)
	column := regexp.MustCompile(`(?m)^ +\w+ (\w+)`)
	for _, m := range table.FindAllStringSubmatch(diagram, -1) {
		for _, c := range column.FindAllStringSubmatch(m[2], -1) {
			drawn[m[1]] = append(drawn[m[1]], c[1])
		}
	}
	c := db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "b2b.db")}
	g, err := db.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(g)
	if _, err := db.Migrate(ctx, g); err != nil {
		t.Fatal(err)
	}
	var tables []string
	err = g.Raw("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").
		Scan(&tables).Error
	if err != nil || len(tables) < 5 {
		t.Fatal(tables, err)
	}
	for _, name := range tables {
		if slices.Contains([]string{"goose_db_version", "search_grams", "order_blocks", "replica_beats"}, name) {
			continue
		}
		var columns []string
		if err := g.Raw("SELECT name FROM pragma_table_info(?)", name).Scan(&columns).Error; err != nil {
			t.Fatal(err)
		}
		slices.Sort(columns)
		slices.Sort(drawn[name])
		if !slices.Equal(columns, drawn[name]) {
			t.Errorf("%s has the columns\n%v, the diagram\n%v", name, columns, drawn[name])
		}
		delete(drawn, name)
	}
	if len(drawn) > 0 {
		t.Errorf("the diagram has also %v", drawn)
	}
}

// TestMigrated opens a database without a schema, with the whole schema, and without the newest migration.
// The error of Migrated must name the missing migration, or the command to run.
func TestMigrated(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		again := func() *gorm.DB { // opens the database as a new process would
			g, err := db.Open(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close(g) })
			return g
		}
		err := db.Migrated(ctx, again())
		if !errors.Is(err, db.ErrUnavailable) || !strings.Contains(err.Error(), "b2b migrate") {
			t.Errorf("without a schema: %v", err)
		}
		g := dbtest.Open(t, c)
		if err := db.Migrated(ctx, again()); err != nil {
			t.Errorf("with the schema: %v", err)
		}
		var newest int64
		if err := g.Raw("SELECT MAX(version_id) FROM goose_db_version").Scan(&newest).Error; err != nil {
			t.Fatal(err)
		}
		if err := g.Exec("DELETE FROM goose_db_version WHERE version_id = ?", newest).Error; err != nil {
			t.Fatal(err)
		}
		err = db.Migrated(ctx, again())
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("lacks %05d_", newest)) {
			t.Errorf("without the last migration: %v", err)
		}
	})
}

// TestMigrateWithoutRights calls Migrate as a user who may not change the schema. When the schema is
// complete, Migrate must return no error. When it lacks a migration, the error must name the command for a
// user with the right.
func TestMigrateWithoutRights(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("SQLite has no users")
		}
		g := dbtest.Open(t, c)
		user := "u" + strings.ToLower(rand.Text())[:12]
		for _, statement := range []string{
			"CREATE USER '" + user + "' IDENTIFIED BY 'a-password'",
			"GRANT SELECT, INSERT, UPDATE, DELETE ON " + c.Name + ".* TO '" + user + "'",
		} {
			if err := g.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() { g.Exec("DROP USER '" + user + "'") })
		c.User, c.Password = user, "a-password"
		limited, err := db.Open(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close(limited) })
		if steps, err := db.Migrate(ctx, limited); err != nil || steps != 0 {
			t.Errorf("%d steps, %v", steps, err)
		}
		if err := g.Exec("DROP TABLE goose_db_version").Error; err != nil {
			t.Fatal(err)
		}
		_, err = db.Migrate(ctx, limited)
		if err == nil || !strings.Contains(err.Error(), "run b2b migrate as a user") {
			t.Errorf("without the table of versions: %v", err)
		}
	})
}

package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest/server"
)

// database is a migrated one that contenders are measured on.
type database struct {
	config db.Config
	g      *gorm.DB
	rawSQL
	server int    // the process id; 0 for SQLite, which works inside of its caller
	engine string // with its version and what it does at a commit
}

// How raw SQL differs.
var (
	onMySQL  = rawSQL{now: "UTC_TIMESTAMP(3)", lock: " FOR UPDATE"}
	onSQLite = rawSQL{now: "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"}
)

// rawConnections are those of raw SQL: each client has its own.
const rawConnections = 128

// onServer makes a database on a server. A relaxed one may lose the orders of its last second.
func onServer(ctx context.Context, s *server.Server, engine, name string, relaxed bool) (*database, error) {
	admin, err := sql.Open("mysql", s.DSN)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if relaxed {
		if _, err := admin.ExecContext(ctx, "SET GLOBAL innodb_flush_log_at_trx_commit = 2"); err != nil {
			return nil, err
		}
	}
	var file, version, flush, binlog string
	if err := admin.QueryRowContext(ctx, "SELECT @@pid_file, VERSION(), @@innodb_flush_log_at_trx_commit, @@log_bin").Scan(&file, &version, &flush, &binlog); err != nil {
		return nil, err
	}
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, err
	}
	pid, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := &database{config: db.Config{Driver: db.MySQL, Host: "127.0.0.1", Port: s.Port, User: "root", Name: name, MaxConns: rawConnections},
		engine: fmt.Sprintf("%s %s, innodb_flush_log_at_trx_commit=%s, log_bin=%s", engine, version, flush, binlog),
		rawSQL: onMySQL}
	if d.server, err = strconv.Atoi(strings.TrimSpace(string(pid))); err != nil {
		return nil, err
	}
	return d, d.open(ctx)
}

// inFile makes a database in a folder.
func inFile(ctx context.Context, dir string) (*database, error) {
	d := &database{config: db.Config{Driver: db.SQLite, Path: filepath.Join(dir, "bench.db")}, rawSQL: onSQLite}
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	var version string
	if err := d.pool.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return nil, err
	}
	d.engine = "SQLite " + version + ", synchronous=FULL"
	return d, nil
}

// open opens the database as the services do, raw SQL by the same pool, and brings its schema up to date.
func (d *database) open(ctx context.Context) (err error) {
	if d.g, err = db.Open(ctx, d.config); err != nil {
		return err
	}
	if _, err = db.Migrate(ctx, d.g); err != nil {
		return err
	}
	d.pool, err = d.g.DB()
	return err
}

// drop deletes the database.
func (d *database) drop() {
	if d.config.Driver == db.MySQL {
		_, _ = d.pool.Exec("DROP DATABASE " + d.config.Name) // else it goes with the server
	}
	_ = db.Close(d.g)
	if d.config.Driver == db.SQLite {
		_ = os.RemoveAll(filepath.Dir(d.config.Path))
	}
}

// chunk is how many rows a statement of fill inserts.
const chunk = 10_000

// fill adds rows, in SQL, until the tables have so many. Orders are CONFIRMED and CANCELED in turn, have one item, and are spread evenly
// over the first hundred days of 2024; the last ten customers and products are called quartz, the others something that depends on the
// number.
func (d *database) fill(ctx context.Context, customers, products, orders int64) error {
	created := "TIMESTAMP('2024-01-01') + INTERVAL FLOOR(n * 8640000000 / %d) * 1000 MICROSECOND"
	name := "CONCAT('%s ', CONV(n * 2654435761 %% 4294967296, 10, 36), ' ', CASE WHEN n > %d THEN 'quartz' ELSE 'Ltd' END)"
	if d.config.Driver == db.SQLite {
		created = "strftime('%%Y-%%m-%%d %%H:%%M:%%f+00:00', '2024-01-01', (n * 8640000 / %d) || ' seconds')"
		name = "printf('%s %%x %%s', n * 2654435761 %% 4294967296, CASE WHEN n > %d THEN 'quartz' ELSE 'Ltd' END)"
	}
	for _, t := range []struct {
		table, columns, values string
		rows                   int64
	}{
		{"customers", "id, name, email, created_at, updated_at", "n, " + fmt.Sprintf(name, "Company", customers-10) +
			", " + concat(d, "'c'", "n", "'@example.com'") + ", " + d.now + ", " + d.now, customers},
		{"products", "id, sku, name, price_cents, stock, created_at, updated_at", "n, " + concat(d, "'SKU-'", "n") + ", " +
			fmt.Sprintf(name, "Product", products-10) + ", 1000, 500000000, " + d.now + ", " + d.now, products},
		{"orders", "id, customer_id, status, total_cents, created_at, updated_at, confirmed_at, canceled_at, cancel_reason", fmt.Sprintf(
			"n, n %% %d + 1, CASE n %% 2 WHEN 0 THEN 'CONFIRMED' ELSE 'CANCELED' END, 1000, at, at, CASE n %% 2 WHEN 0 THEN at END, CASE n %% 2 WHEN 1 THEN at END, CASE n %% 2 WHEN 1 THEN 'requested' END",
			min(customers, someCustomers)), orders},
		{"order_items", "order_id, product_id, qty, unit_price_cents, subtotal_cents", fmt.Sprintf("n, n %% %d + 1, 1, 1000, 1000", someProducts), orders},
	} {
		first, err := d.next(ctx, t.table)
		if err != nil {
			return err
		}
		for ; first <= t.rows; first += chunk {
			from := fmt.Sprintf("(SELECT n, %s AS at FROM (%s) numbers WHERE n <= %d) numbered", fmt.Sprintf(created, orders), numbers(first), t.rows)
			if _, err := d.pool.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s", t.table, t.columns, t.values, from)); err != nil {
				return fmt.Errorf("filling %s: %w", t.table, err)
			}
		}
		if d.config.Driver == db.MySQL { // which does it by itself, later
			if _, err := d.pool.ExecContext(ctx, "ANALYZE TABLE "+t.table); err != nil {
				return err
			}
		}
	}
	return nil
}

// next is an id that follows all of a table.
func (d *database) next(ctx context.Context, table string) (id int64, err error) {
	column := "id"
	if table == "order_items" {
		column = "order_id"
	}
	err = d.pool.QueryRowContext(ctx, "SELECT COALESCE(MAX("+column+"), 0) + 1 FROM "+table).Scan(&id)
	return id, err
}

// supply adds CREATED orders of three items, and returns the id of the first.
func (d *database) supply(ctx context.Context, orders int64) (first int64, err error) {
	if first, err = d.next(ctx, "orders"); err != nil {
		return 0, err
	}
	for from := first; from < first+orders; from += chunk {
		rows := fmt.Sprintf("(%s) numbers WHERE n < %d", numbers(from), first+orders)
		statements := []string{fmt.Sprintf("INSERT INTO orders (id, customer_id, status, total_cents, created_at, updated_at) SELECT n, n %% %d + 1, 'CREATED', 3000, %s, %s FROM %s",
			someCustomers, d.now, d.now, rows)}
		for i := range 3 {
			statements = append(statements, fmt.Sprintf("INSERT INTO order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents) SELECT n, (n * 7 + %d) %% %d + 1, 1, 1000, 1000 FROM %s",
				i*61, someProducts, rows))
		}
		for _, s := range statements {
			if _, err := d.pool.ExecContext(ctx, s); err != nil {
				return 0, err
			}
		}
	}
	return first, nil
}

// numbers is a query for a chunk of numbers n.
func numbers(first int64) string {
	digits := "(SELECT 0 AS d" + strings.Repeat(" UNION ALL SELECT %d", 9) + ")"
	digits = fmt.Sprintf(digits, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	return fmt.Sprintf("SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + %d AS n FROM %s a, %s b, %s c, %s e", first, digits, digits, digits, digits)
}

func concat(d *database, parts ...string) string {
	if d.config.Driver == db.SQLite {
		return strings.Join(parts, " || ")
	}
	return "CONCAT(" + strings.Join(parts, ", ") + ")"
}

// indexed waits until searches find all rows by their index.
func indexed(ctx context.Context, pool *sql.DB) error {
	for _, table := range []string{"customers", "products"} {
		for left := 1; left > 0; {
			if err := pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM "+table+" WHERE unindexed LIMIT 1) some").Scan(&left); err != nil {
				return ctx.Err()
			}
			if left > 0 {
				time.Sleep(100 * time.Millisecond)
			}
		}
	}
	return nil
}

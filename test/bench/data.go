package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest/server"
)

// database is a migrated database. The contenders use it in turn.
type database struct {
	config db.Config
	g      *gorm.DB
	rawSQL
	server int    // the process id of the server; 0 for SQLite, which has no server
	engine string // name, version, and the settings that affect the cost of a commit
}

// The SQL that differs between the engines.
var (
	onMySQL  = rawSQL{now: "UTC_TIMESTAMP(3)", lock: " FOR UPDATE"}
	onSQLite = rawSQL{now: "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"}
)

// rawConnections is the number of connections of raw SQL: one for each client.
const rawConnections = 128

// newOnServer creates a database on a server. If the parameter relaxed is true, a crash may lose the orders
// of the last second.
func newOnServer(ctx context.Context, s *server.Server, engine, name string, relaxed bool) (*database, error) {
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
	const settings = "SELECT @@pid_file, VERSION(), @@innodb_flush_log_at_trx_commit, @@log_bin"
	var file, version, flush, binlog string
	if err := admin.QueryRowContext(ctx, settings).Scan(&file, &version, &flush, &binlog); err != nil {
		return nil, err
	}
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, err
	}
	pid, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := &database{rawSQL: onMySQL}
	d.config = db.Config{Driver: db.MySQL, Host: "127.0.0.1", Port: s.Port, User: "root", Name: name}
	d.config.MaxConns = rawConnections
	d.engine = fmt.Sprintf("%s %s, innodb_flush_log_at_trx_commit=%s, log_bin=%s", engine, version, flush, binlog)
	if d.server, err = strconv.Atoi(strings.TrimSpace(string(pid))); err != nil {
		return nil, err
	}
	return d, d.open(ctx)
}

// newFile creates a database on SQLite.
func newFile(ctx context.Context, dir string) (*database, error) {
	dir, err := os.MkdirTemp(dir, "sqlite-")
	if err != nil {
		return nil, err
	}
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

// open opens the database as the services do, and migrates it. Raw SQL uses the same pool.
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

// hold locks a product's row in a session of its own until the function release is called. The function
// release returns an error when the session has already ended. The method hold is not for SQLite, which has
// no row locks.
func (d *database) hold(ctx context.Context, product int64) (release func() error, err error) {
	tx, err := d.pool.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	row := tx.QueryRowContext(ctx, "SELECT id FROM products WHERE id = ?"+d.lock, product)
	if err := row.Scan(&product); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx.Rollback, nil
}

func (d *database) drop() {
	if d.config.Driver == db.MySQL {
		// Ignore errors, because the function run deletes all data of the server.
		_, _ = d.pool.Exec("DROP DATABASE " + d.config.Name)
	}
	_ = db.Close(d.g)
	if d.config.Driver == db.SQLite {
		_ = os.RemoveAll(filepath.Dir(d.config.Path))
	}
}

// fill adds rows until the tables have the given numbers of rows. The orders belong to 25 customers, have one
// item each, and are spread evenly over the first hundred days of 2024. Every third order is CANCELED, and
// all other orders are CONFIRMED. Every name contains a number. The names of the last ten customers and of
// the last ten products also contain "quartz".
func (d *database) fill(ctx context.Context, customers, products, orders int64) error {
	name := func(kind string, n, rows int64) string {
		if n > rows-10 {
			kind = "quartz " + kind
		}
		return fmt.Sprintf("%s %x", kind, uint32(n*2654435761)) // a multiplicative hash
	}
	const orderColumns = "id, customer_id, status, total_cents, created_at, updated_at, " +
		"confirmed_at, canceled_at, cancel_reason"
	now := time.Now().UTC().Truncate(time.Second)
	for _, t := range []struct {
		table, columns string
		rows           int64
		row            func(n int64) []any
	}{
		{"customers", "id, name, email, created_at, updated_at", customers, func(n int64) []any {
			return []any{n, name("Company", n, customers), fmt.Sprintf("c%d@example.com", n), now, now}
		}},
		{"products", "id, sku, name, price_cents, stock, created_at, updated_at", products, func(n int64) []any {
			return []any{n, fmt.Sprint("SKU-", n), name("Product", n, products), price, plenty, now, now}
		}},
		{"orders", orderColumns, orders, func(n int64) []any {
			at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n*100*24*3600/orders) * time.Second)
			row := []any{n, n%25 + 1, "CONFIRMED", price, at, at, at, nil, nil}
			if n%3 == 0 {
				copy(row[2:], []any{"CANCELED", price, at, at, nil, at, "requested"})
			}
			if n%300 == 0 {
				row[8] = "reservation_expired"
			}
			return row
		}},
		{"order_items", itemColumns, orders, func(n int64) []any {
			return item(n, productsOf(n)[0])
		}},
	} {
		first, err := d.next(ctx, t.table)
		if err == nil {
			err = d.insert(ctx, t.table, t.columns, first, t.rows, t.row)
		}
		if err != nil {
			return fmt.Errorf("filling %s: %w", t.table, err)
		}
		if d.config.Driver == db.MySQL { // else MySQL would analyze the table at some later time
			if _, err := d.pool.ExecContext(ctx, "ANALYZE TABLE "+t.table); err != nil {
				return err
			}
		}
	}
	return nil
}

// The price and the initial stock of each product.
const (
	price  = 1000
	plenty = 500_000_000
)

// insert inserts rows. The parameters first and last are the numbers of the first and the last row.
func (d *database) insert(
	ctx context.Context, table, columns string, first, last int64, row func(n int64) []any,
) error {
	const maxRows = 3000 // most rows in a statement; SQLite accepts 32766 values
	values := "(?" + strings.Repeat(", ?", strings.Count(columns, ",")) + ")"
	for ; first <= last; first += maxRows {
		rows := min(maxRows, last-first+1)
		args := make([]any, 0, rows*10)
		for n := range rows {
			args = append(args, row(first+n)...)
		}
		statement := "INSERT INTO " + table + " (" + columns + ") VALUES " + values
		statement += strings.Repeat(", "+values, int(rows)-1)
		if _, err := d.pool.ExecContext(ctx, statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// next returns the highest id in a table plus 1.
func (d *database) next(ctx context.Context, table string) (id int64, err error) {
	column := "id"
	if table == "order_items" {
		column = "order_id"
	}
	err = d.pool.QueryRowContext(ctx, "SELECT COALESCE(MAX("+column+"), 0) + 1 FROM "+table).Scan(&id)
	return id, err
}

// supply adds CREATED orders of three items, and returns the id of the first order.
func (d *database) supply(ctx context.Context, orders int64) (first int64, err error) {
	if first, err = d.next(ctx, "orders"); err != nil {
		return 0, err
	}
	now, last := time.Now().UTC().Truncate(time.Second), first+orders-1
	const columns = "id, customer_id, status, total_cents, created_at, updated_at"
	err = d.insert(ctx, "orders", columns, first, last, func(n int64) []any {
		return []any{n, customerOf(n), "CREATED", 3 * price, now, now}
	})
	for i := range 3 {
		if err == nil {
			err = d.insert(ctx, "order_items", itemColumns, first, last, func(n int64) []any {
				return item(n, productsOf(n)[i])
			})
		}
	}
	return first, err
}

const itemColumns = "order_id, product_id, sku, name, qty, unit_price_cents, subtotal_cents"

// item returns a row for itemColumns: one piece of a product.
func item(order, product int64) []any {
	return []any{order, product, fmt.Sprint("SKU-", product), fmt.Sprint("Product ", product), 1, price, price}
}

// indexed waits until b2b has updated the search index and the block-range index. Up to 99 rows of a table
// may stay out of the search index.
func indexed(ctx context.Context, pool *sql.DB) error {
	for _, unfinished := range []string{
		"SELECT COUNT(*) = 100 FROM (SELECT 1 FROM customers WHERE unindexed = 1 LIMIT 100) pending",
		"SELECT COUNT(*) = 100 FROM (SELECT 1 FROM products WHERE unindexed = 1 LIMIT 100) pending",
		`SELECT COALESCE((SELECT MAX(block) + 1 FROM order_blocks), 0)
			< (SELECT COUNT(*) FROM orders) / 1024 - 1`,
	} {
		for wait := true; wait; {
			if err := pool.QueryRowContext(ctx, unfinished).Scan(&wait); err != nil {
				return err
			}
			if wait {
				time.Sleep(100 * time.Millisecond)
			}
		}
	}
	return nil
}

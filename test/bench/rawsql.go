package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// rawSQL runs only the SQL statements of an operation, on database/sql, without HTTP and validation. The
// benchmark calls it with the same clients as the services.
type rawSQL struct {
	pool *sql.DB
	now  string // an SQL expression for the clock
	lock string // suffix of a SELECT that locks its rows
}

func (r rawSQL) contender() contender {
	return contender{name: "raw SQL",
		transport: func(o operation, _ int) http.RoundTripper {
			return call(func(ctx context.Context, n int64) error { return o.sql(ctx, r, n) })
		},
		target: func(_ operation, n int64) vegeta.Target {
			return vegeta.Target{Method: "POST", URL: "http://raw/" + strconv.FormatInt(n, 10)}
		}}
}

// call is an http.RoundTripper that sends nothing: it calls the function with the number in the path of the
// request.
type call func(ctx context.Context, n int64) error

// RoundTrip implements http.RoundTripper.
func (c call) RoundTrip(r *http.Request) (*http.Response, error) {
	n, err := strconv.ParseInt(r.URL.Path[1:], 10, 64)
	if err == nil {
		err = c(r.Context(), n)
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

// create places an order with one piece of each product. It writes no event. With a key, it also stores the
// key and the answer, in the same transaction.
func (r rawSQL) create(ctx context.Context, key string, customer int64, products ...int64) error {
	const exists = "SELECT id FROM customers WHERE id = ? AND deleted_at IS NULL"
	if err := r.pool.QueryRowContext(ctx, exists, customer).Scan(&customer); err != nil {
		return err
	}
	reserve := "UPDATE products SET stock = stock - 1, updated_at = " + r.now + " WHERE stock >= 1 AND id IN "
	insert := "INSERT INTO orders (customer_id, status, total_cents, created_at, updated_at)" +
		" VALUES (?, 'CREATED', ?, " + r.now + ", " + r.now + ")"
	insertLines := "INSERT INTO order_items (" + itemColumns + ")" +
		" SELECT ?, id, sku, name, 1, price_cents, price_cents FROM products WHERE id IN "
	return r.inTx(ctx, func(tx *session) {
		in, ids := list(products)
		prices := tx.pairs("SELECT id, price_cents FROM products WHERE id IN "+in, ids...)
		tx.change(len(products), reserve+in, ids...)
		total := int64(0)
		for _, price := range prices {
			total += price
		}
		order := tx.change(1, insert, customer, total)
		tx.change(len(products), insertLines+in, append([]any{order}, ids...)...)
		if key != "" {
			answer := map[string]any{"id": order, "customer_id": customer, "total_cents": total, "prices": prices}
			tx.save("createOrder", key, order, answer)
		}
	})
}

// confirm reads an order and its items, and writes the status, the event and the key.
func (r rawSQL) confirm(ctx context.Context, key string, order int64) error {
	update := "UPDATE orders SET status = 'CONFIRMED', confirmed_at = " + r.now + ", updated_at = " + r.now +
		" WHERE id = ? AND status = 'CREATED'"
	return r.inTx(ctx, func(tx *session) {
		items := tx.items(order, r.lock)
		tx.change(1, update, order)
		tx.event("order.confirmed", "order", order, items)
		tx.save("confirmOrder", key, order, items)
	})
}

// cancel reads an order and its items, and writes the status, the event and the stock.
func (r rawSQL) cancel(ctx context.Context, order int64) error {
	update := "UPDATE orders SET status = 'CANCELED', canceled_at = " + r.now + ", cancel_reason = 'requested'," +
		" updated_at = " + r.now + " WHERE id = ? AND status = 'CREATED'"
	release := "UPDATE products SET stock = stock + 1, updated_at = " + r.now + " WHERE id IN "
	return r.inTx(ctx, func(tx *session) {
		items := tx.items(order, r.lock)
		tx.change(1, update, order)
		tx.event("order.canceled", "order", order, items)
		in, ids := list(slices.Collect(maps.Keys(items)))
		tx.change(len(items), release+in, ids...)
	})
}

// adjust reads a product, and writes its stock, the adjustment and the event.
func (r rawSQL) adjust(ctx context.Context, product int64) error {
	insert := "INSERT INTO stock_adjustments (product_id, delta, level, reason, created_at)" +
		" VALUES (?, 1, ?, 'bench', " + r.now + ")"
	return r.inTx(ctx, func(tx *session) {
		level := tx.pairs("SELECT id, stock FROM products WHERE id = ?"+r.lock, product)[product] + 1
		tx.change(1, "UPDATE products SET stock = ?, updated_at = "+r.now+" WHERE id = ?", level, product)
		tx.change(1, insert, product, level)
		tx.event("stock.adjusted", "product", product, level)
	})
}

// get reads an order and its items.
func (r rawSQL) get(ctx context.Context, order int64) error {
	s := session{ctx: ctx, db: r.pool}
	s.items(order, "")
	return s.err
}

// inTx runs the statements of fn in a transaction.
func (r rawSQL) inTx(ctx context.Context, fn func(tx *session)) error {
	tx, err := r.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	s := session{ctx: ctx, db: tx, now: r.now}
	if fn(&s); s.err != nil {
		return errors.Join(s.err, tx.Rollback())
	}
	return tx.Commit()
}

// session runs statements until the first error, and keeps the error in err. After the error, all methods do
// nothing.
type session struct {
	ctx context.Context
	db  interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	now string
	err error
}

// change runs a statement that must change the given number of rows. It returns the id of an inserted row.
func (s *session) change(rows int, statement string, args ...any) (id int64) {
	if s.err != nil {
		return 0
	}
	res, err := s.db.ExecContext(s.ctx, statement, args...)
	if s.err = err; err != nil {
		return 0
	}
	if changed, err := res.RowsAffected(); err != nil || changed != int64(rows) {
		s.err = fmt.Errorf("%d rows changed instead of %d: %w", changed, rows, errors.Join(err, sql.ErrNoRows))
		return 0
	}
	id, _ = res.LastInsertId() // 0 when the statement inserts no row
	return id
}

// pairs reads rows of two numbers into a map. A result without rows is an error.
func (s *session) pairs(query string, args ...any) map[int64]int64 {
	if s.err != nil {
		return nil
	}
	rows, err := s.db.QueryContext(s.ctx, query, args...)
	if s.err = err; err != nil {
		return nil
	}
	defer rows.Close()
	all := map[int64]int64{}
	for rows.Next() && s.err == nil {
		var key, value int64
		s.err = rows.Scan(&key, &value)
		all[key] = value
	}
	if s.err = errors.Join(s.err, rows.Err()); s.err == nil && len(all) == 0 {
		s.err = sql.ErrNoRows
	}
	return all
}

// items reads an order, and returns the pieces of each product, by the product's id. The parameter lock is
// the text to put after the SELECT of the order.
func (s *session) items(order int64, lock string) map[int64]int64 {
	s.pairs("SELECT id, customer_id FROM orders WHERE id = ?"+lock, order)
	return s.pairs("SELECT product_id, qty FROM order_items WHERE order_id = ?", order)
}

func (s *session) event(kind, subject string, id int64, after any) {
	insert := "INSERT INTO events (type, subject, subject_id, actor, created_at, representation)" +
		" VALUES (?, ?, ?, 'bench', " + s.now + ", ?)"
	s.change(1, insert, kind, subject, id, encoded(after))
}

// save inserts the row of a key. It fails when the key already has a row.
func (s *session) save(operation, key string, target int64, answer any) {
	const insert = "INSERT INTO idempotency_keys (caller, operation, idempotency_key, request_hash, target_id," +
		" status, response_body, expires_at) VALUES ('raw', ?, ?, ?, ?, 201, ?, ?)"
	expires := time.Now().UTC().Add(24 * time.Hour)
	s.change(1, insert, operation, key, make([]byte, 32), target, encoded(answer), expires)
}

func encoded(value any) string {
	text, _ := json.Marshal(value) // encoding maps and numbers never fails
	return string(text)
}

// list returns the placeholders and the arguments for the operator IN.
func list(ids []int64) (placeholders string, args []any) {
	for _, id := range ids {
		args = append(args, id)
	}
	return "(?" + strings.Repeat(", ?", len(ids)-1) + ")", args
}

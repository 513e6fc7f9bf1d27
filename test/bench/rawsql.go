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

// rawSQL is what the services are compared with: the leanest correct code for one operation, on database/sql
// alone, without HTTP, validation or events. It is called by the same clients as the services are.
type rawSQL struct {
	pool *sql.DB
	now  string // an SQL expression for the clock
	lock string // what makes a SELECT lock its rows
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

// call is a transport that calls a function with the number in the path.
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

// create places an order with one piece of each product. The key's row, if there is to be one, commits with
// it and has the answer.
func (r rawSQL) create(ctx context.Context, key string, customer int64, products ...int64) error {
	if err := r.pool.QueryRowContext(ctx, "SELECT id FROM customers WHERE id = ? AND deleted_at IS NULL", customer).Scan(&customer); err != nil {
		return err
	}
	return r.inTx(ctx, func(tx *work) {
		in, ids := list(products)
		prices := tx.pairs("SELECT id, price_cents FROM products WHERE id IN "+in, ids...)
		tx.change(
			len(products),
			"UPDATE products SET stock = stock - 1, updated_at = "+r.now+" WHERE stock >= 1 AND id IN "+in,
			ids...)
		total := int64(0)
		for _, price := range prices {
			total += price
		}
		order := tx.change(
			1,
			"INSERT INTO orders (customer_id, status, total_cents, created_at, updated_at) VALUES (?, 'CREATED', ?, "+r.now+", "+r.now+")",
			customer, total,
		)
		var lines []any
		for _, p := range products {
			lines = append(lines, order, p, prices[p], prices[p])
		}
		tx.change(
			len(products),
			"INSERT INTO order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents) VALUES (?, ?, 1, ?, ?)"+
				strings.Repeat(
					", (?, ?, 1, ?, ?)", len(products)-1,
				),
			lines...)
		if key != "" {
			tx.remember(
				"createOrder", key, order,
				map[string]any{"id": order, "customer_id": customer, "total_cents": total, "prices": prices},
			)
		}
	})
}

// confirm runs the statements of a confirmation: the order, its items, its status, the event, the key.
func (r rawSQL) confirm(ctx context.Context, key string, order int64) error {
	return r.inTx(ctx, func(tx *work) {
		items := tx.items(order, r.lock)
		tx.change(
			1,
			"UPDATE orders SET status = 'CONFIRMED', confirmed_at = "+r.now+", updated_at = "+r.now+" WHERE id = ? AND status = 'CREATED'",
			order,
		)
		tx.event("order.confirmed", "order", order, items)
		tx.remember("confirmOrder", key, order, items)
	})
}

// cancel runs the statements of a cancellation: the order, its items, its status, the event, the stock.
func (r rawSQL) cancel(ctx context.Context, order int64) error {
	return r.inTx(ctx, func(tx *work) {
		items := tx.items(order, r.lock)
		tx.change(
			1,
			"UPDATE orders SET status = 'CANCELED', canceled_at = "+r.now+", cancel_reason = 'requested', updated_at = "+r.now+
				" WHERE id = ? AND status = 'CREATED'",
			order,
		)
		tx.event("order.canceled", "order", order, items)
		in, ids := list(slices.Collect(maps.Keys(items)))
		tx.change(len(items), "UPDATE products SET stock = stock + 1, updated_at = "+r.now+" WHERE id IN "+in, ids...)
	})
}

// adjust runs the statements of a change of stock: the product, its level, the adjustment, the event.
func (r rawSQL) adjust(ctx context.Context, product int64) error {
	return r.inTx(ctx, func(tx *work) {
		level := tx.pairs("SELECT id, stock FROM products WHERE id = ?"+r.lock, product)[product] + 1
		tx.change(1, "UPDATE products SET stock = ?, updated_at = "+r.now+" WHERE id = ?", level, product)
		tx.change(
			1,
			"INSERT INTO stock_adjustments (product_id, delta, level, reason, created_at) VALUES (?, 1, ?, 'bench', "+r.now+")",
			product, level,
		)
		tx.event("stock.adjusted", "product", product, level)
	})
}

// get reads an order and its items.
func (r rawSQL) get(ctx context.Context, order int64) error {
	w := work{ctx: ctx, db: r.pool}
	w.items(order, "")
	return w.err
}

// inTx runs the statements of fn in a transaction.
func (r rawSQL) inTx(ctx context.Context, fn func(tx *work)) error {
	tx, err := r.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	w := work{ctx: ctx, db: tx, now: r.now}
	if fn(&w); w.err != nil {
		return errors.Join(w.err, tx.Rollback())
	}
	return tx.Commit()
}

// work runs statements until one fails; the later ones do nothing.
type work struct {
	ctx context.Context
	db  interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	now string
	err error
}

// change runs a statement that must change so many rows. It returns the id of one that it inserted.
func (w *work) change(rows int, statement string, args ...any) (id int64) {
	if w.err != nil {
		return 0
	}
	res, err := w.db.ExecContext(w.ctx, statement, args...)
	if w.err = err; err != nil {
		return 0
	}
	if changed, err := res.RowsAffected(); err != nil || changed != int64(rows) {
		w.err = fmt.Errorf("%d rows changed instead of %d: %w", changed, rows, errors.Join(err, sql.ErrNoRows))
		return 0
	}
	id, _ = res.LastInsertId() // 0 for a statement that inserts none
	return id
}

// pairs reads rows of two numbers, at least one.
func (w *work) pairs(query string, args ...any) map[int64]int64 {
	if w.err != nil {
		return nil
	}
	rows, err := w.db.QueryContext(w.ctx, query, args...)
	if w.err = err; err != nil {
		return nil
	}
	defer rows.Close()
	all := map[int64]int64{}
	for rows.Next() && w.err == nil {
		var key, value int64
		w.err = rows.Scan(&key, &value)
		all[key] = value
	}
	if w.err = errors.Join(w.err, rows.Err()); w.err == nil && len(all) == 0 {
		w.err = sql.ErrNoRows
	}
	return all
}

// items reads an order, which lock may lock, and returns the pieces of its products.
func (w *work) items(order int64, lock string) map[int64]int64 {
	w.pairs("SELECT id, customer_id FROM orders WHERE id = ?"+lock, order)
	return w.pairs("SELECT product_id, qty FROM order_items WHERE order_id = ?", order)
}

// event writes what has happened.
func (w *work) event(kind, subject string, id int64, after any) {
	w.change(
		1,
		"INSERT INTO events (type, subject, subject_id, actor, created_at, representation) VALUES (?, ?, ?, 'bench', "+w.now+", ?)",
		kind, subject, id, encoded(after),
	)
}

// remember writes a key's row. A second one with that key fails, and its transaction with it.
func (w *work) remember(operation, key string, target int64, answer any) {
	w.change(
		1,
		"INSERT INTO idempotency_keys (caller, operation, idempotency_key, request_hash, target_id, status, response_body, expires_at) "+
			"VALUES ('raw', ?, ?, ?, ?, 201, ?, ?)",
		operation,
		key,
		make([]byte, 32),
		target,
		encoded(answer),
		time.Now().UTC().Add(24*time.Hour),
	)
}

func encoded(value any) string {
	text, _ := json.Marshal(value) // maps and numbers
	return string(text)
}

// list returns ids as SQL wants them after IN.
func list(ids []int64) (placeholders string, args []any) {
	for _, id := range ids {
		args = append(args, id)
	}
	return "(?" + strings.Repeat(", ?", len(ids)-1) + ")", args
}

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// rawSQL is what the services are compared with: the leanest correct code for one operation, on database/sql alone, without HTTP,
// validation or events. It is called by the same clients as the services are.
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
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, err
}

var errRefused = errors.New("refused")

// create places an order with one piece of each product. The key's row, if there is to be one, commits with it and has the answer.
func (r rawSQL) create(ctx context.Context, key string, customer int64, products ...int64) error {
	var known int64
	if err := r.pool.QueryRowContext(ctx, "SELECT id FROM customers WHERE id = ? AND deleted_at IS NULL", customer).Scan(&known); err != nil {
		return err
	}
	return r.inTx(ctx, func(tx *sql.Tx) error {
		prices, total, err := prices(ctx, tx, products)
		if err != nil {
			return err
		}
		in, ids := list(products)
		if err := change(ctx, tx, len(products), "UPDATE products SET stock = stock - 1, updated_at = "+r.now+" WHERE stock >= 1 AND id IN "+in, ids...); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, "INSERT INTO orders (customer_id, status, total_cents, created_at, updated_at) VALUES (?, 'CREATED', ?, "+r.now+", "+r.now+")", customer, total)
		if err != nil {
			return err
		}
		order, err := res.LastInsertId()
		if err != nil {
			return err
		}
		var lines []any
		for _, p := range products {
			lines = append(lines, order, p, prices[p], prices[p])
		}
		if err := change(ctx, tx, len(products), "INSERT INTO order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents) VALUES "+
			strings.Repeat(", (?, ?, 1, ?, ?)", len(products))[2:], lines...); err != nil || key == "" {
			return err
		}
		answer, err := json.Marshal(map[string]any{"id": order, "customer_id": customer, "total_cents": total, "prices": prices})
		if err != nil {
			return err
		}
		return r.remember(ctx, tx, "createOrder", key, order, answer)
	})
}

// prices reads what products cost, which must all be there.
func prices(ctx context.Context, tx *sql.Tx, products []int64) (cents map[int64]int64, total int64, err error) {
	in, ids := list(products)
	rows, err := tx.QueryContext(ctx, "SELECT id, price_cents FROM products WHERE id IN "+in, ids...)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	cents = map[int64]int64{}
	for rows.Next() {
		var id, price int64
		if err := rows.Scan(&id, &price); err != nil {
			return nil, 0, err
		}
		cents[id], total = price, total+price
	}
	if len(cents) != len(products) {
		return nil, 0, errors.Join(errRefused, rows.Err())
	}
	return cents, total, rows.Err()
}

// remember writes a key's row. A second one with that key fails, and its transaction with it.
func (r rawSQL) remember(ctx context.Context, tx *sql.Tx, operation, key string, target int64, answer []byte) error {
	return change(ctx, tx, 1, "INSERT INTO idempotency_keys (caller, operation, idempotency_key, request_hash, target_id, status, response_body, expires_at) VALUES ('raw', ?, ?, ?, ?, 201, ?, ?)",
		operation, key, make([]byte, 32), target, string(answer), time.Now().UTC().Add(24*time.Hour))
}

// confirm runs the statements of a confirmation: the key, the order, its items, its status, the event.
func (r rawSQL) confirm(ctx context.Context, key string, order int64) error {
	return r.inTx(ctx, func(tx *sql.Tx) error {
		items, err := r.locked(ctx, tx, order)
		if err != nil {
			return err
		}
		if err := change(ctx, tx, 1, "UPDATE orders SET status = 'CONFIRMED', confirmed_at = "+r.now+", updated_at = "+r.now+" WHERE id = ? AND status = 'CREATED'", order); err != nil {
			return err
		}
		if err := r.event(ctx, tx, "order.confirmed", "order", order, items); err != nil {
			return err
		}
		return r.remember(ctx, tx, "confirmOrder", key, order, items)
	})
}

// cancel runs the statements of a cancellation: the order, its items, its status, the event, the stock.
func (r rawSQL) cancel(ctx context.Context, order int64) error {
	return r.inTx(ctx, func(tx *sql.Tx) error {
		items, err := r.locked(ctx, tx, order)
		if err != nil {
			return err
		}
		if err := change(ctx, tx, 1, "UPDATE orders SET status = 'CANCELED', canceled_at = "+r.now+", cancel_reason = 'requested', updated_at = "+r.now+" WHERE id = ? AND status = 'CREATED'", order); err != nil {
			return err
		}
		if err := r.event(ctx, tx, "order.canceled", "order", order, items); err != nil {
			return err
		}
		var ids map[int64]int64
		if err := json.Unmarshal(items, &ids); err != nil {
			return err
		}
		var products []int64
		for id := range ids {
			products = append(products, id)
		}
		in, args := list(products)
		return change(ctx, tx, len(products), "UPDATE products SET stock = stock + 1, updated_at = "+r.now+" WHERE id IN "+in, args...)
	})
}

// locked locks an order that is CREATED, and returns its items as JSON.
func (r rawSQL) locked(ctx context.Context, tx *sql.Tx, order int64) ([]byte, error) {
	var status string
	if err := tx.QueryRowContext(ctx, "SELECT status FROM orders WHERE id = ?"+r.lock, order).Scan(&status); err != nil {
		return nil, err
	}
	if status != "CREATED" {
		return nil, errRefused
	}
	return items(ctx, tx, order)
}

// items reads the items of an order.
func items(ctx context.Context, q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, order int64) ([]byte, error) {
	rows, err := q.QueryContext(ctx, "SELECT product_id, subtotal_cents FROM order_items WHERE order_id = ?", order)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[int64]int64{}
	for rows.Next() {
		var product, cents int64
		if err := rows.Scan(&product, &cents); err != nil {
			return nil, err
		}
		all[product] = cents
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// adjust runs the statements of a change of stock: the product, its level, the adjustment, the event.
func (r rawSQL) adjust(ctx context.Context, product int64) error {
	return r.inTx(ctx, func(tx *sql.Tx) error {
		var level int64
		if err := tx.QueryRowContext(ctx, "SELECT stock FROM products WHERE id = ?"+r.lock, product).Scan(&level); err != nil {
			return err
		}
		if err := change(ctx, tx, 1, "UPDATE products SET stock = stock + 1, updated_at = "+r.now+" WHERE id = ?", product); err != nil {
			return err
		}
		if err := change(ctx, tx, 1, "INSERT INTO stock_adjustments (product_id, delta, level, reason, created_at) VALUES (?, 1, ?, 'bench', "+r.now+")", product, level+1); err != nil {
			return err
		}
		return r.event(ctx, tx, "stock.adjusted", "product", product, fmt.Appendf(nil, `{"level":%d}`, level+1))
	})
}

// get reads an order and its items.
func (r rawSQL) get(ctx context.Context, order int64) error {
	var status string
	if err := r.pool.QueryRowContext(ctx, "SELECT status FROM orders WHERE id = ?", order).Scan(&status); err != nil {
		return err
	}
	_, err := items(ctx, r.pool, order)
	return err
}

func (r rawSQL) event(ctx context.Context, tx *sql.Tx, kind, subject string, id int64, representation []byte) error {
	return change(ctx, tx, 1, "INSERT INTO events (type, subject, subject_id, actor, created_at, representation) VALUES (?, ?, ?, 'bench', "+r.now+", ?)",
		kind, subject, id, string(representation))
}

func (r rawSQL) inTx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := r.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// change runs a statement that must change so many rows.
func change(ctx context.Context, tx *sql.Tx, rows int, statement string, args ...any) error {
	res, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if changed, err := res.RowsAffected(); err != nil || changed != int64(rows) {
		return errors.Join(errRefused, err)
	}
	return nil
}

// list returns ids as SQL wants them after IN.
func list(ids []int64) (placeholders string, args []any) {
	for _, id := range ids {
		args = append(args, id)
	}
	return "(?" + strings.Repeat(", ?", len(ids)-1) + ")", args
}

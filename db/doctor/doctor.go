// Package doctor examines a live database for what must always be true of stock, orders and idempotency keys. It only reads,
// in one snapshot, and holds no more than one row at a time.
package doctor

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"gorm.io/gorm"
)

// Check is the result of one rule.
type Check struct {
	Rule    string   `json:"rule"`
	Checked int64    `json:"checked"` // rows
	Broken  int64    `json:"broken"`  // rows that break the rule
	First   []string `json:"first"`   // ids of the first of them, at most ten
}

// rule finds the rows of a table that break it. The query yields their ids, in ascending order.
type rule struct{ name, table, broken string }

// Subqueries go through an index for each row, so that a table of any size needs no temporary one.
var rules = []rule{
	{"stock of a product = its adjustments - pieces of its orders not CANCELED", "products", `
		SELECT p.id FROM products p WHERE p.stock <>
		  (SELECT COALESCE(SUM(a.delta), 0) FROM stock_adjustments a WHERE a.product_id = p.id) -
		  (SELECT COALESCE(SUM(i.qty), 0) FROM order_items i JOIN orders o ON o.id = i.order_id WHERE i.product_id = p.id AND o.status <> 'CANCELED')
		ORDER BY p.id`},
	{"stock of a product is not below zero", "products", `SELECT id FROM products WHERE stock < 0 ORDER BY id`},
	{"total of an order = its lines, at least one", "orders", `
		SELECT o.id FROM orders o WHERE o.total_cents <> COALESCE((SELECT SUM(i.subtotal_cents) FROM order_items i WHERE i.order_id = o.id), -1) ORDER BY o.id`},
	{"line of an order = pieces x price", "order_items", `
		SELECT order_id FROM order_items WHERE subtotal_cents <> qty * unit_price_cents OR qty < 1 ORDER BY order_id`},
	{"times of an order agree with its status", "orders", `
		SELECT id FROM orders WHERE
		  (status = 'CREATED' AND confirmed_at IS NOT NULL) OR (status = 'CONFIRMED' AND confirmed_at IS NULL) OR
		  (status = 'CANCELED') <> (canceled_at IS NOT NULL) OR (status = 'CANCELED') <> (cancel_reason IS NOT NULL) OR
		  confirmed_at < created_at OR canceled_at < created_at OR canceled_at < confirmed_at OR
		  (cancel_reason = 'reservation_expired' AND confirmed_at IS NOT NULL)
		ORDER BY id`},
	{"order has its customer", "orders", `
		SELECT o.id FROM orders o LEFT JOIN customers c ON c.id = o.customer_id WHERE c.id IS NULL ORDER BY o.id`},
	{"line has its order and product", "order_items", `
		SELECT i.order_id FROM order_items i LEFT JOIN orders o ON o.id = i.order_id LEFT JOIN products p ON p.id = i.product_id
		WHERE o.id IS NULL OR p.id IS NULL ORDER BY i.order_id`},
	{"stock adjustment has its product", "stock_adjustments", `
		SELECT a.id FROM stock_adjustments a LEFT JOIN products p ON p.id = a.product_id WHERE p.id IS NULL ORDER BY a.id`},
}

// Examine carries out all checks on one snapshot of the database.
func Examine(ctx context.Context, g *gorm.DB) (checks []Check, err error) {
	err = g.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, r := range rules {
			c := Check{Rule: r.name, First: []string{}}
			if err := tx.Raw("SELECT COUNT(*) FROM " + r.table).Scan(&c.Checked).Error; err != nil {
				return err
			}
			rows, err := tx.Raw(r.broken).Rows()
			if err != nil {
				return err
			}
			for rows.Next() {
				var id int64
				if err := rows.Scan(&id); err != nil {
					return err
				}
				c.breaks(strconv.FormatInt(id, 10))
			}
			if err := closed(rows); err != nil {
				return err
			}
			checks = append(checks, c)
		}
		keys, err := examineKeys(tx)
		checks = append(checks, keys...)
		return err
	}, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	return checks, err
}

// examineKeys holds each idempotency key's row to what it stands for.
func examineKeys(tx *gorm.DB) ([]Check, error) {
	exists := Check{Rule: "idempotency key's order or product exists", First: []string{}}
	agrees := Check{Rule: "stored answer of an idempotency key agrees with it", First: []string{}}
	rows, err := tx.Raw(`
		SELECT k.operation, k.idempotency_key, COALESCE(k.target_id, 0), COALESCE(k.status, 0), COALESCE(k.response_body, ''),
		  COALESCE(o.id, p.id, 0), COALESCE(o.customer_id, 0), COALESCE(o.total_cents, 0), o.confirmed_at IS NOT NULL, o.canceled_at IS NOT NULL
		FROM idempotency_keys k
		LEFT JOIN orders o ON o.id = k.target_id AND k.operation <> 'adjustStock'
		LEFT JOIN products p ON p.id = k.target_id AND k.operation = 'adjustStock'`).Rows()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var operation, key, body string
		var target, status, found, customer, total int64
		var confirmed, canceled bool
		if err := rows.Scan(&operation, &key, &target, &status, &body, &found, &customer, &total, &confirmed, &canceled); err != nil {
			return nil, err
		}
		exists.Checked++
		agrees.Checked++
		if found == 0 {
			exists.breaks(operation + " " + key)
		}
		var answer struct {
			Success bool
			Data    struct {
				ID         int64
				ProductID  int64  `json:"product_id"`
				CustomerID int64  `json:"customer_id"`
				TotalCents int64  `json:"total_cents"`
				Status     string `json:"status"`
			}
		}
		d := &answer.Data
		ok := json.Unmarshal([]byte(body), &answer) == nil && answer.Success
		order := d.ID == target && d.CustomerID == customer && d.TotalCents == total
		switch operation {
		case "createOrder":
			ok = ok && order && status == 201 && d.Status == "CREATED"
		case "confirmOrder":
			ok = ok && order && status == 200 && d.Status == "CONFIRMED" && confirmed
		case "cancelOrder":
			ok = ok && order && status == 200 && d.Status == "CANCELED" && canceled
		case "adjustStock":
			ok = ok && d.ProductID == target && status == 201
		default:
			ok = false
		}
		if !ok {
			agrees.breaks(operation + " " + key)
		}
	}
	return []Check{exists, agrees}, closed(rows)
}

func (c *Check) breaks(id string) {
	if c.Broken++; len(c.First) < 10 {
		c.First = append(c.First, id)
	}
}

func closed(rows *sql.Rows) error {
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}

// Healthy reports whether no rule is broken.
func Healthy(checks []Check) bool {
	return !slices.ContainsFunc(checks, func(c Check) bool { return c.Broken > 0 })
}

// Print writes the checks as a table.
func Print(out io.Writer, checks []Check) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "rule\tchecked\tbroken\tfirst")
	for _, c := range checks {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", c.Rule, c.Checked, c.Broken, strings.Join(c.First, ", "))
	}
	w.Flush()
}

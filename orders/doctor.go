package orders

import (
	"database/sql"
	"encoding/json"
	"strconv"

	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/history"
)

// Rules returns the invariants of products, stock, orders, their history and their idempotency keys.
func Rules() []doctor.Rule {
	countOrder := func(to status) string { return history.Count(transitioned(to), orderSubject, "orders") }
	size := strconv.Itoa(blockSize)
	countProduct := func(event string) string { return history.Count(event, productSubject, "products") }
	return []doctor.Rule{
		{Name: "stock of a product = its adjustments - pieces of its orders not CANCELED", Table: "products", Query: `
			SELECT p.id FROM products p WHERE p.stock <> ` + expectedStock + ` ORDER BY p.id`},
		{Name: "stock of a product is not below zero", Table: "products", Query: `
			SELECT id FROM products WHERE stock < 0 ORDER BY id`},
		{Name: "total of an order = its lines, at least one", Table: "orders", Query: `
			SELECT o.id FROM orders o WHERE o.total_cents <>
			  COALESCE((SELECT SUM(i.subtotal_cents) FROM order_items i WHERE i.order_id = o.id), -1)
			ORDER BY o.id`},
		{Name: "line of an order = pieces x price", Table: "order_items", Query: `
			SELECT order_id FROM order_items WHERE subtotal_cents <> qty * unit_price_cents OR qty < 1
			ORDER BY order_id`},
		{Name: "line has a sku and a name, or neither from a program of 2.0.0", Table: "order_items", Query: `
			SELECT order_id FROM order_items
			WHERE sku = '' OR name = '' OR (sku IS NULL) <> (name IS NULL) ORDER BY order_id`},
		{Name: "times of an order agree with its status", Table: "orders", Query: `
			SELECT id FROM orders WHERE
			  (status = 'CREATED' AND confirmed_at IS NOT NULL) OR
			  (status = 'CONFIRMED' AND confirmed_at IS NULL) OR
			  (status = 'CANCELED') <> (canceled_at IS NOT NULL) OR
			  (status = 'CANCELED') <> (cancel_reason IS NOT NULL) OR
			  confirmed_at < created_at OR canceled_at < created_at OR canceled_at < confirmed_at OR
			  (cancel_reason = 'reservation_expired' AND confirmed_at IS NOT NULL)
			ORDER BY id`},
		{Name: "order has its customer", Table: "orders", Query: `
			SELECT o.id FROM orders o LEFT JOIN customers c ON c.id = o.customer_id WHERE c.id IS NULL
			ORDER BY o.id`},
		{Name: "line has its order and product", Table: "order_items", Query: `
			SELECT i.order_id FROM order_items i
			LEFT JOIN orders o ON o.id = i.order_id LEFT JOIN products p ON p.id = i.product_id
			WHERE o.id IS NULL OR p.id IS NULL ORDER BY i.order_id`},
		{Name: "stock adjustment has its product", Table: "stock_adjustments", Query: `
			SELECT a.id FROM stock_adjustments a LEFT JOIN products p ON p.id = a.product_id WHERE p.id IS NULL
			ORDER BY a.id`},
		{Name: "an order has one event for each of its transitions", Table: "orders", Query: `
			SELECT orders.id FROM orders ` + history.JoinLast(orderSubject, "orders") + `
			WHERE ` + countOrder(created) + ` <> 1
			  OR ` + countOrder(confirmed) + ` <> (confirmed_at IS NOT NULL)
			  OR ` + countOrder(canceled) + ` <> (canceled_at IS NOT NULL)
			  OR last.type <> CONCAT('order.', LOWER(status)) OR last.created_at <> updated_at
			ORDER BY orders.id`},
		history.LastShows(orderSubject, "orders", "status, total_cents, external_ref, cancel_reason, cancel_note"),
		{Name: "a product has one event of its creation, and one for each stock adjustment behind the first",
			Table: "products", Query: `
			SELECT products.id FROM products ` + history.JoinLast(productSubject, "products") + `
			WHERE ` + countProduct(productCreated) + ` <> 1 OR ` + countProduct(stockAdjusted) + ` <>
			  (SELECT COUNT(*) FROM stock_adjustments a WHERE a.product_id = products.id) - 1
			ORDER BY products.id`},
		history.LastShows(productSubject, "products", "sku, name, price_cents, active"),
		{Name: "event has its order, for the order's customer, or its product", Table: "events", Query: `
			SELECT e.id FROM events e LEFT JOIN orders o ON e.subject = 'order' AND o.id = e.subject_id
			LEFT JOIN products p ON e.subject = 'product' AND p.id = e.subject_id
			WHERE (e.subject = 'order' AND
			    (o.id IS NULL OR e.customer_id IS NULL OR e.customer_id <> o.customer_id))
			  OR (e.subject = 'product' AND (p.id IS NULL OR e.customer_id IS NOT NULL))
			ORDER BY e.id`},
		texts.Rule(),
		{Name: "orders of a block were created between its moments", Table: "order_blocks", Query: `
			SELECT b.block FROM order_blocks b WHERE EXISTS (SELECT 1 FROM orders o
			  WHERE o.id BETWEEN b.block * ` + size + ` + 1 AND (b.block + 1) * ` + size + `
			  AND (o.created_at < b.earliest OR o.created_at > b.latest))
			ORDER BY b.block`},
		keyRule("idempotency key's order or product exists", keyedRow.targetExists),
		keyRule("stored answer of an idempotency key agrees with it", keyedRow.answerAgrees),
	}
}

// expectedStock is SQL for the stock that product p must have.
const expectedStock = `
	(SELECT COALESCE(SUM(a.delta), 0) FROM stock_adjustments a WHERE a.product_id = p.id) -
	(SELECT COALESCE(SUM(i.qty), 0) FROM order_items i JOIN orders o ON o.id = i.order_id
	 WHERE i.product_id = p.id AND o.status <> 'CANCELED')`

// keyedRow is a row of the table idempotency_keys, joined with the order and the product that have the target
// as their id. When no order or product has this id, the field order or product is 0.
type keyedRow struct {
	operation, key, body   string
	target, order, product int64
	customer, total        int64
	status                 int
	confirmed, canceled    bool
}

const keyedRows = `
	SELECT k.operation, k.idempotency_key, COALESCE(k.response_body, ''), COALESCE(k.target_id, 0),
	  COALESCE(o.id, 0), COALESCE(p.id, 0), COALESCE(o.customer_id, 0), COALESCE(o.total_cents, 0),
	  COALESCE(k.status, 0), o.confirmed_at IS NOT NULL, o.canceled_at IS NOT NULL
	FROM idempotency_keys k
	LEFT JOIN orders o ON o.id = k.target_id LEFT JOIN products p ON p.id = k.target_id
	WHERE `

func keyRule(name string, keeps func(keyedRow) bool) doctor.Rule {
	breaks := func(row *sql.Rows) (string, error) {
		var r keyedRow
		err := row.Scan(&r.operation, &r.key, &r.body, &r.target, &r.order, &r.product, &r.customer, &r.total,
			&r.status, &r.confirmed, &r.canceled)
		if err != nil || keeps(r) {
			return "", err
		}
		return r.operation + " " + r.key, nil
	}
	return doctor.Rule{
		Name: name, Table: "idempotency_keys", Query: keyedRows + keyedOperations.Rows(), Breaks: breaks,
	}
}

func (r keyedRow) targetExists() bool {
	if o, _ := keyedOperations.Find(r.operation); o.Target == productSubject {
		return r.product != 0
	}
	return r.order != 0
}

func (r keyedRow) answerAgrees() bool {
	var body struct {
		Success bool
		Data    keyedAnswer
	}
	o, _ := keyedOperations.Find(r.operation)
	if r.status != o.Status || json.Unmarshal([]byte(r.body), &body) != nil || !body.Success {
		return false
	}
	a := body.Data
	switch r.operation {
	case createProduct.Name:
		return a.ID == r.target
	case adjustStock.Name:
		return a.ProductID == r.target
	}
	to := statusAfter[r.operation]
	reached := to == created || to == confirmed && r.confirmed || to == canceled && r.canceled
	return a.ID == r.target && a.CustomerID == r.customer && a.TotalCents == r.total && a.Status == to && reached
}

// keyedAnswer is the data of a stored answer: an order, a product or a stock adjustment.
type keyedAnswer struct {
	ID         int64
	CustomerID int64  `json:"customer_id"`
	TotalCents int64  `json:"total_cents"`
	Status     status `json:"status"`
	ProductID  int64  `json:"product_id"`
}

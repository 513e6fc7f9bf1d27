package orders

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
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
		{Name: "units of an order = the pieces of its lines", Table: "orders", Query: `
			SELECT o.id FROM orders o WHERE o.units <>
			  COALESCE((SELECT SUM(i.qty) FROM order_items i WHERE i.order_id = o.id), -1)
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
			  (status <> 'CANCELED' AND canceled_by IS NOT NULL) OR
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
		{Name: "each transition of an order has its event, which shows the order as it was", Table: "orders",
			Examine: examineOrderEvents},
		{Name: "an order was updated with its last event", Table: "orders", Query: `
			SELECT orders.id FROM orders WHERE updated_at <> COALESCE(canceled_at, confirmed_at, created_at)
			  AND (canceled_at IS NOT NULL OR ` + countOrder(created) + ` > 0) ORDER BY orders.id`},
		history.Begun(orderSubject, "orders"),
		history.Begun(productSubject, "products"),
		{Name: "a product has one event of its creation, and one for each stock adjustment behind the first",
			Table: "products", Query: `
			SELECT products.id ` + history.FromWithLast(productSubject, "products") + `
			AND (` + countProduct(productCreated) + ` <> 1 OR ` + countProduct(stockAdjusted) + ` <>
			  (SELECT COUNT(*) FROM stock_adjustments a WHERE a.product_id = products.id) - 1)
			ORDER BY products.id`},
		history.LastShows(productSubject, "products", "sku, name, price_cents, active, created_at"),
		{Name: "stock of a product, and the levels of its adjustments, follow from the events", Table: "products",
			Examine: examineStock},
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

// Notes returns the rules that find rows that are unusual, but correct.
func Notes() []doctor.Rule {
	size := strconv.Itoa(blockSize)
	return append(keyedOperations.Notes("orders"), texts.Note(),
		doctor.Rule{Name: "order that is CREATED for more than a day", Table: "orders", Query: `
			SELECT id FROM orders WHERE reserved_since < ? ORDER BY reserved_since`,
			Values: doctor.Before(24 * time.Hour)},
		doctor.Rule{Name: "order after a complete block that no job has recorded for 5 minutes", Table: "order_blocks",
			Query: `
			SELECT o.id FROM orders o WHERE o.id = (SELECT MIN(n.id) FROM orders n WHERE n.id >
			  (SELECT MIN(f.id) - 1 - (MIN(f.id) - 1) % ` + size + ` + ` + size + ` FROM orders f
			  WHERE f.id > COALESCE((SELECT MAX(block) + 1 FROM order_blocks), 0) * ` + size + `))
			AND o.created_at < ? /*T! AND FALSE */`,
			Values: doctor.Before(completeAfter + 5*time.Minute)})
}

// keyedRow is a row of the table idempotency_keys, joined with the order and the product whose id is the
// row's target_id, and with the stock adjustment that the stored answer names. The field order, product or
// adjustment is 0 when the order, product or adjustment does not exist.
type keyedRow struct {
	caller, operation, key, body string
	target, order, product       int64
	customer, total              int64
	status                       int
	confirmed, canceled          bool
	creator                      sql.NullString // actor of the event order.created; only for createOrder
	adjustment, delta, level     int64
	reason                       sql.NullString
}

// keyedRows is SQL that selects the fields of a keyedRow. It selects free texts as plain columns. In the
// result of an SQL expression, SQLite's driver would turn a text that looks like a time into a time.
const keyedRows = `
	SELECT ` + history.BySubject + `k.caller, k.operation, k.idempotency_key, COALESCE(k.response_body, ''),
	  COALESCE(k.target_id, 0), COALESCE(o.id, 0), COALESCE(p.id, 0), COALESCE(o.customer_id, 0),
	  COALESCE(o.total_cents, 0), COALESCE(k.status, 0), o.confirmed_at IS NOT NULL, o.canceled_at IS NOT NULL,
	  e.actor, COALESCE(a.id, 0), COALESCE(a.delta, 0), COALESCE(a.level, 0), a.reason
	FROM idempotency_keys k
	LEFT JOIN orders o ON o.id = k.target_id LEFT JOIN products p ON p.id = k.target_id
	LEFT JOIN events e ON k.operation = 'createOrder' AND e.subject = 'order' AND e.subject_id = k.target_id
	  AND e.type = 'order.created'
	LEFT JOIN stock_adjustments a ON a.id = CASE WHEN k.operation = 'adjustStock' AND JSON_VALID(k.response_body)
	  THEN CAST(JSON_EXTRACT(k.response_body, '$.data.id') AS SIGNED) END
	WHERE `

func keyRule(name string, keeps func(keyedRow) bool) doctor.Rule {
	breaks := func(row *sql.Rows) (string, error) {
		var r keyedRow
		err := row.Scan(&r.caller, &r.operation, &r.key, &r.body, &r.target, &r.order, &r.product, &r.customer,
			&r.total, &r.status, &r.confirmed, &r.canceled, &r.creator, &r.adjustment, &r.delta, &r.level, &r.reason)
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
	switch {
	case r.operation == adjustStock.Name:
		return a.ProductID == r.target && a.ID == r.adjustment && a.Delta == r.delta && a.Level == r.level &&
			a.Reason == r.reason.String
	case o.Target == productSubject:
		return a.ID == r.target
	case r.operation == createOrder.Name && r.creator.Valid && !r.isBy(r.creator.String):
		return false
	}
	to := statusAfter[r.operation]
	reached := to == created || to == confirmed && r.confirmed || to == canceled && r.canceled
	return a.ID == r.target && a.CustomerID == r.customer && a.TotalCents == r.total && a.Status == to && reached
}

// isBy reports whether the subject is the caller of the key. The token of the subject may be bound to the
// order's customer, or to no customer.
func (r keyedRow) isBy(subject string) bool {
	return r.caller == auth.Principal{Subject: subject}.KeySpace() ||
		r.caller == auth.Principal{Subject: subject, Customer: r.customer}.KeySpace()
}

// keyedAnswer is the data of a stored answer: an order, a product or a stock adjustment.
type keyedAnswer struct {
	ID         int64
	CustomerID int64  `json:"customer_id"`
	TotalCents int64  `json:"total_cents"`
	Status     status `json:"status"`
	ProductID  int64  `json:"product_id"`
	Delta      int64  `json:"delta"`
	Level      int64  `json:"level"`
	Reason     string `json:"reason"`
}

// examineOrderEvents compares the events of each order with the order, 1000 orders at a time. It reports no
// order that lacks the event of its creation, because that order is older than the history.
func examineOrderEvents(tx *gorm.DB, broken func(id string)) (checked int64, err error) {
	for last := int64(0); ; {
		orders, err := ordersAfter(tx, last, 1000)
		if err != nil || len(orders) == 0 {
			return checked, err
		}
		first := orders[0].ID
		last = orders[len(orders)-1].ID
		checked += int64(len(orders))
		events := map[int64][]orderEvent{}
		err = doctor.EachRow(tx, func(row *sql.Rows) error {
			var id int64
			var e orderEvent
			err := row.Scan(&id, &e.eventType, &e.representation, &e.agrees)
			events[id] = append(events[id], e)
			return err
		}, `SELECT `+history.BySubject+`e.subject_id, e.type, e.representation,
			COALESCE(e.created_at = CASE e.type WHEN 'order.created' THEN o.created_at
			  WHEN 'order.confirmed' THEN o.confirmed_at ELSE o.canceled_at END, FALSE)
			  AND (e.type <> 'order.canceled' OR e.actor = COALESCE(o.canceled_by, e.actor))
			FROM events e JOIN orders o ON o.id = e.subject_id
			WHERE e.subject = 'order' AND e.subject_id BETWEEN ? AND ? ORDER BY e.subject_id, e.id`, first, last)
		if err != nil {
			return checked, err
		}
		for _, o := range orders {
			if !tells(events[o.ID], *o) {
				broken(strconv.FormatInt(o.ID, 10))
			}
		}
	}
}

// orderEvent is an event of an order. The field agrees says whether the time and the actor of the event are
// the same as in the row of the order. SQL compares the times, because reading a time of SQLite is slow.
type orderEvent struct {
	eventType, representation string
	agrees                    bool
}

// ordersAfter reads the next orders with an id above the parameter last, with their items.
func ordersAfter(tx *gorm.DB, last int64, limit int) (orders []*order, err error) {
	err = tx.Where("id > ?", last).Order("id").Limit(limit).Find(&orders).Error
	if err != nil || len(orders) == 0 {
		return nil, err
	}
	byID := make(map[int64]*order, len(orders))
	for _, o := range orders {
		byID[o.ID] = o
	}
	err = doctor.EachRow(tx, func(row *sql.Rows) error {
		var i item
		var sku, name sql.NullString
		err := row.Scan(&i.OrderID, &i.ProductID, &sku, &name, &i.Qty, &i.UnitPriceCents, &i.SubtotalCents)
		i.SKU, i.Name = sku.String, name.String
		if o := byID[i.OrderID]; o != nil {
			o.Items = append(o.Items, i)
		}
		return err
	}, `SELECT order_id, product_id, sku, name, qty, unit_price_cents, subtotal_cents FROM order_items
		WHERE order_id BETWEEN ? AND ? ORDER BY order_id, product_id`,
		orders[0].ID, orders[len(orders)-1].ID)
	return orders, err
}

// tells reports whether each transition of the order has its event, whether the order has no other event, and
// whether each event shows the order as it was after the transition. For an order without the event of its
// creation, it returns true: see examineOrderEvents.
//
// Version 2.0.0 wrote events whose items have no sku and no name. When the first event of the order is such
// an event, tells does not compare sku and name, because the lines may have got their sku and name later.
func tells(events []orderEvent, o order) bool {
	isCreation := func(e orderEvent) bool { return e.eventType == transitioned(created) }
	if !slices.ContainsFunc(events, isCreation) {
		return true
	}
	steps := o.steps()
	if len(events) != len(steps) || steps[len(steps)-1].Status != o.Status {
		return false
	}
	nameless := false
	for i, e := range events {
		if e.eventType != transitioned(steps[i].Status) || !e.agrees {
			return false
		}
		want := (&Config{}).orderView(steps[i])
		want.AllowedActions = nil
		if equalsBytes(e.representation, want) {
			continue
		}
		var shown api.Order
		if contract.Unmarshal([]byte(e.representation), &shown) != nil {
			return false
		}
		if shown.CanceledBy == nil {
			want.CanceledBy = nil // the event is older than the field canceled_by
		}
		shown.ReservationExpiresAt, shown.CancelableUntil, shown.AllowedActions = nil, nil, nil
		named := func(i contract.OrderItem) bool { return i.Sku != "" || i.Name != "" }
		if i == 0 {
			nameless = !slices.ContainsFunc(shown.Items, named)
		}
		for n := range want.Items {
			if nameless && n < len(shown.Items) {
				want.Items[n].Sku, want.Items[n].Name = shown.Items[n].Sku, shown.Items[n].Name
			}
		}
		if !reflect.DeepEqual(shown, want) {
			return false
		}
	}
	return true
}

// equalsBytes reports whether a representation is, byte for byte, the JSON of the order. It ignores the
// fields about allowed actions, because their values depend on the configuration. The check is quick, and the
// result is true for nearly all events. When the result is false, compare the decoded values.
func equalsBytes(representation string, want api.Order) bool {
	const actions = `"reservation_expires_at":null,"cancelable_until":null,"allowed_actions":null,`
	text, err := json.Marshal(want)
	if !strings.Contains(representation, `"canceled_by":`) { // the event is older than the field canceled_by
		text = canceledBy.ReplaceAll(text, nil)
	}
	head, tail, found := strings.Cut(string(text), actions)
	return err == nil && found && strings.HasPrefix(representation, head) && strings.HasSuffix(representation, tail)
}

// canceledBy matches the field canceled_by in the JSON of an order.
var canceledBy = regexp.MustCompile(`"canceled_by":(?:null|"(?:[^"\\]|\\.)*"),`)

// steps returns the order as it was after each of its transitions. All times are in UTC, like the times in
// decoded JSON.
func (o order) steps() []order {
	utc := func(at *time.Time) *time.Time {
		if at == nil {
			return nil
		}
		return new(at.UTC())
	}
	o.CreatedAt, o.ConfirmedAt, o.CanceledAt = o.CreatedAt.UTC(), utc(o.ConfirmedAt), utc(o.CanceledAt)
	next := o
	next.Status, next.UpdatedAt = created, o.CreatedAt
	next.ConfirmedAt, next.CanceledAt, next.CancelReason, next.CancelNote, next.CanceledBy = nil, nil, nil, nil, nil
	all := []order{next}
	if o.ConfirmedAt != nil {
		next.Status, next.UpdatedAt, next.ConfirmedAt = confirmed, *o.ConfirmedAt, o.ConfirmedAt
		all = append(all, next)
	}
	if o.CanceledAt != nil {
		o.Status, o.UpdatedAt = canceled, *o.CanceledAt
		all = append(all, o)
	}
	return all
}

// examineStock compares the level and the actor of each stock adjustment with the event of the adjustment. It
// also adds up, for each product, the adjustments and the pieces of the events of orders. The sums must be
// the levels of the adjustments and the present stock. These products are not added up:
//   - products that were created before the update to 2.1.0, because 2.0.0 canceled an order before it locked
//     the products
//   - products with an order that lacks the event of its creation
//   - on TiDB, products with orders, because the ids of events do not ascend in time
func examineStock(tx *gorm.DB, broken func(id string)) (checked int64, err error) {
	type step struct {
		event, stock, delta, level, moved int64 // moved: pieces that orders move until the next step
		actor                             string
		other                             bool // the adjustment has another actor than the event
	}
	steps, lines, adjusted := map[int64][]step{}, map[int64]int64{}, map[int64]int{}
	queries := []struct {
		read  func(row *sql.Rows) error
		query string
	}{
		{func(row *sql.Rows) error {
			var id int64
			var next step
			var eventType, representation string
			err := row.Scan(&id, &next.event, &eventType, &next.actor, &representation)
			shown := struct{ Stock int64 }{-1}
			// When the event has no stock, shown.Stock stays -1. No product has this stock.
			_ = json.Unmarshal([]byte(representation), &shown)
			next.stock = shown.Stock
			if steps[id] != nil || eventType == productCreated {
				steps[id] = append(steps[id], next)
			}
			return err
		}, `SELECT subject_id, id, type, actor, representation FROM events
			WHERE subject = 'product' AND type IN ('product.created', 'stock.adjusted') ORDER BY subject_id, id`},
		{func(row *sql.Rows) error {
			var id, delta, level int64
			var actor sql.NullString
			err := row.Scan(&id, &delta, &level, &actor)
			if n := adjusted[id]; n < len(steps[id]) {
				s := &steps[id][n]
				s.delta, s.level, s.other = delta, level, actor.Valid && actor.String != s.actor
			}
			adjusted[id]++
			return err
		}, "SELECT product_id, delta, level, actor FROM stock_adjustments ORDER BY product_id, id"},
		{func(row *sql.Rows) error {
			var id, n int64
			err := row.Scan(&id, &n)
			lines[id] = n
			return err
		}, "SELECT product_id, COUNT(*) FROM order_items GROUP BY product_id"},
		{func(row *sql.Rows) error {
			var event, id, qty int64
			var creation bool
			err := row.Scan(&event, &creation, &id, &qty)
			if creation {
				qty = -qty
				lines[id]--
			}
			before := func(s step, event int64) int { return cmp.Compare(s.event, event) }
			if at, _ := slices.BinarySearchFunc(steps[id], event, before); at > 0 {
				steps[id][at-1].moved += qty
			}
			return err
		}, `SELECT ` + history.BySubject + `e.id, e.type = 'order.created', i.product_id, i.qty
			FROM events e JOIN order_items i ON i.order_id = e.subject_id
			WHERE e.subject = 'order' AND e.type IN ('order.created', 'order.canceled') /*T! AND FALSE */`},
		{func(row *sql.Rows) error {
			var id, stock, before int64
			var young bool
			err := row.Scan(&id, &stock, &young)
			checked++
			if adjusted[id] != len(steps[id]) {
				return err
			}
			shown, follows := true, true
			for _, s := range steps[id] {
				shown, follows = shown && s.level == s.stock && !s.other, follows && before+s.delta == s.level
				before = s.level + s.moved
			}
			if !shown || young && lines[id] == 0 && (!follows || before != stock) {
				broken(strconv.FormatInt(id, 10))
			}
			return err
		}, "SELECT id, stock, " + history.Younger + " FROM products ORDER BY id"},
	}
	for _, q := range queries {
		if err := doctor.EachRow(tx, q.read, q.query); err != nil {
			return checked, err
		}
	}
	return checked, nil
}

package orders

import (
	"fmt"
	"slices"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/service"
)

// order is a row of the table orders, with the items of the order.
type order struct {
	ID           int64
	CustomerID   int64
	ExternalRef  *string           // unique among the orders of a customer that are not CANCELED
	Metadata     map[string]string `gorm:"serializer:json"` // nil for an order without metadata
	Status       status
	TotalCents   int64
	Units        *int64    // pieces of all items; nil in rows that programs before 2.1 have written
	CreatedAt    time.Time // all times of an order come from the database's clock
	ConfirmedAt  *time.Time
	CanceledAt   *time.Time
	CancelReason *cancelReason // nil unless the order is CANCELED
	CancelNote   *string       // free text that the caller gave with the cancellation
	CanceledBy   *string       // actor of the cancellation: see history.Origin
	UpdatedAt    time.Time     `gorm:"autoUpdateTime:false"`

	Items []item    `gorm:"-"`  // items in ascending product id; nil in the results of store.list
	Now   time.Time `gorm:"->"` // database's time when the order, or the products of a new order, were read
}

func (o order) Key() int64 { return o.ID }

// item is a row of the table order_items. An order has an item for each of its products.
type item struct {
	OrderID        int64  `gorm:"primaryKey;autoIncrement:false"`
	ProductID      int64  `gorm:"primaryKey;autoIncrement:false"`
	SKU, Name      string // sku and name of the product when the order was placed
	Qty            int64
	UnitPriceCents int64
	SubtotalCents  int64

	Now     time.Time `gorm:"->"` // time of the database; zero unless the query selects a column named `now`
	line    int       // index of the first line of the request with this product; set by stockView.price
	product *product  // the item's product; set by stockView.price
}

// TableName implements gorm's Tabler.
func (item) TableName() string { return "order_items" }

type status string

const (
	created   status = "CREATED"
	confirmed status = "CONFIRMED"
	canceled  status = "CANCELED"
)

type cancelReason string

const (
	requested          cancelReason = "requested"           // a caller has canceled the order
	reservationExpired cancelReason = "reservation_expired" // nobody has confirmed the order in time
	compensation       cancelReason = "compensation"        // a service undoes an operation with this order
)

// allowedFrom maps each status to the statuses from which an order may change to that status. An order that
// is not inserted yet has the status "".
var allowedFrom = map[status][]status{
	created:   {""},
	confirmed: {created},
	canceled:  {created, confirmed},
}

// transition is the change of an order to a status.
type transition struct {
	order  *order
	to     status
	origin history.Origin // origin of the event; when it is empty, the event gets the store's Origin
}

// transition writes the transitions, and records an event for each transition. New orders are inserted; all
// other orders must be locked. Every order must have its items. After an error, the transaction must be
// rolled back. Errors: db.ErrConflict when another transaction has already canceled an order;
// gorm.ErrDuplicatedKey when an external_ref is taken.
//
// The time of a transition is the order's time Now. When Now is before the order's last change, transition
// first moves Now forward: see db.ChangedAt. Every change of a status goes through this method, so code that
// must run at every change belongs here.
func (s store) transition(transitions ...transition) error {
	var placed, changed []*order
	for _, next := range transitions {
		o := next.order
		if !slices.Contains(allowedFrom[next.to], o.Status) {
			return fmt.Errorf("order %d is %s and cannot become %s", o.ID, o.Status, next.to)
		}
		o.Now = s.ChangedAt(o.UpdatedAt, o.Now)
		o.Status, o.UpdatedAt = next.to, o.Now
		switch next.to {
		case created:
			o.CreatedAt = o.Now
			placed = append(placed, o)
			continue
		case confirmed:
			o.ConfirmedAt = &o.Now
		case canceled:
			o.CanceledAt, o.CanceledBy = &o.Now, new(s.originOf(next).Actor)
		}
		changed = append(changed, o)
	}
	if placed != nil {
		if err := s.insertPlaced(placed); err != nil {
			return err
		}
	}
	if changed != nil {
		updated, err := db.UpdateEach(s.orders().Where("status <> ?", canceled), changed,
			"status", "updated_at", "confirmed_at", "canceled_at", "cancel_reason", "cancel_note", "canceled_by")
		if err == nil && updated != int64(len(changed)) {
			err = db.ErrConflict
		}
		if err != nil {
			return err
		}
	}
	events := make([]history.Event, len(transitions))
	for i, next := range transitions {
		events[i] = s.config.orderEvent(*next.order)
		events[i].Origin = s.originOf(next)
	}
	return s.Record(events...)
}

// originOf returns the origin of the transition or, if the transition has none, the origin of the store.
func (s store) originOf(t transition) history.Origin {
	if t.origin == (history.Origin{}) {
		return s.Origin
	}
	return t.origin
}

// insertPlaced inserts orders and their items, and sets the ids of the orders. Error: gorm.ErrDuplicatedKey
// when an external_ref is taken.
func (s store) insertPlaced(orders []*order) error {
	if err := service.Insert(s.Store, orders); err != nil {
		return err
	}
	var items [][]any
	for _, o := range orders {
		for i := range o.Items {
			item := &o.Items[i]
			item.OrderID = o.ID
			items = append(items,
				[]any{item.OrderID, item.ProductID, item.SKU, item.Name, item.Qty, item.UnitPriceCents,
					item.SubtotalCents})
		}
	}
	return s.insertItems(items)
}

// action is a change that a caller may make to an order.
type action string

const (
	confirmAction action = "confirm"
	cancelAction  action = "cancel"
)

// allowedActions holds the actions that are allowed at the time Now of an order.
type allowedActions struct {
	Actions              []action
	ReservationExpiresAt *time.Time // end of the reservation of a CREATED order; else nil
	CancelableUntil      *time.Time // end of an open cancellation window of a CONFIRMED order; else nil
}

// allowedActions returns the actions that the order's status and the time o.Now allow. No other function
// checks whether the cancellation window is open.
func (c *Config) allowedActions(o order) allowedActions {
	switch o.Status {
	case created:
		next := allowedActions{Actions: []action{confirmAction, cancelAction}}
		if c.Reservation > 0 {
			next.ReservationExpiresAt = new(o.CreatedAt.Add(c.Reservation))
		}
		return next
	case confirmed:
		if until := c.cancelableUntil(o); c.CancellationWindow > 0 && !o.Now.After(until) {
			return allowedActions{Actions: []action{cancelAction}, CancelableUntil: &until}
		}
	}
	return allowedActions{}
}

// find returns an order with its items, or 404 order_not_found.
func (s store) find(id int64) (order, error) {
	var o order
	if err := s.orders().Take(&o, id).Error; err != nil {
		return o, orderError(err, id)
	}
	err := s.readItems(&o)
	return o, err
}

// lockOrders locks the orders with the ids until the transaction ends, and reads them with their items.
// Orders that do not exist are left out. All transactions lock orders in ascending id, and products after
// orders, so that no two transactions wait for each other. Error: db.ErrLocked when another transaction still
// holds an order after the time wait.
func (s store) lockOrders(ids []int64, wait time.Duration) ([]*order, error) {
	var locked []*order
	err := db.ByID(s.lockingWithin(wait).orders()).Where("id IN ?", ids).Order("id").Find(&locked).Error
	if err != nil || len(locked) == 0 {
		return nil, err
	}
	return locked, s.readItems(locked...)
}

// orderError returns 404 order_not_found when a query has found no order, and any other error unchanged.
func orderError(err error, id int64) error {
	if service.IsNotFound(err) {
		return apperr.OrderNotFound.New(id)
	}
	return err
}

// readItems sets the fields Items and Now of the orders. To change orders, lock them by an earlier statement.
// A statement that waits for a lock reads the time at which the wait began, so a cancellation could get an
// earlier time than the confirmation before it.
func (s store) readItems(orders ...*order) error {
	var items []item
	if err := s.itemsOf(orders).Find(&items).Error; err != nil {
		return err
	}
	return s.attachItems(orders, items)
}

// attachItems sets the fields Items and Now of the orders to the items and the time of their query.
func (s store) attachItems(orders []*order, items []item) error {
	if err := s.addMissingNames(items); err != nil {
		return err
	}
	byID := make(map[int64]*order, len(orders))
	for _, o := range orders {
		byID[o.ID] = o
	}
	for _, i := range items {
		o := byID[i.OrderID]
		o.Items, o.Now = append(o.Items, i), i.Now
	}
	for _, o := range orders {
		if len(o.Items) == 0 {
			return fmt.Errorf("order %d has no lines", o.ID)
		}
	}
	return nil
}

// addMissingNames sets the sku and the name of lines without sku and name, to the present values of the
// product. A program of version 2.0.0 has inserted such lines, after the migration to a later version.
func (s store) addMissingNames(items []item) error {
	var ids []int64
	for _, i := range items {
		if i.SKU == "" {
			ids = append(ids, i.ProductID)
		}
	}
	if ids == nil {
		return nil
	}
	var products []product
	err := s.products().Select("id, sku, name").Where("id IN ?", ids).Find(&products).Error
	for i := range items {
		for _, p := range products {
			if item := &items[i]; item.SKU == "" && item.ProductID == p.ID {
				item.SKU, item.Name = p.SKU, p.Name
			}
		}
	}
	return err
}

// orderFilter has the filters of a list of orders; a nil field filters nothing.
type orderFilter struct {
	Status                      *status
	CustomerID                  *int64
	ExternalRef                 *string
	CancelReason                *cancelReason
	IDs                         []int64 // nil filters nothing; an empty slice matches no order
	Created, Confirmed, Updated db.Period
}

// mustBeCurrent reports whether the list must be current, so that no lagging replica may answer: see
// service.ReadPage.
func (f orderFilter) mustBeCurrent() bool {
	return f.ExternalRef != nil || f.IDs != nil || f.Updated != (db.Period{})
}

// list reads a page of orders, without their items.
func (s store) list(f orderFilter, page db.PageRequest) ([]order, *int64, error) {
	q := s.orders().Select("*, ? AS now", s.Now())
	ofOne := f.CustomerID != nil || f.ExternalRef != nil || s.isBound()
	if f.Status != nil && (ofOne || f.CancelReason != nil) {
		q = q.Where(db.Likely(q, "status = ?"), *f.Status)
	} else if f.Status != nil {
		q = q.Where("status = ?", *f.Status)
	}
	if f.CancelReason != nil && ofOne {
		q = q.Where(db.Likely(q, "cancel_reason = ?"), *f.CancelReason)
	} else if f.CancelReason != nil {
		q = q.Where("cancel_reason = ?", *f.CancelReason)
	}
	if f.IDs != nil {
		q = q.Where("id IN ?", f.IDs)
	}
	if f.CustomerID != nil {
		q = q.Where("customer_id = ?", *f.CustomerID)
	}
	if f.ExternalRef != nil {
		q = q.Where("external_ref = ?", *f.ExternalRef)
	}
	narrow := ofOne || f.IDs != nil
	q, err := db.During(f.Created.Within(q, "created_at %s ?"), "confirmed_at", f.Confirmed, narrow, page)
	if err != nil {
		return nil, nil, err
	}
	if q, err = db.During(q, "updated_at", f.Updated, narrow, page); err != nil {
		return nil, nil, err
	}
	if f.Created == (db.Period{}) {
		return db.Page[order](q, page)
	}
	spans, err := s.idRanges(f.Created)
	if err != nil {
		return nil, nil, err
	}
	return db.PageIn[order](q, spans, page)
}

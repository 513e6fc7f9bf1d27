package orders

import (
	"fmt"
	"slices"
	"time"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/history"
)

// order is a row of the table orders, and its items.
type order struct {
	ID           int64
	CustomerID   int64
	ExternalRef  *string           // unique among the customer's that are not CANCELED: the generated column active_external_ref holds that
	Metadata     map[string]string `gorm:"serializer:json"` // nil: none
	Status       status
	TotalCents   int64
	CreatedAt    time.Time // this and the other times on the database's clock
	ConfirmedAt  *time.Time
	CanceledAt   *time.Time
	CancelReason *cancelReason // when CANCELED
	CancelNote   *string       // a person's words
	UpdatedAt    time.Time     `gorm:"autoUpdateTime:false"`

	Items []item    `gorm:"-"`  // in ascending product id, where they were read
	Now   time.Time `gorm:"->"` // the database's clock when the order was read
}

func (o order) Key() int64 { return o.ID }

// item is a row of the table order_items: one for each product of the order.
type item struct {
	OrderID        int64 `gorm:"primaryKey;autoIncrement:false"`
	ProductID      int64 `gorm:"primaryKey;autoIncrement:false"`
	Qty            int64
	UnitPriceCents int64
	SubtotalCents  int64

	Now  time.Time `gorm:"->"` // the database's clock, where a query selects it
	line int       // of the request, where the product comes first
	of   *product  // on the stock, where the item was priced
}

// TableName implements gorm's Tabler.
func (item) TableName() string { return "order_items" }

// status is where an order stands.
type status string

const (
	created   status = "CREATED"
	confirmed status = "CONFIRMED"
	canceled  status = "CANCELED"
)

// cancelReason is why an order is CANCELED.
type cancelReason string

const (
	requested          cancelReason = "requested"           // somebody asked for it
	reservationExpired cancelReason = "reservation_expired" // nobody confirmed it in time
	compensation       cancelReason = "compensation"        // it was placed on the way to something that then failed
)

// allowedFrom lists for each status those from which an order may come to it; a new order comes from none.
var allowedFrom = map[status][]status{
	created:   {""},
	confirmed: {created},
	canceled:  {created, confirmed},
}

// transition is what brings an order into a status.
type transition struct {
	order *order
	to    status
	by    history.Origin // the store's own when it names nobody
}

// apply takes steps, each at the moment of its order's Now, all or none, and records them. It is the only
// code that writes a status: what must accompany every change of an order belongs here. The orders must have
// their items, and the transaction must have locked those that exist; those that come to be CREATED are
// inserted. It returns db.ErrConflict when one has been CANCELED all the same.
func (s store) apply(steps ...transition) error {
	var placed, changed []*order
	for _, next := range steps {
		o := next.order
		if !slices.Contains(allowedFrom[next.to], o.Status) {
			return fmt.Errorf("order %d is %s and cannot become %s", o.ID, o.Status, next.to)
		}
		o.Status, o.UpdatedAt = next.to, o.Now
		switch next.to {
		case created:
			o.CreatedAt = o.Now
			placed = append(placed, o)
			continue
		case confirmed:
			o.ConfirmedAt = &o.Now
		case canceled:
			o.CanceledAt = &o.Now
		}
		changed = append(changed, o)
	}
	if placed != nil {
		if err := s.insertPlaced(placed); err != nil {
			return err
		}
	}
	if changed != nil {
		found, err := db.UpdateEach(s.orders().Where("status <> ?", canceled), changed,
			"status", "updated_at", "confirmed_at", "canceled_at", "cancel_reason", "cancel_note")
		if err == nil && found != int64(len(changed)) {
			err = db.ErrConflict
		}
		if err != nil {
			return err
		}
	}
	events := make([]history.Event, len(steps))
	for i, next := range steps {
		events[i] = s.orderEvent(*next.order)
		events[i].Origin = next.by
	}
	return s.record(events...)
}

// insertPlaced inserts orders and their items.
func (s store) insertPlaced(orders []*order) error {
	if err := s.insertOrders(orders); err != nil {
		return err
	}
	var items [][]any
	for _, o := range orders {
		for i := range o.Items {
			item := &o.Items[i]
			item.OrderID = o.ID
			items = append(items, []any{item.OrderID, item.ProductID, item.Qty, item.UnitPriceCents, item.SubtotalCents})
		}
	}
	return s.insertItems(items)
}

// action is what may be done with an order.
type action string

const (
	confirmAction action = "confirm"
	cancelAction  action = "cancel"
)

// allowedActions says what may be done with an order at the moment at which it was read.
type allowedActions struct {
	Actions              []action
	ReservationExpiresAt *time.Time // when a CREATED order is canceled by itself
	CancelableUntil      *time.Time // the last moment at which a CONFIRMED one may be canceled
}

func (s *Service) allowedActions(o order) allowedActions {
	switch o.Status {
	case created:
		next := allowedActions{Actions: []action{confirmAction, cancelAction}}
		if s.Reservation > 0 {
			next.ReservationExpiresAt = new(o.CreatedAt.Add(s.Reservation))
		}
		return next
	case confirmed:
		if until := o.ConfirmedAt.Add(s.CancellationWindow); !o.Now.After(until) {
			return allowedActions{Actions: []action{cancelAction}, CancelableUntil: &until}
		}
	}
	return allowedActions{}
}

// find reads an order with its items, of which there is at least one, or returns 404 order_not_found.
func (s store) find(id int64) (order, error) {
	var o order
	if err := s.orders().Take(&o, id).Error; err != nil {
		return o, orderMissing(err, id)
	}
	err := s.readItems(&o)
	return o, err
}

// lockOrders reads orders with their items. Nobody else can change them until the transaction ends. Everybody
// locks orders in ascending id, and products behind them. Its error is db.ErrLocked where another transaction
// holds one of them for so long.
func (s store) lockOrders(ids []int64, wait time.Duration) ([]*order, error) {
	var locked []*order
	if err := db.ByID(s.lockingWithin(wait).orders()).Where("id IN ?", ids).Order("id").Find(&locked).Error; err != nil || len(locked) == 0 {
		return nil, err
	}
	return locked, s.readItems(locked...)
}

// orderMissing makes 404 order_not_found of an error that says that no row was found.
func orderMissing(err error, id int64) error {
	if found, err := found(err); found {
		return err
	}
	return apperr.OrderNotFound.New(id)
}

// readItems reads the items of orders, and the clock. The clock is read here, and not with the orders: a
// statement that waits for a lock sees the time at which it began to wait, and a cancellation could seem to
// come before the confirmation that it waited for.
func (s store) readItems(orders ...*order) error {
	byID := make(map[int64]*order, len(orders))
	ids := make([]int64, len(orders))
	for i, o := range orders {
		ids[i], byID[o.ID] = o.ID, o
	}
	var items []item
	if err := s.items().Select("*, ? AS now", s.now()).Where("order_id IN ?", ids).Order("order_id, product_id").Find(&items).Error; err != nil {
		return err
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

// orderFilter says which orders a list shows; a nil field does not matter.
type orderFilter struct {
	Status      *status
	CustomerID  *int64
	ExternalRef *string
	From, To    *time.Time // created at or after, and at or before
	Since       *time.Time // changed at or after
}

// list reads a page of orders, without their items.
func (s store) list(f orderFilter, w db.PageRequest) ([]order, *int64, error) {
	q := s.orders().Select("*, ? AS now", s.now())
	if f.Status != nil && (f.CustomerID != nil || f.ExternalRef != nil || s.caller.Customer != 0) {
		q = q.Where(db.Likely(q, "status = ?"), *f.Status)
	} else if f.Status != nil {
		q = q.Where("status = ?", *f.Status)
	}
	if f.CustomerID != nil {
		q = q.Where("customer_id = ?", *f.CustomerID)
	}
	if f.ExternalRef != nil {
		q = q.Where("external_ref = ?", *f.ExternalRef)
	}
	if f.From != nil {
		q = q.Where("created_at >= ?", *f.From)
	}
	if f.To != nil {
		q = q.Where("created_at <= ?", *f.To)
	}
	if f.Since != nil {
		var err error
		if q, err = db.UpdatedSince(q, *f.Since, w); err != nil {
			return nil, nil, err
		}
	}
	if f.From == nil && f.To == nil {
		return db.Page[order](q, w)
	}
	spans, err := s.spans(f.From, f.To)
	if err != nil {
		return nil, nil, err
	}
	return db.PageIn[order](q, spans, w)
}

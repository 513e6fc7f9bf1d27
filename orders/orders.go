package orders

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/web"
	api "example.com/b2b/openapi/ordersapi"
)

// order is a row of the table orders.
type order struct {
	ID           int64
	CustomerID   int64
	Status       api.OrderStatus
	TotalCents   int64
	CreatedAt    time.Time // this and the next two on the database's clock
	ConfirmedAt  *time.Time
	CanceledAt   *time.Time
	CancelReason *string // one of the reasons below when CANCELED

	Now time.Time `gorm:"->"` // the database's clock, where a query selects it
}

// Why an order is CANCELED.
const (
	requested          = "requested"
	reservationExpired = "reservation_expired"
)

// orderItem is a row of the table order_items: one for each product of the order.
type orderItem struct {
	OrderID        int64 `gorm:"primaryKey;autoIncrement:false"`
	ProductID      int64 `gorm:"primaryKey;autoIncrement:false"`
	Qty            int64
	UnitPriceCents int64
	SubtotalCents  int64

	Now  time.Time `gorm:"->"` // the database's clock, where a query selects it
	line int       // of the request, where the product comes first
}

// maxCents is the largest amount that JavaScript reads exactly.
const maxCents = 1<<53 - 1

// CreateOrder takes the stock of every line or of none. Errors: 404 customer_not_found and product_not_found, 400
// insufficient_stock, 400 validation_failed for a total above maxCents, 422 idempotency_key_reused, 503 customers_unavailable.
func (s *Service) CreateOrder(ctx context.Context, r api.CreateOrderRequestObject) (api.CreateOrderResponseObject, error) {
	what := request{operation: createOrder, key: r.Params.XIdempotencyKey, content: r.Body, status: http.StatusCreated}
	if err := s.checkCustomer(ctx, r.Body.CustomerID); err != nil {
		// A retry gets its first answer, whatever became of the customer or the Customers API since.
		if first, found := s.remembered(ctx, what); found {
			return first, nil
		}
		return nil, err
	}
	return s.once(ctx, what, func(tx *gorm.DB) (int64, any, error) {
		o, items := order{CustomerID: r.Body.CustomerID, Status: api.CREATED}, merge(r.Body.Items)
		now, err := price(tx, items)
		if err != nil {
			return 0, nil, err
		}
		for _, item := range items {
			o.TotalCents += item.SubtotalCents // below 2^63: 100 lines of 10^9 cents × 10^6 pieces
		}
		if o.TotalCents > maxCents {
			return 0, nil, apperr.ValidationFailed.New().With("/items", "add up to more than 9007199254740991 cents")
		}
		// Stock before lines: the lines' foreign key takes a shared lock on the product, and two orders that both hold it
		// could not take stock any more.
		if err := takeStock(tx, items); err != nil {
			return 0, nil, err
		}
		o.CreatedAt, o.Now = now, now
		if err := tx.Create(&o).Error; err != nil {
			return 0, nil, err
		}
		for i := range items {
			items[i].OrderID = o.ID
		}
		return o.ID, s.response(o, items), tx.Create(&items).Error
	})
}

// merge makes one item of all lines with the same product, in ascending product id: the order in which stock is locked.
func merge(lines []api.NewOrderItem) []orderItem {
	var items []orderItem
	for i, l := range lines {
		at := slices.IndexFunc(items, func(item orderItem) bool { return item.ProductID == l.ProductID })
		if at < 0 {
			at = len(items)
			items = append(items, orderItem{ProductID: l.ProductID, line: i})
		}
		items[at].Qty += l.Qty
	}
	slices.SortFunc(items, func(a, b orderItem) int { return int(a.ProductID - b.ProductID) })
	return items
}

// ConfirmOrder makes a CREATED order CONFIRMED and leaves a CONFIRMED one as it is. Errors: 404 order_not_found, 400
// order_not_confirmable, 412 precondition_failed, 422 idempotency_key_reused.
func (s *Service) ConfirmOrder(ctx context.Context, r api.ConfirmOrderRequestObject) (api.ConfirmOrderResponseObject, error) {
	what := request{operation: confirmOrder, key: &r.Params.XIdempotencyKey, content: r.ID, status: http.StatusOK}
	return s.once(ctx, what, func(tx *gorm.DB) (int64, any, error) {
		o, items, err := s.lock(tx, r.ID, r.Params.IfMatch)
		if err != nil {
			return 0, nil, err
		}
		switch o.Status {
		case api.CANCELED:
			return 0, nil, apperr.OrderNotConfirmable.New(o.ID)
		case api.CREATED:
			o.Status, o.ConfirmedAt = api.CONFIRMED, &o.Now
			err = tx.Select("status", "confirmed_at").Updates(&o).Error
		}
		return o.ID, s.response(o, items), err
	})
}

// CancelOrder gives the stock of an order back, unless it is CANCELED already. Errors: 404 order_not_found, 400
// cancel_window_closed, 412 precondition_failed, 422 idempotency_key_reused.
func (s *Service) CancelOrder(ctx context.Context, r api.CancelOrderRequestObject) (api.CancelOrderResponseObject, error) {
	reason := requested
	if r.Body != nil && r.Body.Reason != nil {
		reason = *r.Body.Reason
	}
	what := request{operation: cancelOrder, key: r.Params.XIdempotencyKey, content: []any{r.ID, reason}, status: http.StatusOK}
	return s.once(ctx, what, func(tx *gorm.DB) (int64, any, error) {
		o, items, err := s.lock(tx, r.ID, r.Params.IfMatch)
		if err != nil {
			return 0, nil, err
		}
		if o.Status != api.CANCELED {
			if !slices.Contains(s.summary(o).AllowedActions, api.Cancel) {
				return 0, nil, apperr.CancelWindowClosed.New(o.ID, int(s.CancellationWindow.Minutes()))
			}
			o.Status, o.CanceledAt, o.CancelReason = api.CANCELED, &o.Now, &reason
			if err := tx.Select("status", "canceled_at", "cancel_reason").Updates(&o).Error; err != nil {
				return 0, nil, err
			}
			err = giveBackStock(tx, items)
		}
		return o.ID, s.response(o, items), err
	})
}

// lock reads an order that nobody else can change until tx ends, and refuses with 412 when ifMatch names another state.
func (s *Service) lock(tx *gorm.DB, id int64, ifMatch *string) (order, []orderItem, error) {
	o, items, err := s.find(db.ForUpdate(tx), tx, id)
	if err == nil {
		err = web.Precondition(ifMatch, s.response(o, items))
	}
	return o, items, err
}

// GetOrder returns 404 order_not_found when there is none.
func (s *Service) GetOrder(ctx context.Context, r api.GetOrderRequestObject) (api.GetOrderResponseObject, error) {
	q := s.db.WithContext(ctx)
	o, items, err := s.find(q, q, r.ID)
	if err != nil {
		return nil, err
	}
	return api.GetOrder200JSONResponse{Body: s.response(o, items)}, nil
}

// ListOrders pages by id.
func (s *Service) ListOrders(ctx context.Context, r api.ListOrdersRequestObject) (api.ListOrdersResponseObject, error) {
	q := s.db.WithContext(ctx)
	q = q.Select("*, ? AS now", db.Now(q, 0))
	if r.Params.Status != nil {
		q = q.Where("status = ?", *r.Params.Status)
	}
	if r.Params.CustomerID != nil {
		q = q.Where("customer_id = ?", *r.Params.CustomerID)
	}
	if r.Params.From != nil {
		from, _ := moment(*r.Params.From)
		q = q.Where("created_at >= ?", from)
	}
	if r.Params.To != nil {
		if to, day := moment(*r.Params.To); day {
			q = q.Where("created_at < ?", to.AddDate(0, 0, 1))
		} else {
			q = q.Where("created_at <= ?", to)
		}
	}
	rows, next, err := db.Page[order](q, db.OldestFirst, r.Params.Cursor, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	data := make([]api.OrderSummary, len(rows))
	for i, o := range rows {
		data[i] = s.summary(o)
	}
	return api.ListOrders200JSONResponse{Body: api.OrderListResponse{Success: true, Data: data, Meta: api.Meta{NextCursor: next}}}, nil
}

// moment reads a validated date or RFC 3339 time, and says whether it was a date; then it is the day's first moment in UTC.
func moment(s api.DateFilter) (t time.Time, day bool) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, true
	}
	t, _ = time.Parse(time.RFC3339, s)
	return t, false
}

func (o order) Key() int64 { return o.ID }

// find reads an order through q, which may lock it, and its items, of which there is at least one, through items.
func (s *Service) find(q, items *gorm.DB, id int64) (o order, rows []orderItem, err error) {
	err = q.Take(&o, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return o, nil, apperr.OrderNotFound.New(id)
	}
	if err != nil {
		return o, nil, err
	}
	// The clock is read here and not above: a statement that waits for a lock sees the time at which it began to wait, and a
	// cancellation could seem to come before the confirmation that it waited for.
	err = items.Select("*, ? AS now", db.Now(items, 0)).Where("order_id = ?", id).Order("product_id").Find(&rows).Error
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("order %d has no lines", id)
	}
	if err != nil {
		return o, nil, err
	}
	o.Now = rows[0].Now
	return o, rows, nil
}

func (s *Service) response(o order, rows []orderItem) api.OrderResponse {
	sum := s.summary(o)
	items := make([]api.OrderItem, len(rows))
	for i, item := range rows {
		items[i] = api.OrderItem{ProductID: item.ProductID, Qty: item.Qty, UnitPriceCents: item.UnitPriceCents, SubtotalCents: item.SubtotalCents}
	}
	return api.OrderResponse{Success: true, Data: api.Order{
		ID: sum.ID, CustomerID: sum.CustomerID, Status: sum.Status, TotalCents: sum.TotalCents,
		CreatedAt: sum.CreatedAt, ConfirmedAt: sum.ConfirmedAt, CanceledAt: sum.CanceledAt,
		CancelReason: sum.CancelReason, ReservationExpiresAt: sum.ReservationExpiresAt,
		CancelableUntil: sum.CancelableUntil, AllowedActions: sum.AllowedActions, Items: items,
	}}
}

// summary shows the order as it is at o.Now, and what may be done with it then.
func (s *Service) summary(o order) api.OrderSummary {
	sum := api.OrderSummary{
		ID: o.ID, CustomerID: o.CustomerID, Status: o.Status, TotalCents: o.TotalCents,
		CreatedAt: api.Time{Time: o.CreatedAt}, ConfirmedAt: timestamp(o.ConfirmedAt), CanceledAt: timestamp(o.CanceledAt),
		CancelReason: o.CancelReason, AllowedActions: []api.OrderAction{},
	}
	switch o.Status {
	case api.CREATED:
		sum.AllowedActions = []api.OrderAction{api.Confirm, api.Cancel}
		if s.Reservation > 0 {
			sum.ReservationExpiresAt = &api.Time{Time: o.CreatedAt.Add(s.Reservation)}
		}
	case api.CONFIRMED:
		if until := o.ConfirmedAt.Add(s.CancellationWindow); !o.Now.After(until) {
			sum.CancelableUntil, sum.AllowedActions = &api.Time{Time: until}, []api.OrderAction{api.Cancel}
		}
	}
	return sum
}

func timestamp(t *time.Time) *api.Time {
	if t == nil {
		return nil
	}
	return &api.Time{Time: *t}
}

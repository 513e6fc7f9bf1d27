package orders

import (
	"strings"

	"example.com/b2b/db"
	"example.com/b2b/internal/history"
)

// The kinds of things that have a history, and what happens to them besides the transitions of an order.
const (
	orderSubject   = "order"
	productSubject = "product"

	productCreated = "product.created"
	productUpdated = "product.updated" // its name, its price, or whether it is active
	stockAdjusted  = "stock.adjusted"  // one stock adjustment, other than the opening one
)

// transitioned is the event of an order's coming into a status.
func transitioned(to status) string { return orderSubject + "." + strings.ToLower(string(to)) }

// orderEvent is the event of the order's last transition.
func (s store) orderEvent(o order) history.Event {
	return history.Event{Type: transitioned(o.Status), Subject: orderSubject, SubjectID: o.ID, CustomerID: &o.CustomerID, CreatedAt: o.UpdatedAt, Payload: s.show(o)}
}

// productEvent is the event of what just happened to a product.
func productEvent(what string, p product) history.Event {
	return history.Event{Type: what, Subject: productSubject, SubjectID: p.ID, CreatedAt: p.UpdatedAt, Payload: productView(p)}
}

// orderHistory reads a page of an order's events, or returns 404 order_not_found.
func (s store) orderHistory(id int64, w db.PageRequest) ([]history.Event, *int64, error) {
	if err := s.orders().Select("id").Take(&order{}, id).Error; err != nil {
		return nil, nil, orderMissing(err, id)
	}
	return s.events(orderSubject, id, w)
}

// productHistory is orderHistory for a product. It is empty for a caller who is bound to a customer: what
// others do with a product is not its business. Error: 404 product_not_found.
func (s store) productHistory(id int64, w db.PageRequest) ([]history.Event, *int64, error) {
	if _, err := s.findProduct(id); err != nil || s.caller.Customer != 0 {
		return nil, nil, err
	}
	return s.events(productSubject, id, w)
}

package orders

import (
	"strings"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/history"
)

// The subjects and types of events. The function transitioned returns the types of the events of orders.
const (
	orderSubject   = "order"
	productSubject = "product"

	productCreated = "product.created"
	productUpdated = "product.updated" // a change of name, price or active
	stockAdjusted  = "stock.adjusted"  // every stock adjustment except the opening stock
)

// transitioned returns the type of the event for the transition of an order to the status.
func transitioned(to status) string { return orderSubject + "." + strings.ToLower(string(to)) }

// orderEvent returns the event for the last transition of the order.
func (c *Config) orderEvent(o order) history.Event {
	return history.Event{
		Type: transitioned(o.Status), Subject: orderSubject, SubjectID: o.ID, CustomerID: &o.CustomerID,
		CreatedAt: o.UpdatedAt, Payload: c.orderView(o),
	}
}

// productEvent returns the event for the last change of the product.
func productEvent(eventType string, p product) history.Event {
	return history.Event{
		Type: eventType, Subject: productSubject, SubjectID: p.ID,
		CreatedAt: p.UpdatedAt, Payload: productView(p),
	}
}

// orderHistory reads a page of an order's events. Error: 404 order_not_found.
func (s store) orderHistory(id int64, page db.PageRequest) ([]history.Event, *int64, error) {
	if err := s.orders().Select("id").Take(&order{}, id).Error; err != nil {
		return nil, nil, orderError(err, id)
	}
	return s.Events(orderSubject, id, page)
}

// productHistory reads a page of a product's events. A caller bound to a customer gets an empty page. Error:
// 404 product_not_found.
func (s store) productHistory(id int64, page db.PageRequest) ([]history.Event, *int64, error) {
	if _, err := s.findProduct(id); err != nil || s.isBound() {
		return nil, nil, err
	}
	return s.Events(productSubject, id, page)
}

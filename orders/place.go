package orders

import (
	"fmt"
	"slices"
	"time"

	"example.com/b2b/v2/internal/apperr"
)

// createCommand places an order: the order is CREATED and its stock is reserved.
type createCommand struct {
	submission
	new newOrder
}

// newOrder is an order to place, after checkCustomer has found its customer. The method place makes the items
// of the order from the lines of the request.
type newOrder struct {
	order
	Lines              []line
	ExpectedTotalCents *int64 // total that the caller expects; nil accepts any total
}

// line asks for pieces of a product, named by its id or by its sku. Several lines may name the same product.
type line struct {
	ProductID *int64
	SKU       *string
	Qty       int64
}

// Cost implements batch.Command.
func (c *createCommand) Cost() int { return len(c.new.Lines) }

func (c *createCommand) wanted() newOrder { return c.new }

// decide implements orderCommand. Errors: 409 external_ref_taken, and the errors of newOrder.place.
func (c *createCommand) decide(_ *order, rows *lockedRows) (transition, error) {
	if err := c.new.checkExternalRef(rows.holders); err != nil {
		return transition{}, err
	}
	o, err := c.new.place(rows.stock)
	return transition{order: o, to: created}, err
}

// place reserves the stock of all lines and returns the order; after an error no stock is reserved. Errors:
// the errors of stockView.price and of the function total; 400 insufficient_stock; 409 total_changed when the
// total differs from ExpectedTotalCents. An error 400 insufficient_stock has a detail for each product
// without enough stock. The detail points to the first line of the product.
func (n newOrder) place(stock stockView) (*order, error) {
	o := &n.order
	var err error
	if o.Items, err = stock.price(n.Lines); err != nil {
		return nil, err
	}
	if short := shortages(o.Items); short != nil {
		refusal := apperr.InsufficientStock.New()
		for _, i := range short {
			refusal.With(fmt.Sprintf("/items/%d/qty", i.line), shortageParams(*i.product, i.Qty),
				"product %d: asked %d, available %d", i.ProductID, i.Qty, i.product.Stock)
		}
		return nil, refusal
	}
	if o.TotalCents, err = total(o.Items); err != nil {
		return nil, err
	}
	if n.ExpectedTotalCents != nil && *n.ExpectedTotalCents != o.TotalCents {
		return nil, n.totalChanged(stock)
	}
	var units int64
	for _, i := range o.Items {
		units += i.Qty
	}
	o.Units = &units
	stock.reserve(o.Items)
	// MySQL reads the clock when the statement that locks the products begins. After a wait for the locks,
	// this time may be before the products' last changes.
	for _, i := range o.Items {
		o.Now = slices.MaxFunc([]time.Time{o.Now, i.product.Now, i.product.UpdatedAt}, time.Time.Compare)
	}
	return o, nil
}

// totalChanged returns 409 total_changed. One detail has the expected and the actual total, and each other
// detail has the price of a line.
func (n newOrder) totalChanged(stock stockView) error {
	total, expected := n.TotalCents, *n.ExpectedTotalCents
	refusal := apperr.TotalChanged.New(total, expected).With("/expected_total_cents",
		apperr.Params{"expected_total_cents": expected, "total_cents": total},
		"is %d, and the total is %d", expected, total)
	for i, l := range n.Lines {
		p := stock.find(l)
		refusal.With(l.field(i),
			apperr.Params{"product_id": p.ID, "sku": p.SKU, "qty": l.Qty, "unit_price_cents": p.PriceCents},
			"product %d: %d cents a piece", p.ID, p.PriceCents)
	}
	return refusal
}

// findByExternalRef returns the existing orders with an external_ref of the new orders, except CANCELED
// orders. The result may contain orders of other customers with the same external_ref: see checkExternalRef.
func (s store) findByExternalRef(wanted []newOrder) ([]order, error) {
	var customers []int64
	var refs []string
	for _, n := range wanted {
		if n.ExternalRef != nil {
			customers, refs = append(customers, n.CustomerID), append(refs, *n.ExternalRef)
		}
	}
	if refs == nil {
		return nil, nil
	}
	var orders []order
	err := s.orders().Select("id, customer_id, external_ref").
		Where("active_external_ref IN ? AND customer_id IN ?", refs, customers).Find(&orders).Error
	return orders, err
}

// checkExternalRef returns 409 external_ref_taken when one of the existing orders (holders) has the customer
// and the external_ref of n.
func (n newOrder) checkExternalRef(holders []order) error {
	for _, o := range holders {
		if n.ExternalRef != nil && o.CustomerID == n.CustomerID && *o.ExternalRef == *n.ExternalRef {
			return apperr.OrderExternalRefTaken.New(o.ID).With("/external_ref",
				apperr.Params{"rule": "unique", "order_id": o.ID}, "belongs to order %d", o.ID)
		}
	}
	return nil
}

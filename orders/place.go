package orders

import (
	"fmt"

	"example.com/b2b/internal/apperr"
)

// newOrder is what somebody wants to order.
type newOrder struct {
	CustomerID  int64 // whom the Customers API knows
	ExternalRef *string
	Metadata    map[string]string
	Lines       []line
}

// line asks for pieces of a product, which either its id or its sku names. Several lines may name the same
// one.
type line struct {
	ProductID *int64
	SKU       *string
	Qty       int64
}

// field is where the i-th line names its product.
func (l line) field(i int) string {
	if l.SKU != nil {
		return fmt.Sprintf("/items/%d/sku", i)
	}
	return fmt.Sprintf("/items/%d/product_id", i)
}

// missing adds to a refusal that the product of the i-th line does not exist.
func (l line) missing(refused *apperr.Error, i int) {
	if l.SKU != nil {
		refused.With(l.field(i), apperr.Params{"sku": *l.SKU}, "there is no product with the sku %s", *l.SKU)
	} else {
		refused.With(l.field(i), apperr.Params{"product_id": *l.ProductID}, "there is no product %d", *l.ProductID)
	}
}

// maxCents is the largest amount that JavaScript reads exactly.
const maxCents = 1<<53 - 1

// place takes the pieces of every line off the stock or none, and makes the order that is to come of them. It
// refuses with 404 product_not_found, else 400 product_inactive, else 400 insufficient_stock for every
// product that is short, at its first line, else 400 validation_failed for a total above maxCents.
func (n newOrder) place(from stockView) (*order, error) {
	o := &order{CustomerID: n.CustomerID, ExternalRef: n.ExternalRef, Metadata: n.Metadata}
	var err error
	if o.Items, err = from.price(n.Lines); err != nil {
		return nil, err
	}
	if refused := apperr.InsufficientStock.New(); shortages(o.Items) != nil {
		for _, i := range shortages(o.Items) {
			refused.With(fmt.Sprintf("/items/%d/qty", i.line), shortage(*i.of, i.Qty), "product %d: asked %d, available %d", i.ProductID, i.Qty, i.of.Stock)
		}
		return nil, refused
	}
	if o.TotalCents, err = total(o.Items); err != nil {
		return nil, err
	}
	from.reserve(o.Items)
	o.Now = o.Items[0].of.Now
	return o, nil
}

// findByExternalRef finds the orders whose external_ref new ones ask for.
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
	err := s.orders().Select("id, customer_id, external_ref").Where("active_external_ref IN ? AND customer_id IN ?", refs, customers).Find(&orders).Error
	return orders, err
}

// checkExternalRef returns 409 external_ref_taken when one of these orders has the external_ref.
func (n newOrder) checkExternalRef(of []order) error {
	for _, o := range of {
		if n.ExternalRef != nil && o.CustomerID == n.CustomerID && *o.ExternalRef == *n.ExternalRef {
			return apperr.OrderExternalRefTaken.New(o.ID).With("/external_ref", apperr.Params{"rule": "unique", "order_id": o.ID}, "belongs to order %d", o.ID)
		}
	}
	return nil
}

// total adds items up, or returns 400 validation_failed for a sum above maxCents.
func total(items []item) (cents int64, err error) {
	for _, item := range items {
		cents += item.SubtotalCents // below 2^63: 100 lines of 10^9 cents × 10^6 pieces
	}
	if cents > maxCents {
		return cents, apperr.ValidationFailed.New().With("/items", apperr.Params{"rule": "maximum", "limit": maxCents}, "add up to more than %d cents", maxCents)
	}
	return cents, nil
}

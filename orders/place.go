package orders

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
)

// newOrder is what somebody wants to order.
type newOrder struct {
	CustomerID  int64 // whom the Customers API knows
	ExternalRef *string
	Metadata    map[string]string
	Lines       []line
}

// line asks for pieces of a product, which either its id or its sku names. Several lines may name the same one.
type line struct {
	ProductID *int64
	SKU       *string
	Qty       int64
}

// names reports whether the line's product is p.
func (l line) names(p product) bool {
	if l.SKU != nil {
		return p.SKU == *l.SKU
	}
	return p.ID == *l.ProductID
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

// place takes the stock of every line or of none and inserts the order. Errors: 409 external_ref_taken, else 404 product_not_found, 400
// product_inactive, 400 insufficient_stock, 400 validation_failed for a total above maxCents.
func (s store) place(n newOrder) (order, error) {
	o, err := s.placeFirst(n)
	if n.ExternalRef == nil || err == nil || !duplicate(err) && !errors.As(err, new(*apperr.Error)) {
		return o, err
	}
	// A repeat may be refused for what the first order took, and its caller must hear of that order all the same.
	var first order
	found, lookUpErr := found(s.orders().Select("id").Where("customer_id = ? AND active_external_ref = ?", n.CustomerID, *n.ExternalRef).Take(&first).Error)
	switch {
	case lookUpErr != nil:
		return o, lookUpErr
	case found:
		return o, apperr.OrderExternalRefTaken.New(first.ID).
			With("/external_ref", apperr.Params{"rule": "unique", "order_id": first.ID}, "belongs to order %d", first.ID)
	case duplicate(err):
		return o, db.ErrConflict // that order has just been canceled
	}
	return o, err
}

// placeFirst is place for an external_ref that is free; for another it may return any error of place, or one that is duplicate.
func (s store) placeFirst(n newOrder) (order, error) {
	o := order{CustomerID: n.CustomerID, ExternalRef: n.ExternalRef, Metadata: n.Metadata}
	var err error
	if o.Items, o.Now, err = s.fixPrices(n.Lines); err != nil {
		return o, err
	}
	if o.TotalCents, err = total(o.Items); err != nil {
		return o, err
	}
	// Stock before lines: the lines' foreign key takes a shared lock on the product, and two orders that both hold it could not
	// take stock any more.
	if err := s.takeStock(o.Items); err != nil {
		return o, err
	}
	if err := s.transition(created, &o); err != nil {
		return o, err
	}
	for i := range o.Items {
		o.Items[i].OrderID = o.ID
	}
	return o, s.insert(&o.Items)
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

func sortByProduct(items []item) {
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.ProductID, b.ProductID) })
}

package orders

import (
	"cmp"
	"slices"

	"example.com/b2b/internal/apperr"
)

// newOrder is what somebody wants to order.
type newOrder struct {
	CustomerID int64 // whom the Customers API knows
	Lines      []line
}

// line asks for pieces of a product. Several lines may name the same one.
type line struct{ ProductID, Qty int64 }

// maxCents is the largest amount that JavaScript reads exactly.
const maxCents = 1<<53 - 1

// place takes the stock of every line or of none and inserts the order. Errors: 404 product_not_found, 400 insufficient_stock, 400
// validation_failed for a total above maxCents.
func (s store) place(n newOrder) (order, error) {
	o := order{CustomerID: n.CustomerID, Items: merge(n.Lines)}
	now, err := s.fixPrices(o.Items)
	if err != nil {
		return o, err
	}
	for _, item := range o.Items {
		o.TotalCents += item.SubtotalCents // below 2^63: 100 lines of 10^9 cents × 10^6 pieces
	}
	if o.TotalCents > maxCents {
		return o, apperr.ValidationFailed.New().With("/items", "add up to more than %d cents", maxCents)
	}
	// Stock before lines: the lines' foreign key takes a shared lock on the product, and two orders that both hold it could not
	// take stock any more.
	if err := s.takeStock(o.Items); err != nil {
		return o, err
	}
	o.Now = now
	if err := s.transition(created, &o); err != nil {
		return o, err
	}
	for i := range o.Items {
		o.Items[i].OrderID = o.ID
	}
	return o, s.insert(&o.Items)
}

// merge makes one item of all lines with the same product, in ascending product id: the order in which stock is locked.
func merge(lines []line) []item {
	var items []item
	for i, l := range lines {
		at := slices.IndexFunc(items, func(item item) bool { return item.ProductID == l.ProductID })
		if at < 0 {
			at = len(items)
			items = append(items, item{ProductID: l.ProductID, line: i})
		}
		items[at].Qty += l.Qty
	}
	sortByProduct(items)
	return items
}

func sortByProduct(items []item) {
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.ProductID, b.ProductID) })
}

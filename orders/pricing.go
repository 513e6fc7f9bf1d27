package orders

import (
	"cmp"
	"fmt"
	"slices"

	"example.com/b2b/v2/internal/apperr"
)

// maxCents is the largest integer that JavaScript represents exactly.
const maxCents = 1<<53 - 1

// price returns an item for each product of the lines, with the product's present sku, name and price, in
// ascending product id. Errors: 404 product_not_found with a detail for each line whose product does not
// exist; otherwise 400 product_inactive with a detail for each line whose product is not active.
func (s stockView) price(lines []line) (items []item, err error) {
	notFound, inactive := apperr.OrderedProductNotFound.New(), apperr.ProductInactive.New()
	for i, l := range lines {
		p := s.find(l)
		if p == nil {
			l.addNotFound(notFound, i)
			continue
		}
		if !p.Active {
			params := apperr.Params{"product_id": p.ID, "sku": p.SKU}
			inactive.With(l.field(i), params, "product %d is not active", p.ID)
		}
		at := slices.IndexFunc(items, func(item item) bool { return item.product == p })
		if at < 0 {
			at = len(items)
			items = append(items, item{
				ProductID: p.ID, SKU: p.SKU, Name: p.Name, UnitPriceCents: p.PriceCents, line: i, product: p,
			})
		}
		items[at].Qty += l.Qty
		items[at].SubtotalCents = p.PriceCents * items[at].Qty
	}
	for _, refusal := range []*apperr.Error{notFound, inactive} {
		if refusal.Details != nil {
			return nil, refusal
		}
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.ProductID, b.ProductID) })
	return items, nil
}

// field returns the JSON pointer to the sku or the product_id of line i of the request.
func (l line) field(i int) string {
	if l.SKU != nil {
		return fmt.Sprintf("/items/%d/sku", i)
	}
	return fmt.Sprintf("/items/%d/product_id", i)
}

// addNotFound adds a detail to the error refusal: the product of line i of the request does not exist.
func (l line) addNotFound(refusal *apperr.Error, i int) {
	if l.SKU != nil {
		refusal.With(l.field(i), apperr.Params{"sku": *l.SKU}, "there is no product with the sku %s", *l.SKU)
	} else {
		params := apperr.Params{"product_id": *l.ProductID}
		refusal.With(l.field(i), params, "there is no product %d", *l.ProductID)
	}
}

// total returns the sum of the subtotals. Error: 400 validation_failed for a sum above maxCents.
func total(items []item) (cents int64, err error) {
	for _, item := range items {
		cents += item.SubtotalCents // never above 2^63: at most 100 lines of 10^6 pieces at 10^9 cents
	}
	if cents > maxCents {
		return cents, apperr.ValidationFailed.New().With("/items",
			apperr.Params{"rule": "maximum", "limit": maxCents}, "add up to more than %d cents", maxCents)
	}
	return cents, nil
}

// shortages returns the items that ask for more pieces than their product has in stock. The items must come
// from stockView.price.
func shortages(items []item) (short []item) {
	for _, i := range items {
		if i.product.Stock < i.Qty {
			short = append(short, i)
		}
	}
	return short
}

// shortageParams returns the parameters of an error about insufficient stock.
func shortageParams(p product, requested int64) apperr.Params {
	return apperr.Params{"product_id": p.ID, "sku": p.SKU, "requested": requested, "available": p.Stock}
}

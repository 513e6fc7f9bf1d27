package orders

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
)

// fixPrices is priced for lines that are to be filled now: it refuses with 400 insufficient_stock for every product that is short, at
// its first line, when priced refuses nothing.
func (s store) fixPrices(lines []line) (items []item, now time.Time, err error) {
	items, now, err = s.priced(lines)
	if err != nil {
		return nil, now, err
	}
	if refused := apperr.InsufficientStock.New(); short(items) != nil {
		for _, i := range short(items) {
			refused.With(fmt.Sprintf("/items/%d/qty", i.line), shortage(i.of, i.Qty), "product %d: asked %d, available %d", i.ProductID, i.Qty, i.of.Stock)
		}
		return nil, now, refused
	}
	return items, now, nil
}

// priced makes one item of all lines with the same product, with the price that the product has now, in ascending product id: the
// order in which stock is locked. It also returns the database's clock. It refuses with 404 product_not_found for every line whose
// product does not exist, else with 400 product_inactive for every one whose product cannot be ordered.
func (s store) priced(lines []line) (items []item, now time.Time, err error) {
	known, err := s.named(lines)
	if err != nil {
		return nil, now, err
	}
	missing, inactive := apperr.OrderedProductNotFound.New(), apperr.ProductInactive.New()
	for i, l := range lines {
		at := slices.IndexFunc(known, l.names)
		if at < 0 {
			l.missing(missing, i)
			continue
		}
		p := known[at]
		if !p.Active {
			inactive.With(l.field(i), apperr.Params{"product_id": p.ID, "sku": p.SKU}, "product %d is not active", p.ID)
		}
		to := slices.IndexFunc(items, func(item item) bool { return item.ProductID == p.ID })
		if to < 0 {
			to = len(items)
			items = append(items, item{ProductID: p.ID, UnitPriceCents: p.PriceCents, line: i, of: p})
		}
		items[to].Qty += l.Qty
		items[to].SubtotalCents = p.PriceCents * items[to].Qty
		now = p.Now
	}
	for _, refused := range []*apperr.Error{missing, inactive} {
		if refused.Details != nil {
			return nil, now, refused
		}
	}
	sortByProduct(items)
	return items, now, nil
}

// short returns those of priced items of which less is there than they ask for.
func short(items []item) (some []item) {
	for _, i := range items {
		if i.of.Stock < i.Qty {
			some = append(some, i)
		}
	}
	return some
}

// named reads the products that lines name, in one query.
func (s store) named(lines []line) (products []product, err error) {
	var ids []int64
	var skus []string
	for _, l := range lines {
		if l.SKU != nil {
			skus = append(skus, *l.SKU)
		} else {
			ids = append(ids, *l.ProductID)
		}
	}
	q := s.products().Select("id, sku, price_cents, stock, active, ? AS now", s.now())
	switch {
	case skus == nil:
		q = q.Where("id IN ?", ids)
	case ids == nil:
		q = q.Where("sku IN ?", skus)
	default:
		q = q.Where("id IN ? OR sku IN ?", ids, skus)
	}
	return products, q.Find(&products).Error
}

// shortage is for a program what is missing of a product.
func shortage(p product, requested int64) apperr.Params {
	return apperr.Params{"product_id": p.ID, "sku": p.SKU, "requested": requested, "available": p.Stock}
}

// takeStock takes the pieces of all items or returns db.ErrConflict: since fixPrices has read the products, one has changed its
// price, or can no longer be ordered. One statement for all, and it locks them in ascending id, so that two orders cannot wait for each other.
func (s store) takeStock(items []item) error {
	ids, qty := perProduct(items, func(i item) int64 { return i.Qty })
	_, price := perProduct(items, func(i item) int64 { return i.UnitPriceCents })
	res := s.products().Where("id IN ? AND active AND stock >= ? AND price_cents = ?", ids, qty, price).
		UpdateColumns(map[string]any{"stock": clause.Expr{SQL: "stock - ?", Vars: []any{qty}}, "updated_at": s.unlessEarlier("updated_at")})
	if res.Error == nil && res.RowsAffected != int64(len(items)) {
		return db.ErrConflict
	}
	return res.Error
}

// giveBackStock undoes takeStock, for the items of any number of orders.
func (s store) giveBackStock(items []item) error {
	var pieces []item // one for each product, in ascending id
	sorted := slices.Clone(items)
	sortByProduct(sorted)
	for _, i := range sorted {
		if last := len(pieces) - 1; last >= 0 && pieces[last].ProductID == i.ProductID {
			pieces[last].Qty += i.Qty
		} else {
			pieces = append(pieces, i)
		}
	}
	for chunk := range slices.Chunk(pieces, 500) {
		ids, qty := perProduct(chunk, func(i item) int64 { return i.Qty })
		err := s.products().Where("id IN ?", ids).
			UpdateColumns(map[string]any{"stock": clause.Expr{SQL: "stock + ?", Vars: []any{qty}}, "updated_at": s.unlessEarlier("updated_at")}).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// perProduct returns the products of items, and an SQL expression with one value for each: CASE id WHEN 2 THEN 5 … END.
func perProduct(items []item, value func(item) int64) (ids []int64, expr clause.Expr) {
	args := make([]any, 0, 2*len(items))
	for _, item := range items {
		ids = append(ids, item.ProductID)
		args = append(args, item.ProductID, value(item))
	}
	return ids, clause.Expr{SQL: "CASE id" + strings.Repeat(" WHEN ? THEN ?", len(items)) + " END", Vars: args}
}

// stockAdjustment is a row of the table stock_adjustments: a change of a product's stock that is not an order.
type stockAdjustment struct {
	ID        int64
	ProductID int64
	Delta     int64
	Level     int64 // after it
	Reason    string
	CreatedAt time.Time // on the database's clock
}

func (a stockAdjustment) Key() int64 { return a.ID }

// maxStock is the highest level that an input may set.
const maxStock = 1_000_000_000

// adjustStock changes the stock of a locked product. Errors: 400 insufficient_stock, 400 validation_failed for a level above
// maxStock.
func (s store) adjustStock(p *product, delta int64, reason string) (stockAdjustment, error) {
	if p.Stock+delta < 0 {
		return stockAdjustment{}, apperr.InsufficientStockToRemove.New().With("/delta", shortage(*p, -delta), "product %d: asked %d, available %d", p.ID, -delta, p.Stock)
	}
	if delta > 0 && p.Stock+delta > maxStock {
		return stockAdjustment{}, apperr.ValidationFailed.New().With("/delta", apperr.Params{"rule": "maximum", "limit": maxStock, "product_id": p.ID, "available": p.Stock}, "would lift the stock above %d", maxStock)
	}
	p.Stock, p.UpdatedAt = p.Stock+delta, later(p.UpdatedAt, p.Now)
	if err := s.update(p, "stock", "updated_at"); err != nil {
		return stockAdjustment{}, err
	}
	a, err := s.noteAdjustment(*p, delta, reason)
	if err != nil {
		return a, err
	}
	return a, s.record(ofProduct(stockAdjusted, *p))
}

// noteAdjustment writes down a change of p's stock, which must be the new one already.
func (s store) noteAdjustment(p product, delta int64, reason string) (stockAdjustment, error) {
	a := adjustment(p, delta, reason)
	return a, s.insert(&a)
}

// adjustment is what noteAdjustment writes down.
func adjustment(p product, delta int64, reason string) stockAdjustment {
	return stockAdjustment{ProductID: p.ID, Delta: delta, Level: p.Stock, Reason: reason, CreatedAt: p.Now}
}

// listAdjustments reads a page of what changed a product's stock.
func (s store) listAdjustments(product int64, w db.Window) ([]stockAdjustment, *int64, error) {
	return db.Page[stockAdjustment](s.adjustments().Where("product_id = ?", product), w)
}

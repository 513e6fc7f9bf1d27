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

// fixPrices gives each item the price that its product has now, and returns the database's clock. It refuses with 404
// product_not_found for every product that does not exist, else with 400 insufficient_stock for every one that is short.
func (s store) fixPrices(items []item) (now time.Time, err error) {
	ids := make([]int64, len(items))
	for i, item := range items {
		ids[i] = item.ProductID
	}
	var rows []product
	if err := s.products().Select("id, price_cents, stock, ? AS now", s.now()).Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return now, err
	}
	byID := make(map[int64]product, len(rows))
	for _, p := range rows {
		byID[p.ID] = p
	}
	missing, short := apperr.OrderedProductNotFound.New(), apperr.InsufficientStock.New()
	for i := range items {
		item := &items[i]
		p, found := byID[item.ProductID]
		switch {
		case !found:
			missing.With(fmt.Sprintf("/items/%d/product_id", item.line), "there is no product %d", item.ProductID)
		case p.Stock < item.Qty:
			short.With(fmt.Sprintf("/items/%d/qty", item.line), "product %d: asked %d, available %d", p.ID, item.Qty, p.Stock)
		}
		item.UnitPriceCents, item.SubtotalCents = p.PriceCents, p.PriceCents*item.Qty
	}
	if missing.Details != nil {
		return now, missing
	}
	if short.Details != nil {
		return now, short
	}
	return rows[0].Now, nil
}

// takeStock takes the pieces of all items or returns db.ErrConflict: since fixPrices has read the products, one has changed its
// price or sold out. One statement for all, and it locks them in ascending id, so that two orders cannot wait for each other.
func (s store) takeStock(items []item) error {
	ids, qty := perProduct(items, func(i item) int64 { return i.Qty })
	_, price := perProduct(items, func(i item) int64 { return i.UnitPriceCents })
	res := s.products().Where("id IN ? AND stock >= ? AND price_cents = ?", ids, qty, price).
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
		return stockAdjustment{}, apperr.InsufficientStockToRemove.New().With("/delta", "product %d: asked %d, available %d", p.ID, -delta, p.Stock)
	}
	if delta > 0 && p.Stock+delta > maxStock {
		return stockAdjustment{}, apperr.ValidationFailed.New().With("/delta", "would lift the stock above %d", maxStock)
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
	a := stockAdjustment{ProductID: p.ID, Delta: delta, Level: p.Stock, Reason: reason, CreatedAt: p.Now}
	return a, s.insert(&a)
}

// listAdjustments reads a page of what changed a product's stock, newest first.
func (s store) listAdjustments(product int64, cursor *int64, limit *int32) ([]stockAdjustment, *int64, error) {
	return db.Page[stockAdjustment](s.adjustments().Where("product_id = ?", product), db.NewestFirst, cursor, limit)
}

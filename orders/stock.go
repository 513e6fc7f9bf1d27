package orders

import (
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
)

// stockView holds the products that were read, and the changes of stock that writeStock has to write. The
// field Stock of a product includes these changes.
type stockView struct {
	byID    map[int64]*product
	ids     map[string]int64 // product ids by sku, for the lines with a sku
	pending map[int64]int64  // pieces to add to the stock, by product id; negative for reserved pieces
}

func newStockView() stockView {
	return stockView{byID: map[int64]*product{}, pending: map[int64]int64{}}
}

// loadProducts reads the products of lines, without a lock.
func (s store) loadProducts(lines []line) (stockView, error) {
	ids, skus, err := s.resolve(lines)
	if err != nil {
		return stockView{}, err
	}
	return s.loadProductsByID(ids, skus)
}

// resolve returns the product ids of the lines, and a map from sku to product id for lines with a known sku.
func (s store) resolve(lines []line) (ids []int64, bySKU map[string]int64, err error) {
	var skus []string
	for _, l := range lines {
		if l.SKU != nil {
			skus = append(skus, *l.SKU)
		} else {
			ids = append(ids, *l.ProductID)
		}
	}
	if skus == nil {
		return ids, nil, nil
	}
	var products []product
	err = s.products().Select("id, sku").Where("sku IN ?", skus).Find(&products).Error
	bySKU = make(map[string]int64, len(products))
	for _, p := range products {
		ids, bySKU[p.SKU] = append(ids, p.ID), p.ID
	}
	return ids, bySKU, err
}

func (s store) loadProductsByID(ids []int64, bySKU map[string]int64) (stockView, error) {
	slices.Sort(ids)
	var products []*product
	err := db.ByID(s.products()).Select("id, sku, name, price_cents, stock, active, updated_at, ? AS now", s.Now()).
		Where("id IN ?", slices.Compact(ids)).Order("id").Find(&products).Error
	stock := newStockView()
	stock.ids = bySKU
	for _, p := range products {
		stock.byID[p.ID] = p
	}
	return stock, err
}

// id returns the id of the line's product, or 0 for a sku that no product has.
func (s stockView) id(l line) int64 {
	if l.SKU != nil {
		return s.ids[*l.SKU]
	}
	return *l.ProductID
}

// find returns the line's product, or nil when the product does not exist.
func (s stockView) find(l line) *product { return s.byID[s.id(l)] }

// reserve takes the pieces of the items from the stock. The stock must be sufficient.
func (s stockView) reserve(items []item) {
	for _, i := range items {
		s.move(i.ProductID, -i.Qty)
	}
}

// release gives the pieces of the items back to the stock.
func (s stockView) release(items []item) {
	for _, i := range items {
		s.move(i.ProductID, i.Qty)
	}
}

func (s stockView) move(product, pieces int64) {
	s.pending[product] += pieces
	if p := s.byID[product]; p != nil {
		p.Stock += pieces
	}
}

// writeStock writes the pending changes of stock, for up to 500 products in a statement, in ascending id.
// Products that lose stock must be locked; products that only get stock back need no lock. When another
// transaction holds such a product, the statement waits up to a second, while the transaction keeps its
// locks. Error: db.ErrConflict for a missing product.
//
// Write the stock before you insert items, because the foreign key of an item takes a shared lock on the
// product. While two transactions hold a shared lock on the same product, neither can write the stock.
func (s store) writeStock(stock stockView) error {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(stock.pending)), 500) {
		pieces := make([]any, 0, 2*len(ids))
		for _, id := range ids {
			pieces = append(pieces, id, stock.pending[id])
		}
		sum := "stock + CASE id" + strings.Repeat(" WHEN ? THEN ?", len(ids)) + " END"
		res := db.ByID(s.products()).Where("id IN ?", ids).UpdateColumns(map[string]any{
			"stock": clause.Expr{SQL: sum, Vars: pieces}, "updated_at": s.notBefore("updated_at"),
		})
		if res.Error == nil && res.RowsAffected != int64(len(ids)) {
			return db.ErrConflict
		}
		if res.Error != nil {
			return res.Error
		}
	}
	return nil
}

// stockAdjustment is a row of the table stock_adjustments: a change of stock that is not made by an order.
type stockAdjustment struct {
	ID        int64
	ProductID int64
	Delta     int64
	Level     int64 // the stock after the change
	Reason    string
	Actor     *string   // caller's name: see history.Origin; nil in rows that programs before 2.1 have written
	CreatedAt time.Time // time of the database's clock
}

func (a stockAdjustment) Key() int64 { return a.ID }

// maxStock is the highest stock that an input may set.
const maxStock = 1_000_000_000

// adjustStock adds delta to the stock of a locked product. Errors: 400 insufficient_stock for a stock below
// zero, 400 validation_failed for a stock above maxStock.
func (s store) adjustStock(p *product, delta int64, reason string) (stockAdjustment, error) {
	level := p.Stock + delta
	if level < 0 {
		params := shortageParams(*p, -delta)
		return stockAdjustment{}, apperr.InsufficientStockToRemove.New().
			With("/delta", params, "product %d: asked %d, available %d", p.ID, -delta, p.Stock)
	}
	if delta > 0 && level > maxStock {
		params := apperr.Params{"rule": "maximum", "limit": maxStock, "product_id": p.ID, "available": p.Stock}
		return stockAdjustment{}, apperr.ValidationFailed.New().
			With("/delta", params, "would lift the stock above %d", maxStock)
	}
	p.Stock, p.UpdatedAt = level, s.ChangedAt(p.UpdatedAt, p.Now)
	if err := s.update(p, "stock", "updated_at"); err != nil {
		return stockAdjustment{}, err
	}
	a := s.newAdjustment(*p, delta, reason)
	if err := s.insert(&a); err != nil {
		return a, err
	}
	return a, s.Record(productEvent(stockAdjusted, *p))
}

// newAdjustment returns an adjustment by the caller. The parameter p is the product after the adjustment, and
// delta is the change of its stock.
func (s store) newAdjustment(p product, delta int64, reason string) stockAdjustment {
	return stockAdjustment{
		ProductID: p.ID, Delta: delta, Level: p.Stock, Reason: reason, Actor: &s.Origin.Actor, CreatedAt: p.UpdatedAt,
	}
}

// listAdjustments reads a page of a product's stock adjustments. A caller bound to a customer must not learn
// the actors: the field Actor is nil. For the same reason, productHistory returns no events to that caller.
func (s store) listAdjustments(product int64, page db.PageRequest) ([]stockAdjustment, *int64, error) {
	rows, next, err := db.Page[stockAdjustment](s.adjustments().Where("product_id = ?", product), page)
	for i := range rows {
		if s.isBound() {
			rows[i].Actor = nil
		}
	}
	return rows, next, err
}

package orders

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
)

// stockView is products as they were read, less what was taken from it and with what was put back since.
type stockView struct {
	byID  map[int64]*product
	ids   map[string]int64 // by sku, of the products that are named by it
	moved map[int64]int64  // pieces by product, read or not; below zero for those that were taken
}

func newStockView() stockView { return stockView{byID: map[int64]*product{}, moved: map[int64]int64{}} }

// loadProducts reads the products that lines name, without a lock.
func (s store) loadProducts(lines []line) (stockView, error) {
	ids, skus, err := s.resolve(lines)
	if err != nil {
		return stockView{}, err
	}
	return s.loadProductsByID(ids, skus)
}

// resolve returns the ids of the products that lines name, and the ids of the skus among the names.
func (s store) resolve(lines []line) (ids []int64, skus map[string]int64, err error) {
	var names []string
	for _, l := range lines {
		if l.SKU != nil {
			names = append(names, *l.SKU)
		} else {
			ids = append(ids, *l.ProductID)
		}
	}
	if names == nil {
		return ids, nil, nil
	}
	var named []product
	err = s.products().Select("id, sku").Where("sku IN ?", names).Find(&named).Error
	skus = make(map[string]int64, len(named))
	for _, p := range named {
		ids, skus[p.SKU] = append(ids, p.ID), p.ID
	}
	return ids, skus, err
}

func (s store) loadProductsByID(ids []int64, skus map[string]int64) (stockView, error) {
	slices.Sort(ids)
	var products []*product
	err := db.ByID(s.products()).Select("id, sku, price_cents, stock, active, ? AS now", s.now()).
		Where("id IN ?", slices.Compact(ids)).Order("id").Find(&products).Error
	read := newStockView()
	read.ids = skus
	for _, p := range products {
		read.byID[p.ID] = p
	}
	return read, err
}

// id returns the id of the product that a line names, or 0 for a sku that no product has.
func (s stockView) id(l line) int64 {
	if l.SKU != nil {
		return s.ids[*l.SKU]
	}
	return *l.ProductID
}

// find returns the product that a line names, or nil.
func (s stockView) find(l line) *product {
	return s.byID[s.id(l)]
}

// price makes one item of all lines with the same product, with the price that the product has, in ascending
// product id. It refuses with 404 product_not_found for every line whose product does not exist, else with
// 400 product_inactive for every one whose product cannot be ordered.
func (s stockView) price(lines []line) (items []item, err error) {
	missing, inactive := apperr.OrderedProductNotFound.New(), apperr.ProductInactive.New()
	for i, l := range lines {
		p := s.find(l)
		if p == nil {
			l.missing(missing, i)
			continue
		}
		if !p.Active {
			inactive.With(l.field(i), apperr.Params{"product_id": p.ID, "sku": p.SKU}, "product %d is not active", p.ID)
		}
		to := slices.IndexFunc(items, func(item item) bool { return item.of == p })
		if to < 0 {
			to = len(items)
			items = append(items, item{ProductID: p.ID, UnitPriceCents: p.PriceCents, line: i, of: p})
		}
		items[to].Qty += l.Qty
		items[to].SubtotalCents = p.PriceCents * items[to].Qty
	}
	for _, refused := range []*apperr.Error{missing, inactive} {
		if refused.Details != nil {
			return nil, refused
		}
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.ProductID, b.ProductID) })
	return items, nil
}

// shortages returns those of priced items of which less is there than they ask for.
func shortages(items []item) (some []item) {
	for _, i := range items {
		if i.of.Stock < i.Qty {
			some = append(some, i)
		}
	}
	return some
}

// shortage is for a program what is missing of a product.
func shortage(p product, requested int64) apperr.Params {
	return apperr.Params{"product_id": p.ID, "sku": p.SKU, "requested": requested, "available": p.Stock}
}

// reserve takes the pieces of items, which the stock must have.
func (s stockView) reserve(items []item) {
	for _, i := range items {
		s.move(i.ProductID, -i.Qty)
	}
}

// release puts the pieces of items back.
func (s stockView) release(items []item) {
	for _, i := range items {
		s.move(i.ProductID, i.Qty)
	}
}

func (s stockView) move(product, pieces int64) {
	s.moved[product] += pieces
	if p := s.byID[product]; p != nil {
		p.Stock += pieces
	}
}

// moveStock writes what was taken from a stock and put back, in one statement, which locks products in
// ascending id. Products from which stock was taken must be locked already; where others are not, the
// statement waits for a second, with all locks of its transaction. Stock moves before lines are inserted:
// their foreign key takes a shared lock on the product, and two orders that both hold it could not move its
// stock any more.
func (s store) moveStock(of stockView) error {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(of.moved)), 500) {
		pieces := make([]any, 0, 2*len(ids))
		for _, id := range ids {
			pieces = append(pieces, id, of.moved[id])
		}
		res := db.ByID(s.products()).Where("id IN ?", ids).UpdateColumns(map[string]any{
			"stock":      clause.Expr{SQL: "stock + CASE id" + strings.Repeat(" WHEN ? THEN ?", len(ids)) + " END", Vars: pieces},
			"updated_at": s.unlessEarlier("updated_at"),
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

// stockAdjustment is a row of the table stock_adjustments: a change of a product's stock that is not an
// order.
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

// adjustStock changes the stock of a locked product. Errors: 400 insufficient_stock, 400 validation_failed
// for a level above maxStock.
func (s store) adjustStock(p *product, delta int64, reason string) (stockAdjustment, error) {
	if p.Stock+delta < 0 {
		return stockAdjustment{}, apperr.InsufficientStockToRemove.New().With("/delta", shortage(*p, -delta),
			"product %d: asked %d, available %d", p.ID, -delta, p.Stock)
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
	return a, s.record(productEvent(stockAdjusted, *p))
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
func (s store) listAdjustments(product int64, w db.PageRequest) ([]stockAdjustment, *int64, error) {
	return db.Page[stockAdjustment](s.adjustments().Where("product_id = ?", product), w)
}

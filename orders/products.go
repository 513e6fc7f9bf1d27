package orders

import (
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/search"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/etag"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/service"
)

// product is a row of the table products.
type product struct {
	ID         int64
	SKU        string
	Name       string
	PriceCents int64
	Stock      int64 // pieces that new orders can take
	Active     bool  // new orders may contain the product
	CreatedAt  time.Time
	UpdatedAt  time.Time `gorm:"autoUpdateTime:false"`

	Now time.Time `gorm:"->"` // time of the creation, or of a query that selects `now`; else zero
}

func (p product) Key() int64 { return p.ID }

// rowOf names the row of a product for service.OnceOnRow and ChangeRow. It sets no See, because every caller
// may see every product.
func rowOf(id int64) service.Row[store] { return service.Row[store]{Name: rowName("products", id)} }

// createProduct inserts a product with its opening stock. Error: 409 sku_taken.
func (s store) createProduct(p *product) error {
	err := s.createProducts([]*product{p})
	if service.IsDuplicate(err) {
		err = s.skuTaken(p.SKU)
	}
	return err
}

// createProducts inserts products with their opening stock. Error: gorm.ErrDuplicatedKey when a sku is taken.
func (s store) createProducts(products []*product) error {
	now, err := s.ReadClock()
	if err != nil {
		return err
	}
	for _, p := range products {
		p.CreatedAt, p.UpdatedAt, p.Now = now, now, now
	}
	if err := service.Insert(s.Store, products); err != nil {
		return err
	}
	adjustments, events := make([]stockAdjustment, len(products)), make([]history.Event, len(products))
	for i, p := range products {
		adjustments[i], events[i] = s.newAdjustment(*p, p.Stock, "created"), productEvent(productCreated, *p)
	}
	if err := s.insert(adjustments); err != nil {
		return err
	}
	return s.Record(events...)
}

// skuTaken returns 409 sku_taken with the id of the product that has the sku.
func (s store) skuTaken(sku string) error {
	var p product
	if err := s.products().Select("id").Where("sku = ?", sku).Take(&p).Error; err != nil {
		return err
	}
	return apperr.SKUTaken.New().
		With("/sku", apperr.Params{"rule": "unique", "product_id": p.ID}, "belongs to product %d", p.ID)
}

// productChange has the new values of a product; a nil field keeps the old value.
type productChange struct {
	Name              *string
	PriceCents, Stock *int64
	Active            *bool
}

// apply returns p with the new values of c.
func (c productChange) apply(p product) product {
	if c.Name != nil {
		p.Name = *c.Name
	}
	if c.Active != nil {
		p.Active = *c.Active
	}
	if c.PriceCents != nil {
		p.PriceCents = *c.PriceCents
	}
	if c.Stock != nil {
		p.Stock = *c.Stock
	}
	return p
}

// updateProduct changes a locked product. It writes nothing when c changes no value.
func (s store) updateProduct(p *product, c productChange) error {
	before := *p
	if *p = c.apply(before); *p == before {
		return nil
	}
	return s.updateProducts([]product{before}, []*product{p})
}

// updateProducts writes locked products. The slice before has the old values of the products, in the same
// order; each product must differ from its old values.
func (s store) updateProducts(before []product, products []*product) error {
	var events []history.Event
	var adjustments []stockAdjustment
	for i, p := range products {
		b := before[i]
		p.UpdatedAt = s.ChangedAt(p.UpdatedAt, p.Now)
		if p.Name != b.Name || p.PriceCents != b.PriceCents || p.Active != b.Active {
			events = append(events, productEvent(productUpdated, *p))
		}
		if p.Stock != b.Stock {
			adjustments = append(adjustments, s.newAdjustment(*p, p.Stock-b.Stock, "level set"))
			events = append(events, productEvent(stockAdjusted, *p))
		}
	}
	_, err := db.UpdateEach(s.products(), products, "name", "price_cents", "stock", "active", "updated_at")
	if err != nil {
		return err
	}
	if adjustments != nil {
		if err := s.insert(adjustments); err != nil {
			return err
		}
	}
	return s.Record(events...)
}

// findProduct returns a product, or 404 product_not_found.
func (s store) findProduct(id int64) (product, error) {
	var p product
	err := s.products().Select("*, ? AS now", s.Now()).Take(&p, id).Error
	if service.IsNotFound(err) {
		err = apperr.ProductNotFound.New(id)
	}
	return p, err
}

// lockProduct returns a product, and locks the row until the transaction ends. Errors: 404 product_not_found;
// 412 precondition_failed when the product does not match ifMatch.
func (s store) lockProduct(id int64, ifMatch *string) (product, error) {
	p, err := s.locking().findProduct(id)
	if err != nil {
		return p, err
	}
	return p, etag.Precondition(ifMatch, productResponse(p))
}

// texts is the index for searches in products.
var texts = search.Index{Table: "products", Columns: []string{"name", "sku"}}

// Texts implements search.Row.
func (p product) Texts() []string { return []string{p.Name, p.SKU} }

// productFilter has the filters of a list of products; a nil field filters nothing.
type productFilter struct {
	service.Filter
	SKU        *string
	Active     *bool
	StockBelow *int64
}

// mustBeCurrent reports whether the list must be current, so that no lagging replica may answer: see
// service.ReadPage.
func (f productFilter) mustBeCurrent() bool {
	return f.SKU != nil || f.IDs != nil || f.UpdatedSince != nil
}

func (s store) listProducts(f productFilter, page db.PageRequest) ([]product, *int64, error) {
	q := s.products()
	if f.SKU != nil {
		q = q.Where("sku = ?", *f.SKU)
	}
	if f.Active != nil {
		q = q.Where("active = ?", *f.Active)
	}
	narrow := f.SKU != nil
	if f.StockBelow != nil {
		var few bool
		var err error
		if q, few, err = db.Below(q, "stock", *f.StockBelow, page); err != nil {
			return nil, nil, err
		}
		narrow = narrow || few
	}
	return service.List[product](q, texts, f.Filter, narrow, page)
}

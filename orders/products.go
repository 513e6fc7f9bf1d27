package orders

import (
	"time"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/history"
)

// product is a row of the table products.
type product struct {
	ID         int64
	SKU        string
	Name       string
	PriceCents int64
	Stock      int64 // pieces that no order holds
	Active     bool  // it can be ordered
	CreatedAt  time.Time
	UpdatedAt  time.Time `gorm:"autoUpdateTime:false"`

	Now time.Time `gorm:"->"` // the database's clock, where a query selects it
}

func (p product) Key() int64 { return p.ID }

// newProduct is a product as it comes to be.
type newProduct struct {
	SKU, Name         string
	PriceCents, Stock int64
	Active            bool
}

// createProduct inserts a product with its opening stock, or returns 409 sku_taken, naming the one that has the sku.
func (s store) createProduct(n newProduct) (product, error) {
	now := time.Now().UTC().Truncate(time.Millisecond) // the columns' precision
	p := product{SKU: n.SKU, Name: n.Name, PriceCents: n.PriceCents, Stock: n.Stock, Active: n.Active, CreatedAt: now, UpdatedAt: now, Now: now}
	if err := s.insert(&p); err != nil {
		if duplicate(err) {
			err = s.skuTaken(n.SKU)
		}
		return p, err
	}
	if _, err := s.noteAdjustment(p, p.Stock, "created"); err != nil {
		return p, err
	}
	return p, s.record(ofProduct(productCreated, p))
}

// skuTaken returns 409 sku_taken with the product that has the sku.
func (s store) skuTaken(sku string) error {
	var p product
	if err := s.products().Select("id").Where("sku = ?", sku).Take(&p).Error; err != nil {
		return err
	}
	return apperr.SKUTaken.New().With("/sku", apperr.Params{"rule": "unique", "product_id": p.ID}, "belongs to product %d", p.ID)
}

// productChange is what becomes of a product; a nil field keeps its value.
type productChange struct {
	Name              *string
	PriceCents, Stock *int64
	Active            *bool
}

// updateProduct changes a locked product.
func (s store) updateProduct(p *product, c productChange) error {
	before := *p
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
	if *p == before {
		return nil
	}
	p.UpdatedAt = later(p.UpdatedAt, p.Now)
	if err := s.update(p, "name", "price_cents", "stock", "active", "updated_at"); err != nil {
		return err
	}
	var events []history.Event
	if p.Name != before.Name || p.PriceCents != before.PriceCents || p.Active != before.Active {
		events = append(events, ofProduct(productUpdated, *p))
	}
	if p.Stock != before.Stock {
		if _, err := s.noteAdjustment(*p, p.Stock-before.Stock, "level set"); err != nil {
			return err
		}
		events = append(events, ofProduct(stockAdjusted, *p))
	}
	return s.record(events...)
}

// findProduct returns 404 product_not_found when there is none.
func (s store) findProduct(id int64) (product, error) {
	var p product
	found, err := found(s.products().Select("*, ? AS now", s.now()).Take(&p, id).Error)
	if !found {
		err = apperr.ProductNotFound.New(id)
	}
	return p, err
}

// productFilter says which products a list shows; a nil field does not matter.
type productFilter struct {
	Search *string // a part of the name or sku
	SKU    *string
	Active *bool
}

// listProducts reads a page of products.
func (s store) listProducts(f productFilter, cursor *int64, limit *int32) ([]product, *int64, error) {
	q := s.products()
	if f.Search != nil {
		q = db.Containing(q, *f.Search, "name", "sku")
	}
	if f.SKU != nil {
		q = q.Where("sku = ?", *f.SKU)
	}
	if f.Active != nil {
		q = q.Where("active = ?", *f.Active)
	}
	return db.Page[product](q, db.OldestFirst, cursor, limit)
}

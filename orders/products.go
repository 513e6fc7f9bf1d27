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
	CreatedAt  time.Time
	UpdatedAt  time.Time `gorm:"autoUpdateTime:false"`

	Now time.Time `gorm:"->"` // the database's clock, where a query selects it
}

func (p product) Key() int64 { return p.ID }

// newProduct is a product as it comes to be.
type newProduct struct {
	SKU, Name         string
	PriceCents, Stock int64
}

// createProduct inserts a product with its opening stock, or returns 409 sku_taken when another one has the sku.
func (s store) createProduct(n newProduct) (product, error) {
	now := time.Now().UTC().Truncate(time.Millisecond) // the columns' precision
	p := product{SKU: n.SKU, Name: n.Name, PriceCents: n.PriceCents, Stock: n.Stock, CreatedAt: now, UpdatedAt: now, Now: now}
	if err := s.insert(&p); err != nil {
		if duplicate(err) {
			err = apperr.SKUTaken.New().With("/sku", "belongs to another product")
		}
		return p, err
	}
	if _, err := s.noteAdjustment(p, p.Stock, "created"); err != nil {
		return p, err
	}
	return p, s.record(ofProduct(productCreated, p))
}

// productChange is what becomes of a product; a nil field keeps its value.
type productChange struct{ PriceCents, Stock *int64 }

// updateProduct changes a locked product.
func (s store) updateProduct(p *product, c productChange) error {
	before := *p
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
	if err := s.update(p, "price_cents", "stock", "updated_at"); err != nil {
		return err
	}
	var events []history.Event
	if p.PriceCents != before.PriceCents {
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

// listProducts reads a page of the products whose name or sku contains search, if that is given.
func (s store) listProducts(search *string, cursor *int64, limit *int32) ([]product, *int64, error) {
	q := s.products()
	if search != nil {
		q = db.Containing(q, *search, "name", "sku")
	}
	return db.Page[product](q, db.OldestFirst, cursor, limit)
}

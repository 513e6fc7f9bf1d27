package orders

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/web"
	api "example.com/b2b/openapi/ordersapi"
)

// product is a row of the table products.
type product struct {
	ID         int64
	SKU        string
	Name       string
	PriceCents int64
	Stock      int64 // pieces that no order holds
	CreatedAt  time.Time

	Now time.Time `gorm:"->"` // the database's clock, where a query selects it
}

func (p product) Key() int64 { return p.ID }

func (p product) view() api.Product {
	return api.Product{ID: p.ID, Sku: p.SKU, Name: p.Name, PriceCents: p.PriceCents, Stock: p.Stock, CreatedAt: api.Time{Time: p.CreatedAt}}
}

// CreateProduct returns 409 sku_taken when another product has the sku.
func (s *Service) CreateProduct(ctx context.Context, r api.CreateProductRequestObject) (api.CreateProductResponseObject, error) {
	p := product{SKU: r.Body.Sku, Name: r.Body.Name, PriceCents: r.Body.PriceCents, Stock: r.Body.Stock,
		CreatedAt: time.Now().UTC().Truncate(time.Millisecond)} // the column's precision
	p.Now = p.CreatedAt
	err := db.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Create(&p).Error; err != nil {
			return err
		}
		_, err := record(tx, p, p.Stock, "created")
		return err
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return nil, apperr.SKUTaken.New().With("/sku", "belongs to another product")
	}
	if err != nil {
		return nil, err
	}
	return api.CreateProduct201JSONResponse{Body: api.ProductResponse{Success: true, Data: p.view()}}, nil
}

// ListProducts pages by id.
func (s *Service) ListProducts(ctx context.Context, r api.ListProductsRequestObject) (api.ListProductsResponseObject, error) {
	q := s.db.WithContext(ctx)
	if r.Params.Search != nil {
		q = db.Containing(q, *r.Params.Search, "name", "sku")
	}
	rows, next, err := db.Page[product](q, db.OldestFirst, r.Params.Cursor, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	data := make([]api.Product, len(rows))
	for i, p := range rows {
		data[i] = p.view()
	}
	return api.ListProducts200JSONResponse{Body: api.ProductListResponse{Success: true, Data: data, Meta: api.Meta{NextCursor: next}}}, nil
}

// GetProduct returns 404 product_not_found when there is none.
func (s *Service) GetProduct(ctx context.Context, r api.GetProductRequestObject) (api.GetProductResponseObject, error) {
	p, err := findProduct(s.db.WithContext(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return api.GetProduct200JSONResponse{Body: api.ProductResponse{Success: true, Data: p.view()}}, nil
}

// UpdateProduct sets price or stock level, or returns 404 product_not_found or 412 precondition_failed.
func (s *Service) UpdateProduct(ctx context.Context, r api.UpdateProductRequestObject) (api.UpdateProductResponseObject, error) {
	var p product
	err := db.InTx(ctx, s.db, func(tx *gorm.DB) (err error) {
		if p, err = findProduct(db.ForUpdate(tx), r.ID); err != nil {
			return err
		}
		if err := web.Precondition(r.Params.IfMatch, api.ProductResponse{Success: true, Data: p.view()}); err != nil {
			return err
		}
		before := p.Stock
		if r.Body.PriceCents != nil {
			p.PriceCents = *r.Body.PriceCents
		}
		if r.Body.Stock != nil {
			p.Stock = *r.Body.Stock
		}
		if err := tx.Select("price_cents", "stock").Updates(&p).Error; err != nil || p.Stock == before {
			return err
		}
		_, err = record(tx, p, p.Stock-before, "level set")
		return err
	})
	if err != nil {
		return nil, err
	}
	return api.UpdateProduct200JSONResponse{Body: api.ProductResponse{Success: true, Data: p.view()}}, nil
}

func findProduct(q *gorm.DB, id int64) (p product, err error) {
	err = q.Select("*, ? AS now", db.Now(q, 0)).Take(&p, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = apperr.ProductNotFound.New(id)
	}
	return p, err
}

// price gives each item the price that its product has now, and returns the database's clock. It refuses with 404
// product_not_found for every product that does not exist, else with 400 insufficient_stock for every one that is short.
func price(tx *gorm.DB, items []orderItem) (time.Time, error) {
	ids := make([]int64, len(items))
	for i, item := range items {
		ids[i] = item.ProductID
	}
	var rows []product
	if err := tx.Select("id, price_cents, stock, ? AS now", db.Now(tx, 0)).Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return time.Time{}, err
	}
	byID := make(map[int64]product, len(rows))
	for _, p := range rows {
		byID[p.ID] = p
	}
	missing := apperr.OrderedProductNotFound.New()
	short := apperr.InsufficientStock.New()
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
		return time.Time{}, missing
	}
	if short.Details != nil {
		return time.Time{}, short
	}
	return rows[0].Now, nil
}

// takeStock takes the pieces of all items or returns db.ErrConflict: since price has read the products, one has changed its
// price or sold out. One statement for all, and it locks them in ascending id, so that two orders cannot wait for each other.
func takeStock(tx *gorm.DB, items []orderItem) error {
	qty := perProduct(items, func(i orderItem) int64 { return i.Qty })
	res := tx.Model(&product{}).
		Where("id IN ? AND stock >= ? AND price_cents = ?", qty.ids, qty.expr, perProduct(items, func(i orderItem) int64 { return i.UnitPriceCents }).expr).
		UpdateColumn("stock", gorm.Expr("stock - ?", qty.expr))
	if res.Error == nil && res.RowsAffected != int64(len(items)) {
		return db.ErrConflict
	}
	return res.Error
}

// giveBackStock undoes takeStock.
func giveBackStock(tx *gorm.DB, items []orderItem) error {
	qty := perProduct(items, func(i orderItem) int64 { return i.Qty })
	return tx.Model(&product{}).Where("id IN ?", qty.ids).UpdateColumn("stock", gorm.Expr("stock + ?", qty.expr)).Error
}

// byProduct is an SQL expression with one value for each product.
type byProduct struct {
	ids  []int64
	expr any // CASE id WHEN 2 THEN 5 … END
}

func perProduct(items []orderItem, value func(orderItem) int64) byProduct {
	var b byProduct
	args := make([]any, 0, 2*len(items))
	for _, item := range items {
		b.ids = append(b.ids, item.ProductID)
		args = append(args, item.ProductID, value(item))
	}
	b.expr = gorm.Expr("CASE id"+strings.Repeat(" WHEN ? THEN ?", len(items))+" END", args...)
	return b
}

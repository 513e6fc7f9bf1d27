package orders

import (
	"context"
	"net/http"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	api "example.com/b2b/openapi/ordersapi"
)

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

func (a stockAdjustment) view() api.StockAdjustment {
	return api.StockAdjustment{ID: a.ID, ProductID: a.ProductID, Delta: a.Delta, Level: a.Level, Reason: a.Reason, CreatedAt: api.Time{Time: a.CreatedAt}}
}

// maxStock is the highest level that an input may set.
const maxStock = 1_000_000_000

// AdjustStock changes the stock by a number of pieces. Errors: 404 product_not_found, 400 insufficient_stock, 400
// validation_failed for a level above maxStock, 422 idempotency_key_reused.
func (s *Service) AdjustStock(ctx context.Context, r api.AdjustStockRequestObject) (api.AdjustStockResponseObject, error) {
	what := request{operation: adjustStock, key: r.Params.XIdempotencyKey, content: []any{r.ID, r.Body}, status: http.StatusCreated}
	return s.once(ctx, what, func(tx *gorm.DB) (int64, any, error) {
		p, err := findProduct(db.ForUpdate(tx), r.ID)
		if err != nil {
			return 0, nil, err
		}
		if p.Stock+r.Body.Delta < 0 {
			return 0, nil, apperr.InsufficientStockToRemove.New().
				With("/delta", "product %d: asked %d, available %d", p.ID, -r.Body.Delta, p.Stock)
		}
		if r.Body.Delta > 0 && p.Stock+r.Body.Delta > maxStock {
			return 0, nil, apperr.ValidationFailed.New().With("/delta", "would lift the stock above 1000000000")
		}
		p.Stock += r.Body.Delta
		if err := tx.Select("stock").Updates(&p).Error; err != nil {
			return 0, nil, err
		}
		a, err := record(tx, p, r.Body.Delta, r.Body.Reason)
		return p.ID, api.StockAdjustmentResponse{Success: true, Data: a.view()}, err
	})
}

// ListStockAdjustments pages by id, newest first, or returns 404 product_not_found.
func (s *Service) ListStockAdjustments(ctx context.Context, r api.ListStockAdjustmentsRequestObject) (api.ListStockAdjustmentsResponseObject, error) {
	q := s.db.WithContext(ctx)
	if _, err := findProduct(q, r.ID); err != nil {
		return nil, err
	}
	rows, next, err := db.Page[stockAdjustment](q.Where("product_id = ?", r.ID), db.NewestFirst, r.Params.Cursor, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	data := make([]api.StockAdjustment, len(rows))
	for i, a := range rows {
		data[i] = a.view()
	}
	return api.ListStockAdjustments200JSONResponse{Body: api.StockAdjustmentListResponse{Success: true, Data: data, Meta: api.Meta{NextCursor: next}}}, nil
}

// record writes down a change of p's stock, which must be the new one already, in the transaction that makes it.
func record(tx *gorm.DB, p product, delta int64, reason string) (stockAdjustment, error) {
	a := stockAdjustment{ProductID: p.ID, Delta: delta, Level: p.Stock, Reason: reason, CreatedAt: p.Now}
	return a, tx.Create(&a).Error
}

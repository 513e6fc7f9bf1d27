package orders

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"example.com/b2b/db"
	api "example.com/b2b/openapi/ordersapi"
)

// sweepBatch bounds the orders that one transaction of ExpireReservations holds.
const sweepBatch = 200

// ExpireReservations cancels the orders that have been CREATED for longer than the reservation lasts, gives their stock back,
// and returns how many it canceled. Any number of instances may run it at once: a conditional update decides which of them
// cancels an order.
func (s *Service) ExpireReservations(ctx context.Context) (int, error) {
	if s.Reservation == 0 {
		return 0, nil
	}
	for total := 0; ; {
		var found, canceled int
		err := db.InTx(ctx, s.db, func(tx *gorm.DB) (err error) {
			found, canceled, err = s.expireBatch(tx)
			return err
		})
		total += canceled
		if err != nil || found < sweepBatch {
			return total, err
		}
	}
}

func (s *Service) expireBatch(tx *gorm.DB) (found, canceled int, err error) {
	// The oldest reservations have the lowest ids, which the index on status and id serves; so the first one that has not
	// expired ends the search.
	var oldest []order
	err = tx.Select("id, created_at, ? AS now", db.Now(tx, 0)).Where("status = ?", api.CREATED).Order("id").Limit(sweepBatch).Find(&oldest).Error
	if err != nil {
		return 0, 0, err
	}
	var expired, ids []int64
	for _, o := range oldest {
		if !o.Now.Before(o.CreatedAt.Add(s.Reservation)) {
			expired = append(expired, o.ID)
		}
	}
	if len(expired) == 0 {
		return 0, 0, nil
	}
	// Another sweep, a confirm or a cancel may be at one of them: lock what is still CREATED, in ascending id.
	if err := db.ForUpdate(tx.Model(&order{})).Where("id IN ? AND status = ?", expired, api.CREATED).Order("id").Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return len(oldest), 0, err
	}
	res := tx.Model(&order{}).Where("id IN ? AND status = ?", ids, api.CREATED).
		Updates(map[string]any{"status": api.CANCELED, "canceled_at": db.Now(tx, 0), "cancel_reason": reservationExpired})
	if res.Error == nil && res.RowsAffected != int64(len(ids)) {
		res.Error = db.ErrConflict
	}
	if res.Error != nil {
		return 0, 0, res.Error
	}
	var items []orderItem // one for each product, with the pieces of all these orders
	err = tx.Model(&orderItem{}).Select("product_id, SUM(qty) AS qty").Where("order_id IN ?", ids).Group("product_id").Find(&items).Error
	if err != nil {
		return 0, 0, err
	}
	slices.SortFunc(items, func(a, b orderItem) int { return int(a.ProductID - b.ProductID) })
	for chunk := range slices.Chunk(items, 500) {
		if err := giveBackStock(tx, chunk); err != nil {
			return 0, 0, err
		}
	}
	return len(oldest), len(ids), nil
}

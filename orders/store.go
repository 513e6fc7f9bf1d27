package orders

import (
	"context"
	"math"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
)

// store runs the queries of this package on behalf of a caller. TestOnlyStoreUsesDatabase checks that only
// this file and tenancy.go use the field DB; all other files begin their queries in tenancy.go.
type store struct {
	service.Store
	config *Config
}

// loadKeys reads the stored results of the requests' keys: see idempotency.Keys.Lookup.
func (s *Service) loadKeys(tx store, requests []idempotency.Request) ([]idempotency.Existing, error) {
	return s.db.Keys.Lookup(tx.DB, requests)
}

// saveKeys stores the results of requests with an idempotency key: see idempotency.Keys.Save.
func (s *Service) saveKeys(tx store, effects []idempotency.Record) error {
	return s.db.Keys.Save(tx.DB, effects...)
}

// maxBatches returns how many batches may run at once. On MySQL, a batch can work while another batch
// commits.
func (s *Service) maxBatches() int {
	if s.db.DB.Name() == db.SQLite {
		return 1 // SQLite runs transactions one after the other
	}
	return 2
}

// indexProducts adds new texts of products to the search index: see search.Index.UpdateDue.
func (s *Service) indexProducts(ctx context.Context) (rows int, err error) {
	return texts.UpdateDue(ctx, s.db.DB)
}

// unindexedProducts counts the rows that the search index lacks, up to 10,000: see search.Index.Due.
func (s *Service) unindexedProducts(ctx context.Context) (rows int64, err error) {
	return texts.Due(ctx, s.db.DB)
}

// estimateRows estimates the rows of the tables that grow with each request, and sets the metric
// b2b_table_rows. It changes no row, and so returns 0 rows.
func (s *Service) estimateRows(ctx context.Context) (rows int, err error) {
	keys, err := s.db.Keys.EstimateRows(ctx)
	if err != nil {
		return 0, err
	}
	tableRows.WithLabelValues("idempotency_keys").Set(float64(keys))
	events, err := history.EstimateRows(s.db.DB.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	tableRows.WithLabelValues("events").Set(float64(events))
	return 0, nil
}

// balanceAfter takes the product with the next higher id than the parameter product, and compares its stock
// with its adjustments and orders. A single statement reads all rows as of one moment. The result is nil
// after the last product.
func (s store) balanceAfter(product int64) (*balance, error) {
	var next []balance
	err := s.DB.Raw(`SELECT p.id, p.stock - (`+expectedStock+`) AS surplus,
		  (SELECT COUNT(*) FROM order_items i WHERE i.product_id = p.id) AS order_lines
		FROM products p WHERE p.id > ? ORDER BY p.id LIMIT 1`, product).Scan(&next).Error
	if err != nil || len(next) == 0 {
		return nil, err
	}
	return &next[0], nil
}

// itemsOf begins a query for the items of the orders, in ascending order id and product id.
func (s store) itemsOf(orders []*order) *gorm.DB {
	ids := service.Views(orders, func(o *order) int64 { return o.ID })
	const columns = "order_id, product_id, sku, name, qty, unit_price_cents, subtotal_cents, ? AS now"
	return s.items().Select(columns, s.Now()).Where("order_id IN ?", ids).Order("order_id, product_id")
}

// idRanges returns ranges of ids that together contain all orders created in the period, and few other
// orders. The last range has the ids after the last recorded block, because no times are recorded for these
// ids yet: see RecordRanges.
func (s store) idRanges(created db.Period) ([]db.IDRange, error) {
	var blocks struct{ First, Last, Recorded *int64 }
	overlaps, bounds := "TRUE", []any{}
	if created.From != nil {
		overlaps, bounds = overlaps+" AND latest >= ?", append(bounds, *created.From)
	}
	if created.To != nil {
		overlaps, bounds = overlaps+" AND earliest <= ?", append(bounds, *created.To)
	}
	block := gorm.Expr("CASE WHEN "+overlaps+" THEN block END", bounds...)
	err := s.DB.Raw("SELECT MIN(?) AS first, MAX(?) AS last, MAX(block) AS recorded FROM order_blocks",
		block, block).Scan(&blocks).Error
	if blocks.Recorded == nil {
		return []db.IDRange{{First: 1, Last: math.MaxInt64}}, err
	}
	behind := db.IDRange{First: idsOf(*blocks.Recorded).Last + 1, Last: math.MaxInt64}
	if blocks.First == nil {
		return []db.IDRange{behind}, err
	}
	return []db.IDRange{{First: idsOf(*blocks.First).First, Last: idsOf(*blocks.Last).Last}, behind}, err
}

// quarters adds up the orders of the query q for each quarter of an hour. The parameter column is the time
// that counts, such as created_at. Every time zone differs from UTC by a multiple of a quarter of an hour, so
// the totals of a day in any zone are sums of quarters. Rows that programs before 2.1 have written have no
// units; for these orders, the query adds up the pieces of the lines.
func quarters(q *gorm.DB, column string) (all []quarter, err error) {
	err = q.Select(db.QuarterHours(q, column) + ` AS quarter, COUNT(*) AS orders, SUM(total_cents + 0.0) AS total_cents,
		SUM(COALESCE(units, (SELECT SUM(i.qty) FROM order_items i WHERE i.order_id = orders.id)) + 0.0) AS units`).
		Group("quarter").Find(&all).Error
	return all, err
}

// expiryAge returns how long ago the reservation of the oldest CREATED order ended, or 0 when no reservation
// has ended.
func (s store) expiryAge(reservation time.Duration) (time.Duration, error) {
	age, err := db.Age(s.orders().Where("reserved_since <= ?", db.Now(s.DB, -reservation)), "reserved_since")
	return max(age-reservation, 0), err
}

// expired returns the ids of orders that have been CREATED for at least the time reservation. The oldest
// orders come first; an older order may have a higher id. The parameter skip is the number of orders to leave
// out at the beginning, and limit is the highest number of ids to return.
func (s store) expired(reservation time.Duration, skip, limit int) (ids []int64, err error) {
	err = s.orders().Where("reserved_since <= ?", db.Now(s.DB, -reservation)).Order("reserved_since").
		Offset(skip).Limit(limit).Pluck("id", &ids).Error
	return ids, err
}

// recordRange records the next block, if the block is complete, and reports whether the block is recorded
// now. It skips blocks without orders. RecordRanges says when a block is complete.
func (s store) recordRange() (bool, error) {
	var last *int64
	if err := s.DB.Raw("SELECT MAX(block) FROM order_blocks").Scan(&last).Error; err != nil {
		return false, err
	}
	recorded := int64(0) // last id of the last recorded block
	if last != nil {
		recorded = idsOf(*last).Last
	}
	var first int64
	err := s.DB.Raw("SELECT id FROM orders WHERE id > ? ORDER BY id LIMIT 1", recorded).Scan(&first).Error
	if err != nil || first == 0 {
		return false, err
	}
	block := (first - 1) / blockSize
	ids := idsOf(block)
	// The block is complete when every id since the last recorded block has an order, or when the next order
	// after the block is old enough. When blocks without orders are skipped, only the age counts, because the
	// skipped ids have no orders.
	//
	// Only TiDB executes `AND FALSE`, so no block is ever complete on TiDB. Each TiDB server gives out ids
	// from a range of its own, and a low id may appear at any time.
	res := s.DB.Exec(`INSERT INTO order_blocks (block, earliest, latest)
		SELECT ?, MIN(created_at), MAX(created_at) FROM orders WHERE id BETWEEN ? AND ?
		HAVING (COUNT(*) = ? OR (SELECT created_at FROM orders WHERE id > ? ORDER BY id LIMIT 1) < ?)
		/*T! AND FALSE */`,
		block, ids.First, ids.Last, ids.Last-recorded, ids.Last, db.Now(s.DB, -completeAfter))
	if service.IsDuplicate(res.Error) {
		return true, nil // another instance has recorded the block
	}
	return res.RowsAffected > 0, res.Error
}

// insert adds a row, or all rows of a slice, in one statement.
func (s store) insert(rows any) error { return s.DB.Create(rows).Error }

// insertItems adds rows to the table order_items, in one statement. The values of a row are order_id,
// product_id, sku, name, qty, unit_price_cents and subtotal_cents.
func (s store) insertItems(rows [][]any) error {
	const columns = "order_id, product_id, sku, name, qty, unit_price_cents, subtotal_cents"
	return db.Insert(s.DB, "order_items", columns, rows)
}

// update writes the columns of a locked row.
func (s store) update(row any, columns ...string) error {
	return s.DB.Model(row).Select(columns).Updates(row).Error
}

// locking returns a store in which every query locks the rows of its result until the transaction ends.
func (s store) locking() store {
	s.DB = db.ForUpdate(s.DB)
	return s
}

// lockingWithin is like locking, but limits the wait for rows of other transactions: see db.ForUpdateWithin.
func (s store) lockingWithin(wait time.Duration) store {
	s.DB = db.ForUpdateWithin(s.DB, wait)
	return s
}

// lockProducts locks the rows of products, in ascending id. Error: db.ErrLocked when another transaction
// holds a row for longer than the wait. On SQLite lockProducts does nothing, because transactions run
// serially.
func (s store) lockProducts(ids []int64, wait time.Duration) error {
	if s.DB.Name() == db.SQLite {
		return nil
	}
	var locked []int64
	return db.ByID(s.lockingWithin(wait).products()).Where("id IN ?", ids).Order("id").Pluck("id", &locked).Error
}

// notBefore is SQL for the later of two times: the database's time and the value of the column. So the column
// never goes back, although a statement that has waited for a lock reads the time at which the wait began.
func (s store) notBefore(column string) clause.Expr { return db.NotBefore(s.DB, column) }

package orders

import (
	"context"
	"errors"
	"math"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"example.com/b2b/db"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/history"
	"example.com/b2b/internal/idempotency"
	"example.com/b2b/internal/web"
)

// store is the one door of this package to its tables: it knows who calls, and starts every query with what
// the caller may see. TestStoreIsTheOnlyDoor holds that nothing else here touches *gorm.DB.
type store struct {
	db     *gorm.DB
	caller auth.Principal
	origin history.Origin
	show   func(order) any // an order as the history shows it
}

func (s *Service) store(ctx context.Context, q *gorm.DB) store {
	caller := auth.From(ctx)
	return store{q, caller, history.By(caller, web.CorrelationID(ctx)), func(o order) any { return s.orderResponse(o).Data }}
}

// read returns the store for queries outside of a transaction.
func (s *Service) read(ctx context.Context) store {
	return s.store(ctx, s.db.WithContext(ctx))
}

// change runs fn in a transaction, which db.InTx may do several times.
func (s *Service) change(ctx context.Context, fn func(tx store) error) error {
	return db.InTx(ctx, s.db, func(tx *gorm.DB) error { return fn(s.store(ctx, tx)) })
}

// changeBatch is change for batches, which have connections of their own.
func (s *Service) changeBatch(ctx context.Context, fn func(tx store) error) error {
	return db.InReservedTx(ctx, s.db, func(tx *gorm.DB) error { return fn(s.store(ctx, tx)) })
}

// once runs effect in a transaction, once for the request's key: see idempotency.Keys.Execute.
func (s *Service) once(ctx context.Context, r idempotency.Request, effect func(tx store) (target int64, body any, err error)) (idempotency.Answer, error) {
	return s.keys.Execute(ctx, r, func(tx *gorm.DB) (int64, any, error) { return effect(s.store(ctx, tx)) })
}

// loadKeys finds what keys have done: see idempotency.Keys.Lookup.
func (s *Service) loadKeys(tx store, requests []idempotency.Request) ([]idempotency.Existing, error) {
	return s.keys.Lookup(tx.db, requests)
}

// saveKeys writes down what keys have done: see idempotency.Keys.Save.
func (s *Service) saveKeys(tx store, effects []idempotency.Record) error {
	return s.keys.Save(tx.db, effects...)
}

// maxBatches is how many batches may run at once: on MySQL one prepares while the other commits.
func (s *Service) maxBatches() int {
	if s.db.Name() == db.SQLite {
		return 1 // transaction
	}
	return 2
}

// ready returns 503 unavailable while the database does not do this service's work.
func (s *Service) ready(ctx context.Context) error { return db.Ready(ctx, s.db, "orders") }

// indexProducts is the job of the search index: see search.Index.UpdateDue.
func (s *Service) indexProducts(ctx context.Context) (int, error) { return texts.UpdateDue(ctx, s.db) }

// orders are those that the caller may see: its own, for one that is bound to a customer.
func (s store) orders() *gorm.DB {
	q := s.db.Model(&order{})
	if own := s.caller.Customer; own != 0 {
		q = q.Where("customer_id = ?", own)
	}
	return q
}

// spans returns in which ids all orders are that were created from one moment to another, and few others: see
// NoteBlocks. Nil is no bound.
func (s store) spans(from, to *time.Time) ([]db.IDRange, error) {
	var found struct{ First, Last, Noted *int64 }
	overlaps, bounds := "TRUE", []any{}
	if from != nil {
		overlaps, bounds = overlaps+" AND latest >= ?", append(bounds, *from)
	}
	if to != nil {
		overlaps, bounds = overlaps+" AND earliest <= ?", append(bounds, *to)
	}
	block := gorm.Expr("CASE WHEN "+overlaps+" THEN block END", bounds...)
	err := s.db.Raw("SELECT MIN(?) AS first, MAX(?) AS last, MAX(block) AS noted FROM order_blocks", block, block).Scan(&found).Error
	if found.Noted == nil {
		return []db.IDRange{{First: 1, Last: math.MaxInt64}}, err
	}
	behind := db.IDRange{First: idsOf(*found.Noted).Last + 1, Last: math.MaxInt64}
	if found.First == nil {
		return []db.IDRange{behind}, err
	}
	return []db.IDRange{{First: idsOf(*found.First).First, Last: idsOf(*found.Last).Last}, behind}, err
}

// expired returns the ids of orders that are CREATED for longer than a reservation, the oldest first, after the
// first skip ones. It goes by time alone: ids need not ascend with time.
func (s store) expired(reservation time.Duration, skip, limit int) (ids []int64, err error) {
	q := s.orders().Where("reserved_since <= ?", db.Now(s.db, -reservation)).Order("reserved_since")
	err = q.Offset(skip).Limit(limit).Pluck("id", &ids).Error
	return ids, err
}

// noteBlock notes the next block and reports whether it did.
func (s store) noteBlock() (bool, error) {
	var last *int64
	if err := s.db.Raw("SELECT MAX(block) FROM order_blocks").Scan(&last).Error; err != nil {
		return false, err
	}
	noted := int64(0)
	if last != nil {
		noted = idsOf(*last).Last
	}
	var first int64
	if err := s.db.Raw("SELECT id FROM orders WHERE id > ? ORDER BY id LIMIT 1", noted).Scan(&first).Error; err != nil || first == 0 {
		return false, err
	}
	block := (first - 1) / blockSize
	ids := idsOf(block)
	// A block that is not the next one leaves ids behind that are lost, too. The comment is none to TiDB,
	// each of whose servers gives ids of a range of its own, for as long as it lasts: there nothing is ever
	// settled.
	res := s.db.Exec(`INSERT INTO order_blocks (block, earliest, latest) SELECT ?, MIN(created_at), MAX(created_at) FROM orders WHERE id BETWEEN ? AND ?
		HAVING (COUNT(*) = ? OR (SELECT created_at FROM orders WHERE id > ? ORDER BY id LIMIT 1) < ?) /*T! AND FALSE */`,
		block, ids.First, ids.Last, ids.Last-noted, ids.Last, db.Now(s.db, -settled))
	if duplicate(res.Error) {
		return true, nil // another instance was faster
	}
	return res.RowsAffected > 0, res.Error
}

func (s store) items() *gorm.DB       { return s.db.Model(&item{}) } // ask for those of orders that the caller may see
func (s store) products() *gorm.DB    { return s.db.Model(&product{}) }
func (s store) adjustments() *gorm.DB { return s.db.Model(&stockAdjustment{}) }

// events are those of one thing, page by page; ask for those of what the caller may see.
func (s store) events(subject string, id int64, w db.PageRequest) ([]history.Event, *int64, error) {
	return history.Page(s.db, subject, id, w)
}

// record appends events, in one statement: TestEveryChangeIsRecorded wants it wherever something is written.
func (s store) record(events ...history.Event) error {
	return history.Append(s.db, s.origin, events...)
}

// insert adds a row, or one for each element of a slice, in one statement.
func (s store) insert(rows any) error { return s.db.Create(rows).Error }

// insertOrders adds orders, which get their ids, in one statement.
func (s store) insertOrders(orders []*order) error { return db.CreateAll(s.db, orders) }

// insertProducts adds products, which get their ids, in one statement.
func (s store) insertProducts(products []*product) error { return db.CreateAll(s.db, products) }

// insertItems adds rows of order_items with their order_id, product_id, qty, unit_price_cents and
// subtotal_cents, in one statement.
func (s store) insertItems(rows [][]any) error {
	return db.Insert(s.db, "order_items", "order_id, product_id, qty, unit_price_cents, subtotal_cents", rows)
}

// update writes the columns of a row that has been locked.
func (s store) update(row any, columns ...string) error {
	return s.db.Model(row).Select(columns).Updates(row).Error
}

// updateEach writes the columns of rows that have been locked, in one statement.
func (s store) updateEach(rows []*product, columns ...string) error {
	_, err := db.UpdateEach(s.products(), rows, columns...)
	return err
}

// locking returns the store whose queries lock what they read until the transaction ends.
func (s store) locking() store {
	s.db = db.ForUpdate(s.db)
	return s
}

// lockingWithin is locking, with another wait for rows that other transactions hold: see db.ForUpdateWithin.
func (s store) lockingWithin(wait time.Duration) store {
	s.db = db.ForUpdateWithin(s.db, wait)
	return s
}

// try runs fn once, in a transaction that is rolled back.
func (s *Service) try(ctx context.Context, fn func(tx store) error) error {
	return db.TryTx(ctx, s.db, func(tx *gorm.DB) error { return fn(s.store(auth.With(ctx, auth.System), tx)) })
}

// now is an SQL expression for the database's clock.
func (s store) now() clause.Expr { return db.Now(s.db, 0) }

// unlessEarlier is an SQL expression for the later of the database's clock and the column: see db.NotBefore.
func (s store) unlessEarlier(column string) clause.Expr { return db.NotBefore(s.db, column) }

// found reports whether a query for one row found it; the error is another one.
func found(err error) (bool, error) {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return false, nil
	}
	return true, err
}

// duplicate reports whether a row was refused because one with its unique value is there.
func duplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// later returns the later of two moments.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

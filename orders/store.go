package orders

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"example.com/b2b/db"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/idempotency"
)

// store is the one door of this package to its tables: it knows who calls, and starts every query with what the caller may see.
// TestStoreIsTheOnlyDoor holds that nothing else here touches *gorm.DB.
type store struct {
	db     *gorm.DB
	caller auth.Principal
}

// read returns the store for queries outside of a transaction.
func (s *Service) read(ctx context.Context) store {
	return store{s.db.WithContext(ctx), auth.From(ctx)}
}

// change runs fn in a transaction, which db.InTx may do several times.
func (s *Service) change(ctx context.Context, fn func(tx store) error) error {
	return db.InTx(ctx, s.db, func(tx *gorm.DB) error { return fn(store{tx, auth.From(ctx)}) })
}

// once runs effect in a transaction, once for the request's key: see idempotency.Keys.Once.
func (s *Service) once(ctx context.Context, r idempotency.Request, effect func(tx store) (target int64, body any, err error)) (idempotency.Answer, error) {
	return s.keys.Once(ctx, r, func(tx *gorm.DB) (int64, any, error) { return effect(store{tx, auth.From(ctx)}) })
}

// ready returns 503 unavailable while the database does not do this service's work.
func (s *Service) ready(ctx context.Context) error { return db.Ready(ctx, s.db, "orders") }

// lead runs work on one instance at a time: see db.Lead.
func (s *Service) lead(ctx context.Context, name string, work func(ctx context.Context) error) error {
	_, err := db.Lead(ctx, s.db, name, work)
	return err
}

// orders are those that the caller may see: its own, for one that is bound to a customer.
func (s store) orders() *gorm.DB {
	q := s.db.Model(&order{})
	if own := s.caller.Customer; own != 0 {
		q = q.Where("customer_id = ?", own)
	}
	return q
}

func (s store) items() *gorm.DB       { return s.db.Model(&item{}) } // ask for those of orders that the caller may see
func (s store) products() *gorm.DB    { return s.db.Model(&product{}) }
func (s store) adjustments() *gorm.DB { return s.db.Model(&stockAdjustment{}) }

// insert adds a row, or one for each element of a slice, in one statement.
func (s store) insert(rows any) error { return s.db.Create(rows).Error }

// update writes the columns of a row that has been locked.
func (s store) update(row any, columns ...string) error {
	return s.db.Model(row).Select(columns).Updates(row).Error
}

// locking returns the store whose queries lock what they read until the transaction ends.
func (s store) locking() store { return store{db.ForUpdate(s.db), s.caller} }

// now is an SQL expression for the database's clock.
func (s store) now() clause.Expr { return db.Now(s.db, 0) }

// unlessEarlier is one for the database's clock, or the column where that is later: a statement that has waited for a row's lock
// sees the time at which it began to wait.
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

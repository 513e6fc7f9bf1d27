package customers

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/auth"
)

// store is the one door of this package to its table: it knows who calls, and starts every query with what the caller may see.
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

// ready returns 503 unavailable while the database does not do this service's work.
func (s *Service) ready(ctx context.Context) error { return db.Ready(ctx, s.db, "customers") }

// customers are those that the caller may see: its own record, for one that is bound to a customer.
func (s store) customers() *gorm.DB {
	q := s.db.Model(&customer{})
	if own := s.caller.Customer; own != 0 {
		q = q.Where("id = ?", own)
	}
	return q
}

func (s store) insert(c *customer) error { return s.db.Create(c).Error }

// locking returns the store whose queries lock what they read until the transaction ends.
func (s store) locking() store { return store{db.ForUpdate(s.db), s.caller} }

func missing(err error) bool   { return errors.Is(err, gorm.ErrRecordNotFound) }
func duplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

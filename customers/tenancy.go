package customers

import (
	"context"

	"gorm.io/gorm"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
)

// Tenancy: a caller bound to a customer sees and changes only this customer. TestTenancy wants the
// rule to stand in this file alone; queries begin here.

// customers are the customers that the caller may see.
func (s store) customers() *gorm.DB {
	q := s.DB.Model(&customer{})
	if own := s.Caller.Customer; own != 0 {
		q = q.Where("id = ?", own)
	}
	return q
}

// everyCustomer begins queries for unique values, also of customers the caller may not see.
func (s store) everyCustomer() *gorm.DB { return s.DB.Model(&customer{}) }

// isBound reports whether the caller is bound to a customer.
func (s store) isBound() bool { return s.Caller.Customer != 0 }

// asSystem returns a context whose stores see all customers. Code that acts for a caller in such a store
// checks mayRead.
func asSystem(ctx context.Context) context.Context { return auth.With(ctx, auth.System) }

// mayRead returns 403 forbidden for another customer than the caller's.
func mayRead(ctx context.Context, id int64) error {
	if !auth.From(ctx).ActsFor(id) {
		return apperr.Forbidden.New()
	}
	return nil
}

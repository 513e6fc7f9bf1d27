package customers

import (
	"context"

	"gorm.io/gorm"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
)

// Tenancy: a caller bound to a customer sees and changes only this customer. Only this file implements the
// rule, and all other files begin their queries with its functions: see TestTenancy and
// TestOnlyStoreUsesDatabase.

// customers begins a query for the customers that the caller may see.
func (s store) customers() *gorm.DB {
	q := s.DB.Model(&customer{})
	if own := s.Caller.Customer; own != 0 {
		q = q.Where("id = ?", own)
	}
	return q
}

// everyCustomer begins a query for all customers, including customers that the caller may not see. Use it to
// look for an email or an external_ref, which must be unique among all customers.
func (s store) everyCustomer() *gorm.DB { return s.DB.Model(&customer{}) }

// isBound reports whether the caller is bound to a customer.
func (s store) isBound() bool { return s.Caller.Customer != 0 }

// asSystem returns a context with which a store sees all customers. Before it shows a customer to a caller,
// code with this context must check mayRead.
func asSystem(ctx context.Context) context.Context { return auth.With(ctx, auth.System) }

// mayRead returns 403 forbidden when the caller is bound to another customer.
func mayRead(ctx context.Context, id int64) error {
	if !auth.From(ctx).ActsFor(id) {
		return apperr.Forbidden.New()
	}
	return nil
}

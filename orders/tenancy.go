package orders

import (
	"cmp"
	"context"

	"gorm.io/gorm"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
)

// Tenancy: a caller bound to a customer sees and changes only the orders of this customer. Every caller sees
// all products. Other files must not implement this rule, and must begin their queries with the functions of
// this file: see TestTenancy and TestOnlyStoreUsesDatabase.

// orders begins a query for the orders that the caller may see.
func (s store) orders() *gorm.DB {
	q := s.DB.Model(&order{})
	if own := s.Caller.Customer; own != 0 {
		q = q.Where("customer_id = ?", own)
	}
	return q
}

func (s store) items() *gorm.DB       { return s.DB.Model(&item{}) } // only for items of visible orders
func (s store) products() *gorm.DB    { return s.DB.Model(&product{}) }
func (s store) adjustments() *gorm.DB { return s.DB.Model(&stockAdjustment{}) }

// isBound reports whether the caller is bound to a customer.
func (s store) isBound() bool { return s.Caller.Customer != 0 }

// asSystem returns a context for stores that see the orders of all customers. Code that uses a store with
// this context on behalf of a caller must check visibleTo for each order.
func asSystem(ctx context.Context) context.Context { return auth.With(ctx, auth.System) }

// visibleTo returns 404 order_not_found when o is nil or the caller may not see o. id is the requested id.
func visibleTo(caller auth.Principal, o *order, id int64) error {
	if o == nil || !caller.ActsFor(o.CustomerID) {
		return apperr.OrderNotFound.New(id)
	}
	return nil
}

// mayChange refuses a command of a caller who is bound to a customer, when the order has another customer.
// Without this check, a batch would lock the order before it knows the order's customer, and that customer's
// own commands would wait. Errors: 404 order_not_found; 422 idempotency_key_reused.
func (s *Service) mayChange(ctx context.Context, in *submission) error {
	if in.caller.Customer == 0 {
		return nil
	}
	q := s.db.Read(ctx)
	err := q.orders().Select("id").Take(&order{}, in.orderID).Error
	if service.IsNotFound(err) {
		var earlier []idempotency.Existing
		if earlier, err = s.loadKeys(q, []idempotency.Request{in.request}); err == nil {
			err = cmp.Or(earlier[0].Reused, error(apperr.OrderNotFound.New(in.orderID)))
		}
	}
	return err
}

// mayOrderFor returns 403 forbidden when the caller is bound to another customer.
func mayOrderFor(ctx context.Context, customer int64) error {
	if caller := auth.From(ctx); !caller.ActsFor(customer) {
		return apperr.Forbidden.New().With("/customer_id", apperr.Params{"customer_id": caller.Customer},
			"is not %d, for whom alone you act", caller.Customer)
	}
	return nil
}

// mayCompensate returns 403 forbidden unless another service of this system makes the call.
func mayCompensate(ctx context.Context) error {
	if !auth.From(ctx).ByService {
		return apperr.Forbidden.New().With("/cause", apperr.Params{"rule": "service_token"},
			"may be %s only when a service of this system says so", compensation)
	}
	return nil
}

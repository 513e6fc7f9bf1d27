package orders

import (
	"context"
	"net/http"

	"example.com/b2b/internal/idempotency"
)

// The operations that take an idempotency key. Tests hold the report on a key, the doctor and the contract to
// keyedOperations.
var (
	createOrder  = idempotency.Operation{Name: "createOrder", Status: http.StatusCreated, Target: orderSubject}
	confirmOrder = idempotency.Operation{Name: "confirmOrder", Status: http.StatusOK, Target: orderSubject}
	cancelOrder  = idempotency.Operation{Name: "cancelOrder", Status: http.StatusOK, Target: orderSubject}

	createProduct = idempotency.Operation{Name: "createProduct", Status: http.StatusCreated, Target: productSubject}
	adjustStock   = idempotency.Operation{Name: "adjustStock", Status: http.StatusCreated, Target: productSubject}

	keyedOperations = idempotency.Operations{createOrder, confirmOrder, cancelOrder, createProduct, adjustStock}
)

// keyedEffect is the effect of a key in one operation.
type keyedEffect struct {
	idempotency.Done
	orderStatus *status // now; nil for a product
}

// reportKey returns the effects of a key of the caller, or 404 idempotency_key_unknown when there are none, or
// they have expired.
func (s *Service) reportKey(ctx context.Context, key string) ([]keyedEffect, error) {
	done, err := s.db.Keys.Report(ctx, key, keyedOperations)
	if err != nil {
		return nil, err
	}
	ids, effects := make([]int64, len(done)), make([]keyedEffect, len(done))
	for i, d := range done {
		ids[i], effects[i] = d.TargetID, keyedEffect{Done: d}
	}
	var orders []order
	if err := s.db.Read(ctx).orders().Select("id, status").Where("id IN ?", ids).Find(&orders).Error; err != nil {
		return nil, err
	}
	for i := range effects {
		for _, o := range orders {
			if effects[i].Target == orderSubject && o.ID == effects[i].TargetID {
				effects[i].orderStatus = &o.Status
			}
		}
	}
	return effects, nil
}

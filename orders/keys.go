package orders

import (
	"context"
	"net/http"

	"example.com/b2b/internal/idempotency"
)

// The operations that take a key. The report on a key, the doctor and the contract's list are held to this
// one.
var (
	createOrder   = idempotency.Operation{Name: "createOrder", Status: http.StatusCreated, Target: orderSubject}
	confirmOrder  = idempotency.Operation{Name: "confirmOrder", Status: http.StatusOK, Target: orderSubject}
	cancelOrder   = idempotency.Operation{Name: "cancelOrder", Status: http.StatusOK, Target: orderSubject}
	createProduct = idempotency.Operation{Name: "createProduct", Status: http.StatusCreated, Target: productSubject}
	adjustStock   = idempotency.Operation{Name: "adjustStock", Status: http.StatusCreated, Target: productSubject}

	keyedOperations = idempotency.Operations{createOrder, confirmOrder, cancelOrder, createProduct, adjustStock}
)

// keyedEffect is what a key has done with one operation, and how that stands now.
type keyedEffect struct {
	idempotency.Use
	order *status // of the order
}

// reportKey tells what a key has done, or returns 404 idempotency_key_unknown when that is nothing, or has
// expired.
func (s *Service) reportKey(ctx context.Context, key string) ([]keyedEffect, error) {
	done, err := s.keys.Report(ctx, key)
	if err != nil {
		return nil, err
	}
	ids, effects := make([]int64, len(done)), make([]keyedEffect, len(done))
	for i, d := range done {
		ids[i], effects[i] = d.TargetID, keyedEffect{Use: d}
	}
	var orders []order
	if err := s.read(ctx).orders().Select("id, status").Where("id IN ?", ids).Find(&orders).Error; err != nil {
		return nil, err
	}
	for i := range effects {
		for _, o := range orders {
			if effects[i].Target == orderSubject && o.ID == effects[i].TargetID {
				effects[i].order = &o.Status
			}
		}
	}
	return effects, nil
}

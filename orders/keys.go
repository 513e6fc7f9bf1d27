package orders

import (
	"context"
	"net/http"

	"example.com/b2b/internal/idempotency"
	"example.com/b2b/internal/service"
	"example.com/b2b/openapi/contract"
)

// The operations that take an idempotency key. TestKeyedOperations checks that keyedOperations has exactly
// the operations that take a key in the contract.
var (
	createOrder  = idempotency.Operation{Name: "createOrder", Status: http.StatusCreated, Target: orderSubject}
	confirmOrder = idempotency.Operation{Name: "confirmOrder", Status: http.StatusOK, Target: orderSubject}
	cancelOrder  = idempotency.Operation{Name: "cancelOrder", Status: http.StatusOK, Target: orderSubject}

	createProduct = idempotency.Operation{Name: "createProduct", Status: http.StatusCreated, Target: productSubject}
	adjustStock   = idempotency.Operation{Name: "adjustStock", Status: http.StatusCreated, Target: productSubject}

	keyedOperations = idempotency.Operations{createOrder, confirmOrder, cancelOrder, createProduct, adjustStock}
)

// reportKey returns the effects of the caller's key, and a map from the id of each changed order to the
// order's present status. Error: 404 idempotency_key_unknown when the key has no effects, or has expired.
func (s *Service) reportKey(
	ctx context.Context, key string,
) (effects []idempotency.Use, statuses map[int64]*contract.OrderStatus, err error) {
	if effects, err = s.db.Keys.Report(ctx, key); err != nil {
		return nil, nil, err
	}
	ids := service.Views(effects, func(e idempotency.Use) int64 { return e.TargetID })
	var orders []order
	err = s.db.Read(ctx).orders().Select("id, status").Where("id IN ?", ids).Find(&orders).Error
	statuses = map[int64]*contract.OrderStatus{}
	for _, o := range orders {
		statuses[o.ID] = (*contract.OrderStatus)(&o.Status)
	}
	return effects, statuses, err
}

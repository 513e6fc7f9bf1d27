package orders

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/tidwall/gjson"

	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// The operations that take an idempotency key, in the order of the contract. The function keyed adds each
// operation to keyedOperations and statusAfter. Tests compare keyedOperations with the contract.
var (
	createProduct = keyed("createProduct", http.StatusCreated, productSubject, "", "")
	adjustStock   = keyed("adjustStock", http.StatusCreated, productSubject, "", "")
	createOrder   = keyed("createOrder", http.StatusCreated, orderSubject, created, "")
	confirmOrder  = keyed("confirmOrder", http.StatusOK, orderSubject, confirmed, createOrder.Name)
	cancelOrder   = keyed("cancelOrder", http.StatusOK, orderSubject, canceled, createOrder.Name)

	keyedOperations idempotency.Operations
	statusAfter     = map[string]status{} // status of the order in the answer, by the operation's name
)

// keyed registers an operation and returns it. The parameter answer is the HTTP status of a success. The
// parameter target is the subject that the operation creates or changes. The parameter after is the status of
// the order in the answer, or "" for an operation on a product. The parameter follows is the field Follows of
// idempotency.Operation.
func keyed(name string, answer int, target string, after status, follows string) idempotency.Operation {
	o := idempotency.Operation{Name: name, Status: answer, Target: target, Follows: follows}
	keyedOperations, statusAfter[name] = append(keyedOperations, o), after
	return o
}

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

// withNames adds the sku and the name of each line to an answer that a program of version 2.0.0 has stored
// without sku and name. Clients of the present version rely on both fields. Any other answer stays as it is.
func (s *Service) withNames(ctx context.Context, a idempotency.Answer) (idempotency.Answer, error) {
	if !a.Replayed || gjson.GetBytes(a.Body, "data.items.0.sku").Exists() {
		return a, nil
	}
	var stored api.OrderResponse
	if err := contract.Unmarshal(a.Body, &stored); err != nil {
		return a, err
	}
	o, err := s.db.Read(ctx).find(stored.Data.ID)
	if err != nil {
		return a, err
	}
	stored.Data.Items = s.orderView(o).Items
	a.Body, err = json.Marshal(stored)
	return a, err
}

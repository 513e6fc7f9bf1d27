package orders

import (
	"context"
	"net/http"
	"slices"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/idempotency"
)

// keyed is an operation that takes an idempotency key.
type keyed struct {
	name   string // as the contract calls it
	status int    // of its success
	target target // what the key's row points to
	leaves status // the order's, in the stored answer; "" for other targets
}

// target is a kind of thing for which a key can stand.
type target int

const (
	anOrder target = iota
	aProduct
)

// The operations that take a key. The report on a key, the doctor and the contract's list are held to this one.
var (
	createOrder  = keyed{"createOrder", http.StatusCreated, anOrder, created}
	confirmOrder = keyed{"confirmOrder", http.StatusOK, anOrder, confirmed}
	cancelOrder  = keyed{"cancelOrder", http.StatusOK, anOrder, canceled}
	adjustStock  = keyed{"adjustStock", http.StatusCreated, aProduct, ""}

	keyedOperations = []keyed{createOrder, confirmOrder, cancelOrder, adjustStock}
)

// keyedOperation finds an operation by its name.
func keyedOperation(name string) (keyed, bool) {
	i := slices.IndexFunc(keyedOperations, func(o keyed) bool { return o.name == name })
	if i < 0 {
		return keyed{}, false
	}
	return keyedOperations[i], true
}

// request returns what key stands for in an operation: content must be the same in a repeat.
func (o keyed) request(ctx context.Context, key *string, content any) idempotency.Request {
	return idempotency.Request{Caller: auth.From(ctx).KeySpace(), Operation: o.name, Key: key, Content: content, Status: o.status}
}

// keyedEffect is what a key has done with one operation, and how that stands now.
type keyedEffect struct {
	idempotency.Done
	target target
	order  *status // of the order
}

// reportKey tells what a key has done, or returns 404 idempotency_key_unknown when that is nothing, or has expired.
func (s *Service) reportKey(ctx context.Context, key string) ([]keyedEffect, error) {
	names := make([]string, len(keyedOperations))
	for i, o := range keyedOperations {
		names[i] = o.name
	}
	done, err := s.keys.Report(ctx, auth.From(ctx).KeySpace(), key, names)
	if err != nil {
		return nil, err
	}
	if len(done) == 0 {
		return nil, apperr.IdempotencyKeyUnknown.New()
	}
	ids, effects := make([]int64, len(done)), make([]keyedEffect, len(done))
	for i, d := range done {
		o, _ := keyedOperation(d.Operation)
		ids[i], effects[i] = d.TargetID, keyedEffect{Done: d, target: o.target}
	}
	var orders []order
	if err := s.read(ctx).orders().Select("id, status").Where("id IN ?", ids).Find(&orders).Error; err != nil {
		return nil, err
	}
	for i := range effects {
		for _, o := range orders {
			if effects[i].target == anOrder && o.ID == effects[i].TargetID {
				effects[i].order = &o.Status
			}
		}
	}
	return effects, nil
}

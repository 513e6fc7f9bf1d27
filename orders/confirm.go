package orders

import "example.com/b2b/v2/internal/apperr"

// confirmCommand makes a CREATED order CONFIRMED. A CONFIRMED order stays unchanged.
type confirmCommand struct{ submission }

// decide implements orderCommand. Error: 400 order_not_confirmable for a CANCELED order.
func (*confirmCommand) decide(o *order, _ *lockedRows) (transition, error) {
	if o.Status == canceled {
		return transition{}, apperr.OrderNotConfirmable.New(o.ID)
	}
	return transition{order: o, to: confirmed}, nil
}

package orders

import "example.com/b2b/internal/apperr"

// confirm makes a CREATED order CONFIRMED and leaves a CONFIRMED one as it is. The order must be locked. Error: 400
// order_not_confirmable.
func (s store) confirm(o *order) error {
	switch o.Status {
	case canceled:
		return apperr.OrderNotConfirmable.New(o.ID)
	case confirmed:
		return nil
	}
	return s.transition(confirmed, o)
}

package orders

import "example.com/b2b/internal/apperr"

// confirmable returns 400 order_not_confirmable for an order that is neither CREATED nor CONFIRMED already.
func confirmable(o order) error {
	if o.Status == canceled {
		return apperr.OrderNotConfirmable.New(o.ID)
	}
	return nil
}

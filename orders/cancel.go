package orders

import (
	"slices"

	"example.com/b2b/internal/apperr"
)

// cancellation says why an order is canceled.
type cancellation struct {
	Reason cancelReason
	Note   *string // a person's words
}

// cancel gives the stock of an order back, unless it is CANCELED already. The order must be locked. Error: 400
// cancel_window_closed.
func (s *Service) cancel(tx store, o *order, why cancellation) error {
	if o.Status == canceled {
		return nil
	}
	if !slices.Contains(s.outlook(*o).Actions, cancelAction) {
		return apperr.CancelWindowClosed.New(o.ID, int(s.CancellationWindow.Minutes()))
	}
	return tx.cancelAll(why, o)
}

// cancelAll makes orders CANCELED, whatever the time, and gives their stock back. All must be locked, and read at one moment.
func (s store) cancelAll(why cancellation, orders ...*order) error {
	var items []item
	for _, o := range orders {
		o.CancelReason, o.CancelNote = &why.Reason, why.Note
		items = append(items, o.Items...)
	}
	if err := s.transition(canceled, orders...); err != nil {
		return err
	}
	return s.giveBackStock(items)
}

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

// cancelable returns 400 cancel_window_closed for an order that can neither be canceled at its Now nor is CANCELED already.
func (s *Service) cancelable(o order) error {
	if o.Status != canceled && !slices.Contains(s.outlook(o).Actions, cancelAction) {
		return apperr.CancelWindowClosed.New(o.ID, int(s.CancellationWindow.Minutes()))
	}
	return nil
}

// cancel notes on a locked order why it is to be CANCELED, whatever the time, and puts its pieces back on the shelf.
func (why cancellation) cancel(o *order, shelf shelf) {
	o.CancelReason, o.CancelNote = &why.Reason, why.Note
	shelf.put(o.Items)
}

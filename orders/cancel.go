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

// cancelable returns 400 cancel_window_closed for an order that can neither be canceled at its Now nor is
// CANCELED already, and 412 precondition_failed when a compensation finds the order CONFIRMED: somebody has
// taken the order over since it was placed.
func (s *Service) cancelable(o order, why cancellation) error {
	if o.Status == confirmed && why.Reason == compensation {
		return apperr.PreconditionFailed.New().With("/cause", apperr.Params{"order_status": string(o.Status)},
			"is %s, and the order is %s", compensation, o.Status)
	}
	if o.Status != canceled && !slices.Contains(s.allowedActions(o).Actions, cancelAction) {
		return apperr.CancelWindowClosed.New(o.ID, int(s.CancellationWindow.Minutes()))
	}
	return nil
}

// cancel notes on a locked order why it is to be CANCELED, whatever the time, and puts its pieces back on the
// stock.
func (why cancellation) cancel(o *order, stock stockView) {
	o.CancelReason, o.CancelNote = &why.Reason, why.Note
	stock.release(o.Items)
}

package orders

import (
	"slices"
	"time"

	"example.com/b2b/v2/internal/apperr"
)

// cancelCommand makes an order CANCELED and gives its stock back. A CANCELED order stays unchanged.
type cancelCommand struct {
	submission
	reason cancelReason
	note   *string // free text from the caller
}

// released implements orderCommand.
func (*cancelCommand) released(o *order) []item {
	if o.Status == canceled {
		return nil
	}
	return o.Items
}

// decide implements orderCommand. Errors: the errors of the method cancelable; errNotReserved when the reason
// is reservationExpired and the order is no longer CREATED.
func (c *cancelCommand) decide(o *order, rows *lockedRows) (transition, error) {
	if c.reason == reservationExpired && o.Status != created {
		return transition{}, errNotReserved
	}
	if err := rows.tx.config.cancelable(*o, c.reason); err != nil {
		return transition{}, err
	}
	if o.Status != canceled {
		o.CancelReason, o.CancelNote = &c.reason, c.note
		rows.stock.release(o.Items)
	}
	return transition{order: o, to: canceled}, nil
}

// cancelable returns nil for an order that may be canceled or is CANCELED already. Errors for a CONFIRMED
// order: 412 precondition_failed when the reason is compensation, because somebody relies on the confirmed
// order; 400 cancel_window_closed for any other reason, when the cancellation window has ended.
func (c *Config) cancelable(o order, reason cancelReason) error {
	if o.Status == confirmed && reason == compensation {
		return apperr.PreconditionFailed.New().With("/cause", apperr.Params{"order_status": string(o.Status)},
			"is %s, and the order is %s", compensation, o.Status)
	}
	if o.Status != canceled && !slices.Contains(c.allowedActions(o).Actions, cancelAction) {
		return apperr.CancelWindowClosed.New(o.ID, int(c.CancellationWindow.Minutes()))
	}
	return nil
}

// cancelableUntil returns the last moment at which a CONFIRMED order may be canceled.
func (c *Config) cancelableUntil(o order) time.Time { return o.ConfirmedAt.Add(c.CancellationWindow) }

package orders

import (
	"cmp"
	"context"
	"errors"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/batch"
	"example.com/b2b/internal/correlation"
	"example.com/b2b/internal/etag"
	"example.com/b2b/internal/history"
	"example.com/b2b/internal/idempotency"
)

// command creates, confirms or cancels an order for a caller. The commands that come while a transaction
// commits share the next transaction, with its statements and its commit.
type command struct {
	to      status
	request idempotency.Request
	new     newOrder     // for CREATED
	id      int64        // of the order, for the others
	ifMatch *string      // for these, too
	why     cancellation // for CANCELED

	caller auth.Principal
	by     history.Origin
	keys   []string

	order   *order // after it; nil when the key had one already
	answer  idempotency.Answer
	refused error
}

// The size of batches.
const (
	batchCost = 1000 // lines that one transaction moves, about
	orderCost = 10   // of an order that is there already
)

// submit runs a command and answers it. The command is all or nothing, once for the request's key, and
// independent of the commands that share its transaction. Its error is 503 unavailable where other
// transactions hold a row for too long.
func (s *Service) submit(ctx context.Context, c *command) (answer, error) {
	c.caller = auth.From(ctx)
	c.by = history.By(c.caller, correlation.ID(ctx))
	if c.id != 0 {
		c.keys = append(c.keys, rowOf("orders", c.id))
	}
	if c.request.Key != nil {
		c.keys = append(c.keys, keyOf(c.request))
	}
	if c.new.ExternalRef != nil {
		c.keys = append(c.keys, refOf(c.new))
	}
	err := s.commands.Submit(ctx, c)
	if errors.Is(err, batch.ErrHeld) {
		err = apperr.Unavailable.Because(err)
	}
	if err != nil {
		return answer{}, err
	}
	return answer(c.answer), c.refused
}

// ConflictKeys implements batch.Command: an order, a key and an external_ref are for one command at a time.
func (c *command) ConflictKeys() []string { return c.keys }

// Cost implements batch.Command.
func (c *command) Cost() int {
	if c.to == created {
		return len(c.new.Lines)
	}
	return orderCost
}

// runBatch runs a batch in one transaction. An error of executeBatch has rolled all of it back. An error of
// COMMIT leaves open whether the commands are done. Where the transaction does not begin, none would fare
// better by itself. A batch that loses against another transaction is not run again as a whole: its commands
// are, each by itself.
func (s *Service) runBatch(ctx context.Context, commands []*command) (held []batch.Held, rolledBack bool, err error) {
	err = s.changeBatch(auth.With(ctx, auth.System), func(tx store) error {
		locked, err := s.lockFor(tx, commands)
		if err == nil && len(locked.ready) > 0 {
			err = s.executeBatch(tx, locked)
		}
		if errors.Is(err, db.ErrLocked) && locked != nil {
			err = cmp.Or(locked.leaveOutNames(), err)
		}
		held, rolledBack = locked.held(), err != nil
		if len(commands) > 1 && errors.Is(err, db.ErrConflict) {
			return errBatchConflict
		}
		return err
	})
	return held, rolledBack, err
}

// errBatchConflict stands for db.ErrConflict, after which the transaction would be run again. No caller sees
// it.
var errBatchConflict = errors.New("a batch has lost against another transaction")

// executeBatch decides on each command of a batch as if those before it had been done, by the rows that the
// transaction has locked, and writes the outcome of all of them. Refusals rest on locked rows, too, so they
// still hold at COMMIT.
func (s *Service) executeBatch(tx store, locked *lockedRows) error {
	ready, stock := locked.ready, locked.stock
	requests, wanted := make([]idempotency.Request, len(ready)), make([]newOrder, len(ready))
	for i, c := range ready {
		requests[i], wanted[i] = c.request, c.new
	}
	earlier, err := s.loadKeys(tx, requests) // behind the locks: whoever held them for the same request has committed
	if err != nil {
		return err
	}
	holders, err := tx.findByExternalRef(wanted)
	if err != nil {
		return err
	}
	var steps []transition
	for i, c := range ready {
		c.order, c.answer, c.refused = nil, earlier[i].Answer, earlier[i].Reused
		if earlier[i].Found() {
			continue
		}
		if c.order, c.refused = s.decide(c, locked.orders[c.id], stock, holders); c.refused == nil && c.order.Status != c.to {
			steps = append(steps, transition{c.order, c.to, c.by})
		}
	}
	if steps != nil {
		if err := tx.moveStock(stock); err != nil {
			return err
		}
		if err := tx.apply(steps...); duplicate(err) {
			return db.ErrConflict // an external_ref has been taken since
		} else if err != nil {
			return err
		}
	}
	var effects []idempotency.Record
	for i, c := range ready {
		if c.refused != nil || c.order == nil {
			continue
		}
		if c.answer, err = c.request.Answer(s.orderResponse(*c.order)); err != nil {
			return err
		}
		effects = append(effects, idempotency.Record{Request: c.request, Existing: earlier[i], Target: c.order.ID, Answer: c.answer})
	}
	return s.saveKeys(tx, effects)
}

// decide makes the order that a command brings about, or refuses. Errors: 409 external_ref_taken, and those
// of place; 404 order_not_found, 412 precondition_failed, and those of confirmable and cancelable.
func (s *Service) decide(c *command, o *order, stock stockView, holders []order) (*order, error) {
	if c.to == created {
		if err := c.new.checkExternalRef(holders); err != nil {
			return nil, err
		}
		return c.new.place(stock)
	}
	if o == nil || !c.caller.ActsFor(o.CustomerID) {
		return nil, apperr.OrderNotFound.New(c.id)
	}
	if err := etag.Precondition(c.ifMatch, s.orderResponse(*o)); err != nil {
		return nil, err
	}
	if c.to == confirmed {
		return o, confirmable(*o)
	}
	if c.why.Reason == reservationExpired && o.Status != created {
		return nil, errNotReserved
	}
	err := s.cancelable(*o, c.why)
	if err == nil && o.Status != canceled {
		c.why.cancel(o, stock)
	}
	return o, err
}

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
	"example.com/b2b/internal/service"
)

// Retries, all of them:
//
//   - db.InTx and db.InReservedTx run a transaction again after db.ErrConflict (a deadlock, a lock wait), up
//     to 12 times in 5 s. This includes a batch of a single command.
//   - A batch of several commands is not run again as a whole. After a rollback, package batch runs each of its
//     commands once more, alone, so that no command harms another. After an error of COMMIT it runs none: they
//     may be done. After an error of BEGIN it runs none: they would fail, too. Their callers get the error.
//   - A command with a row of another transaction is set aside (lock.go), and run again when the row is free.
//     The caller gets 503 unavailable after batch.HeldTimeout or batch.BriefTimeout.

// orderCommand creates, confirms or cancels an order: createCommand, confirmCommand, cancelCommand. Commands
// that arrive while a transaction commits share the next transaction, its statements and its commit.
type orderCommand interface {
	batch.Command
	common() *submission
	wanted() newOrder         // the order to create; zero for a change of an order
	released(o *order) []item // the items of a locked order, if the command gives their stock back

	// decide returns the transition of the order, and moves stock in rows.stock, or refuses. The caller may
	// see o, and If-Match is fulfilled; o is nil for a new order.
	decide(o *order, rows *lockedRows) (transition, error)
}

// submission is the common part of all commands: input, caller, and after the batch the outcome. Its methods
// serve a command without stock to move.
type submission struct {
	request idempotency.Request
	orderID int64   // of the order to change; 0 for a new order
	ifMatch *string // the required ETag of the order; nil: any

	caller auth.Principal
	origin history.Origin
	keys   []string // conflict keys, see batch.Command
	outcome
}

// outcome is the result of a command.
type outcome struct {
	order   *order // nil when the idempotency key has an answer already
	answer  idempotency.Answer
	refused error
}

func (s *submission) common() *submission  { return s }
func (*submission) wanted() newOrder       { return newOrder{} }
func (*submission) released(*order) []item { return nil }

// ConflictKeys implements batch.Command: no two commands with the same order, idempotency key or external_ref
// run at once.
func (s *submission) ConflictKeys() []string { return s.keys }

// Cost implements batch.Command.
func (*submission) Cost() int { return orderCost }

// The size of batches.
const (
	batchCost = 1000 // order lines in a transaction, about
	orderCost = 10   // of the change of an order, in lines
)

// submit runs a command in a batch, and returns its answer. The command is all or nothing, done once for the
// request's key, and independent of the other commands of the batch. Errors: see decide; 422
// idempotency_key_reused; 503 unavailable where other transactions hold a row for too long.
func (s *Service) submit(ctx context.Context, c orderCommand) (idempotency.Answer, error) {
	in := c.common()
	in.caller = auth.From(ctx)
	in.origin = history.By(in.caller, correlation.ID(ctx))
	if in.orderID != 0 {
		in.keys = append(in.keys, rowName("orders", in.orderID))
	}
	if in.request.Key != nil {
		in.keys = append(in.keys, keyName(in.request))
	}
	if c.wanted().ExternalRef != nil {
		in.keys = append(in.keys, refName(c.wanted()))
	}
	err := s.commands.Submit(ctx, c)
	if errors.Is(err, batch.ErrHeld) {
		err = apperr.Unavailable.Because(err)
	}
	if err != nil {
		return idempotency.Answer{}, err
	}
	return in.answer, in.refused
}

// runBatch implements batch.Batcher.Run: one transaction for all commands. An error of executeBatch has
// rolled the transaction back; after an error of COMMIT nobody knows whether the commands are done.
func (s *Service) runBatch(ctx context.Context, commands []orderCommand) (
	held []batch.Held, rolledBack bool, err error,
) {
	err = s.db.ChangeReserved(asSystem(ctx), func(tx store) error {
		locked, err := s.lockRows(tx, commands)
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

// errBatchConflict replaces db.ErrConflict, after which db.InReservedTx would run the batch again. No caller
// sees it.
var errBatchConflict = errors.New("a batch has lost against another transaction")

// executeBatch decides on each command of a batch as if the commands before had been done, and writes the
// outcome of all. It decides by locked rows, so a refusal still holds at COMMIT.
func (s *Service) executeBatch(tx store, locked *lockedRows) error {
	ready := locked.ready
	requests, wanted := make([]idempotency.Request, len(ready)), make([]newOrder, len(ready))
	for i, c := range ready {
		requests[i], wanted[i] = c.common().request, c.wanted()
	}
	earlier, err := s.loadKeys(tx, requests) // behind the locks: a twin with these locks has committed
	if err != nil {
		return err
	}
	if locked.holders, err = tx.findByExternalRef(wanted); err != nil {
		return err
	}
	var transitions []transition
	for i, c := range ready {
		in := c.common()
		in.outcome = outcome{answer: earlier[i].Answer, refused: earlier[i].Reused}
		if earlier[i].Found() {
			continue
		}
		next, err := s.decide(c, locked)
		in.order, in.refused = next.order, err
		if err == nil && next.order.Status != next.to {
			next.origin = in.origin
			transitions = append(transitions, next)
		}
	}
	if transitions != nil {
		if err := tx.writeStock(locked.stock); err != nil {
			return err
		}
		if err := tx.transition(transitions...); service.IsDuplicate(err) {
			return db.ErrConflict // another transaction has taken an external_ref meanwhile
		} else if err != nil {
			return err
		}
	}
	var effects []idempotency.Record
	for i, c := range ready {
		in := c.common()
		if in.refused != nil || in.order == nil {
			continue
		}
		if in.answer, err = in.request.Answer(s.orderResponse(*in.order)); err != nil {
			return err
		}
		effects = append(effects, idempotency.Record{
			Request: in.request, Existing: earlier[i], Target: in.order.ID, Answer: in.answer,
		})
	}
	return s.saveKeys(tx, effects)
}

// decide hands the command its order, and lets it decide. Errors: 404 order_not_found, 412
// precondition_failed, and the errors of the command's own decide.
func (s *Service) decide(c orderCommand, locked *lockedRows) (transition, error) {
	in := c.common()
	if in.orderID == 0 {
		return c.decide(nil, locked)
	}
	o := locked.orders[in.orderID]
	if err := visibleTo(in.caller, o, in.orderID); err != nil {
		return transition{}, err
	}
	if err := etag.Precondition(in.ifMatch, s.orderResponse(*o)); err != nil {
		return transition{}, err
	}
	return c.decide(o, locked)
}

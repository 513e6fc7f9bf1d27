package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/batch"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/etag"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
)

// Transactions and commands are run again in these cases:
//
//   - db.InTx and db.InReservedTx run a transaction again after db.ErrConflict, such as a deadlock or a long
//     wait for a lock: up to 12 times in 5 s. For a batch of several commands this happens only when BEGIN
//     or COMMIT returns db.ErrConflict: see errBatchConflict.
//   - When the transaction of several commands is rolled back, the Batcher runs each command once more, in a
//     batch by itself, so that no command makes other commands fail. After the final error of BEGIN or
//     COMMIT the Batcher runs no command again: after BEGIN all commands would fail again, and after COMMIT
//     the commands may be done. The callers get the error.
//   - A command that needs a row held by another transaction is set aside (see lock.go), and runs again when
//     the row is free. When the command has waited too long (see batch.ErrHeld), the caller gets 503
//     unavailable.

// orderCommand is a command that creates, confirms or cancels an order: createCommand, confirmCommand or
// cancelCommand. Commands that arrive while other batches run share the transaction of the next batch.
type orderCommand interface {
	batch.Command
	common() *submission
	wanted() newOrder         // the order to create; zero for a change of an order
	released(o *order) []item // the items of the locked order o that the command gives back to the stock

	// decide returns the transition of the order and moves stock in rows.stock, or returns a refusal. o is
	// nil for a new order. For other orders, Service.decide has checked the caller and If-Match.
	decide(o *order, rows *lockedRows) (transition, error)
}

// submission is the common part of all commands: the input, the caller and, after the batch, the outcome. The
// methods of submission suit a command that moves no stock.
type submission struct {
	request idempotency.Request
	orderID int64   // the order to change; 0 for a new order
	ifMatch *string // the header If-Match; nil sets no condition

	caller auth.Principal
	origin history.Origin
	keys   []string // conflict keys, see batch.Command
	outcome
}

// outcome is the result of a command.
type outcome struct {
	order   *order // nil when the command is refused, or the idempotency key has a stored answer
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

// Caller implements batch.Command.
func (s *submission) Caller() string { return s.caller.ShareKey() }

// The cost of a command estimates its work. A command that creates an order costs 1 for each line.
const (
	batchCost = 1000 // highest total cost of a batch; a more expensive command runs by itself
	orderCost = 10   // cost of a command that confirms or cancels an order
)

// submit runs a command in a batch, and returns the answer. The command takes effect completely or not at
// all, and at most once for the idempotency key. When another command of the batch fails, the command is not
// affected. Errors: the errors of Service.decide; 422 idempotency_key_reused; 503 unavailable when another
// transaction holds a row for too long: see batch.ErrHeld.
func (s *Service) submit(ctx context.Context, c orderCommand) (idempotency.Answer, error) {
	in := c.common()
	in.caller = auth.From(ctx)
	in.origin = history.By(in.caller, correlation.ID(ctx))
	if in.orderID != 0 {
		if err := s.mayChange(ctx, in); err != nil {
			return idempotency.Answer{}, err
		}
		in.keys = append(in.keys, rowName("orders", in.orderID))
	}
	if in.request.Key != nil {
		in.keys = append(in.keys, in.request.KeyName())
	}
	if c.wanted().ExternalRef != nil {
		in.keys = append(in.keys, refName(c.wanted()))
	}
	err := s.commands.Submit(ctx, c)
	if errors.Is(err, batch.ErrHeld) {
		err = fmt.Errorf("%w: %w", db.ErrLocked, err)
	}
	if err != nil {
		return idempotency.Answer{}, err
	}
	if in.refused != nil {
		countRefusal(in.refused)
	}
	return in.answer, in.refused
}

// runBatch implements batch.Batcher.Run: it runs all commands in one transaction. rolledBack is true after an
// error between BEGIN and COMMIT. It is false after an error of BEGIN or COMMIT; after an error of COMMIT,
// the commands may be done.
func (s *Service) runBatch(ctx context.Context, commands []orderCommand) (
	held []batch.Held, rolledBack bool, err error,
) {
	var done []transition
	err = s.db.ChangeReserved(asSystem(ctx), func(tx store) error {
		done = nil
		locked, err := s.lockRows(tx, commands)
		if err == nil && len(locked.ready) > 0 {
			done, err = s.executeBatch(tx, locked)
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
	if err == nil {
		countTransitions(done)
	}
	return held, rolledBack, err
}

// errBatchConflict replaces db.ErrConflict in a batch of several commands, so that the Batcher runs each
// command again by itself. After db.ErrConflict, db.InReservedTx would run the whole batch again. The method
// submit never returns errBatchConflict.
var errBatchConflict = errors.New("a batch has lost against another transaction")

// executeBatch decides on the ready commands, one after the other, and then writes the effects of all
// commands. Each decision counts the effects of the earlier commands of the batch. The orders and products
// are locked, so a refusal because of an order or a product is still right at COMMIT.
func (s *Service) executeBatch(tx store, locked *lockedRows) (transitions []transition, err error) {
	ready := locked.ready
	requests, wanted := make([]idempotency.Request, len(ready)), make([]newOrder, len(ready))
	for i, c := range ready {
		requests[i], wanted[i] = c.common().request, c.wanted()
	}
	// Read the keys only now, when the rows are locked. An earlier request with the same key has held the
	// same locks until its COMMIT, so its result is visible now.
	earlier, err := s.loadKeys(tx, requests)
	if err != nil {
		return nil, err
	}
	if locked.holders, err = tx.findByExternalRef(wanted); err != nil {
		return nil, err
	}
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
			return nil, err
		}
		if err := tx.transition(transitions...); service.IsDuplicate(err) {
			return nil, db.ErrConflict // another transaction has taken an external_ref meanwhile
		} else if err != nil {
			return nil, err
		}
	}
	var effects []idempotency.Record
	for i, c := range ready {
		in := c.common()
		if in.refused != nil || in.order == nil {
			continue
		}
		if in.answer, err = in.request.Answer(s.orderResponse(*in.order)); err != nil {
			return nil, err
		}
		effects = append(effects, idempotency.Record{
			Request: in.request, Existing: earlier[i], Target: in.order.ID, Answer: in.answer,
		})
	}
	return transitions, s.saveKeys(tx, effects)
}

// decide checks that the caller may see the order of the command, and that the order matches If-Match, and
// then calls c.decide. Errors: 404 order_not_found, 412 precondition_failed, and the errors of c.decide.
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

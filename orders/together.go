package orders

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/history"
	"example.com/b2b/internal/idempotency"
	"example.com/b2b/internal/web"
)

// orderChange is a creation, confirmation or cancellation of an order as a caller asks for it. Those that come while a transaction
// commits are carried out together in the next one, so that they share its statements and its commit.
type orderChange struct {
	to      status
	request idempotency.Request
	new     newOrder     // for CREATED
	id      int64        // of the order, for the others
	ifMatch *string      // for these, too
	why     cancellation // for CANCELED

	caller auth.Principal
	by     history.Origin
	names  []string

	order   *order // after it; nil when the key had one already
	answer  idempotency.Answer
	refused error
}

// The size of groups.
const (
	groupWeight   = 1000 // lines that one transaction moves, about
	unknownWeight = 10   // of an order that is there already
)

// answerTogether carries a change out and answers it. It is all or nothing, once for the request's key, and independent of the changes that
// share its transaction.
func (s *Service) answerTogether(ctx context.Context, c *orderChange) (answer, error) {
	c.caller = auth.From(ctx)
	c.by = history.By(c.caller, web.CorrelationID(ctx))
	if c.id != 0 {
		c.names = append(c.names, "order "+strconv.FormatInt(c.id, 10))
	}
	if c.request.Key != nil {
		c.names = append(c.names, "key "+c.request.Caller+" "+c.request.Operation+" "+*c.request.Key)
	}
	if c.new.ExternalRef != nil {
		c.names = append(c.names, fmt.Sprintf("external_ref %d %s", c.new.CustomerID, *c.new.ExternalRef))
	}
	if err := s.changes.Carry(ctx, c); err != nil {
		return answer{}, err
	}
	return answer(c.answer), c.refused
}

// Names implements together.Call: an order, a key and an external_ref are for one change at a time.
func (c *orderChange) Names() []string { return c.names }

// Weight implements together.Call.
func (c *orderChange) Weight() int {
	if c.to == created {
		return len(c.new.Lines)
	}
	return unknownWeight
}

// changeTogether carries out a group in one transaction. An error of its changes has undone all of them; one of the commit leaves open
// whether they are made; and where the transaction does not begin, none would fare better by itself. A group that loses against another
// transaction is not run again: its changes are, each by itself, so that no more of them than must wait for what the other holds.
func (s *Service) changeTogether(ctx context.Context, group []*orderChange) (undone bool, err error) {
	err = s.change(auth.With(ctx, auth.System), func(tx store) error {
		err := s.makeChanges(tx, group)
		undone = err != nil
		if len(group) > 1 && errors.Is(err, db.ErrConflict) {
			return errLost
		}
		return err
	})
	return undone, err
}

// errLost stands for db.ErrConflict, after which db.InTx would run the group again. No caller sees it.
var errLost = errors.New("a group has lost against another transaction")

// makeChanges decides on each change of a group as if those before it had been made, from what the transaction has locked, and then writes
// what comes of all of them. What it refuses it refuses because of that, so that an answer is true once the group has been committed.
func (s *Service) makeChanges(tx store, group []*orderChange) error {
	orders, shelf, err := tx.lockFor(group)
	if err != nil {
		return err
	}
	requests, wanted := make([]idempotency.Request, len(group)), make([]newOrder, len(group))
	for i, c := range group {
		requests[i], wanted[i] = c.request, c.new
	}
	earlier, err := s.recall(tx, requests) // behind the locks: whoever held them for the same request has committed
	if err != nil {
		return err
	}
	holders, err := tx.taken(wanted)
	if err != nil {
		return err
	}
	var steps []step
	for i, c := range group {
		c.order, c.answer, c.refused = nil, earlier[i].Answer, earlier[i].Reused
		if earlier[i].Decides() {
			continue
		}
		if c.order, c.refused = s.plan(c, orders[c.id], shelf, holders); c.refused == nil && c.order.Status != c.to {
			steps = append(steps, step{c.order, c.to, c.by})
		}
	}
	if steps != nil {
		if err := tx.moveStock(shelf); err != nil {
			return err
		}
		if err := tx.transition(steps...); duplicate(err) {
			return db.ErrConflict // an external_ref has been taken since
		} else if err != nil {
			return err
		}
	}
	var effects []idempotency.Effected
	for i, c := range group {
		if c.refused != nil || c.order == nil {
			continue
		}
		if c.answer, err = c.request.Answer(s.orderResponse(*c.order)); err != nil {
			return err
		}
		effects = append(effects, idempotency.Effected{Request: c.request, Earlier: earlier[i], Target: c.order.ID, Answer: c.answer})
	}
	return s.remember(tx, effects)
}

// lockFor locks and reads the orders that a group changes, and the products of which it moves pieces.
func (s store) lockFor(group []*orderChange) (map[int64]*order, shelf, error) {
	var ids []int64
	var lines []line
	for _, c := range group {
		if c.to == created {
			lines = append(lines, c.new.Lines...)
		} else {
			ids = append(ids, c.id)
		}
	}
	orders := make(map[int64]*order, len(ids))
	if ids != nil {
		locked, err := s.lockOrders("id IN ?", ids)
		if err != nil {
			return nil, shelf{}, err
		}
		for _, o := range locked {
			orders[o.ID] = o
		}
	}
	if lines == nil {
		return orders, newShelf(), nil // what is canceled comes back, whatever is there
	}
	var items []item
	for _, c := range group {
		if o := orders[c.id]; o != nil && c.to == canceled {
			items = append(items, o.Items...)
		}
	}
	read, err := s.readShelf(lines, items, true)
	return orders, read, err
}

// plan makes the order that a change brings about, or refuses. Errors: 409 external_ref_taken, and those of place; 404 order_not_found, 412
// precondition_failed, and those of confirmable and cancelable.
func (s *Service) plan(c *orderChange, o *order, shelf shelf, holders []order) (*order, error) {
	if c.to == created {
		if err := c.new.free(holders); err != nil {
			return nil, err
		}
		return c.new.place(shelf)
	}
	if o == nil || !c.caller.ActsFor(o.CustomerID) {
		return nil, apperr.OrderNotFound.New(c.id)
	}
	if err := web.Precondition(c.ifMatch, s.orderResponse(*o)); err != nil {
		return nil, err
	}
	if c.to == confirmed {
		return o, confirmable(*o)
	}
	err := s.cancelable(*o, c.why)
	if err == nil && o.Status != canceled {
		c.why.cancel(o, shelf)
	}
	return o, err
}

package orders

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/batch"
	"example.com/b2b/internal/history"
	"example.com/b2b/internal/idempotency"
	"example.com/b2b/internal/web"
)

// command creates, confirms or cancels an order for a caller. The commands that come while a transaction commits share the next
// transaction, with its statements and its commit.
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

// submit runs a command and answers it. The command is all or nothing, once for the request's key, and independent of the commands that
// share its transaction. Its error is 503 unavailable where other transactions hold a row for too long.
func (s *Service) submit(ctx context.Context, c *command) (answer, error) {
	c.caller = auth.From(ctx)
	c.by = history.By(c.caller, web.CorrelationID(ctx))
	if c.id != 0 {
		c.keys = append(c.keys, rowOf("orders", c.id))
	}
	if c.request.Key != nil {
		c.keys = append(c.keys, "key "+c.request.Caller+" "+c.request.Operation+" "+*c.request.Key)
	}
	if c.new.ExternalRef != nil {
		c.keys = append(c.keys, fmt.Sprintf("external_ref %d %s", c.new.CustomerID, *c.new.ExternalRef))
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

func rowOf(table string, id int64) string { return table + " " + strconv.FormatInt(id, 10) }

// ConflictKeys implements batch.Command: an order, a key and an external_ref are for one command at a time.
func (c *command) ConflictKeys() []string { return c.keys }

// Cost implements batch.Command.
func (c *command) Cost() int {
	if c.to == created {
		return len(c.new.Lines)
	}
	return orderCost
}

// runBatch runs a batch in one transaction. An error of executeBatch has rolled all of it back. An error of COMMIT leaves open whether the
// commands are done. Where the transaction does not begin, none would fare better by itself. A batch that loses against another
// transaction is not run again as a whole: its commands are, each by itself.
func (s *Service) runBatch(ctx context.Context, commands []*command) (held []batch.Held, rolledBack bool, err error) {
	var products []int64 // that the batch has locked
	defer func() { s.locked.count(products, -1) }()
	err = s.changeBatch(auth.With(ctx, auth.System), func(tx store) (err error) {
		held, err = s.executeBatch(tx, commands, func(ids []int64) {
			products = append(products, ids...)
			s.locked.count(ids, 1)
		})
		rolledBack = err != nil
		if len(commands) > 1 && errors.Is(err, db.ErrConflict) {
			return errBatchConflict
		}
		return err
	})
	return held, rolledBack, err
}

// lockedRows counts the running batches of this process that have locked a row.
type lockedRows struct {
	mu      sync.Mutex
	batches map[int64]int
}

func (l *lockedRows) count(ids []int64, batches int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.batches == nil {
		l.batches = map[int64]int{}
	}
	for _, id := range ids {
		if l.batches[id] += batches; l.batches[id] == 0 {
			delete(l.batches, id)
		}
	}
}

func (l *lockedRows) has(id int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.batches[id] > 0
}

// errBatchConflict stands for db.ErrConflict, after which the transaction would be run again. No caller sees it.
var errBatchConflict = errors.New("a batch has lost against another transaction")

// executeBatch decides on each command of a batch as if those before it had been done, by the rows that the transaction has locked, and
// writes the outcome of all of them. Refusals rest on locked rows, too, so they still hold at COMMIT. Commands that need a row that another
// transaction holds are left out.
func (s *Service) executeBatch(tx store, commands []*command, lockedProducts func(ids []int64)) ([]batch.Held, error) {
	ready, orders, shelf, held, err := s.lockFor(tx, commands)
	lockedProducts(slices.Collect(maps.Keys(shelf.byID)))
	if err != nil || len(ready) == 0 {
		return held, err
	}
	requests, wanted := make([]idempotency.Request, len(ready)), make([]newOrder, len(ready))
	for i, c := range ready {
		requests[i], wanted[i] = c.request, c.new
	}
	earlier, err := s.recall(tx, requests) // behind the locks: whoever held them for the same request has committed
	if err != nil {
		return nil, err
	}
	holders, err := tx.taken(wanted)
	if err != nil {
		return nil, err
	}
	var steps []step
	for i, c := range ready {
		c.order, c.answer, c.refused = nil, earlier[i].Answer, earlier[i].Reused
		if earlier[i].Decides() {
			continue
		}
		if c.order, c.refused = s.decide(c, orders[c.id], shelf, holders); c.refused == nil && c.order.Status != c.to {
			steps = append(steps, step{c.order, c.to, c.by})
		}
	}
	if steps != nil {
		if err := tx.moveStock(shelf); err != nil {
			return nil, err
		}
		if err := tx.transition(steps...); duplicate(err) {
			return nil, db.ErrConflict // an external_ref has been taken since
		} else if err != nil {
			return nil, err
		}
	}
	var effects []idempotency.Effected
	for i, c := range ready {
		if c.refused != nil || c.order == nil {
			continue
		}
		if c.answer, err = c.request.Answer(s.orderResponse(*c.order)); err != nil {
			return nil, err
		}
		effects = append(effects, idempotency.Effected{Request: c.request, Earlier: earlier[i], Target: c.order.ID, Answer: c.answer})
	}
	return held, s.remember(tx, effects)
}

// lockFor locks and reads the orders that commands change, and the products of which they move pieces. Commands that need a row that
// another transaction holds are not ready.
func (s *Service) lockFor(tx store, commands []*command) (ready []*command, orders map[int64]*order, of shelf, held []batch.Held, err error) {
	isHeld := func(table string) func(id int64) bool {
		return func(id int64) bool { return s.commands.IsHeld(rowOf(table, id)) }
	}
	var ids []int64
	for _, c := range commands {
		if c.to != created {
			ids = append(ids, c.id)
		}
	}
	orders = make(map[int64]*order, len(ids))
	var heldOrders, heldProducts []int64
	if ids != nil {
		heldOrders, err = tx.lockFree(tx.orders(), ids, isHeld("orders"), func(int64) bool { return false }, func(free []int64) error {
			locked, err := tx.lockOrders("id IN ?", free)
			for _, o := range locked {
				orders[o.ID] = o
			}
			return err
		})
		if err != nil {
			return nil, nil, of, nil, err
		}
	}
	var lines []line
	var items []item
	for _, c := range commands {
		lines = append(lines, c.new.Lines...)
		items = append(items, c.restocked(orders)...)
	}
	if of = newShelf(); lines != nil || items != nil {
		if of, heldProducts, err = tx.lockShelf(lines, items, isHeld("products"), s.locked.has); err != nil {
			return nil, nil, of, nil, err
		}
	}
	waiting := map[string][]int{}
	for i, c := range commands {
		if row := c.blockedBy(orders, of, heldOrders, heldProducts); row != "" {
			waiting[row] = append(waiting[row], i)
		} else {
			ready = append(ready, c)
		}
	}
	for table, ids := range map[string][]int64{"orders": heldOrders, "products": heldProducts} {
		for _, id := range ids {
			if row := rowOf(table, id); waiting[row] != nil {
				held = append(held, batch.Held{Row: row, Commands: waiting[row], IsFree: s.isFree(table, id)})
				delete(waiting, row)
			}
		}
	}
	return ready, orders, of, held, nil
}

// restocked returns the items that the command gives back, if it may be run.
func (c *command) restocked(orders map[int64]*order) []item {
	if o := orders[c.id]; o != nil && c.to == canceled && o.Status != canceled {
		return o.Items
	}
	return nil
}

// blockedBy returns the name of a held row that the command needs, or "".
func (c *command) blockedBy(orders map[int64]*order, of shelf, heldOrders, heldProducts []int64) string {
	if slices.Contains(heldOrders, c.id) {
		return rowOf("orders", c.id)
	}
	if heldProducts == nil {
		return ""
	}
	for _, l := range c.new.Lines {
		if id := of.id(l); slices.Contains(heldProducts, id) {
			return rowOf("products", id)
		}
	}
	for _, i := range c.restocked(orders) {
		if slices.Contains(heldProducts, i.ProductID) {
			return rowOf("products", i.ProductID)
		}
	}
	return ""
}

// decide makes the order that a command brings about, or refuses. Errors: 409 external_ref_taken, and those of place; 404 order_not_found, 412
// precondition_failed, and those of confirmable and cancelable.
func (s *Service) decide(c *command, o *order, shelf shelf, holders []order) (*order, error) {
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
	if c.why.Reason == reservationExpired && o.Status != created {
		return nil, errNotReserved
	}
	err := s.cancelable(*o, c.why)
	if err == nil && o.Status != canceled {
		c.why.cancel(o, shelf)
	}
	return o, err
}

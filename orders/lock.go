package orders

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"example.com/b2b/db"
	"example.com/b2b/internal/batch"
	"example.com/b2b/internal/idempotency"
)

// briefWait is how long a batch waits for rows that other transactions hold, with the locks that it has.
const briefWait = 300 * time.Millisecond

// Names of rows and unique values, for commands that may not run at once, and for what other transactions
// hold.

func rowOf(table string, id int64) string { return table + " " + strconv.FormatInt(id, 10) }

func keyOf(r idempotency.Request) string { return "key " + r.Caller + " " + r.Operation + " " + *r.Key }

func refOf(n newOrder) string { return fmt.Sprintf("external_ref %d %s", n.CustomerID, *n.ExternalRef) }

// lockedRows is what a batch has locked and read.
type lockedRows struct {
	s  *Service
	tx store

	commands []*command          // of the batch
	ready    []*command          // that need no row which another transaction holds
	blocked  map[*command]string // the held row that each of the others needs
	probes   map[string]probe    // for each held row
	orders   map[int64]*order    // that ready commands change
	stock    stockView           // the products of which they move pieces
}

// probe locks a row, or returns db.ErrLocked when another transaction holds it for so long.
type probe func(tx store, wait time.Duration) error

// lockFor locks and reads the orders that commands change, and the products of which they move pieces.
// Commands that need a row that another transaction holds are not ready.
func (s *Service) lockFor(tx store, commands []*command) (*lockedRows, error) {
	l := &lockedRows{
		s: s, tx: tx, commands: commands, ready: slices.Clone(commands),
		blocked: map[*command]string{}, probes: map[string]probe{}, orders: map[int64]*order{},
	}
	l.leaveOut(func(c *command) string {
		if i := slices.IndexFunc(c.keys, s.commands.IsHeld); i >= 0 {
			return c.keys[i]
		}
		return ""
	})
	if err := l.lockOrders(); err != nil {
		return nil, err
	}
	return l, l.lockProducts()
}

func (l *lockedRows) lockOrders() error {
	var ids []int64
	for _, c := range l.ready {
		if c.to != created {
			ids = append(ids, c.id)
		}
	}
	lock := func(ids []int64, wait time.Duration) error {
		locked, err := l.tx.lockOrders(ids, wait)
		for _, o := range locked {
			l.orders[o.ID] = o
		}
		return err
	}
	held, err := lockFree(ids, lock)
	for _, id := range held {
		l.probes[rowOf("orders", id)] = func(tx store, wait time.Duration) error {
			_, err := tx.lockOrders([]int64{id}, wait)
			return err
		}
	}
	l.leaveOut(func(c *command) string {
		if slices.Contains(held, c.id) {
			return rowOf("orders", c.id)
		}
		return ""
	})
	return err
}

func (l *lockedRows) lockProducts() error {
	l.stock = newStockView()
	var lines []line
	var items []item
	for _, c := range l.ready {
		lines, items = append(lines, c.new.Lines...), append(items, c.restocked(l.orders)...)
	}
	if lines == nil && items == nil {
		return nil
	}
	ids, skus, err := l.tx.resolve(lines)
	if err != nil {
		return err
	}
	for _, i := range items {
		ids = append(ids, i.ProductID)
	}
	slices.Sort(ids) // no two transactions wait for each other: all lock products in ascending id
	isHeld := func(id int64) bool { return l.s.commands.IsHeld(rowOf("products", id)) }
	var held, free []int64
	for _, id := range slices.Compact(ids) {
		if isHeld(id) {
			held = append(held, id)
		} else {
			free = append(free, id)
		}
	}
	found, err := lockFree(free, func(ids []int64, wait time.Duration) (err error) {
		l.stock, err = l.tx.lockingWithin(wait).loadProductsByID(ids, skus)
		return err
	})
	for _, id := range found {
		l.probes[rowOf("products", id)] = func(tx store, wait time.Duration) error {
			_, err := tx.lockingWithin(wait).loadProductsByID([]int64{id}, nil)
			return err
		}
	}
	held = append(held, found...)
	l.leaveOut(func(c *command) string {
		for _, line := range c.new.Lines {
			if id := l.stock.id(line); slices.Contains(held, id) {
				return rowOf("products", id)
			}
		}
		for _, i := range c.restocked(l.orders) {
			if slices.Contains(held, i.ProductID) {
				return rowOf("products", i.ProductID)
			}
		}
		return ""
	})
	return err
}

// restocked returns the items that the command gives back, if it may be run.
func (c *command) restocked(orders map[int64]*order) []item {
	if o := orders[c.id]; o != nil && c.to == canceled && o.Status != canceled {
		return o.Items
	}
	return nil
}

// leaveOutNames finds the keys and external_refs that other transactions have inserted and not committed, for
// which the batch has waited. It returns errNamesHeld when there are some.
func (l *lockedRows) leaveOutNames() error {
	ready := len(l.ready)
	var failed error
	l.leaveOut(func(c *command) string {
		for name, probe := range l.s.names(c) {
			err := probe(l.tx, 0)
			if errors.Is(err, db.ErrLocked) {
				l.probes[name] = probe
				return name
			}
			failed = errors.Join(failed, err)
		}
		return ""
	})
	if failed != nil {
		return failed
	}
	if len(l.ready) < ready {
		return errNamesHeld
	}
	return nil
}

// errNamesHeld says that a batch was rolled back because of commands that wait now. No caller sees it.
var errNamesHeld = errors.New("another transaction holds an idempotency key or an external_ref")

// names returns probes for the key and the external_ref of a command.
func (s *Service) names(c *command) map[string]probe {
	probes := map[string]probe{}
	if r := c.request; r.Key != nil {
		probes[keyOf(r)] = func(tx store, wait time.Duration) error {
			_, err := s.loadKeys(tx.lockingWithin(wait), []idempotency.Request{r})
			return err
		}
	}
	if n := c.new; n.ExternalRef != nil {
		probes[refOf(n)] = func(tx store, wait time.Duration) error {
			_, err := tx.lockingWithin(wait).findByExternalRef([]newOrder{n})
			return err
		}
	}
	return probes
}

// leaveOut takes commands out of the ready ones for which heldRow names a row.
func (l *lockedRows) leaveOut(heldRow func(c *command) string) {
	l.ready = slices.DeleteFunc(l.ready, func(c *command) bool {
		row := heldRow(c)
		if row != "" {
			l.blocked[c] = row
		}
		return row != ""
	})
}

// held returns the rows for which commands of the batch wait.
func (l *lockedRows) held() []batch.Held {
	if l == nil || len(l.blocked) == 0 {
		return nil
	}
	waiting := map[string][]int{}
	for i, c := range l.commands {
		if row := l.blocked[c]; row != "" {
			waiting[row] = append(waiting[row], i)
		}
	}
	var held []batch.Held
	for row, commands := range waiting {
		held = append(held, batch.Held{Row: row, Commands: commands, IsFree: l.s.isFree(l.probes[row])})
	}
	return held
}

// isFree returns a function that reports whether no other transaction holds a row, for which it waits for so
// long at most.
func (s *Service) isFree(lock probe) func(ctx context.Context, wait time.Duration) bool {
	return func(ctx context.Context, wait time.Duration) bool {
		if lock == nil {
			return true // the row was known to be held, and has become free meanwhile
		}
		return !errors.Is(s.try(ctx, func(tx store) error { return lock(tx, wait) }), db.ErrLocked)
	}
}

// lockFree locks rows, in the order of items, and returns the items whose rows other transactions hold. When
// locking all of them meets such a row, it asks for each item without waiting, and then locks all others at
// once.
func lockFree[T any](items []T, lock func(some []T, wait time.Duration) error) (held []T, err error) {
	if len(items) == 0 {
		return nil, nil
	}
	if err = lock(items, briefWait); !errors.Is(err, db.ErrLocked) {
		return nil, err
	}
	var free []T
	for _, item := range items {
		switch err := lock([]T{item}, 0); {
		case errors.Is(err, db.ErrLocked):
			held = append(held, item)
		case err != nil:
			return nil, err
		default:
			free = append(free, item)
		}
	}
	return held, lock(free, time.Second)
}

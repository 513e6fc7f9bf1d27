package orders

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/batch"
	"example.com/b2b/v2/internal/idempotency"
)

// briefWait limits how long a batch waits for rows that other transactions hold. The limit is short, because
// the batch keeps its own locks meanwhile.
const briefWait = 300 * time.Millisecond

// lockedRows holds the commands of a batch, and the rows that are locked and read for the commands. A held
// row is a row that another transaction has locked.
type lockedRows struct {
	s  *Service
	tx store

	commands []orderCommand          // all commands of the batch
	ready    []orderCommand          // the commands that need no held row
	blocked  map[orderCommand]string // the other commands, each with the name of a held row that it needs
	probes   map[string]probe        // probes of the held rows that the batch tried to lock, by row name
	orders   map[int64]*order        // the orders of ready commands, by id
	stock    stockView               // the products of ready commands
	holders  []order                 // existing orders that have an external_ref of a new order
}

// probe locks a row, or returns db.ErrLocked when another transaction still holds the row after the wait.
type probe func(tx store, wait time.Duration) error

// The functions rowName and refName return names of rows and of unique values. The names serve as
// conflict keys of commands, and as names of held rows.

func rowName(table string, id int64) string { return table + " " + strconv.FormatInt(id, 10) }

func refName(n newOrder) string {
	return fmt.Sprintf("external_ref %d %s", n.CustomerID, *n.ExternalRef)
}

// lockRows locks and reads the orders of the commands, and the products whose stock the commands change. A
// command that needs a held row is not ready.
func (s *Service) lockRows(tx store, commands []orderCommand) (*lockedRows, error) {
	l := &lockedRows{
		s: s, tx: tx, commands: commands, ready: slices.Clone(commands), blocked: map[orderCommand]string{},
		probes: map[string]probe{}, orders: map[int64]*order{}, stock: newStockView(),
	}
	l.leaveOut(orderCommand.ConflictKeys, s.commands.IsHeld)
	if err := l.lockOrders(); err != nil {
		return nil, err
	}
	return l, l.lockProducts()
}

func (l *lockedRows) lockOrders() error {
	var ids []int64
	for _, c := range l.ready {
		if id := c.common().orderID; id != 0 {
			ids = append(ids, id)
		}
	}
	held, err := lockFree(ids, func(ids []int64, wait time.Duration) error {
		locked, err := l.tx.lockOrders(ids, wait)
		for _, o := range locked {
			l.orders[o.ID] = o
		}
		return err
	})
	for _, id := range held {
		l.probes[rowName("orders", id)] = func(tx store, wait time.Duration) error {
			_, err := tx.lockOrders([]int64{id}, wait)
			return err
		}
	}
	l.leaveOut(orderCommand.ConflictKeys, func(row string) bool { return l.probes[row] != nil })
	return err
}

func (l *lockedRows) lockProducts() error {
	var lines []line
	var released []item
	for _, c := range l.ready {
		lines, released = append(lines, c.wanted().Lines...), append(released, l.releasedBy(c)...)
	}
	if lines == nil && released == nil {
		return nil
	}
	ids, skus, err := l.tx.resolve(lines)
	if err != nil {
		return err
	}
	l.stock.ids = skus // productRows needs the ids, even when every product is held and no product is loaded
	for _, i := range released {
		ids = append(ids, i.ProductID)
	}
	slices.Sort(ids) // all transactions lock products in ascending id, so that no two wait for each other
	held, free := map[string]bool{}, []int64{}
	for _, id := range slices.Compact(ids) {
		if row := rowName("products", id); l.s.commands.IsHeld(row) {
			held[row] = true
		} else {
			free = append(free, id)
		}
	}
	newlyHeld, err := lockFree(free, func(ids []int64, wait time.Duration) (err error) {
		if lines == nil { // commands that only give stock back need no data of products
			return l.tx.lockProducts(ids, wait)
		}
		l.stock, err = l.tx.lockingWithin(wait).loadProductsByID(ids, skus)
		return err
	})
	for _, id := range newlyHeld {
		row := rowName("products", id)
		held[row] = true
		l.probes[row] = func(tx store, wait time.Duration) error {
			return tx.lockProducts([]int64{id}, wait)
		}
	}
	if len(held) > 0 {
		l.leaveOut(l.productRows, func(row string) bool { return held[row] })
	}
	return err
}

// productRows returns the names of the product rows that a command needs.
func (l *lockedRows) productRows(c orderCommand) (rows []string) {
	for _, line := range c.wanted().Lines {
		rows = append(rows, rowName("products", l.stock.id(line)))
	}
	for _, i := range l.releasedBy(c) {
		rows = append(rows, rowName("products", i.ProductID))
	}
	return rows
}

// releasedBy returns the items that the command gives back to the stock. It returns nil for a new order, and
// for an order that does not exist.
func (l *lockedRows) releasedBy(c orderCommand) []item {
	if o := l.orders[c.common().orderID]; o != nil {
		return c.released(o)
	}
	return nil
}

// leaveOutNames takes a command out of the ready commands when another transaction has inserted the
// idempotency key or the external_ref of the command and has not committed yet. Call leaveOutNames after a
// statement of the batch has failed with db.ErrLocked. Error: errNamesHeld when a command was taken out.
func (l *lockedRows) leaveOutNames() error {
	names, ready := map[string]probe{}, len(l.ready)
	for _, c := range l.ready {
		l.s.addNameProbes(names, c)
	}
	var failed error
	l.leaveOut(orderCommand.ConflictKeys, func(name string) bool {
		probe := names[name]
		if probe == nil {
			return false // name is the conflict key of an order, and lockOrders has already locked the order
		}
		err := probe(l.tx, 0)
		if errors.Is(err, db.ErrLocked) {
			l.probes[name] = probe
			return true
		}
		failed = errors.Join(failed, err)
		return false
	})
	if failed != nil {
		return failed
	}
	if len(l.ready) < ready {
		return errNamesHeld
	}
	return nil
}

// errNamesHeld rolls back the transaction of a batch from which leaveOutNames has taken commands. The Batcher
// then runs each of the other commands again. The method submit never returns errNamesHeld.
var errNamesHeld = errors.New("another transaction holds an idempotency key or an external_ref")

// addNameProbes adds probes for the idempotency key and the external_ref of a command.
func (s *Service) addNameProbes(probes map[string]probe, c orderCommand) {
	if r := c.common().request; r.Key != nil {
		probes[r.KeyName()] = func(tx store, wait time.Duration) error {
			_, err := s.loadKeys(tx.lockingWithin(wait), []idempotency.Request{r})
			return err
		}
	}
	if n := c.wanted(); n.ExternalRef != nil {
		probes[refName(n)] = func(tx store, wait time.Duration) error {
			_, err := tx.lockingWithin(wait).findByExternalRef([]newOrder{n})
			return err
		}
	}
}

// leaveOut takes the commands with a held row out of the ready commands. The function rows returns the names
// of the rows that a command needs.
func (l *lockedRows) leaveOut(rows func(c orderCommand) []string, isHeld func(row string) bool) {
	l.ready = slices.DeleteFunc(l.ready, func(c orderCommand) bool {
		needed := rows(c)
		i := slices.IndexFunc(needed, isHeld)
		if i >= 0 {
			l.blocked[c] = needed[i]
		}
		return i >= 0
	})
}

// held returns the held rows, each with the commands that wait for the row.
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

// isFree returns the function batch.Held.IsFree for a row. The parameter lock is the probe of the row. It is
// nil when the batch did not try to lock the row, because the Batcher had reported the row as held. The
// returned function then always reports the row as free. That is right: the Batcher uses the function only if
// the row has become free since the report. Otherwise the Batcher keeps the function IsFree of an earlier
// batch.
func (s *Service) isFree(lock probe) func(ctx context.Context, wait time.Duration) bool {
	return func(ctx context.Context, wait time.Duration) bool {
		if lock == nil {
			return true
		}
		err := s.db.Try(asSystem(ctx), func(tx store) error { return lock(tx, wait) })
		return !errors.Is(err, db.ErrLocked)
	}
}

// lockFree locks the row of each item, in the order of the parameter items, and returns the items whose rows
// other transactions hold. It first locks all rows in one call of the function lock, and waits up to
// briefWait. When a row is held, lockFree tries to lock each row by itself, without waiting. Then it locks
// all free rows in one call.
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

package customers

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/history"
	"example.com/b2b/internal/idempotency"
	"example.com/b2b/internal/web"
)

// store is the one door of this package to its table: it knows who calls, and starts every query with what
// the caller may see.
type store struct {
	db     *gorm.DB
	caller auth.Principal
	origin history.Origin
}

func newStore(ctx context.Context, q *gorm.DB) store {
	caller := auth.From(ctx)
	return store{q, caller, history.By(caller, web.CorrelationID(ctx))}
}

// read returns the store for queries outside of a transaction.
func (s *Service) read(ctx context.Context) store {
	return newStore(ctx, s.db.WithContext(ctx))
}

// changeOne is change for a single customer, whose changes take turns: see db.Turns.
func (s *Service) changeOne(ctx context.Context, id int64, fn func(tx store) error) error {
	done, err := s.turns.Take(ctx, fmt.Sprint(id))
	if err != nil {
		return err
	}
	defer done()
	return s.change(ctx, fn)
}

// change runs fn in a transaction, which db.InTx may do several times.
func (s *Service) change(ctx context.Context, fn func(tx store) error) error {
	return db.InTx(ctx, s.db, func(tx *gorm.DB) error { return fn(newStore(ctx, tx)) })
}

// once runs effect in a transaction, once for the request's key: see idempotency.Keys.Execute.
func (s *Service) once(ctx context.Context, r idempotency.Request, effect func(tx store) (target int64, body any, err error)) (idempotency.Answer, error) {
	return s.keys.Execute(ctx, r, func(tx *gorm.DB) (int64, any, error) { return effect(newStore(ctx, tx)) })
}

// ready returns 503 unavailable while the database does not do this service's work.
func (s *Service) ready(ctx context.Context) error { return db.Ready(ctx, s.db, "customers") }

// indexCustomers is the job of the search index: see search.Index.UpdateDue.
func (s *Service) indexCustomers(ctx context.Context) (int, error) { return texts.UpdateDue(ctx, s.db) }

// customers are those that the caller may see: its own record, for one that is bound to a customer.
func (s store) customers() *gorm.DB {
	q := s.db.Model(&customer{})
	if own := s.caller.Customer; own != 0 {
		q = q.Where("id = ?", own)
	}
	return q
}

// whoHas returns the customer with a unique value, other than one, whether or not the caller may see it; 0
// when nobody has it.
func (s store) whoHas(where string, value any, other int64) (id int64, err error) {
	err = s.db.Model(&customer{}).Where(where, value).Where("id <> ?", other).Limit(1).Pluck("id", &id).Error
	return id, err
}

// events are those of one customer, page by page; ask for those of whom the caller may see.
func (s store) events(id int64, w db.PageRequest) ([]history.Event, *int64, error) {
	return history.Page(s.db, subject, id, w)
}

// record appends events, in one statement: TestEveryChangeIsRecorded wants it wherever something is written.
func (s store) record(events ...history.Event) error {
	return history.Append(s.db, s.origin, events...)
}

// insert adds customers, who get their ids, in one statement.
func (s store) insert(customers []*customer) error { return db.CreateAll(s.db, customers) }

// updateEach writes the columns of customers who have been locked, in one statement.
func (s store) updateEach(customers []*customer, columns ...string) error {
	_, err := db.UpdateEach(s.customers(), customers, columns...)
	return err
}

// locking returns the store whose queries lock what they read until the transaction ends.
func (s store) locking() store {
	s.db = db.ForUpdate(s.db)
	return s
}

func missing(err error) bool   { return errors.Is(err, gorm.ErrRecordNotFound) }
func duplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// Package customers is the Customers service.
package customers

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/search"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/batch"
	"example.com/b2b/internal/idempotency"
)

// Service implements the generated StrictServerInterface on a database.
type Service struct {
	db      *gorm.DB
	keys    idempotency.Keys
	lookups batch.Batcher[*lookup]
	turns   db.Turns // at customers
}

// New returns the service on a database that db.Migrate has brought up to date. It remembers an idempotency
// key for keyLifetime.
func New(g *gorm.DB, keyLifetime time.Duration) *Service {
	s := &Service{db: g, keys: idempotency.Keys{DB: g, Lifetime: keyLifetime, Operations: keyedOperations}}
	s.lookups.MaxConcurrent, s.lookups.MaxCost, s.lookups.Run = 1, 100, s.lookUp
	return s
}

// customer is a row of the table customers. Its generated columns active_email, in lower case, and
// active_external_ref are null for the deleted, and keep both unique among the others.
type customer struct {
	ID          int64
	Name        string
	Email       string
	Phone       *string
	ExternalRef *string // the ERP's number
	CreatedAt   time.Time
	UpdatedAt   time.Time      `gorm:"autoUpdateTime:false"`
	DeletedAt   gorm.DeletedAt // gorm adds `deleted_at IS NULL` to every query and makes Delete an UPDATE
}

func (c customer) Key() int64 { return c.ID }

// create inserts a customer, or returns the 409 of taken.
func (s store) create(c *customer) error {
	return s.taken(s.createAll([]*customer{c}), *c)
}

// createAll inserts customers. Its error is duplicate when one of them wants what another has.
func (s store) createAll(customers []*customer) error {
	now := now()
	for _, c := range customers {
		c.CreatedAt, c.UpdatedAt = now, now
	}
	if err := s.insert(customers); err != nil {
		return err
	}
	return s.record(events(created, customers)...)
}

// change is what becomes of a customer; a nil or unspecified field keeps its value.
type change struct {
	Name, Email        *string
	Phone, ExternalRef nullable.Nullable[string]
}

// of returns c as the change makes it.
func (ch change) of(c customer) customer {
	if ch.Name != nil {
		c.Name = *ch.Name
	}
	if ch.Email != nil {
		c.Email = strings.TrimSpace(*ch.Email)
	}
	set(&c.Phone, ch.Phone)
	set(&c.ExternalRef, ch.ExternalRef)
	return c
}

func set(field **string, to nullable.Nullable[string]) {
	if to.IsNull() {
		*field = nil
	} else if value, err := to.Get(); err == nil {
		*field = &value
	}
}

// is reports whether two records of a customer say the same.
func (c customer) is(other customer) bool {
	return c.Name == other.Name && c.Email == other.Email && equal(c.Phone, other.Phone) && equal(c.ExternalRef, other.ExternalRef)
}

// put writes a customer who has been locked, when it is another one than before. Errors: those of taken.
func (s store) put(c *customer, before customer) error {
	if c.is(before) {
		return nil
	}
	return s.taken(s.putAll([]*customer{c}), *c)
}

// putAll writes customers who have been locked. Its error is duplicate when one of them wants what another
// has.
func (s store) putAll(customers []*customer) error {
	now := now()
	for _, c := range customers {
		if now.After(c.UpdatedAt) { // another machine's clock may be ahead
			c.UpdatedAt = now
		}
	}
	if err := s.updateEach(customers, "name", "email", "phone", "external_ref", "updated_at"); err != nil {
		return err
	}
	return s.record(events(updated, customers)...)
}

// delete deletes softly a customer who has been locked.
func (s store) delete(c customer) error {
	if err := s.customers().Delete(&c).Error; err != nil {
		return err
	}
	return s.record(event(deleted, c, now()))
}

// find returns 404 customer_not_found for a customer that is not there or was deleted.
func (s store) find(id int64) (c customer, err error) {
	err = s.customers().Take(&c, id).Error
	if missing(err) {
		err = apperr.CustomerNotFound.New(id)
	}
	return c, err
}

// lookup asks for one customer. Each order asks once or twice: the lookups that come while the database
// answers are one query next.
type lookup struct {
	id    int64
	found *customer // nil when there is none, or it was deleted
}

// ConflictKeys implements batch.Command.
func (*lookup) ConflictKeys() []string { return nil }

// Cost implements batch.Command.
func (*lookup) Cost() int { return 1 }

// lookUp runs a batch of lookups.
func (s *Service) lookUp(ctx context.Context, lookups []*lookup) (held []batch.Held, rolledBack bool, err error) {
	ids := make([]int64, len(lookups))
	for i, l := range lookups {
		ids[i] = l.id
	}
	var found []customer
	err = s.read(auth.With(ctx, auth.System)).customers().Where("id IN ?", ids).Find(&found).Error
	for _, l := range lookups {
		if i := slices.IndexFunc(found, func(c customer) bool { return c.ID == l.id }); i >= 0 {
			l.found = &found[i]
		}
	}
	return nil, false, err
}

// findBatched is find for the other services, whose callers the contract has bound already.
func (s *Service) findBatched(ctx context.Context, id int64) (customer, error) {
	l := &lookup{id: id}
	if err := s.lookups.Submit(ctx, l); err != nil {
		return customer{}, err
	}
	if l.found == nil {
		return customer{}, apperr.CustomerNotFound.New(id)
	}
	return *l.found, nil
}

// texts is what a list searches.
var texts = search.Index{Table: "customers", Columns: []string{"name", "email"}}

// filter says which customers a list shows; a nil field does not matter.
type filter struct {
	Search      *string // a part of the name or email
	Email       *string // in any case
	ExternalRef *string
	Since       *time.Time // changed at or after
}

// list reads a page of customers.
func (s store) list(f filter, w db.PageRequest) ([]customer, *int64, error) {
	q := s.customers()
	if f.Email != nil {
		q = q.Where("active_email = LOWER(?)", *f.Email)
	}
	if f.ExternalRef != nil {
		q = q.Where("active_external_ref = ?", *f.ExternalRef)
	}
	if f.Since != nil {
		var err error
		if q, err = db.UpdatedSince(q, *f.Since, w); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case f.Search == nil:
		return db.Page[customer](q, w)
	case f.Email != nil, f.ExternalRef != nil, f.Since != nil, s.caller.Customer != 0: // few come into question
		return db.Page[customer](db.Containing(q, *f.Search, texts.Columns...), w)
	}
	return search.Page[customer](q, texts, *f.Search, w)
}

// taken makes of the violation of a unique index 409 email_taken or 409 external_ref_taken, with the customer
// that has what c wants, unless the caller is bound to another one.
func (s store) taken(err error, c customer) error {
	if !duplicate(err) {
		return err
	}
	for _, unique := range []struct {
		code         *apperr.Code
		field, where string
		value        any
	}{
		{apperr.EmailTaken, "/email", "active_email = LOWER(?)", c.Email},
		{apperr.ExternalRefTaken, "/external_ref", "active_external_ref = ?", c.ExternalRef},
	} {
		id, err := s.whoHas(unique.where, unique.value, c.ID)
		if err != nil {
			return err
		}
		if id == 0 {
			continue
		}
		params := apperr.Params{"rule": "unique"}
		if s.caller.Customer == 0 {
			params["customer_id"] = id
		}
		return unique.code.New().With(unique.field, params, "belongs to another customer")
	}
	return db.ErrConflict // it has just become free
}

func equal(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// now has the precision of the database's columns.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

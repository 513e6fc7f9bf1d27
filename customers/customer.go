// Package customers is the Customers service.
package customers

import (
	"fmt"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/search"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/batch"
	"example.com/b2b/v2/internal/etag"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
)

// Service implements the generated StrictServerInterface on a database.
type Service struct {
	db      *service.Database[store]
	lookups batch.Batcher[*lookup]
}

// New returns the service. db.Migrate must have brought the database up to date. keyLifetime is the lifetime
// of idempotency keys.
func New(g *gorm.DB, keyLifetime time.Duration) *Service {
	keys := idempotency.Keys{DB: g, Lifetime: keyLifetime, Operations: keyedOperations}
	newStore := func(base service.Store) store { return store{base} }
	s := &Service{db: service.NewDatabase(g, "customers", keys, newStore)}
	s.lookups.Name = "lookups of customers"
	s.lookups.MaxConcurrent, s.lookups.MaxCost, s.lookups.Run = 1, 100, s.runLookups
	return s
}

// customer is a row of the table customers. The table also has two generated columns: active_email, in lower
// case, and active_external_ref. Both columns are unique, and null for deleted customers.
type customer struct {
	ID          int64
	Name        string
	Email       string
	Phone       *string
	ExternalRef *string // the customer's number in the ERP of the caller
	CreatedAt   time.Time
	UpdatedAt   time.Time      `gorm:"autoUpdateTime:false"`
	DeletedAt   gorm.DeletedAt // gorm adds `deleted_at IS NULL` to every query that is not Unscoped

	Now time.Time `gorm:"->"` // time of the database's clock; set by queries that select the column
}

func (c customer) Key() int64 { return c.ID }

// create inserts a customer. Errors: see uniqueError.
func (s store) create(c *customer) error {
	return s.uniqueError(s.createAll([]*customer{c}), *c)
}

// createAll inserts customers. Error: gorm.ErrDuplicatedKey when another customer already has the email or
// the external_ref.
func (s store) createAll(customers []*customer) error {
	now, err := s.ReadClock()
	if err != nil {
		return err
	}
	for _, c := range customers {
		c.CreatedAt, c.UpdatedAt = now, now
	}
	if err := service.Insert(s.Store, customers); err != nil {
		return err
	}
	return s.Record(events(created, customers)...)
}

// change has the new values of a customer; a nil or unspecified field keeps the old value.
type change struct {
	Name, Email        *string
	Phone, ExternalRef nullable.Nullable[string]
	// Deleted says that a row of an import has a deleted_at. importCustomers refuses such a row.
	Deleted bool
}

func (ch change) apply(c customer) customer {
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
		*field = nonEmpty(&value)
	}
}

// nonEmpty returns nil for an empty text. Forms and CSV files have an empty text for a field without a value.
func nonEmpty(text *string) *string {
	if text != nil && *text == "" {
		return nil
	}
	return text
}

// equals compares the fields that a change can set.
func (c customer) equals(other customer) bool {
	return c.Name == other.Name && c.Email == other.Email && equal(c.Phone, other.Phone) &&
		equal(c.ExternalRef, other.ExternalRef)
}

func equal(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// lock returns a customer, and locks the row until the transaction ends. Errors: 404 customer_not_found; 412
// precondition_failed when the customer does not match ifMatch.
func (s store) lock(id int64, ifMatch *string) (customer, error) {
	c, err := s.locking().find(id)
	if err != nil {
		return c, err
	}
	return c, etag.Precondition(ifMatch, response(c))
}

// rowOf returns the row of a customer for service.Database.ChangeRow.
func rowOf(id int64) service.Row[store] {
	return service.Row[store]{Name: fmt.Sprint(id), See: func(q store) error {
		_, err := q.find(id)
		return err
	}}
}

// updateCustomer applies a change to a locked customer, and returns the result. Errors: see uniqueError.
func (s store) updateCustomer(before customer, ch change) (customer, error) {
	c := ch.apply(before)
	if c.equals(before) {
		return c, nil
	}
	err := s.updateAll([]*customer{&c})
	return c, s.uniqueError(err, c)
}

// updateAll writes locked customers. Error: gorm.ErrDuplicatedKey when another customer already has the email
// or the external_ref.
func (s store) updateAll(customers []*customer) error {
	for _, c := range customers {
		c.UpdatedAt = s.ChangedAt(c.UpdatedAt, c.Now)
	}
	_, err := db.UpdateEach(s.customers(), customers, "name", "email", "phone", "external_ref", "updated_at")
	if err != nil {
		return err
	}
	return s.Record(events(updated, customers)...)
}

// delete marks a locked customer as deleted.
func (s store) delete(c customer) error {
	c.UpdatedAt = s.ChangedAt(c.UpdatedAt, c.Now)
	c.DeletedAt = gorm.DeletedAt{Time: c.UpdatedAt, Valid: true}
	if _, err := db.UpdateEach(s.customers(), []*customer{&c}, "deleted_at", "updated_at"); err != nil {
		return err
	}
	return s.Record(event(deleted, c, c.UpdatedAt))
}

// find returns a customer. Error: 404 customer_not_found for a missing or deleted customer.
func (s store) find(id int64) (c customer, err error) {
	err = s.customers().Select("*, ? AS now", s.Now()).Take(&c, id).Error
	return c, customerError(err, id)
}

// customerError returns 404 customer_not_found when a query has found no customer, and any other error
// unchanged.
func customerError(err error, id int64) error {
	if service.IsNotFound(err) {
		return apperr.CustomerNotFound.New(id)
	}
	return err
}

// texts is the index for searches in customers.
var texts = search.Index{Table: "customers", Columns: []string{"name", "email"}}

// Texts implements search.Row.
func (c customer) Texts() []string { return []string{c.Name, c.Email} }

// filter has the filters of a list of customers; a nil field filters nothing.
type filter struct {
	service.Filter
	Email       *string // compared without regard to upper and lower case
	ExternalRef *string
	// Deleted adds the deleted customers to the list. The filters Email and ExternalRef never match a deleted
	// customer.
	Deleted bool
}

// mustBeCurrent reports whether the list must not come from a replica that lags: see service.ReadPage.
func (f filter) mustBeCurrent() bool {
	return f.Email != nil || f.ExternalRef != nil || f.IDs != nil || f.UpdatedSince != nil
}

func (s store) list(f filter, page db.PageRequest) ([]customer, *int64, error) {
	q := s.customers()
	if f.Deleted {
		q = q.Unscoped()
	}
	if f.Email != nil {
		q = q.Where("active_email = ?", emailKey(*f.Email))
	}
	if f.ExternalRef != nil {
		q = q.Where("active_external_ref = ?", *f.ExternalRef)
	}
	narrow := f.Email != nil || f.ExternalRef != nil || s.isBound()
	return service.List[customer](q, texts, f.Filter, narrow, page)
}

// uniqueError explains the error of a statement that could not write c. When another customer has the email
// or the external_ref of c, it returns 409 email_taken or 409 external_ref_taken, with the id of the other
// customer unless the caller is bound to a customer. When no other customer has either value any more, it
// returns db.ErrConflict. An error with another cause stays unchanged.
func (s store) uniqueError(err error, c customer) error {
	if !service.IsDuplicate(err) {
		return err
	}
	for _, unique := range []struct {
		code             *apperr.Code
		field, condition string
		value            any
	}{
		{apperr.EmailTaken, "/email", "active_email = LOWER(?)", c.Email},
		{apperr.ExternalRefTaken, "/external_ref", "active_external_ref = ?", c.ExternalRef},
	} {
		var holder int64
		err := s.everyCustomer().Where(unique.condition, unique.value).Where("id <> ?", c.ID).
			Limit(1).Pluck("id", &holder).Error
		if err != nil {
			return err
		}
		if holder == 0 {
			continue
		}
		params := apperr.Params{"rule": "unique"}
		if !s.isBound() {
			params["customer_id"] = holder
		}
		return unique.code.New().With(unique.field, params, "belongs to another customer")
	}
	return db.ErrConflict
}

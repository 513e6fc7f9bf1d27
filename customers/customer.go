// Package customers is the Customers service.
package customers

import (
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
)

// Service implements the generated StrictServerInterface on a database.
type Service struct{ db *gorm.DB }

// New returns the service on a database that db.Migrate has brought up to date.
func New(g *gorm.DB) *Service { return &Service{db: g} }

// customer is a row of the table customers. Its generated column active_email, which keeps emails unique among the customers
// not deleted, is the database's own business.
type customer struct {
	ID        int64
	Name      string
	Email     string
	Phone     *string
	CreatedAt time.Time
	UpdatedAt time.Time      `gorm:"autoUpdateTime:false"`
	DeletedAt gorm.DeletedAt // gorm adds `deleted_at IS NULL` to every query and makes Delete an UPDATE
}

func (c customer) Key() int64 { return c.ID }

// create inserts a customer, or returns 409 email_taken when another one has the email in any case, and 403 forbidden to a caller who
// is bound to a customer.
func (s store) create(c *customer) error {
	if own := s.caller.Customer; own != 0 {
		return apperr.Forbidden.New().With("/header/Authorization", "acts for customer %d alone", own)
	}
	c.CreatedAt = now()
	c.UpdatedAt = c.CreatedAt
	return emailTaken(s.insert(c))
}

// update writes a customer who has been locked, when it is another one than before. Error: 409 email_taken.
func (s store) update(c *customer, before customer) error {
	if c.Name == before.Name && c.Email == before.Email && equal(c.Phone, before.Phone) {
		return nil
	}
	if now := now(); now.After(c.UpdatedAt) { // another machine's clock may be ahead
		c.UpdatedAt = now
	}
	return emailTaken(s.customers().Select("name", "email", "phone", "updated_at").Where("id = ?", c.ID).Updates(c).Error)
}

// delete deletes softly.
func (s store) delete(c customer) error { return s.customers().Delete(&c).Error }

// find returns 404 customer_not_found for a customer that is not there or was deleted.
func (s store) find(id int64) (c customer, err error) {
	err = s.customers().Take(&c, id).Error
	if missing(err) {
		err = apperr.CustomerNotFound.New(id)
	}
	return c, err
}

// list reads a page of the customers whose name or email contains search, if that is given.
func (s store) list(search *string, cursor *int64, limit *int32) ([]customer, *int64, error) {
	q := s.customers()
	if search != nil {
		q = db.Containing(q, *search, "name", "email")
	}
	return db.Page[customer](q, db.OldestFirst, cursor, limit)
}

// emailTaken turns the violation of the table's one unique index into the refusal that the contract wants.
func emailTaken(err error) error {
	if duplicate(err) {
		return apperr.EmailTaken.New().With("/email", "belongs to another customer")
	}
	return err
}

func equal(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// now has the precision of the database's columns.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

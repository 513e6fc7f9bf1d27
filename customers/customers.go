// Package customers is the Customers service.
package customers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/web"
	api "example.com/b2b/openapi/customersapi"
)

// Service implements the generated StrictServerInterface on a database.
type Service struct{ db *gorm.DB }

// New returns the service on a database that db.Migrate has brought up to date.
func New(g *gorm.DB) *Service { return &Service{db: g} }

var _ api.StrictServerInterface = (*Service)(nil)

// customer is a row of the table customers. Its generated column active_email, which keeps emails unique among the customers
// not deleted, is the database's own business.
type customer struct {
	ID        int64
	Name      string
	Email     string
	Phone     *string
	CreatedAt time.Time
	DeletedAt gorm.DeletedAt // gorm adds `deleted_at IS NULL` to every query and makes Delete an UPDATE
}

func (c customer) Key() int64 { return c.ID }

func (c customer) view() api.Customer {
	return api.Customer{ID: c.ID, Name: c.Name, Email: c.Email, Phone: c.Phone, CreatedAt: api.Time{Time: c.CreatedAt}}
}

// CreateCustomer returns 409 email_taken when another customer has the email in any case.
func (s *Service) CreateCustomer(ctx context.Context, r api.CreateCustomerRequestObject) (api.CreateCustomerResponseObject, error) {
	c := customer{Name: r.Body.Name, Email: strings.TrimSpace(r.Body.Email), Phone: r.Body.Phone, CreatedAt: now()}
	if err := s.db.WithContext(ctx).Create(&c).Error; err != nil {
		return nil, emailTaken(err)
	}
	return api.CreateCustomer201JSONResponse{Body: api.CustomerResponse{Success: true, Data: c.view()}}, nil
}

// ListCustomers pages by id.
func (s *Service) ListCustomers(ctx context.Context, r api.ListCustomersRequestObject) (api.ListCustomersResponseObject, error) {
	q := s.db.WithContext(ctx)
	if r.Params.Search != nil {
		q = db.Containing(q, *r.Params.Search, "name", "email")
	}
	rows, next, err := db.Page[customer](q, db.OldestFirst, r.Params.Cursor, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	data := make([]api.Customer, len(rows))
	for i, c := range rows {
		data[i] = c.view()
	}
	return api.ListCustomers200JSONResponse{Body: api.CustomerListResponse{Success: true, Data: data, Meta: api.Meta{NextCursor: next}}}, nil
}

// GetCustomer returns 404 customer_not_found for a customer that is not there or was deleted, as do all that follow.
func (s *Service) GetCustomer(ctx context.Context, r api.GetCustomerRequestObject) (api.GetCustomerResponseObject, error) {
	c, err := find(s.db.WithContext(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return api.GetCustomer200JSONResponse{Body: api.CustomerResponse{Success: true, Data: c.view()}}, nil
}

// GetInternalCustomer is GetCustomer for the other services; web has checked the service token.
func (s *Service) GetInternalCustomer(ctx context.Context, r api.GetInternalCustomerRequestObject) (api.GetInternalCustomerResponseObject, error) {
	c, err := find(s.db.WithContext(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return api.GetInternalCustomer200JSONResponse{Body: api.CustomerResponse{Success: true, Data: c.view()}}, nil
}

// UpdateCustomer changes the fields that are given. It may return 409 email_taken as CreateCustomer does, and 412
// precondition_failed.
func (s *Service) UpdateCustomer(ctx context.Context, r api.UpdateCustomerRequestObject) (api.UpdateCustomerResponseObject, error) {
	var c customer
	err := db.InTx(ctx, s.db, func(tx *gorm.DB) (err error) {
		if c, err = find(db.ForUpdate(tx), r.ID); err != nil {
			return err
		}
		if err := web.Precondition(r.Params.IfMatch, api.CustomerResponse{Success: true, Data: c.view()}); err != nil {
			return err
		}
		if r.Body.Name != nil {
			c.Name = *r.Body.Name
		}
		if r.Body.Email != nil {
			c.Email = strings.TrimSpace(*r.Body.Email)
		}
		if r.Body.Phone.IsNull() {
			c.Phone = nil
		} else if phone, err := r.Body.Phone.Get(); err == nil {
			c.Phone = &phone
		}
		return tx.Select("name", "email", "phone").Updates(&c).Error
	})
	if err != nil {
		return nil, emailTaken(err)
	}
	return api.UpdateCustomer200JSONResponse{Body: api.CustomerResponse{Success: true, Data: c.view()}}, nil
}

// DeleteCustomer deletes softly, or returns 412 precondition_failed.
func (s *Service) DeleteCustomer(ctx context.Context, r api.DeleteCustomerRequestObject) (api.DeleteCustomerResponseObject, error) {
	err := db.InTx(ctx, s.db, func(tx *gorm.DB) error {
		c, err := find(db.ForUpdate(tx), r.ID)
		if err != nil {
			return err
		}
		if err := web.Precondition(r.Params.IfMatch, api.CustomerResponse{Success: true, Data: c.view()}); err != nil {
			return err
		}
		return tx.Delete(&c).Error
	})
	if err != nil {
		return nil, err
	}
	return api.DeleteCustomer200JSONResponse{Body: api.DeletedResponse{Success: true, Message: fmt.Sprintf("Customer %d was deleted.", r.ID)}}, nil
}

func find(q *gorm.DB, id int64) (c customer, err error) {
	err = q.Take(&c, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = notFound(id)
	}
	return c, err
}

func notFound(id int64) error {
	return apperr.CustomerNotFound.New(id)
}

// emailTaken turns the violation of the table's one unique index into the refusal that the contract wants.
func emailTaken(err error) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return apperr.EmailTaken.New().With("/email", "belongs to another customer")
	}
	return err
}

// now has the precision of the database's columns.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

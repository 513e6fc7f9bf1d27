// Package orders is the Orders service: products with their stock, and the orders that take it.
package orders

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/batch"
	"example.com/b2b/internal/idempotency"
	"example.com/b2b/internal/peer"
	"example.com/b2b/openapi/customersapi"
)

// Config is what the service needs to know besides its database.
type Config struct {
	Customers          peer.Peer     // the Customers API
	CancellationWindow time.Duration // how long a CONFIRMED order may be canceled
	Reservation        time.Duration // how long a CREATED order holds its stock; 0 is for ever
	KeyLifetime        time.Duration // how long an idempotency key is remembered
	MaxHeld            int           // changes that may wait long for rows which other transactions hold: see batch.Batcher
}

// Service implements the generated StrictServerInterface on a database.
type Service struct {
	Config
	db        *gorm.DB
	keys      idempotency.Keys
	commands  batch.Batcher[*command]
	turns     db.Turns // at products
	customers customersapi.ClientWithResponsesInterface
}

// New returns the service on a database that db.Migrate has brought up to date. Its error is about the peer's
// address.
func New(g *gorm.DB, c Config) (*Service, error) {
	customers, err := customersapi.NewClientWithResponses(c.Customers.Base, customersapi.WithHTTPClient(c.Customers.Client("Customers API")))
	s := &Service{Config: c, db: g, keys: idempotency.Keys{DB: g, Lifetime: c.KeyLifetime}, customers: customers}
	s.commands.MaxConcurrent, s.commands.MaxCost, s.commands.MaxHeld, s.commands.Run = s.maxBatches(), batchCost, c.MaxHeld, s.runBatch
	return s, err
}

// checkCustomer asks the Customers API whether the customer exists. It returns 404 customer_not_found when
// not, and 503 customers_unavailable when there is no answer.
func (s *Service) checkCustomer(ctx context.Context, id int64) error {
	res, err := s.customers.GetInternalCustomerWithResponse(ctx, id)
	switch {
	case err == nil && res.StatusCode() == http.StatusOK:
		return nil
	case err == nil && res.JSON404 != nil:
		return apperr.CustomerNotFound.New(id).With("/customer_id", apperr.Params{"customer_id": id}, "there is no customer %d", id)
	case err == nil:
		err = fmt.Errorf("the Customers API answered %s", res.Status())
	}
	return apperr.CustomersUnavailable.Because(err)
}

// Package orders is the Orders service. It manages products, their stock, and orders that reserve stock.
package orders

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/batch"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
)

// Config configures the service.
type Config struct {
	Customers          peer.Peer     // the Customers API
	CancellationWindow time.Duration // how long after the confirmation an order may be canceled; 0 means never
	Reservation        time.Duration // how long a CREATED order reserves its stock; 0 means for ever
	KeyLifetime        time.Duration // how long an idempotency key is stored
	MaxHeld            int           // number of commands that may wait long for held rows: see batch.Batcher
}

// Service implements the generated StrictServerInterface on a database.
type Service struct {
	Config
	db         *service.Database[store]
	commands   batch.Batcher[orderCommand]
	customers  customersapi.ClientWithResponsesInterface
	stockCheck stockCheck
}

// New returns the service. db.Migrate must have brought the database up to date. An error means that the
// client of the Customers API could not be made.
func New(g *gorm.DB, c Config) (*Service, error) {
	s := &Service{Config: c}
	keys := idempotency.Keys{DB: g, Lifetime: c.KeyLifetime, Operations: keyedOperations}
	newStore := func(base service.Store) store { return store{base, &s.Config} }
	s.db = service.NewDatabase(g, "orders", keys, newStore)
	s.commands.MaxConcurrent, s.commands.MaxCost, s.commands.MaxHeld = s.maxBatches(), batchCost, c.MaxHeld
	s.commands.Name, s.commands.Run = "orders", s.runBatch
	var err error
	s.customers, err = customersapi.NewClientWithResponses(
		c.Customers.Base, customersapi.WithHTTPClient(c.Customers.Client("Customers API")))
	return s, err
}

// checkCustomer asks the Customers API whether the customer exists. Errors: 404 customer_not_found, and 503
// customers_unavailable when the Customers API gives no answer or an unexpected answer.
func (s *Service) checkCustomer(ctx context.Context, id int64) error {
	res, err := s.customers.GetInternalCustomerWithResponse(ctx, id)
	switch {
	case err == nil && res.JSON200 != nil:
		return nil
	case err == nil && res.JSON404 != nil && res.JSON404.Code == contract.CustomerNotFound:
		return apperr.CustomerNotFound.New(id).
			With("/customer_id", apperr.Params{"customer_id": id}, "there is no customer %d", id)
	case err == nil:
		err = fmt.Errorf("the Customers API answered %s", res.Status())
	}
	return apperr.CustomersUnavailable.Because(err)
}

package orders

import (
	"context"
	"fmt"
	"net/http"

	"example.com/b2b/internal/apperr"
)

// checkCustomer asks the Customers API whether the customer exists. It returns 404 customer_not_found when not, and 503
// customers_unavailable when there is no answer.
func (s *Service) checkCustomer(ctx context.Context, id int64) error {
	res, err := s.Customers.GetInternalCustomerWithResponse(ctx, id)
	switch {
	case err == nil && res.StatusCode() == http.StatusOK:
		return nil
	case err == nil && res.JSON404 != nil:
		return apperr.CustomerNotFound.New(id).With("/customer_id", "there is no customer %d", id)
	case err == nil:
		err = fmt.Errorf("the Customers API answered %s", res.Status())
	}
	return apperr.CustomersUnavailable.Because(err)
}

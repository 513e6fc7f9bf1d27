package customers

import (
	"example.com/b2b/openapi/contract"
	api "example.com/b2b/openapi/customersapi"
)

// Representations: the contract's types of a customer, for answers, events and ETags. An ETag is made of the
// whole response.

func response(c customer) api.CustomerResponse {
	return api.CustomerResponse{Success: true, Data: view(c)}
}

func view(c customer) api.Customer {
	return api.Customer{ID: c.ID, Name: c.Name, Email: c.Email, Phone: c.Phone, ExternalRef: c.ExternalRef,
		CreatedAt: contract.Time{Time: c.CreatedAt}, UpdatedAt: contract.Time{Time: c.UpdatedAt}}
}

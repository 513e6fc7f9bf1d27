package customers

import (
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/customersapi"
)

// The functions of this file convert a customer to the types of the contract, for answers, events and ETags.
// An ETag is computed from the whole response.

func response(c customer) api.CustomerResponse {
	return api.CustomerResponse{Success: true, Data: view(c)}
}

func view(c customer) api.Customer {
	v := api.Customer{ID: c.ID, Name: c.Name, Email: c.Email, Phone: c.Phone, ExternalRef: c.ExternalRef,
		CreatedAt: contract.Time{Time: c.CreatedAt}, UpdatedAt: contract.Time{Time: c.UpdatedAt}}
	if c.DeletedAt.Valid {
		v.DeletedAt = &contract.Time{Time: c.DeletedAt.Time}
	}
	return v
}

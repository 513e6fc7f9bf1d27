package customers

import (
	"net/http"

	"example.com/b2b/v2/internal/idempotency"
)

// These operations take an idempotency key. TestKeyedOperations compares them with the contract.
var (
	createCustomer = idempotency.Operation{Name: "createCustomer", Status: http.StatusCreated, Target: subject}

	keyedOperations = idempotency.Operations{createCustomer}
)

package customers

import (
	"net/http"

	"example.com/b2b/internal/idempotency"
)

// The operations that take an idempotency key. Tests hold the report on a key, the doctor and the contract to
// keyedOperations.
var (
	createCustomer = idempotency.Operation{Name: "createCustomer", Status: http.StatusCreated, Target: subject}

	keyedOperations = idempotency.Operations{createCustomer}
)

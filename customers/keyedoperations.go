package customers

import (
	"net/http"

	"example.com/b2b/v2/internal/idempotency"
)

// The operations that take an idempotency key. TestKeyedOperations checks that keyedOperations has exactly
// the operations that take a key in the contract.
var (
	createCustomer = idempotency.Operation{Name: "createCustomer", Status: http.StatusCreated, Target: subject}

	keyedOperations = idempotency.Operations{createCustomer}
)

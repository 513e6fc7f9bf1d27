package customers

import (
	"net/http"

	"example.com/b2b/internal/idempotency"
)

// The operations that take a key. The report on a key, the doctor and the contract's list are held to this
// one.
var (
	createCustomer = idempotency.Operation{Name: "createCustomer", Status: http.StatusCreated, Target: subject}

	keyedOperations = idempotency.Operations{createCustomer}
)

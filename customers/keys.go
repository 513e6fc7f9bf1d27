package customers

import (
	"encoding/json"
	"net/http"

	"github.com/tidwall/gjson"

	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/customersapi"
)

// The operations that take an idempotency key. TestKeyedOperations checks that keyedOperations has exactly
// the operations that take a key in the contract.
var (
	createCustomer = idempotency.Operation{Name: "createCustomer", Status: http.StatusCreated, Target: subject}

	keyedOperations = idempotency.Operations{createCustomer}
)

// withDeletedAt adds the field deleted_at to the stored answer of a program of version 2.0.0, which did not have
// the field. Clients of this version need it. Any other answer stays as it is.
func withDeletedAt(a idempotency.Answer) idempotency.Answer {
	var stored api.CustomerResponse
	if a.Replayed && !gjson.GetBytes(a.Body, "data.deleted_at").Exists() &&
		contract.Unmarshal(a.Body, &stored) == nil {
		a.Body, _ = json.Marshal(stored)
	}
	return a
}

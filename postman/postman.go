// Package postman has the Postman collection of all services, and an environment with their addresses.
package postman

import (
	_ "embed"
	"strings"

	"example.com/b2b/openapi"
)

// Collection is the collection, in Postman's format 2.1.
//
//go:embed B2B-Order-Management.postman_collection.json
var Collection []byte

//go:embed B2B-Order-Management.postman_environment.json
var environment string

// Environment returns the environment for services at these addresses.
func Environment(customers, orders, orchestrator string) []byte {
	here := strings.NewReplacer(openapi.CustomersAddress, customers, openapi.OrdersAddress, orders, openapi.OrchestratorAddress, orchestrator)
	return []byte(here.Replace(environment))
}

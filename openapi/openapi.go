// Package openapi has the joined document of all services.
package openapi

import (
	_ "embed"
	"strings"
)

// Document is openapi.gen.yaml: the paths of the three documents, except /health and /ready. Each path has
// the default address of the service.
//
//go:embed openapi.gen.yaml
var Document []byte

// Addresses returns a replacer that changes the default addresses of the services to the given addresses.
func Addresses(customers, orders, orchestrator string) *strings.Replacer {
	return strings.NewReplacer(
		CustomersAddress, customers, OrdersAddress, orders, OrchestratorAddress, orchestrator)
}

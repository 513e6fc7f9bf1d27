// Package openapi has the joined document of all services.
package openapi

import (
	_ "embed"
	"strings"
)

// Document is openapi.gen.yaml: all paths of the three documents, except /health and /ready, each with the
// default address of its service.
//
//go:embed openapi.gen.yaml
var Document []byte

// Addresses returns a replacer of the default addresses by the given addresses.
func Addresses(customers, orders, orchestrator string) *strings.Replacer {
	return strings.NewReplacer(
		CustomersAddress, customers, OrdersAddress, orders, OrchestratorAddress, orchestrator)
}

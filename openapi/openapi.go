// Package openapi has the joined document of all services.
package openapi

import (
	_ "embed"
	"strings"
)

// The default addresses of the services.
const (
	CustomersBase    = "http://localhost:3001"
	OrdersBase       = "http://localhost:3002"
	OrchestratorBase = "http://localhost:3000"
)

// Document is openapi.gen.yaml: all paths of the three documents, except /health and /ready, each with the
// default address of its service.
//
//go:embed openapi.gen.yaml
var Document []byte

// Addresses returns a replacer of the default addresses by the given addresses.
func Addresses(customers, orders, orchestrator string) *strings.Replacer {
	return strings.NewReplacer(CustomersBase, customers, OrdersBase, orders, OrchestratorBase, orchestrator)
}

// Package postman has the Postman collection of all services, and an environment with their addresses.
//
//go:generate go run ./gen
package postman

import (
	_ "embed"
	"strings"
)

// Collection is the collection, in Postman's format 2.1.
//
//go:embed B2B-Order-Management.postman_collection.json
var Collection []byte

//go:embed B2B-Order-Management.postman_environment.json
var environment string

// Environment returns the environment for services at these addresses.
func Environment(customers, orders, orchestrator string) []byte {
	return []byte(strings.NewReplacer("http://localhost:3001", customers, "http://localhost:3002", orders, "http://localhost:3000", orchestrator).Replace(environment))
}

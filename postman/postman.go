// Package postman has the Postman collection of all services, and an environment with their addresses.
package postman

import (
	_ "embed"

	"example.com/b2b/v2/openapi"
)

// Collection is the Postman collection, in format 2.1.
//
//go:embed B2B-Order-Management.postman_collection.json
var Collection []byte

//go:embed B2B-Order-Management.postman_environment.json
var environment string

// Environment returns the Postman environment with the addresses of the given services, by the name of a
// service.
func Environment(services map[string]string) []byte {
	return []byte(openapi.Addresses(services).Replace(environment))
}

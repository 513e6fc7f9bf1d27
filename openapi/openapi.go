// Package openapi has the joined document of all services.
package openapi

import (
	_ "embed"
	"strings"
)

// Document is openapi.gen.yaml: the paths of the documents of all services, except /health and /ready. Each
// path has the default address of its service.
//
//go:embed openapi.gen.yaml
var Document []byte

// Addresses returns a replacer that puts the given addresses, by the name of a service, in place of the
// default addresses.
func Addresses(services map[string]string) *strings.Replacer {
	var pairs []string
	for service, address := range services {
		pairs = append(pairs, byService[service], address)
	}
	return strings.NewReplacer(pairs...)
}

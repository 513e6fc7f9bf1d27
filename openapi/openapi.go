// Package openapi has the documents of all services joined into one.
package openapi

import _ "embed"

// Document is openapi.gen.yaml: every path of the three documents but /health and /ready, each with the
// address of its service, such as OrdersAddress.
//
//go:embed openapi.gen.yaml
var Document []byte

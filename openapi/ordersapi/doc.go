// Package ordersapi is the contract of the Orders API: openapi.yaml, and the typed client with its models that are generated from it.
package ordersapi

import _ "embed"

// Document is openapi.gen.yaml, the contract as it is served: self-contained, and in its author's order.
//
//go:embed openapi.gen.yaml
var Document []byte

// Package orchestratorapi is the contract of the orchestrator: openapi.yaml, and the typed client with its models that are generated from it.
package orchestratorapi

import _ "embed"

// Document is openapi.gen.yaml, the contract as it is served: self-contained, and in its author's order.
//
//go:embed openapi.gen.yaml
var Document []byte

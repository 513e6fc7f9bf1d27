// Package orchestratorapi is the contract of the orchestrator: openapi.yaml, and the models, gin server, strict server and
// typed client that oapi-codegen generates from it.
package orchestratorapi

import _ "embed"

//go:generate go tool oapi-codegen -config codegen.yaml openapi.yaml

// YAML is openapi.yaml as it was written, with its comments and order.
//
//go:embed openapi.yaml
var YAML []byte

// Package openapi has the documents of all services joined into one.
package openapi

import _ "embed"

// Document is openapi.gen.yaml: every path but /health and /ready of the three documents, each with the
// address of its service, which is http://localhost:3000 (orchestrator), :3001 (customers) or :3002 (orders).
//
//go:embed openapi.gen.yaml
var Document []byte

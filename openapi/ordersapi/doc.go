// Package ordersapi is the contract of the Orders API: openapi.yaml, and the models, gin server, strict server and typed
// client that oapi-codegen generates from it.
package ordersapi

import (
	_ "embed"
	"time"
)

//go:generate go tool oapi-codegen -config codegen.yaml openapi.yaml

// YAML is openapi.yaml as it was written, with its comments and order.
//
//go:embed openapi.yaml
var YAML []byte

// Time is a moment that JSON shows as the contract wants it: RFC 3339, UTC, always three digits of milliseconds.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(t.UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// Package contract holds the Go types that the OpenAPI documents of the services share: envelopes, errors,
// ids, times and paging. Most types are generated from openapi/common.yaml.
package contract

import (
	"time"

	"github.com/go-json-experiment/json"
)

// Time is a time with the JSON form of the contracts: RFC 3339 in UTC, always with milliseconds.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(t.UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// Unmarshal decodes the answer of a service. It matches names exactly and refuses duplicate names;
// encoding/json would ignore case and take the last duplicate.
func Unmarshal(answer []byte, into any) error { return json.Unmarshal(answer, into) }

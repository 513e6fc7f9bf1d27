// Package contract holds what the three contracts share: envelopes, errors, ids, times and paging, as Go
// types generated from openapi/common.yaml.
package contract

import (
	"time"

	"github.com/go-json-experiment/json"
)

// Time is a moment that JSON shows as the contracts want it: RFC 3339, UTC, always three digits of
// milliseconds.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(t.UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// Unmarshal decodes the answer of a service by the exact names of its contract. The error is for an answer
// that does not fit, or has a name twice. encoding/json would bind names in any case, and the last of
// several.
func Unmarshal(answer []byte, into any) error { return json.Unmarshal(answer, into) }

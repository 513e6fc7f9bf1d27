// Package contract holds what the three contracts share: envelopes, errors, ids, times and paging, as Go types generated from
// openapi/common.yaml.
package contract

import "time"

// Time is a moment that JSON shows as the contracts want it: RFC 3339, UTC, always three digits of milliseconds.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(t.UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

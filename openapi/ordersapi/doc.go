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

// DateOrTime is a query parameter that takes a date (2024-01-01) or an RFC 3339 time.
type DateOrTime struct {
	Time time.Time // the moment, or the first moment of the day in UTC
	Day  bool      // a date was given: the whole day is meant
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *DateOrTime) UnmarshalText(text []byte) (err error) {
	d.Day = len(text) == len(time.DateOnly)
	layout := time.RFC3339
	if d.Day {
		layout = time.DateOnly
	}
	d.Time, err = time.Parse(layout, string(text))
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (d DateOrTime) MarshalText() ([]byte, error) {
	if d.Day {
		return []byte(d.Time.Format(time.DateOnly)), nil
	}
	return []byte(d.Time.UTC().Format(time.RFC3339Nano)), nil
}

package idempotency

import (
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/doctor"
)

// Notes returns two notes for the doctor: the idempotency keys that expire within the hour, and the keys that
// are still stored more than 5 minutes after they expired, because no job has deleted them. The parameter of
// names the things that the operations create or change.
func (all Operations) Notes(of string) []doctor.Rule {
	within := func(from, to time.Duration) func(tx *gorm.DB) []any {
		return func(tx *gorm.DB) []any { return []any{db.Now(tx, from), db.Now(tx, to)} }
	}
	query := "SELECT CONCAT(k.operation, ' ', k.idempotency_key) FROM idempotency_keys k " +
		"WHERE k.expires_at > ? AND k.expires_at <= ? AND " + all.Rows() + " ORDER BY k.expires_at"
	const ever = -100 * 365 * 24 * time.Hour
	return []doctor.Rule{
		{Name: "idempotency key of " + of + " that expires within the hour; a repeat after that acts again",
			Table: "idempotency_keys", Query: query, Values: within(0, time.Hour)},
		{Name: "idempotency key of " + of + " that no job has deleted for 5 minutes after it expired",
			Table: "idempotency_keys", Query: query, Values: within(ever, -5*time.Minute)},
	}
}

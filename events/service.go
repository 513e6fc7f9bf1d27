// Package events is the Events service. It gives each event that the other services have recorded a position,
// and lets callers read the events in the order of their positions.
package events

import (
	"gorm.io/gorm"

	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
)

// Service implements the generated StrictServerInterface on a database.
type Service struct {
	db *service.Database[store]
}

// New returns the service. db.Migrate must have brought the database up to date.
func New(g *gorm.DB) *Service {
	newStore := func(base service.Store) store { return store{base} }
	return &Service{db: service.NewDatabase(g, "events", idempotency.Keys{}, newStore)}
}

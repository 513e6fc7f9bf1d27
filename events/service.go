// Package events is the Events service. It gives a position to each event that the services record, lets
// callers read the events in the order of their positions, and sends the events to webhook endpoints.
package events

import (
	"sync"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/events/deliver"
	"example.com/b2b/v2/internal/batch"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
)

// Config configures the service.
type Config struct {
	Retention   time.Duration  // how long events are kept; 0 means for ever
	KeyLifetime time.Duration  // how long idempotency keys are remembered
	Webhooks    deliver.Config // where webhooks may go
}

// Service implements the generated StrictServerInterface on a database.
type Service struct {
	Config
	db         *service.Database[store]
	patience   time.Duration // an answer may be silent for this long: web.Options.Timeout
	streamLife time.Duration // the constant streamLife, except in tests
	waiters    waiters
	sender     *deliver.Sender
	recorder   batch.Batcher[*progress]

	stop    sync.Once
	stopped chan struct{} // closed by Stop
}

// New returns the service. db.Migrate must have brought the database up to date.
func New(g *gorm.DB, c Config) *Service {
	keys := idempotency.Keys{DB: g, Lifetime: c.KeyLifetime, Operations: keyedOperations}
	newStore := func(base service.Store) store { return store{base} }
	s := &Service{
		Config: c, db: service.NewDatabase(g, "events", keys, newStore), stopped: make(chan struct{}),
		sender: deliver.New(c.Webhooks), streamLife: streamLife,
	}
	s.recorder.Name = "progress of webhooks"
	s.recorder.MaxConcurrent, s.recorder.MaxCost, s.recorder.Run = 1, 200, s.record
	return s
}

// Stop ends streams and requests that wait for events, each with a complete answer. Later requests
// wait for a second at most.
func (s *Service) Stop() { s.stop.Do(func() { close(s.stopped) }) }

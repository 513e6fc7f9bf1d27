package orders

import (
	"context"
	"time"
)

// OneBatch lets no more than one batch of commands run at once, however long it takes, before any does.
func OneBatch(s *Service) { s.commands.MaxConcurrent, s.commands.StallTimeout = 1, time.Hour }

// Load returns how many batches of commands run, and how many commands wait for a batch, and for held rows.
func Load(s *Service) (batches, waiting, held int) { return s.commands.Load() }

// PurgeKeys deletes the service's expired idempotency keys.
func (s *Service) PurgeKeys(ctx context.Context) (int, error) { return s.db.Keys.Purge(ctx) }

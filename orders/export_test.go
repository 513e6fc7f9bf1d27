package orders

import (
	"context"
	"time"
)

// OneBatch limits the service to one batch at a time, however long the batch takes. Call it before the first
// command.
func OneBatch(s *Service) { s.commands.MaxConcurrent, s.commands.StallTimeout = 1, time.Hour }

// Load returns the number of running batches, of commands that wait for a batch, and of commands that wait
// for rows of other sessions.
func Load(s *Service) (batches, waiting, held int) { return s.commands.Load() }

// PurgeKeys deletes the service's expired idempotency keys.
func (s *Service) PurgeKeys(ctx context.Context) (int, error) { return s.db.Keys.Purge(ctx) }

package customers

import (
	"context"
	"log/slog"

	"example.com/b2b/db"
	"example.com/b2b/internal/service"
)

// store runs the queries of this package on behalf of a caller. TestStoreIsTheOnlyDoor keeps *gorm.DB in this
// file and in tenancy.go, which begins the queries.
type store struct{ service.Store }

// index keeps the index of the search until ctx ends.
func (s *Service) index(ctx context.Context, log *slog.Logger) { texts.Run(ctx, s.db.DB, log) }

// locking returns the store whose queries lock the rows that they read until the transaction ends.
func (s store) locking() store {
	s.DB = db.ForUpdate(s.DB)
	return s
}

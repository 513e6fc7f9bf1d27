package customers

import (
	"context"

	"example.com/b2b/db"
	"example.com/b2b/internal/service"
)

// store runs the queries of this package on behalf of a caller. TestOnlyStoreUsesDatabase keeps *gorm.DB in this
// file and in tenancy.go, where queries begin.
type store struct{ service.Store }

// indexCustomers is the job of the search index: see search.Index.UpdateDue.
func (s *Service) indexCustomers(ctx context.Context) (rows int, err error) {
	return texts.UpdateDue(ctx, s.db.DB)
}

// locking returns the store whose queries lock the rows that they read until the transaction ends.
func (s store) locking() store {
	s.DB = db.ForUpdate(s.DB)
	return s
}

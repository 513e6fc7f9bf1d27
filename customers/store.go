package customers

import (
	"context"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/service"
)

// store runs the queries of this package on behalf of a caller. TestOnlyStoreUsesDatabase checks that only
// this file and tenancy.go use the field DB; all other files begin their queries in tenancy.go.
type store struct{ service.Store }

// indexCustomers adds new texts of customers to the search index: see search.Index.UpdateDue.
func (s *Service) indexCustomers(ctx context.Context) (rows int, err error) {
	return texts.UpdateDue(ctx, s.db.DB)
}

// unindexedCustomers counts the rows that the search index lacks, up to 10,000: see search.Index.Due.
func (s *Service) unindexedCustomers(ctx context.Context) (rows int64, err error) {
	return texts.Due(ctx, s.db.DB)
}

// locking returns a store in which every query locks the rows of its result until the transaction ends.
func (s store) locking() store {
	s.DB = db.ForUpdate(s.DB)
	return s
}

package customers

import (
	"context"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/service"
)

// store runs the queries of this package on behalf of a caller. Only this file and tenancy.go may use the
// field DB: see TestOnlyStoreUsesDatabase. All other files begin a query with a function of tenancy.go.
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

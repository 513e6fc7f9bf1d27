package orders

import (
	"time"

	"example.com/b2b/v2/db"
)

// Jobs returns the background jobs of the service: see db.RunJobs.
func (s *Service) Jobs() []db.Job {
	const often = 5 * time.Second
	return []db.Job{
		{Name: "expire reservations", Interval: often, Exclusive: true,
			Run: s.ExpireReservations, Lag: s.expiryLag},
		{Name: "delete expired keys of orders", Interval: often, Exclusive: true,
			Run: s.db.Keys.Purge, Lag: s.db.Keys.Lag},
		{Name: "index products", Interval: often, Exclusive: true,
			Run: s.indexProducts, Due: s.unindexedProducts},
		{Name: "record id ranges of orders", Interval: often, Exclusive: true, Run: s.RecordRanges},
		{Name: "check stock", Interval: 10 * time.Second, Exclusive: true, Run: s.CheckStock},
		{Name: "estimate rows", Interval: 30 * time.Second, Run: s.estimateRows},
	}
}

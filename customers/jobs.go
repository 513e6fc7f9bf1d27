package customers

import (
	"time"

	"example.com/b2b/v2/db"
)

// Jobs returns the background jobs of the service: see db.RunJobs.
func (s *Service) Jobs() []db.Job {
	const often = 5 * time.Second
	return []db.Job{
		{Name: "delete expired keys of customers", Interval: often, Exclusive: true,
			Run: s.db.Keys.Purge, Lag: s.db.Keys.Lag},
		{Name: "index customers", Interval: often, Exclusive: true,
			Run: s.indexCustomers, Due: s.unindexedCustomers},
	}
}

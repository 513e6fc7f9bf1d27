package customers

import (
	"time"

	"example.com/b2b/v2/db"
)

// Jobs returns the background jobs of the service: see db.RunJobs.
func (s *Service) Jobs() []db.Job {
	return []db.Job{
		{Name: "delete expired keys of customers", Interval: 5 * time.Second, Exclusive: true, Run: s.db.Keys.Purge},
		{Name: "index customers", Interval: 5 * time.Second, Exclusive: true, Run: s.indexCustomers},
	}
}

package customers

import (
	"time"

	"example.com/b2b/db"
)

// jobInterval is also how long an expired key may stay, give or take a fifth.
const jobInterval = 5 * time.Second

// Jobs returns the background work of the service: see db.RunJobs.
func (s *Service) Jobs() []db.Job {
	return []db.Job{
		{Name: "delete expired keys of customers", Interval: jobInterval, Exclusive: true, Run: s.db.Keys.Purge},
		{Name: "index customers for searches", Interval: jobInterval, Exclusive: true, Run: s.indexCustomers},
	}
}

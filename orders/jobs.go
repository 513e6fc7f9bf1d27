package orders

import (
	"time"

	"example.com/b2b/v2/db"
)

// Jobs returns the background jobs of the service: see db.RunJobs.
func (s *Service) Jobs() []db.Job {
	return []db.Job{
		{Name: "expire reservations", Interval: 5 * time.Second, Exclusive: true, Run: s.ExpireReservations},
		{Name: "delete expired keys of orders", Interval: 5 * time.Second, Exclusive: true, Run: s.db.Keys.Purge},
		{Name: "index products", Interval: 5 * time.Second, Exclusive: true, Run: s.indexProducts},
		{Name: "record id ranges of orders", Interval: 5 * time.Second, Exclusive: true, Run: s.RecordRanges},
	}
}

package orders

import (
	"time"

	"example.com/b2b/db"
)

// jobInterval is also how long an expired reservation or key may stay, give or take a fifth.
const jobInterval = 5 * time.Second

// Jobs returns the background work of the service: see db.RunJobs.
func (s *Service) Jobs() []db.Job {
	return []db.Job{
		{Name: "expire reservations", Interval: jobInterval, Exclusive: true, Run: s.ExpireReservations},
		{Name: "delete expired keys of orders", Interval: jobInterval, Exclusive: true, Run: s.db.Keys.Purge},
		{Name: "index products for searches", Interval: jobInterval, Exclusive: true, Run: s.indexProducts},
		{Name: "record id ranges of orders", Interval: jobInterval, Exclusive: true, Run: s.NoteBlocks},
	}
}

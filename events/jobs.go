package events

import (
	"time"

	"example.com/b2b/v2/db"
)

// Jobs returns the background jobs of the service: see db.RunJobs.
func (s *Service) Jobs() []db.Job {
	return []db.Job{
		// Not exclusive: the lock of an exclusive job outlives a dead machine by minutes. The processes take turns
		// by the row that Sequence locks.
		{Name: "sequence events", Interval: pause, Run: s.Sequence, Lag: s.sequencingLag, Due: s.unsequenced},
		{Name: "delete old events", Interval: 5 * time.Second, Exclusive: true, Run: s.Prune, Lag: s.pruningLag},
	}
}

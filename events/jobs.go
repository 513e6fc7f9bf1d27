package events

import (
	"time"

	"example.com/b2b/v2/db"
)

// Jobs returns the background jobs of the service: see db.RunJobs.
func (s *Service) Jobs() []db.Job {
	return []db.Job{
		// Not exclusive: a lock that only a dead machine holds would stop the feed for minutes. The processes
		// take turns by the row that Sequence locks.
		{Name: "sequence events", Interval: pause, Run: s.Sequence, Lag: s.sequencingLag, Due: s.unsequenced},
	}
}

const pause = 50 * time.Millisecond

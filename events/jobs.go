package events

import (
	"time"

	"example.com/b2b/v2/db"
)

// Jobs returns the background jobs of the service: see db.RunJobs.
func (s *Service) Jobs() []db.Job {
	return []db.Job{
		// This job is not exclusive, because the lock of an exclusive job outlives a dead machine by minutes.
		// Sequence itself locks a row, so that only one process sequences events at a time.
		{Name: "sequence events", Interval: pause, Run: s.Sequence, Lag: s.sequencingLag, Due: s.unsequenced},
		{Name: "delete old events", Interval: often, Exclusive: true, Run: s.Prune, Lag: s.pruningLag},
		{Name: "delete expired keys of webhooks", Interval: often, Run: s.db.Keys.Purge, Lag: s.db.Keys.Lag},
		{Name: "delete old deliveries of webhooks", Interval: often, Run: s.deleteDeliveries},
		{Name: "delete old secrets of webhooks", Interval: often, Run: s.forgetSecrets},
		{Name: "measure webhooks", Interval: often, Run: s.measureWebhooks},
	}
}

const often = 5 * time.Second

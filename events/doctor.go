package events

import "example.com/b2b/v2/db/doctor"

// Rules returns the invariants of the positions of events.
func Rules() []doctor.Rule {
	return []doctor.Rule{
		{Name: "positions of events have no gap", Table: "events", Query: `
			SELECT MIN(position) FROM events HAVING COUNT(position) <> COALESCE(MAX(position) - MIN(position) + 1, 0)`},
	}
}

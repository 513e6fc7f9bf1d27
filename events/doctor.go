package events

import "example.com/b2b/v2/db/doctor"

// Rules returns the invariants of the positions of events. Events without a position are new, and break no
// rule. Events that readers do not see yet break no rule either.
//
// The last rule uses MAX(position + 0) to make the database scan the positions. For MAX(position), a TiDB
// without TiKV would read the present end of the index from its embedded store, even in a snapshot.
func Rules() []doctor.Rule {
	return []doctor.Rule{
		{Name: "positions of events follow each other, from the first that is not deleted", Table: "events", Query: `
			SELECT id FROM (
			  SELECT e.id, e.position,
			    COALESCE(LAG(e.position) OVER (ORDER BY e.position), p.pruned_position) AS before_it
			  FROM events e JOIN event_positions p ON p.customer_id = 0
			  WHERE e.position > p.pruned_position
			) AS positions WHERE position <> before_it + 1
			UNION
			SELECT e.id FROM events e LEFT JOIN event_positions p ON p.customer_id = 0
			WHERE e.position IS NOT NULL AND p.customer_id IS NULL
			   OR (e.customer_position IS NULL) <> (e.position IS NULL OR e.customer_id IS NULL)
			ORDER BY id`},
		{Name: "positions of a customer's events follow each other, as those of all events", Table: "events", Query: `
			SELECT id FROM (
			  SELECT e.id, e.position, e.customer_position,
			    COALESCE(LAG(e.customer_position) OVER customers, p.pruned_position) AS before_it,
			    COALESCE(LAG(e.position) OVER customers, 0) AS before_in_all
			  FROM events e JOIN event_positions p ON p.customer_id = e.customer_id
			  WHERE e.customer_position > p.pruned_position
			  WINDOW customers AS (PARTITION BY e.customer_id ORDER BY e.customer_position)
			) AS positions WHERE customer_position <> before_it + 1 OR position <= before_in_all
			UNION
			SELECT e.id FROM events e LEFT JOIN event_positions p ON p.customer_id = e.customer_id
			WHERE e.customer_position IS NOT NULL AND p.customer_id IS NULL
			  AND e.position <= (SELECT a.last_position FROM event_positions a WHERE a.customer_id = 0)
			ORDER BY id`},
		{Name: "counter of positions is the last position", Table: "event_positions", Query: `
			SELECT p.customer_id FROM event_positions p LEFT JOIN (
			  SELECT 0 AS customer_id, MAX(e.position + 0) AS last_position
			  FROM events e JOIN event_positions a ON a.customer_id = 0 AND e.position <= a.last_position
			  UNION ALL
			  SELECT e.customer_id, MAX(e.customer_position)
			  FROM events e JOIN event_positions a ON a.customer_id = 0 AND e.position <= a.last_position
			  WHERE e.customer_id IS NOT NULL GROUP BY e.customer_id
			) AS given ON given.customer_id = p.customer_id
			WHERE p.last_position <> CASE WHEN given.last_position > p.pruned_position THEN given.last_position
			  ELSE p.pruned_position END
			ORDER BY p.customer_id`},
	}
}

// Notes returns the doctor's notes on the idempotency keys of webhooks. A note lists unusual rows, which
// break no rule.
func Notes() []doctor.Rule { return keyedOperations.Notes("webhooks") }

package customers

import (
	"example.com/b2b/db/doctor"
	"example.com/b2b/internal/history"
)

// Rules are what must always be true of customers.
func Rules() []doctor.Rule {
	count := func(event string) string { return history.Count(event, subject, "customers") }
	return []doctor.Rule{
		{Name: "customer was created once, and deleted as often as it is", Table: "customers", Query: `
			SELECT customers.id FROM customers ` + history.JoinLast(subject, "customers") + `
			WHERE ` + count(created) + ` <> 1 OR ` + count(deleted) + ` <> (deleted_at IS NOT NULL) OR (last.type = '` + deleted + `') <> (deleted_at IS NOT NULL)
			ORDER BY customers.id`},
		history.LastShows(subject, "customers", "name, email, phone"),
		{Name: "event of a customer has its customer", Table: "events", Query: `
			SELECT e.id FROM events e LEFT JOIN customers c ON c.id = e.subject_id
			WHERE e.subject = '` + subject + `' AND (c.id IS NULL OR e.customer_id IS NULL OR e.customer_id <> c.id) ORDER BY e.subject_id, e.id`},
	}
}

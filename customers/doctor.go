package customers

import (
	"database/sql"
	"encoding/json"

	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/history"
)

// Rules returns the invariants of customers, their history and their idempotency keys.
func Rules() []doctor.Rule {
	count := func(event string) string { return history.Count(event, subject, "customers") }
	return []doctor.Rule{
		{Name: "customer was created once, and deleted as often as it is", Table: "customers", Query: `
			SELECT customers.id ` + history.FromWithLast(subject, "customers") + `
			AND (` + count(created) + ` <> 1 OR ` + count(deleted) + ` <> (deleted_at IS NOT NULL)
			  OR (last.type = '` + deleted + `') <> (deleted_at IS NOT NULL))
			ORDER BY customers.id`},
		history.Begun(subject, "customers"),
		history.LastShows(subject, "customers", "name, email, phone, external_ref, created_at, updated_at, deleted_at"),
		texts.Rule(),
		{Name: "event of a customer has its customer", Table: "events", Query: `
			SELECT e.id FROM events e LEFT JOIN customers c ON c.id = e.subject_id
			WHERE e.subject = '` + subject + `' AND (c.id IS NULL OR e.customer_id IS NULL OR e.customer_id <> c.id)
			ORDER BY e.subject_id, e.id`},
		{Name: "idempotency key's customer exists, and the stored answer shows it",
			Table: "idempotency_keys", Query: `
			SELECT k.operation, k.idempotency_key, COALESCE(k.status, 0), COALESCE(k.response_body, ''),
			  COALESCE(c.id, 0)
			FROM idempotency_keys k LEFT JOIN customers c ON c.id = k.target_id
			WHERE ` + keyedOperations.Rows(), Breaks: keyBreaks},
	}
}

// Notes returns the rules that find rows that are unusual, but correct.
func Notes() []doctor.Rule {
	return append(keyedOperations.Notes("customers"), texts.Note())
}

func keyBreaks(row *sql.Rows) (string, error) {
	var operation, key, stored string
	var status int
	var id int64
	if err := row.Scan(&operation, &key, &status, &stored, &id); err != nil {
		return "", err
	}
	var body struct {
		Success bool
		Data    struct{ ID int64 }
	}
	o, _ := keyedOperations.Find(operation)
	err := json.Unmarshal([]byte(stored), &body)
	if err != nil || id == 0 || status != o.Status || !body.Success || body.Data.ID != id {
		return operation + " " + key, nil
	}
	return "", nil
}

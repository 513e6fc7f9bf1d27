package history

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"example.com/b2b/v2/db/doctor"
)

// Count returns an SQL expression for the number of events of one type that belong to a row of a table. The
// query must not give the table an alias. A row without the event SUBJECT.created is older than the history,
// so Count may miss events of the row.
func Count(event, subject, table string) string {
	const count = "(SELECT " + BySubject + "COUNT(*) FROM events e WHERE %s AND e.type = '%s')"
	return fmt.Sprintf(count, ofRow(subject, table), event)
}

// BySubject is an SQL hint for MySQL: find the events, which must have the alias e, by their subject. Without
// the hint, MySQL reads all events for each row as long as its statistics say that the table is empty. Other
// databases ignore the hint.
const BySubject = "/*+ INDEX(e ix_events_subject) */ "

func ofRow(subject, table string) string {
	return fmt.Sprintf("e.subject = '%s' AND e.subject_id = %s.id", subject, table)
}

// FromWithLast returns the SQL clauses FROM and WHERE for the rows of a table. Each row is joined with its
// last event, under the name last. Further conditions follow after AND. Rows older than the history are left
// out.
//
// The subject is a condition for last and for e, so that the database uses the index on subjects whichever of
// them it reads first. The condition on last.id is in WHERE, because TiDB takes no subquery in ON.
func FromWithLast(subject, table string) string {
	return fmt.Sprintf("FROM %[2]s JOIN events last ON last.subject = '%[1]s' AND last.subject_id = %[2]s.id "+
		"WHERE last.id = (SELECT "+BySubject+"MAX(e.id) FROM events e WHERE %[3]s) AND %[4]s > 0",
		subject, table, ofRow(subject, table), Count(subject+".created", subject, table))
}

// Younger is an SQL condition: a row was created after the second of the update to version 2.1.0. Since this
// update, every program records the event SUBJECT.created. Programs of version 1.0.0 recorded no events.
const Younger = "SUBSTR(created_at, 1, 19) > (SELECT MAX(tstamp) FROM goose_db_version WHERE version_id = 11)"

// unpruned is an SQL condition: a row was created after the second of the newest event that
// EVENT_RETENTION_DAYS has deleted.
const unpruned = "SUBSTR(created_at, 1, 19) > COALESCE((SELECT SUBSTR(pruned_until, 1, 19) FROM event_positions " +
	"WHERE customer_id = 0), '')"

// Begun returns the rule that each row created since the update to 2.1.0 has the event SUBJECT.created. The
// rule leaves out a row whose events may have been deleted: see unpruned.
func Begun(subject, table string) doctor.Rule {
	return doctor.Rule{
		Name:  subject + " created since the update to 2.1.0 has the event of its creation",
		Table: table,
		Query: fmt.Sprintf("SELECT id FROM %s WHERE %s = 0 AND %s AND %s ORDER BY id", table,
			Count(subject+".created", subject, table), Younger, unpruned),
	}
}

// LastShows returns the rule that the last event of a row shows the current values of the row's columns. The
// parameter list has the names of the columns, separated by a comma and a space.
func LastShows(subject, table, list string) doctor.Rule {
	columns := strings.Split(list, ", ")
	return doctor.Rule{
		Name:  fmt.Sprintf("last event shows the %s's %s", subject, list),
		Table: table,
		Query: fmt.Sprintf("SELECT %[1]s.id, last.representation, %[1]s.%[2]s %[3]s ORDER BY %[1]s.id",
			table, strings.Join(columns, ", "+table+"."), FromWithLast(subject, table)),
		Breaks: func(row *sql.Rows) (string, error) {
			var id, representation string
			now := make([]sql.NullString, len(columns))
			into := []any{&id, &representation}
			for i := range now {
				into = append(into, &now[i])
			}
			if err := row.Scan(into...); err != nil {
				return "", err
			}
			shown := map[string]any{}
			d := json.NewDecoder(strings.NewReader(representation))
			d.UseNumber()
			broken := d.Decode(&shown) != nil
			for i, column := range columns {
				value, known := shown[column]
				if !known && !broken { // the event was stored before events had the field
					continue
				}
				if value == true {
					value = 1
				} else if value == false {
					value = 0
				}
				broken = broken || (value != nil) != now[i].Valid ||
					value != nil && !same(fmt.Sprint(value), now[i].String)
			}
			if !broken {
				id = ""
			}
			return id, nil
		},
	}
}

// same reports whether the texts are equal, or are RFC 3339 times of the same moment.
func same(a, b string) bool {
	if a == b {
		return true
	}
	at, err := time.Parse(time.RFC3339, a)
	other, otherErr := time.Parse(time.RFC3339, b)
	return err == nil && otherErr == nil && at.Equal(other)
}

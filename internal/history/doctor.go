package history

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"example.com/b2b/db/doctor"
)

// Count is an SQL expression for how many events of a type the row of a table has. SUBJECT.created must be
// what makes a row, and the row's table must go by its name. A row that has no such event is older than the
// history, which need not be complete then.
func Count(event, subject, table string) string {
	return fmt.Sprintf("(SELECT COUNT(*) FROM events e WHERE e.subject = '%s' AND e.subject_id = %s.id AND e.type = '%s')", subject, table, event)
}

// JoinLast is an SQL clause that joins the last event to each row that is not older than the history.
func JoinLast(subject, table string) string {
	return fmt.Sprintf("JOIN events last ON last.id = (SELECT MAX(e.id) FROM events e WHERE e.subject = '%s' AND e.subject_id = %s.id) AND %s > 0",
		subject, table, Count(subject+".created", subject, table))
}

// LastShows is the rule that the last event of a row shows these columns, with commas between them, as they
// are.
func LastShows(subject, table, list string) doctor.Rule {
	columns := strings.Split(list, ", ")
	return doctor.Rule{
		Name:  fmt.Sprintf("last event shows the %s's %s", subject, list),
		Table: table,
		Query: fmt.Sprintf("SELECT %[1]s.id, last.representation, %[2]s FROM %[1]s %[3]s ORDER BY %[1]s.id", table, list, JoinLast(subject, table)),
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
				value := shown[column] // nil in an event that is older than the column
				if is, ok := value.(bool); ok {
					value = map[bool]int{false: 0, true: 1}[is] // as SQL knows it
				}
				broken = broken || (value != nil) != now[i].Valid || value != nil && fmt.Sprint(value) != now[i].String
			}
			if !broken {
				id = ""
			}
			return id, nil
		},
	}
}

package doctor_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
)

func TestExamine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if err := g.Exec("CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY)").Error; err != nil {
			t.Fatal(err)
		}
		for id := range 12 {
			if err := g.Exec("INSERT INTO things VALUES (?)", id+1).Error; err != nil {
				t.Fatal(err)
			}
		}
		all := doctor.Rule{Name: "no thing", Table: "things", Query: "SELECT id FROM things ORDER BY id"}
		none := doctor.Rule{
			Name: "above 0", Table: "things", Query: "SELECT id FROM things WHERE id <= 0 ORDER BY id",
		}
		some := doctor.Rule{
			Name:  "even",
			Table: "things",
			Query: all.Query,
			Breaks: func(row *sql.Rows) (string, error) {
				var id int
				if err := row.Scan(&id); err != nil || id%2 == 0 {
					return "", err
				}
				return fmt.Sprint("thing ", id), nil
			},
		}
		checks, err := doctor.Examine(context.Background(), g, []doctor.Rule{all, none, some})
		if err != nil || doctor.Healthy(checks) || !doctor.Healthy(checks[1:2]) {
			t.Errorf("%v", err)
		}
		var table strings.Builder
		doctor.Print(&table, checks)
		var lines []string
		for line := range strings.Lines(table.String()) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		if want := []string{
			"rule checked broken first",
			"no thing 12 12 1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
			"above 0 12 0",
			"even 12 6 thing 1, thing 3, thing 5, thing 7, thing 9, thing 11",
		}; !slices.Equal(lines, want) {
			t.Errorf("%q", lines)
		}
		wrong := doctor.Rule{Name: "the wrong one", Table: "things", Query: "SELECT no_such_column FROM things"}
		if _, err := doctor.Examine(context.Background(), g, []doctor.Rule{all, wrong}); err == nil ||
			!strings.Contains(err.Error(), "the wrong one: ") {
			t.Errorf("%v", err)
		}
	})
}

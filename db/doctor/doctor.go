// Package doctor examines a live database for what must always be true of it. The rules are the services'. It
// only reads, in one snapshot, and holds no more than one row at a time.
package doctor

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"gorm.io/gorm"

	"example.com/b2b/db"
)

// Rule is what must always be true of each row of a table.
type Rule struct {
	Name  string
	Table string
	// Query selects the ids of the rows that break the rule, in ascending order. It should find what it
	// compares through an index, row by row, so that a table of any size needs no temporary one.
	Query string
	// Breaks, where SQL does not say all, reads a row that Query selects and returns its id, or "" when it
	// keeps the rule.
	Breaks func(row *sql.Rows) (id string, err error)
	// Examine, in place of Query, is for what more than one query says. It calls broken with the ids and
	// returns how many rows it has looked at.
	Examine func(tx *gorm.DB, broken func(id string)) (checked int64, err error)
}

// Check is the result of one rule.
type Check struct {
	Rule    string   `json:"rule"`
	Checked int64    `json:"checked"` // rows
	Broken  int64    `json:"broken"`  // rows that break the rule
	First   []string `json:"first"`   // ids of the first of them, at most ten
}

// Examine holds one snapshot of the database to the rules, one Check for each.
func Examine(ctx context.Context, g *gorm.DB, rules []Rule) ([]Check, error) {
	var checks []Check
	err := db.Snapshot(ctx, g, func(tx *gorm.DB) error {
		for _, r := range rules {
			c, err := r.examine(tx)
			if err != nil {
				return fmt.Errorf("%s: %w", r.Name, err)
			}
			checks = append(checks, c)
		}
		return nil
	})
	return checks, err
}

func (r Rule) examine(tx *gorm.DB) (Check, error) {
	c := Check{Rule: r.Name, First: []string{}}
	broken := func(id string) {
		if c.Broken++; len(c.First) < 10 {
			c.First = append(c.First, id)
		}
	}
	if r.Examine != nil {
		var err error
		c.Checked, err = r.Examine(tx, broken)
		return c, err
	}
	if err := tx.Raw("SELECT COUNT(*) FROM " + r.Table).Scan(&c.Checked).Error; err != nil {
		return c, err
	}
	rows, err := tx.Raw(r.Query).Rows()
	if err != nil {
		return c, err
	}
	defer rows.Close()
	breaks := r.Breaks
	if breaks == nil {
		breaks = func(row *sql.Rows) (id string, err error) {
			err = row.Scan(&id)
			return id, err
		}
	}
	for rows.Next() {
		id, err := breaks(rows)
		if err != nil {
			return c, err
		}
		if id != "" {
			broken(id)
		}
	}
	return c, rows.Err()
}

// Healthy reports whether no rule is broken.
func Healthy(checks []Check) bool {
	return !slices.ContainsFunc(checks, func(c Check) bool { return c.Broken > 0 })
}

// Print writes the checks as a table.
func Print(out io.Writer, checks []Check) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "rule\tchecked\tbroken\tfirst")
	for _, c := range checks {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", c.Rule, c.Checked, c.Broken, strings.Join(c.First, ", "))
	}
	w.Flush()
}

// Package doctor checks a live database by the rules that the services define. It does not write, and it
// reads all tables as of one moment.
package doctor

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
)

// Rule is an invariant of each row of a table.
type Rule struct {
	Name  string
	Table string
	// Query selects the ids of the broken rows, in ascending order. It should compare rows through indexes:
	// then a large table needs no temporary table.
	Query string
	// Values is optional. It returns the values of the placeholders in Query.
	Values func(tx *gorm.DB) []any
	// Breaks is optional, for rules that SQL cannot express. Query then selects the rows to check. Breaks
	// reads a row of Query, and returns the row's id when the row is broken, else "".
	Breaks func(row *sql.Rows) (id string, err error)
	// Examine replaces Query and Breaks, for rules that need several queries. It calls the function broken
	// with the id of each broken row, and returns the number of examined rows.
	Examine func(tx *gorm.DB, broken func(id string)) (checked int64, err error)
}

// Check is the result of checking a rule.
type Check struct {
	Rule    string   `json:"rule"`
	Checked int64    `json:"checked"`
	Broken  int64    `json:"broken"` // number of broken rows; in a note, of unusual rows
	First   []string `json:"first"`  // ids of the first ten broken or unusual rows
}

// Before returns a function for Rule.Values. The function returns a single value: the time on the database's
// clock minus the duration.
func Before(d time.Duration) func(tx *gorm.DB) []any {
	return func(tx *gorm.DB) []any { return []any{db.Now(tx, -d)} }
}

// Examine checks the rules on a snapshot of the database, and returns a Check for each rule.
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
	breaks := r.Breaks
	if breaks == nil {
		breaks = func(row *sql.Rows) (id string, err error) {
			err = row.Scan(&id)
			return id, err
		}
	}
	var values []any
	if r.Values != nil {
		values = r.Values(tx)
	}
	return c, EachRow(tx, func(row *sql.Rows) error {
		id, err := breaks(row)
		if err == nil && id != "" {
			broken(id)
		}
		return err
	}, r.Query, values...)
}

// EachRow calls the function read for each row of a query, until read returns an error.
func EachRow(tx *gorm.DB, read func(row *sql.Rows) error, query string, values ...any) error {
	rows, err := tx.Raw(query, values...).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Healthy reports whether no check has found a broken row.
func Healthy(checks []Check) bool {
	return !slices.ContainsFunc(checks, func(c Check) bool { return c.Broken > 0 })
}

// Print writes the checks as a table.
func Print(out io.Writer, checks []Check) {
	printTable(out, "rule\tchecked\tbroken\tfirst", checks)
}

// PrintNotes writes a table of the notes that have found rows. A note is a rule that finds unusual rows,
// which are not broken.
func PrintNotes(out io.Writer, notes []Check) {
	found := slices.DeleteFunc(slices.Clone(notes), func(c Check) bool { return c.Broken == 0 })
	if len(found) > 0 {
		printTable(out, "\nunusual, not broken\tchecked\tfound\tfirst", found)
	}
}

func printTable(out io.Writer, head string, checks []Check) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for _, c := range checks {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", c.Rule, c.Checked, c.Broken, strings.Join(c.First, ", "))
	}
	w.Flush()
}

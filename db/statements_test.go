package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"
)

// TestKeptStatements repeats statements on SQLite, whose connections keep prepared statements. Each
// repetition must work: while the rows of the statement are open, after the statement has failed, was stopped
// or was evicted, and after a change of the schema. A statement that is too long to be kept must work, too.
func TestKeptStatements(t *testing.T) {
	g, _ := openSQLite(t)
	exec := func(g *gorm.DB, statement string, values ...any) {
		t.Helper()
		if err := g.Exec(statement, values...).Error; err != nil {
			t.Fatal(err)
		}
	}
	const (
		insert = "INSERT INTO things (id, content) VALUES (?, ?)"
		query  = "SELECT id FROM things WHERE id > ? ORDER BY id"
	)
	ids := func(g *gorm.DB, after int) (found []int) {
		t.Helper()
		if err := g.Raw(query, after).Scan(&found).Error; err != nil {
			t.Fatal(err)
		}
		return found
	}
	want := func(situation string, got, want []int) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", situation, got, want)
		}
	}
	for id := 1; id <= 3; id++ {
		exec(g, insert, id, "x")
	}

	err := g.Transaction(func(tx *gorm.DB) error {
		rows, err := tx.Raw(query, 0).Rows()
		if err != nil {
			return err
		}
		var outer []int
		for rows.Next() {
			var id int
			if err := rows.Scan(&id); err != nil {
				return err
			}
			outer = append(outer, id)
			want("the same query within its rows", ids(tx, 2), []int{3})
			for i := range 300 { // evicts the statement of the open rows
				exec(tx, fmt.Sprintf("UPDATE things SET content = ? WHERE id = -%d", i), "y")
			}
		}
		want("the outer rows", outer, []int{1, 2, 3})
		return rows.Close()
	})
	if err != nil {
		t.Fatal(err)
	}

	for range 2 {
		if err := g.Exec(insert, 1, "twice").Error; err == nil {
			t.Error("an id was inserted twice")
		}
		exec(g, "DELETE FROM things WHERE id = ?", 4)
		exec(g, insert, 4, "x")
	}
	want("after failures", ids(g, 2), []int{3, 4})

	const endless = `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
		INSERT INTO things (content) SELECT n FROM numbers WHERE n < ?`
	for range 2 {
		stopped, stop := context.WithTimeout(ctx, 50*time.Millisecond)
		if err := g.WithContext(stopped).Exec(endless, 1<<62).Error; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a stopped statement: %v", err)
		}
		stop()
	}
	want("after statements were stopped", ids(g, 2), []int{3, 4})

	var things []map[string]any
	all := func(values int) {
		t.Helper()
		things = nil
		if err := g.Raw("SELECT * FROM things WHERE id = ?", 1).Scan(&things).Error; err != nil {
			t.Fatal(err)
		}
		if len(things) != 1 || len(things[0]) != values {
			t.Errorf("after a change of the schema: %v, want %d values", things, values)
		}
	}
	all(2)
	exec(g, "ALTER TABLE things ADD COLUMN added TEXT")
	all(3)
	exec(g, "ALTER TABLE things DROP COLUMN content")
	all(2)

	long := "SELECT id FROM things WHERE id IN (" + strings.Repeat("?,", 5000) + "?)"
	var found []int
	values := slices.Repeat([]any{2}, 5001)
	for range 2 {
		if err := g.Raw(long, values...).Scan(&found).Error; err != nil {
			t.Fatal(err)
		}
		want("a long statement", found, []int{2})
	}
}

package db

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	sqlitedriver "modernc.org/sqlite"
)

// Now is an SQL expression for the database's own clock, moved by after. It has milliseconds and is in UTC.
func Now(g *gorm.DB, after time.Duration) clause.Expr {
	if g.Name() == SQLite {
		return gorm.Expr("strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', ?)", fmt.Sprintf("%+.3f seconds", after.Seconds()))
	}
	return gorm.Expr("UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND", after.Microseconds())
}

// NotBefore is an SQL expression for the database's clock, or for the column where that is later: on MySQL a statement that has
// waited for a row's lock sees the time at which it began to wait.
func NotBefore(g *gorm.DB, column string) clause.Expr {
	if g.Name() == SQLite {
		return Now(g, 0) // transactions run one after the other
	}
	return gorm.Expr("GREATEST("+column+", ?)", Now(g, 0))
}

// IDStep is an SQL expression for how far the ids lie apart that one INSERT of several rows gives them.
func IDStep(g *gorm.DB) clause.Expr {
	if g.Name() == SQLite {
		return gorm.Expr("1")
	}
	return gorm.Expr("@@auto_increment_increment")
}

// ForUpdate locks the rows that a query reads until the transaction ends. SQLite needs no row locks: its transactions run one
// after the other.
func ForUpdate(tx *gorm.DB) *gorm.DB {
	if tx.Name() == SQLite {
		return tx
	}
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}

// Containing keeps the rows in which one of the columns contains text literally, whatever its case.
func Containing(g *gorm.DB, text string, columns ...string) *gorm.DB {
	lower := "LOWER"
	if g.Name() == SQLite {
		lower = "unicode_lower"
	}
	found := g.Session(&gorm.Session{NewDB: true})
	for _, column := range columns {
		found = found.Or("INSTR("+lower+"("+column+"), ?) > 0", strings.ToLower(text))
	}
	return g.Where(found)
}

// UpdatedSince keeps the rows that were updated at or after a moment, of which there should be few: they are found by the index on
// updated_at, and sorted for each page. MySQL counts them in the index first, and reads by id where that is less work. SQLite
// knows no counts, and would read all rows by id to spare itself the sorting.
func UpdatedSince(g *gorm.DB, moment time.Time) *gorm.DB {
	if g.Name() == SQLite {
		return g.Where("likelihood(updated_at >= ?, 0.001)", moment)
	}
	return g.Where("updated_at >= ?", moment)
}

func init() { // SQLite's own LOWER knows ASCII only
	sqlitedriver.MustRegisterDeterministicScalarFunction("unicode_lower", 1, func(_ *sqlitedriver.FunctionContext, args []driver.Value) (driver.Value, error) {
		if s, ok := args[0].(string); ok {
			return strings.ToLower(s), nil
		}
		return args[0], nil
	})
}

// Insert adds rows to a table, of which columns are given with commas between them, in one statement. It is for rows that come with every
// order: gorm's Create reflects upon each field.
func Insert(tx *gorm.DB, table, columns string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	row := "(?" + strings.Repeat(", ?", len(rows[0])-1) + ")"
	return tx.Exec("INSERT INTO "+table+" ("+columns+") VALUES "+row+strings.Repeat(", "+row, len(rows)-1), slices.Concat(rows...)...).Error
}

// UpdateEach writes the columns of each of rows, which are gorm models with the key id, in one statement, and returns of how many q found
// the row.
func UpdateEach[T interface{ Key() int64 }](q *gorm.DB, rows []T, columns ...string) (found int64, err error) {
	ids, parsed := make([]int64, len(rows)), &gorm.Statement{DB: q}
	if err := parsed.Parse(&rows[0]); err != nil {
		return 0, err
	}
	changed := map[string]any{}
	for _, column := range columns {
		field, values := parsed.Schema.LookUpField(column), make([]any, 0, 2*len(rows))
		for i, row := range rows {
			ids[i] = row.Key()
			value, _ := field.ValueOf(q.Statement.Context, reflect.Indirect(reflect.ValueOf(row)))
			values = append(values, ids[i], value)
		}
		changed[column] = clause.Expr{SQL: "CASE id" + strings.Repeat(" WHEN ? THEN ?", len(rows)) + " END", Vars: values}
	}
	res := q.Where("id IN ?", ids).UpdateColumns(changed)
	return res.RowsAffected, res.Error
}

// Sort is the order of a list, in the words of the documents' parameter sort. It is that of the ids, which ascend as rows are created.
type Sort string

const (
	OldestFirst Sort = "created_at"
	NewestFirst Sort = "-created_at"
)

// Window is which rows of a list one page shows.
type Window struct {
	Sort   Sort
	Cursor *int64 // the last id already seen; nil or 0 for the first page
	Limit  int32
}

// Asked is the window of a list's parameters sort, cursor and limit; those with a default in the document are never nil.
func Asked[S ~string](sort *S, cursor *int64, limit *int32) Window {
	return Window{Sort: Sort(*sort), Cursor: cursor, Limit: *limit}
}

// Page reads one page of a list and returns the cursor of the next page: nil when there is none. T is a gorm model; Key is its id.
func Page[T interface{ Key() int64 }](q *gorm.DB, w Window) ([]T, *int64, error) {
	order, behind := "id", "id > ?"
	if w.Sort == NewestFirst {
		order, behind = "id DESC", "id < ?"
	}
	if w.Cursor != nil && *w.Cursor > 0 {
		q = q.Where(behind, *w.Cursor)
	}
	size := int(w.Limit)
	var rows []T
	if err := q.Order(order).Limit(size + 1).Find(&rows).Error; err != nil {
		return nil, nil, err
	}
	if len(rows) <= size {
		return rows, nil, nil
	}
	next := rows[size-1].Key()
	return rows[:size], &next, nil
}

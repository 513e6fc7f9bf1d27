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

// NotBefore is an SQL expression for the database's clock, or for the column where that is later: on MySQL a
// statement that has waited for a row's lock sees the time at which it began to wait.
func NotBefore(g *gorm.DB, column string) clause.Expr {
	if g.Name() == SQLite {
		return Now(g, 0) // transactions run one after the other
	}
	return gorm.Expr("GREATEST("+column+", ?)", Now(g, 0))
}

// Containing keeps the rows in which one of the columns contains text literally, whatever its case. For a
// table that may have many rows see package search.
func Containing(g *gorm.DB, text string, columns ...string) *gorm.DB {
	found := g.Session(&gorm.Session{NewDB: true})
	for _, column := range columns {
		found = found.Or("INSTR("+Folded(g, column)+", ?) > 0", Fold(text))
	}
	return g.Where(found)
}

// Fold makes texts equal that differ in their case only; Folded is SQL that does it to what expression says.
// They may differ in rare letters: Containing compares what Folded makes of a column with what Fold makes of
// a text.
func Fold(text string) string { return strings.ToLower(text) }

func Folded(g *gorm.DB, expression string) string {
	if g.Name() == SQLite {
		return "unicode_lower(" + expression + ")"
	}
	return "LOWER(" + expression + ")"
}

// UpdatedSince keeps the rows that were updated at or after a moment, for a page of them. A few are found by
// the index on updated_at and sorted. Many are not: they are read by id, from where the first of them is.
func UpdatedSince(q *gorm.DB, moment time.Time, w PageRequest) (*gorm.DB, error) {
	const few, next = 1000, 500
	byIndex, byID := "updated_at >= ?", "updated_at + INTERVAL 0 SECOND >= ?"
	if q.Name() == SQLite { // it knows no counts, and would read all rows by id to spare itself the sorting
		byIndex, byID = "likelihood(updated_at >= ?, 0.001)", "+updated_at >= ?"
	}
	all := q.Session(&gorm.Session{NewDB: true}).Model(q.Statement.Model).Unscoped().Session(&gorm.Session{})
	var found, near int64
	err := all.Table("(?) AS found", all.Select("id").Where(byIndex, moment).Limit(few)).Count(&found).Error
	if err != nil || found < few {
		return q.Where(byIndex, moment), err
	}
	err = all.Table("(?) AS coming", w.Apply(all.Select("updated_at")).Limit(next)).Where("updated_at >= ?", moment).Count(&near).Error
	if err != nil || near > 0 {
		return q.Where(byID, moment), err
	}
	first, from := "MIN(id + 0)", "id >= ?" // not of id, which would be read in its order
	if w.Sort == NewestFirst {
		first, from = "MAX(id + 0)", "id <= ?"
	}
	var id *int64
	err = w.after(all.Where(byIndex, moment)).Select(first).Scan(&id).Error
	if id == nil { // then there is none
		return q.Where("1 = 0"), err
	}
	return q.Where(byID, moment).Where(from, *id), err
}

// Likely is a condition that many rows keep, so that another one should choose the index. MySQL knows how
// many; SQLite takes any that fits.
func Likely(g *gorm.DB, condition string) string {
	if g.Name() == SQLite {
		return "likely(" + condition + ")"
	}
	return condition
}

func init() { // SQLite's own LOWER knows ASCII only
	sqlitedriver.MustRegisterDeterministicScalarFunction("unicode_lower", 1, func(_ *sqlitedriver.FunctionContext, args []driver.Value) (driver.Value, error) {
		if s, ok := args[0].(string); ok {
			return Fold(s), nil
		}
		return args[0], nil
	})
}

// CreateAll inserts rows, which are pointers to gorm models with the field ID, and gives each its id. MySQL
// tells the first id of a statement, and the others follow in steps of auto_increment_increment, which is
// that of the session or, with Galera, of the cluster:
// https://dev.mysql.com/doc/refman/8.4/en/innodb-auto-increment-handling.html. gorm counts on by ones.
func CreateAll[T interface{ Key() int64 }](tx *gorm.DB, rows []T) error {
	if err := tx.Create(rows).Error; err != nil || len(rows) == 1 || tx.Name() == SQLite {
		return err
	}
	var step int64
	if err := tx.Raw("SELECT @@auto_increment_increment").Scan(&step).Error; err != nil {
		return err
	}
	first := rows[0].Key()
	if rows[1].Key() == first+step {
		return nil // or the server has told all ids
	}
	for i, row := range rows {
		reflect.ValueOf(row).Elem().FieldByName("ID").SetInt(first + int64(i)*step)
	}
	return nil
}

// Insert adds rows to a table, of which columns are given with commas between them, in one statement. It is
// for rows that come with every order: gorm's Create reflects upon each field. Its error is
// gorm.ErrDuplicatedKey when a unique value is taken, as is that of CreateAll.
func Insert(tx *gorm.DB, table, columns string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	row := "(?" + strings.Repeat(", ?", len(rows[0])-1) + ")"
	return tx.Exec("INSERT INTO "+table+" ("+columns+") VALUES "+row+strings.Repeat(", "+row, len(rows)-1), slices.Concat(rows...)...).Error
}

// UpdateEach writes the columns of each of rows, which are gorm models with the key id, in one statement, and
// returns of how many q found the row.
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
	res := ByID(q).Where("id IN ?", ids).UpdateColumns(changed)
	return res.RowsAffected, res.Error
}

// Sort is the order of a list, in the words of the documents' parameter sort. It is that of the ids, which
// ascend as rows are created.
type Sort string

const (
	OldestFirst Sort = "created_at"
	NewestFirst Sort = "-created_at"
)

// PageRequest is which rows of a list one page shows.
type PageRequest struct {
	Sort   Sort
	Cursor *int64 // the last id already seen; nil or 0 for the first page
	Limit  int32
}

// PageFrom is the window of a list's parameters sort, cursor and limit; those with a default in the document
// are never nil.
func PageFrom[S ~string](sort *S, cursor *int64, limit *int32) PageRequest {
	return PageRequest{Sort: Sort(*sort), Cursor: cursor, Limit: *limit}
}

// Page reads one page of a list and returns the cursor of the next page: nil when there is none. T is a gorm
// model; Key is its id.
func Page[T interface{ Key() int64 }](q *gorm.DB, w PageRequest) ([]T, *int64, error) {
	rows, err := Rows[T](q, w)
	if err != nil {
		return nil, nil, err
	}
	rows, next := Trim(rows, w)
	return rows, next, nil
}

// IDRange is the ids from one to another.
type IDRange struct{ First, Last int64 }

// PageIn is Page for the rows in spans, which ascend.
func PageIn[T interface{ Key() int64 }](q *gorm.DB, spans []IDRange, w PageRequest) ([]T, *int64, error) {
	if w.Sort == NewestFirst {
		slices.Reverse(spans)
	}
	q = q.Session(&gorm.Session{}) // for several queries
	var rows []T
	for _, ids := range spans {
		// One bound at each end: of two lower ones SQLite begins at the first, not at the higher.
		if seen := w.AfterID(); seen > 0 && w.Sort == NewestFirst {
			ids.Last = min(ids.Last, seen-1)
		} else if seen > 0 {
			ids.First = max(ids.First, seen+1)
		}
		if ids.First > ids.Last {
			continue
		}
		more, err := Rows[T](q.Where("id BETWEEN ? AND ?", ids.First, ids.Last), PageRequest{Sort: w.Sort, Limit: w.Limit})
		if err != nil {
			return nil, nil, err
		}
		if rows = append(rows, more...); len(rows) > int(w.Limit) {
			break
		}
	}
	rows, next := Trim(rows, w)
	return rows, next, nil
}

// Rows reads the rows of a page, and one more when there is a next page.
func Rows[T any](q *gorm.DB, w PageRequest) (rows []T, err error) {
	err = w.Apply(q).Limit(int(w.Limit) + 1).Find(&rows).Error
	return rows, err
}

// Apply orders q as the list is and begins behind the cursor.
func (w PageRequest) Apply(q *gorm.DB) *gorm.DB {
	order := "id"
	if w.Sort == NewestFirst {
		order = "id DESC"
	}
	return w.after(q).Order(order)
}

func (w PageRequest) after(q *gorm.DB) *gorm.DB {
	seen := w.AfterID()
	switch {
	case seen == 0:
		return q
	case w.Sort == NewestFirst:
		return q.Where("id < ?", seen)
	}
	return q.Where("id > ?", seen)
}

// AfterID is the last id already seen; 0 for the first page.
func (w PageRequest) AfterID() int64 {
	if w.Cursor == nil {
		return 0
	}
	return max(0, *w.Cursor)
}

// Trim makes of what Rows has read the page, and the cursor of the next one.
func Trim[T interface{ Key() int64 }](rows []T, w PageRequest) ([]T, *int64) {
	size := int(w.Limit)
	if len(rows) <= size {
		return rows, nil
	}
	next := rows[size-1].Key()
	return rows[:size], &next
}

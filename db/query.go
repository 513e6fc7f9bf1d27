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

// Now is an SQL expression for the time on the database's clock plus after, in UTC, with milliseconds.
func Now(g *gorm.DB, after time.Duration) clause.Expr {
	if g.Name() == SQLite {
		offset := fmt.Sprintf("%+.3f seconds", after.Seconds())
		return gorm.Expr("strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', ?)", offset)
	}
	return gorm.Expr("UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND", after.Microseconds())
}

// NotBefore is an SQL expression for the later of the database's clock and the column, so times never go
// back: on MySQL, after a wait for a lock, a statement sees the time at the start of the wait.
func NotBefore(g *gorm.DB, column string) clause.Expr {
	if g.Name() == SQLite {
		return Now(g, 0) // transactions run serially
	}
	return gorm.Expr("GREATEST("+column+", ?)", Now(g, 0))
}

// Containing selects the rows with text literally in some column, in any case of letters. It
// reads all rows; for large tables see package search.
func Containing(g *gorm.DB, text string, columns ...string) *gorm.DB {
	anyColumn := g.Session(&gorm.Session{NewDB: true})
	for _, column := range columns {
		anyColumn = anyColumn.Or("INSTR("+Folded(g, column)+", ?) > 0", Fold(text))
	}
	return g.Where(anyColumn)
}

// Fold makes texts equal if only the case of letters differs.
func Fold(text string) string { return strings.ToLower(text) }

// Folded is an SQL expression that folds expression as Fold does, but for rare letters.
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
	coming := w.Apply(all.Select("updated_at")).Limit(next)
	err = all.Table("(?) AS coming", coming).Where("updated_at >= ?", moment).Count(&near).Error
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

// Likely marks a condition that most rows satisfy, so that SQLite chooses the index of another condition.
// MySQL has statistics and needs no mark.
func Likely(g *gorm.DB, condition string) string {
	if g.Name() == SQLite {
		return "likely(" + condition + ")"
	}
	return condition
}

func init() { // SQLite's own LOWER changes ASCII only
	lower := func(_ *sqlitedriver.FunctionContext, args []driver.Value) (driver.Value, error) {
		if s, ok := args[0].(string); ok {
			return Fold(s), nil
		}
		return args[0], nil
	}
	sqlitedriver.MustRegisterDeterministicScalarFunction("unicode_lower", 1, lower)
}

// CreateAll inserts rows, pointers to gorm models with the field ID, in a single statement, and sets their
// ids. The error is gorm.ErrDuplicatedKey when a unique value is taken.
//
// MySQL returns the first id of a statement; the others follow in steps of the session's
// auto_increment_increment: https://dev.mysql.com/doc/refman/8.4/en/innodb-auto-increment-handling.html. gorm
// counts in steps of 1.
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
		return nil // gorm has counted right, or the server has returned all ids
	}
	for i, row := range rows {
		reflect.ValueOf(row).Elem().FieldByName("ID").SetInt(first + int64(i)*step)
	}
	return nil
}

// Insert adds rows to a table in one statement. columns are separated by commas. It serves the rows of
// every order, because gorm's Create reflects on each field and is slow. The error is
// gorm.ErrDuplicatedKey when a unique value is taken.
func Insert(tx *gorm.DB, table, columns string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	row := "(?" + strings.Repeat(", ?", len(rows[0])-1) + ")"
	values := row + strings.Repeat(", "+row, len(rows)-1)
	return tx.Exec("INSERT INTO "+table+" ("+columns+") VALUES "+values, slices.Concat(rows...)...).Error
}

// UpdateEach writes the columns of rows, gorm models with the key id, in one statement. UpdateEach returns
// the number of rows found by q.
func UpdateEach[T interface{ Key() int64 }](q *gorm.DB, rows []T, columns ...string) (n int64, err error) {
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
		cases := "CASE id" + strings.Repeat(" WHEN ? THEN ?", len(rows)) + " END"
		changed[column] = clause.Expr{SQL: cases, Vars: values}
	}
	res := ByID(q).Where("id IN ?", ids).UpdateColumns(changed)
	return res.RowsAffected, res.Error
}

// Sort is the order of a list, a value of the documents' parameter sort. Lists are ordered by id; ids ascend
// as rows are created.
type Sort string

const (
	OldestFirst Sort = "created_at"
	NewestFirst Sort = "-created_at"
)

// PageRequest selects the page of a list.
type PageRequest struct {
	Sort   Sort
	Cursor *int64 // the last id of the page before; nil or 0 for the first page
	Limit  int32
}

// PageFrom makes a PageRequest of a list's parameters. sort and limit are never nil, because they have
// defaults in the document.
func PageFrom[S ~string](sort *S, cursor *int64, limit *int32) PageRequest {
	return PageRequest{Sort: Sort(*sort), Cursor: cursor, Limit: *limit}
}

// Page reads a page of q and returns the cursor of the next page: nil when there is none. T is a gorm model,
// and Key returns the id.
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
		page := PageRequest{Sort: w.Sort, Limit: w.Limit}
		more, err := Rows[T](q.Where("id BETWEEN ? AND ?", ids.First, ids.Last), page)
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

// Rows reads the rows of a page, and another row when there is a next page.
func Rows[T any](q *gorm.DB, w PageRequest) (rows []T, err error) {
	err = w.Apply(q).Limit(int(w.Limit) + 1).Find(&rows).Error
	return rows, err
}

// Apply orders q by the request's sort and starts behind its cursor.
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

// AfterID is the last id of the page before; 0 for the first page.
func (w PageRequest) AfterID() int64 {
	if w.Cursor == nil {
		return 0
	}
	return max(0, *w.Cursor)
}

// Trim splits the result of Rows into the page and the cursor of the next page.
func Trim[T interface{ Key() int64 }](rows []T, w PageRequest) ([]T, *int64) {
	size := int(w.Limit)
	if len(rows) <= size {
		return rows, nil
	}
	next := rows[size-1].Key()
	return rows[:size], &next
}

package db

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Now returns an SQL expression for the database's time plus the parameter after, in UTC, with milliseconds.
func Now(g *gorm.DB, after time.Duration) clause.Expr {
	if g.Name() == SQLite {
		offset := fmt.Sprintf("%+.3f seconds", after.Seconds())
		return gorm.Expr("strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', ?)", offset)
	}
	return gorm.Expr("UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND", after.Microseconds())
}

// NotBefore returns an SQL expression for the later of two times: the time on the database's clock, and the
// time in the column. So times never go back: on MySQL, a statement that has waited for a lock still sees the
// time at which the wait began.
func NotBefore(g *gorm.DB, column string) clause.Expr {
	if g.Name() == SQLite {
		return Now(g, 0) // never earlier, because SQLite runs transactions one after the other
	}
	return gorm.Expr("GREATEST("+column+", ?)", Now(g, 0))
}

// ChangedAt returns the time of a change to a locked row: the time now, or the time last of the previous
// change if last is later than now. now may be too early after a wait for the lock, or when another server of
// the database, with a faster clock, has set last. On TiDB, the result is always later than last: there
// events get their positions by time, because ids need not ascend, and the events of a subject must keep
// their order.
func ChangedAt(g *gorm.DB, last, now time.Time) time.Time {
	if !AscendingIDs(g) {
		last = last.Add(time.Millisecond) // columns have milliseconds
	}
	if last.After(now) {
		return last
	}
	return now
}

// Period is the time between the moments From and To, both included. A nil moment sets no limit.
type Period struct{ From, To *time.Time }

// Within adds to q the condition that a time is in the period. The parameter comparison compares the time
// with a limit, with %s in place of the operator: for example "created_at %s ?".
func (p Period) Within(q *gorm.DB, comparison string) *gorm.DB {
	if p.From != nil {
		q = q.Where(fmt.Sprintf(comparison, ">="), *p.From)
	}
	if p.To != nil {
		q = q.Where(fmt.Sprintf(comparison, "<="), *p.To)
	}
	return q
}

// During adds to q, for the page w, the condition that the time in the column is in the period. A period
// without limits adds no condition. The column must have an index.
//
// If fewer than 1000 rows of the table are in the period, During reads their ids from the index, and limits q
// to these ids. Otherwise q reads the page in the order of ids, from the cursor on. If none of the next 500
// rows is in the period, During first asks the index for the next id with a time in the period, and q begins
// at this id.
//
// The parameter narrow says that another index finds the rows of q, for example the orders of a customer.
// Then During does not ask for that id: the index of the column has the rows of all customers, so the
// database might read many rows of other customers.
func During(q *gorm.DB, column string, p Period, narrow bool, w PageRequest) (*gorm.DB, error) {
	if p == (Period{}) {
		return q, nil
	}
	q, _, err := inRange(q, column, column+" + INTERVAL 0 SECOND", p.Within, narrow, w)
	return q, err
}

// Below is like During, for the condition that a column of numbers is below the limit. The result few is true
// when the index has found the ids of few rows, so that only these rows are read.
func Below(q *gorm.DB, column string, limit int64, w PageRequest) (_ *gorm.DB, few bool, _ error) {
	below := func(q *gorm.DB, comparison string) *gorm.DB {
		return q.Where(fmt.Sprintf(comparison, "<"), limit)
	}
	return inRange(q, column, column+" + 0", below, false, w)
}

// inRange implements During and Below. The function within adds the condition to a query; its parameter
// comparison is like that of Period.Within. hidden is an SQL expression that has the value of the column, but
// for which MySQL does not use the column's index.
func inRange(
	q *gorm.DB, column, hidden string, within func(q *gorm.DB, comparison string) *gorm.DB, narrow bool, w PageRequest,
) (_ *gorm.DB, few bool, _ error) {
	const many, next = 1000, 500
	plain := column + " %s ?"
	byIndex, byID := plain, hidden+" %s ?"
	if q.Name() == SQLite {
		// SQLite has no statistics: without these hints it would read all rows in the order of id, to avoid a
		// sort.
		byIndex, byID = Rarely(q, plain), "+"+plain
	}
	all := q.Session(&gorm.Session{NewDB: true}).Model(q.Statement.Model).Unscoped().Session(&gorm.Session{})
	var ids []int64
	err := within(all, byIndex).Limit(many).Pluck("id", &ids).Error
	if err != nil || len(ids) < many {
		// Without the ids, SQLite would choose the index of another condition, which most rows may satisfy.
		return within(q, plain).Where("id IN ?", ids), true, err
	}
	if narrow {
		return within(q, byID), false, nil
	}
	var near int64
	coming := w.Apply(all.Select(column)).Limit(next)
	err = within(all.Table("(?) AS coming", coming), plain).Count(&near).Error
	if err != nil || near > 0 {
		return within(q, byID), false, err
	}
	// With id in place of id + 0, the database would read rows in the order of ids, and not by the index.
	first, from := "MIN(id + 0)", "id >= ?"
	if w.Sort == NewestFirst {
		first, from = "MAX(id + 0)", "id <= ?"
	}
	var id *int64
	err = w.after(within(all, byIndex)).Select(first).Scan(&id).Error
	if id == nil { // no row is in the period, or err is set
		return q.Where("1 = 0"), true, err
	}
	return within(q, byID).Where(from, *id), false, err
}

// Likely marks a condition that most rows satisfy. SQLite then chooses the index of another condition. MySQL
// has statistics and needs no mark.
func Likely(g *gorm.DB, condition string) string {
	if g.Name() == SQLite {
		return "likely(" + condition + ")"
	}
	return condition
}

// Rarely marks a condition that few rows satisfy. SQLite then chooses the index of this condition: see
// Likely.
func Rarely(g *gorm.DB, condition string) string {
	if g.Name() == SQLite {
		return "likelihood(" + condition + ", 0.001)"
	}
	return condition
}

// QuarterHours returns an SQL expression for the number of whole quarters of an hour from 1970 to the time in
// the column.
func QuarterHours(g *gorm.DB, column string) string {
	if g.Name() == SQLite {
		return "CAST(strftime('%s', " + column + ") AS INTEGER) / 900"
	}
	return "TIMESTAMPDIFF(SECOND, '1970-01-01', " + column + ") DIV 900"
}

// CreateAll inserts rows in a single statement, and sets their ids. The rows are pointers to gorm models with
// the field ID. Error: gorm.ErrDuplicatedKey when another row already has a value of a unique column.
//
// MySQL returns only the first id of a statement. The other ids follow in steps of the session's
// auto_increment_increment: https://dev.mysql.com/doc/refman/8.4/en/innodb-auto-increment-handling.html. gorm
// counts in steps of 1, so CreateAll corrects the ids.
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

// Insert adds rows to a table in one statement. The columns are separated by commas. Error:
// gorm.ErrDuplicatedKey when another row already has a value of a unique column. The rows of orders are
// written by Insert, because gorm's Create uses reflection on each field, and is slower.
func Insert(tx *gorm.DB, table, columns string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	row := "(?" + strings.Repeat(", ?", len(rows[0])-1) + ")"
	values := row + strings.Repeat(", "+row, len(rows)-1)
	return tx.Exec("INSERT INTO "+table+" ("+columns+") VALUES "+values, slices.Concat(rows...)...).Error
}

// AscendingIDs reports whether the ids of new rows always ascend in the order of the inserts. On TiDB they
// may not: in a database that a version before 2.1.0 has created, each server hands out ids of its own range.
func AscendingIDs(g *gorm.DB) bool { return !g.Dialector.(dialector).tiDB }

// UpdateEach writes the given columns of rows in one statement, and returns the number of rows found. The
// rows are gorm models with the key id. A row must also satisfy the conditions of q.
func UpdateEach[T interface{ Key() int64 }](q *gorm.DB, rows []T, columns ...string) (n int64, err error) {
	ids, parsed := make([]int64, len(rows)), &gorm.Statement{DB: q}
	if err := parsed.Parse(&rows[0]); err != nil {
		return 0, err
	}
	changed := map[string]any{}
	for _, column := range columns {
		field, values, same := parsed.Schema.LookUpField(column), make([]any, 0, 2*len(rows)), true
		for i, row := range rows {
			ids[i] = row.Key()
			value, _ := field.ValueOf(q.Statement.Context, reflect.Indirect(reflect.ValueOf(row)))
			values = append(values, ids[i], value)
			same = same && reflect.DeepEqual(value, values[1])
		}
		// A single value needs no CASE, which the server would evaluate for each row.
		if same {
			changed[column] = values[1]
			continue
		}
		cases := "CASE id" + strings.Repeat(" WHEN ? THEN ?", len(rows)) + " END"
		changed[column] = clause.Expr{SQL: cases, Vars: values}
	}
	res := ByID(q).Where("id IN ?", ids).UpdateColumns(changed)
	return res.RowsAffected, res.Error
}

// Sort is the order of a list: a value of the parameter sort in the OpenAPI documents. Lists are ordered by
// id, because newer rows have larger ids.
type Sort string

const (
	OldestFirst Sort = "created_at"
	NewestFirst Sort = "-created_at"
)

// PageRequest selects the page of a list.
type PageRequest struct {
	Sort   Sort
	Cursor *int64 // the last id of the previous page; nil or 0 for the first page
	Limit  int32
}

// PageFrom returns the PageRequest for the parameters of a list. The parameters sort and limit are never nil,
// because the OpenAPI documents give them defaults.
func PageFrom[S ~string](sort *S, cursor *int64, limit *int32) PageRequest {
	return PageRequest{Sort: Sort(*sort), Cursor: cursor, Limit: *limit}
}

// Page reads a page of the rows of q. It also returns the cursor of the next page, or nil when there is no
// next page. A page ends at w.Limit rows, or at PageBytes. T is a gorm model, and Key returns the id.
func Page[T interface{ Key() int64 }](q *gorm.DB, w PageRequest) ([]T, *int64, error) {
	rows, cut, err := Rows[T](q, w)
	if err != nil {
		return nil, nil, err
	}
	rows, next := Trim(rows, cut, w)
	return rows, next, nil
}

// IDRange is the range of ids from First to Last, both included.
type IDRange struct{ First, Last int64 }

// PageIn is like Page, for rows of q with ids in the ranges that the parameter spans lists. The ranges must
// ascend; PageIn may reverse the slice.
func PageIn[T interface{ Key() int64 }](q *gorm.DB, spans []IDRange, w PageRequest) ([]T, *int64, error) {
	if w.Sort == NewestFirst {
		slices.Reverse(spans)
	}
	q = q.Session(&gorm.Session{}) // lets each query of the loop start from q
	var rows []T
	var cut bool
	left := PageBytes
	for _, ids := range spans {
		// The cursor narrows the range instead of adding a condition: with two lower bounds, SQLite would
		// begin at the first bound in the statement, even if the second is higher.
		if seen := w.AfterID(); seen > 0 && w.Sort == NewestFirst {
			ids.Last = min(ids.Last, seen-1)
		} else if seen > 0 {
			ids.First = max(ids.First, seen+1)
		}
		if ids.First > ids.Last {
			continue
		}
		page := PageRequest{Sort: w.Sort, Limit: w.Limit}
		var more []T
		var err error
		more, cut, err = FindWithin[T](page.query(q.Where("id BETWEEN ? AND ?", ids.First, ids.Last)), &left)
		if err != nil {
			return nil, nil, err
		}
		if rows = append(rows, more...); cut || len(rows) > int(w.Limit) {
			break
		}
	}
	rows, next := Trim(rows, cut, w)
	return rows, next, nil
}

// Rows reads the rows of a page, and one more row when there is a next page. The result cut is true when the
// rows end at PageBytes, before the limit: see Trim.
func Rows[T any](q *gorm.DB, w PageRequest) (rows []T, cut bool, err error) {
	left := PageBytes
	return FindWithin[T](w.query(q), &left)
}

// query adds to q the order of the page, the cursor, and the limit of Rows.
func (w PageRequest) query(q *gorm.DB) *gorm.DB { return w.Apply(q).Limit(int(w.Limit) + 1) }

// Apply orders q by w.Sort, and leaves out the rows up to the cursor.
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

// AfterID returns the last id of the previous page, or 0 for the first page.
func (w PageRequest) AfterID() int64 {
	if w.Cursor == nil {
		return 0
	}
	return max(0, *w.Cursor)
}

// Trim splits the result of Rows into the page and the cursor of the next page.
func Trim[T interface{ Key() int64 }](rows []T, cut bool, w PageRequest) ([]T, *int64) {
	size := min(len(rows), int(w.Limit))
	if len(rows) == size && !cut {
		return rows, nil
	}
	next := rows[size-1].Key()
	return rows[:size], &next
}

package db

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"gorm.io/gorm"
	sqlitedriver "modernc.org/sqlite"
)

// Containing keeps the rows in which one of the columns contains text literally, whatever its case.
func Containing(g *gorm.DB, text string, columns ...string) *gorm.DB {
	lower := "LOWER"
	if g.Name() == SQLite {
		lower = sqliteLower
	}
	conditions, args := make([]string, len(columns)), make([]any, len(columns))
	for i, column := range columns {
		conditions[i] = fmt.Sprintf("INSTR(%s(%s), ?) > 0", lower, column)
		args[i] = strings.ToLower(text)
	}
	return g.Where("("+strings.Join(conditions, " OR ")+")", args...)
}

// Order is the direction of a list.
type Order string

// The directions of a list, by id.
const (
	OldestFirst Order = "id"
	NewestFirst Order = "id DESC"
)

// Page reads one page of a list behind the last id already seen, and returns the cursor of the next page: nil when there is
// none. T is a gorm model; Key is its id.
func Page[T interface{ Key() int64 }](q *gorm.DB, order Order, cursor *int64, limit *int32) ([]T, *int64, error) {
	if cursor != nil && order == OldestFirst {
		q = q.Where("id > ?", *cursor)
	} else if cursor != nil && *cursor > 0 {
		q = q.Where("id < ?", *cursor)
	}
	size := int(*limit) // the spec's default fills it
	var rows []T
	if err := q.Order(string(order)).Limit(size + 1).Find(&rows).Error; err != nil {
		return nil, nil, err
	}
	if len(rows) <= size {
		return rows, nil, nil
	}
	next := rows[size-1].Key()
	return rows[:size], &next, nil
}

// sqliteLower is LOWER for all of Unicode; SQLite's own knows ASCII only.
const sqliteLower = "unicode_lower"

func init() {
	sqlitedriver.MustRegisterDeterministicScalarFunction(sqliteLower, 1, func(_ *sqlitedriver.FunctionContext, args []driver.Value) (driver.Value, error) {
		if s, ok := args[0].(string); ok {
			return strings.ToLower(s), nil
		}
		return args[0], nil
	})
}

package db

import (
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Age returns the age of the earliest time in the column among the rows of q, or 0 when q has no row. An
// index should begin with the column.
func Age(q *gorm.DB, column string) (time.Duration, error) {
	var found []struct{ Since, Now time.Time }
	err := q.Select(column+" AS since, ? AS now", Now(q, 0)).Order(column).Limit(1).Find(&found).Error
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0].Now.Sub(found[0].Since), nil
}

const maxDue = 10_000 // largest number of rows that CountDue counts, within a few milliseconds

// CountDue counts the rows of q, up to 10,000. The conditions of q should have an index.
func CountDue(q *gorm.DB) (n int64, err error) {
	some := q.Select("1").Limit(maxDue)
	err = q.Session(&gorm.Session{NewDB: true}).Table("(?) AS due", some).Count(&n).Error
	return n, err
}

// EstimateRows returns the server's estimate of the number of rows of a table. SQLite has no estimate: there
// the rows are counted, up to 100,000.
func EstimateRows(g *gorm.DB, table string) (n int64, err error) {
	if g.Name() == SQLite {
		err = g.Raw("SELECT COUNT(*) FROM (SELECT 1 FROM " + table + " LIMIT 100000)").Scan(&n).Error
		return n, err
	}
	// Do not read information_schema.tables: MySQL renews the numbers there only once a day.
	var plan []map[string]any
	err = g.Raw("EXPLAIN FORMAT=TRADITIONAL SELECT 1 FROM " + table).Scan(&plan).Error
	if err != nil || len(plan) == 0 {
		return 0, err
	}
	rows, estimated := plan[0]["rows"]
	if !estimated {
		rows = plan[0]["estRows"] // TiDB's name of the column
	}
	var estimate float64
	_, err = fmt.Sscan(fmt.Sprint(rows), &estimate)
	return int64(estimate), err
}

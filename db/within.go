package db

import (
	"database/sql"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
)

// PageBytes is the size of a page, in bytes of the database, at which the page ends even before its limit of
// rows. An order may have 60 KB of metadata, so a page of 100 orders would have megabytes, and a caller could
// fill the memory with the pages of many requests.
const PageBytes = 1 << 20

// withinKey is the name of the setting in which FindWithin gives a statement its *within.
const withinKey = "b2b:within"

// within bounds the rows that a statement reads.
type within struct {
	left *int // bytes that may still be read
	cut  bool // true when the statement had further rows
}

// FindWithin reads the rows of q as Find does, but ends after the row that exceeds *left bytes. It subtracts
// the bytes of the rows from *left. The result cut is true when q has further rows. The process never holds
// these further rows in memory.
func FindWithin[T any](q *gorm.DB, left *int) (rows []T, cut bool, err error) {
	w := within{left: left}
	err = q.Set(withinKey, &w).Find(&rows).Error
	return rows, w.cut, err
}

// query is gorm's callback for queries. For a statement of FindWithin, it reads no row after the row that
// exceeds the bytes.
func query(tx *gorm.DB) {
	set, bounded := tx.Get(withinKey)
	if !bounded {
		callbacks.Query(tx)
		return
	}
	if tx.Error != nil {
		return
	}
	callbacks.BuildQuerySQL(tx)
	if tx.Error != nil {
		return
	}
	s := tx.Statement
	rows, err := s.ConnPool.QueryContext(s.Context, s.SQL.String(), s.Vars...)
	if err != nil {
		_ = tx.AddError(err)
		return
	}
	gorm.Scan(&rowsWithin{Rows: rows, within: set.(*within)}, tx, 0)
	_ = tx.AddError(rows.Close())
}

// rowsWithin counts the bytes of the rows, and ends after the row that exceeds the bound.
type rowsWithin struct {
	*sql.Rows
	*within
	sizes []any // a counter for each column
}

// Next implements gorm.Rows.
func (r *rowsWithin) Next() bool {
	if *r.left <= 0 {
		r.cut = r.Rows.Next()
		return false
	}
	return r.Rows.Next()
}

// Scan implements gorm.Rows.
func (r *rowsWithin) Scan(columns ...any) error {
	if r.sizes == nil {
		r.sizes = make([]any, len(columns))
		for i := range r.sizes {
			r.sizes[i] = (*counter)(r.left)
		}
	}
	return errors.Join(r.Rows.Scan(r.sizes...), r.Rows.Scan(columns...))
}

// counter counts down the bytes that are left: Scan subtracts the size of the value.
type counter int

// Scan implements sql.Scanner.
func (c *counter) Scan(value any) error {
	switch v := value.(type) {
	case []byte:
		*c -= counter(len(v))
	case string:
		*c -= counter(len(v))
	default:
		*c -= 8 // the size of a number or a time
	}
	return nil
}

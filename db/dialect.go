package db

import (
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Now is an SQL expression for the database's own clock, moved by after. It has milliseconds and is in UTC.
func Now(g *gorm.DB, after time.Duration) clause.Expr {
	if g.Name() == SQLite {
		return gorm.Expr("strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', ?)", fmt.Sprintf("%+.3f seconds", after.Seconds()))
	}
	if after == 0 {
		return gorm.Expr("UTC_TIMESTAMP(3)")
	}
	return gorm.Expr("UTC_TIMESTAMP(3) + INTERVAL ? MICROSECOND", after.Microseconds())
}

// ForUpdate locks the rows that a query reads until the transaction ends. SQLite needs no row locks: its transactions run one
// after the other.
func ForUpdate(tx *gorm.DB) *gorm.DB {
	if tx.Name() == SQLite {
		return tx
	}
	return tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
}

// NotBefore is an SQL expression for the database's clock, or for the column where that is later: on MySQL a statement that has
// waited for a row's lock sees the time at which it began to wait.
func NotBefore(g *gorm.DB, column string) clause.Expr {
	now := Now(g, 0)
	if g.Name() == SQLite {
		return now // transactions run one after the other
	}
	return clause.Expr{SQL: "GREATEST(" + column + ", ?)", Vars: []any{now}}
}

package db

import (
	"cmp"
	"errors"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"
)

// TestTranslateTiDB translates errors that a TiDB of a single node returns seldom or never.
func TestTranslateTiDB(t *testing.T) {
	for number, want := range map[uint16]struct{ conflict, unavailable bool }{
		8002: {true, true}, 8005: {true, true}, 8022: {true, true}, 8028: {true, true}, 9004: {true, true},
		9007: {true, true},
		9001: {false, true}, 9002: {false, true}, 9003: {false, true}, 9005: {false, true},
		8027: {false, true}, 8501: {false, true}, 1105: {false, false}, 8004: {false, false},
	} {
		err := translate(&mysqldriver.MySQLError{Number: number, Message: "m"})
		if got := errors.Is(err, ErrConflict); got != want.conflict {
			t.Errorf("%d: conflict is %v", number, got)
		}
		if got := errors.Is(err, ErrUnavailable); got != want.unavailable {
			t.Errorf("%d: unavailable is %v", number, got)
		}
	}
	for message, want := range map[string]error{
		"pessimistic lock retry limit reached":                     ErrConflict,
		"lock wait timeout":                                        ErrConflict,
		"[executor:3024]Query execution was interrupted, maximum":  ErrLocked,
		"context canceled":                                         ErrUnavailable,
		"[tikv:9005]Region is unavailable":                         ErrUnavailable,
		"[planner:8000][executor:3024]of the outer number's kind":  nil,
		"a text with [executor:3024] in its middle is another one": nil,
	} {
		err := &mysqldriver.MySQLError{Number: 1105, Message: message}
		if got := translate(err); want == nil && got != err || !errors.Is(got, cmp.Or[error](want, err)) {
			t.Errorf("%s: %v", message, got)
		}
	}
}

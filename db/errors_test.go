package db

import (
	"errors"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"
)

// TestTranslateTiDB translates errors that a TiDB of a single node never returns.
func TestTranslateTiDB(t *testing.T) {
	for number, want := range map[uint16]struct{ conflict, unavailable bool }{
		8002: {true, true}, 8005: {true, true}, 8022: {true, true}, 8028: {true, true}, 9004: {true, true},
		9007: {true, true},
		9001: {false, true}, 9002: {false, true}, 9003: {false, true}, 9005: {false, true},
		8027: {false, true}, 1105: {false, false}, 8004: {false, false},
	} {
		err := translate(&mysqldriver.MySQLError{Number: number, Message: "m"})
		if got := errors.Is(err, ErrConflict); got != want.conflict {
			t.Errorf("%d: conflict is %v", number, got)
		}
		if got := errors.Is(err, ErrUnavailable); got != want.unavailable {
			t.Errorf("%d: unavailable is %v", number, got)
		}
	}
	limit := &mysqldriver.MySQLError{Number: 1105, Message: "pessimistic lock retry limit reached"}
	if err := translate(limit); !errors.Is(err, ErrConflict) {
		t.Error(err)
	}
}

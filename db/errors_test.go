package db

import (
	"cmp"
	"errors"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"gorm.io/gorm"
)

// TestChangedAt expects that the times of a row never go back. On TiDB, each time must be later than the
// last.
func TestChangedAt(t *testing.T) {
	on := func(tiDB bool) *gorm.DB { return &gorm.DB{Config: &gorm.Config{Dialector: dialector{tiDB: tiDB}}} }
	const step = time.Millisecond
	last := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now          time.Time
		want, onTiDB time.Duration
	}{
		{last.Add(-time.Minute), 0, step}, {last, 0, step}, {last.Add(step), step, step},
		{last.Add(2 * step), 2 * step, 2 * step},
	} {
		got, onTiDB := ChangedAt(on(false), last, c.now).Sub(last), ChangedAt(on(true), last, c.now).Sub(last)
		if got != c.want || onTiDB != c.onTiDB {
			t.Errorf("at %s: %s later, on TiDB %s, want %s and %s", c.now, got, onTiDB, c.want, c.onTiDB)
		}
	}
	if now := last; ChangedAt(on(true), time.Time{}, now) != now {
		t.Error("a new row has another time than now")
	}
}

// TestTranslateTiDB translates errors of TiDB. The test makes the errors itself, because a TiDB of a single
// node returns them seldom or never.
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

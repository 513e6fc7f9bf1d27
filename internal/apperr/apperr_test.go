package apperr_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
)

// TestFrom checks the code of refusals, errors of the database and unknown errors, and whether they are
// faults.
func TestFrom(t *testing.T) {
	refused := apperr.OrderNotFound.New(7)
	for _, c := range []struct {
		err   error
		want  *apperr.Code
		fault bool
	}{
		{refused, apperr.OrderNotFound, false},
		{fmt.Errorf("wrapped: %w", refused), apperr.OrderNotFound, false},
		{errors.Join(db.ErrConflict, refused), apperr.OrderNotFound, false},
		{apperr.CustomersUnavailable.Because(db.ErrUnavailable), apperr.CustomersUnavailable, true},
		{db.ErrUnavailable, apperr.Unavailable, true},
		{fmt.Errorf("wrapped: %w", db.ErrConflict), apperr.Unavailable, true},
		{db.ErrLocked, apperr.Unavailable, true},
		{context.DeadlineExceeded, apperr.Internal, true},
		{errors.New("a defect"), apperr.Internal, true},
	} {
		if got := apperr.From(c.err); got.Code != c.want || got.IsFault() != c.fault {
			t.Errorf("%v is %s, fault %v", c.err, got.Name, got.IsFault())
		}
	}
}

package timing

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// LeftHeader carries the milliseconds for which the calling service still waits for the answer to a call.
const LeftHeader = "X-Time-Left"

// SetLeft sets LeftHeader of a call to the time until the deadline of ctx.
func SetLeft(ctx context.Context, h http.Header) {
	if deadline, ok := ctx.Deadline(); ok {
		h.Set(LeftHeader, strconv.FormatInt(max(0, time.Until(deadline).Milliseconds()), 10))
	}
}

// Left returns the time in LeftHeader. It returns the parameter most when the header is missing, is no
// number, or has a longer time.
func Left(h http.Header, most time.Duration) time.Duration {
	left, err := strconv.ParseUint(h.Get(LeftHeader), 10, 31)
	if err != nil {
		return most
	}
	return min(most, time.Duration(left)*time.Millisecond)
}

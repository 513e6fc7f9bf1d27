package timing_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"example.com/b2b/v2/internal/timing"
)

// TestLeft reads the time that a caller waits: as SetLeft writes it, and in other forms.
func TestLeft(t *testing.T) {
	h := http.Header{}
	if timing.SetLeft(t.Context(), h); len(h) > 0 {
		t.Errorf("without a deadline: %v", h)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	timing.SetLeft(ctx, h)
	if left := timing.Left(h, time.Hour); left > time.Minute || left < 50*time.Second {
		t.Errorf("%s, of %v", left, h)
	}
	for text, want := range map[string]time.Duration{
		"": time.Hour, "x": time.Hour, "-1": time.Hour, "1.5": time.Hour, "9999999999999999999999": time.Hour,
		"7200000": time.Hour, "1500": 1500 * time.Millisecond, "0": 0,
	} {
		if left := timing.Left(http.Header{timing.LeftHeader: {text}}, time.Hour); left != want {
			t.Errorf("%q: %s, want %s", text, left, want)
		}
	}
}

package events_test

import (
	"slices"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/internal/history"
)

// BenchmarkSequence gives positions to full batches of 1,000 events, which belong to 100 customers. It
// measures the time for each event.
func BenchmarkSequence(b *testing.B) {
	dbtest.Each(b, func(b *testing.B, g *gorm.DB) {
		s := events.New(g, events.Config{})
		var all []history.Event
		for i := range int64(1000) {
			e := event(1+i%100, i, 0)
			e.Payload = slices.Repeat([]string{"text"}, 100)
			all = append(all, e)
		}
		left := 0
		for b.Loop() {
			if left--; left > 0 {
				continue
			}
			b.StopTimer()
			if err := history.Append(g, history.Origin{Actor: "test"}, all...); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			n, err := s.SequenceBatch(ctx)
			if err != nil || n != len(all) {
				b.Fatal(n, err)
			}
			left = n
		}
	})
}

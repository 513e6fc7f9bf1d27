package main

import "testing"

// BenchmarkColdStart measures the time from the start of the function's process to its first answer. The
// other services answer at once.
func BenchmarkColdStart(b *testing.B) {
	p := newPeers(b)
	for b.Loop() {
		g := start(b, environment(p.URL)...)
		expectSampleAnswer(b, g.send(b, "http_v2", order(sampleOrder)))
		b.StopTimer()
		g.End()
		b.StartTimer()
	}
}

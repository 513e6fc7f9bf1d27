package main

import "testing"

// BenchmarkColdStart shows how long the function takes from the start of its process to its first answer,
// which peers that answer at once must have a part in.
func BenchmarkColdStart(b *testing.B) {
	p := newPeers(b)
	for b.Loop() {
		g := start(b, environment(p.URL)...)
		expectSampleAnswer(b, g.send(b, "http_v2", order(sampleOrder), 29))
		b.StopTimer()
		g.end()
		b.StartTimer()
	}
}

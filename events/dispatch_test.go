package events

import "testing"

// TestSlowDownAfterTurn lets a turn become slow just after it has ended, as happens when the function of the
// timer has already begun. The turn must not touch the places of other turns.
func TestSlowDownAfterTurn(t *testing.T) {
	d := &dispatcher{places: map[bool]chan struct{}{false: make(chan struct{}, 1), true: make(chan struct{}, 1)}}
	ended := turn{dispatcher: d, place: d.places[false]}
	take(d.places[false], 1)
	ended.leave()
	take(d.places[false], 1) // the place that ended has left goes to the next turn
	ended.slowDown()
	if quick, slow := len(d.places[false]), len(d.places[true]); quick != 1 || slow != 0 {
		t.Errorf("%d quick and %d slow places are occupied, want 1 and 0", quick, slow)
	}
}

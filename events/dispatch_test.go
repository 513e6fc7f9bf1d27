package events

import "testing"

// TestSlowDownAfterTurn calls slowDown after a turn has ended. This happens when the timer fires just before
// the turn stops it. The call must not change the places of other turns.
func TestSlowDownAfterTurn(t *testing.T) {
	d := &dispatcher{places: map[bool]chan struct{}{false: make(chan struct{}, 1), true: make(chan struct{}, 1)}}
	ended := turn{dispatcher: d, place: d.places[false]}
	take(d.places[false], 1)
	ended.leave()
	take(d.places[false], 1) // another turn takes the place
	ended.slowDown()
	if quick, slow := len(d.places[false]), len(d.places[true]); quick != 1 || slow != 0 {
		t.Errorf("%d quick and %d slow places are occupied, want 1 and 0", quick, slow)
	}
}

package db

import (
	"context"
	"math/rand/v2"
	"time"
)

// roundTimeout bounds a round of Every, as long as a lead lasts. A variable for tests.
var roundTimeout = 3 * time.Minute

// Every runs rounds of background work until ctx ends, with a pause between two of them, give or take a
// fifth: several instances do not work in step. It hands the error of a round to failed, and goes on. A round
// whose statement gets no answer, as over a connection that a firewall has forgotten, ends after three
// minutes; so work that takes longer must go on in the next round where it was.
func Every(ctx context.Context, pause time.Duration, round func(ctx context.Context) error, failed func(error)) {
	for ctx.Err() == nil {
		bounded, cancel := context.WithTimeout(ctx, roundTimeout)
		err := round(bounded)
		cancel()
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-time.After(pause*4/5 + rand.N(pause*2/5)):
		case <-ctx.Done():
		}
	}
}

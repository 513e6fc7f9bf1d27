package peer

import "time"

// idleTime is how long a goroutine waits for another call.
const idleTime = time.Second

// workers are goroutines for many functions, in sequence. The stack of a new goroutine grows in steps, with a
// copy at each step: with a goroutine for each call, a call within the process costs two thirds more.
type workers struct{ next chan func() }

// run runs fn in an idle goroutine, else in a new goroutine.
func (w workers) run(fn func()) {
	select {
	case w.next <- fn:
	default:
		go w.work(fn)
	}
}

func (w workers) work(fn func()) {
	idle := time.NewTimer(idleTime)
	defer idle.Stop()
	for {
		fn()
		idle.Reset(idleTime)
		select {
		case fn = <-w.next:
		case <-idle.C:
			return
		}
	}
}

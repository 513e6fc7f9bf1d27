package peer

import "time"

// idleTime is how long a goroutine waits for another call.
const idleTime = time.Second

// workers are goroutines that run one function after the other. The stack of a new goroutine grows in steps,
// each of which copies it: with a goroutine for each call, a call within the process costs two thirds more.
type workers struct{ next chan func() }

// run runs fn in a goroutine that is idle, else in a new goroutine.
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

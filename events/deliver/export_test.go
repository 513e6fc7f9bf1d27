package deliver

import "time"

// SetTimeout sets the time that limits an attempt of the sender. No attempt may run meanwhile.
func (s *Sender) SetTimeout(timeout time.Duration) { s.timeout = timeout }

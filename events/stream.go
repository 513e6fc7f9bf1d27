package events

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/web"
)

const (
	heartbeat  = 15 * time.Second // longest silence of a stream
	streamLife = 5 * time.Minute  // average life of a stream; limits how long an expired token can read
)

// stream returns a stream of Server-Sent Events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html) that begins with the next events of the
// caller's feed. The stream ends after streamLife, and when the service stops. Errors: see store.read.
func (s *Service) stream(ctx context.Context, q query) (bulk.File, error) {
	reader := s.db.Read(ctx)
	if _, err := reader.read(q); err != nil {
		return bulk.File{}, err
	}
	return bulk.File{ContentType: web.EventStream, Write: func(out *bufio.Writer) error {
		woken, leave := s.waiters.join(reader.feed(), s.news)
		defer leave()
		over := time.After(s.streamLife*4/5 + rand.N(s.streamLife*2/5))
		silence := min(heartbeat, s.patience/2)
		// Read after join: an event that came before join does not wake this reader.
		p, err := reader.read(q)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "retry: %d\n\n", time.Second.Milliseconds()) // the pause before a client connects again
		told := int64(-1)
		due := time.NewTimer(silence) // fires when the stream must write next
		defer due.Stop()
		for {
			for _, e := range p.events {
				data, err := json.Marshal(view(e))
				if err != nil {
					return err
				}
				fmt.Fprintf(out, "id: %d\ndata: %s\n\n", e.Place, data)
				told = e.Place
				due.Reset(silence)
			}
			if err := out.Flush(); err != nil { // Flush also returns an error of an earlier write
				return err
			}
			var ends, isDue bool
			select {
			case <-p.ready(woken): // the next page has no event if the new events have other types
			case <-due.C:
				isDue = true
			case <-over:
				ends = true
			case <-s.stopped:
				ends = true
			case <-ctx.Done():
				return ctx.Err()
			}
			if ends {
				fmt.Fprintf(out, "id: %d\n\n", p.next)
				return out.Flush()
			}
			select {
			case <-due.C:
				isDue = true
			default:
			}
			if isDue {
				if told == p.next {
					out.WriteString(":\n\n")
				} else {
					fmt.Fprintf(out, "id: %d\n\n", p.next)
				}
				if err := out.Flush(); err != nil { // write before the next read, which may take long
					return err
				}
				told = p.next
				due.Reset(silence)
			}
			if p, err = reader.readAfter(ctx, p, q); err != nil {
				return err
			}
		}
	}}, nil
}

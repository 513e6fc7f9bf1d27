package system_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"gorm.io/gorm"

	"example.com/b2b/v2/openapi/eventsapi"
)

// hook receives webhooks while services and the database are killed. It accepts most messages. Now and then
// it refuses a message, or notes a message and closes the connection without an answer.
type hook struct {
	c    *chaos
	name string
	feed int64

	mu        sync.Mutex // guards all fields below
	endpoint  eventsapi.WebhookEndpoint
	signature *standardwebhooks.Webhook
	last      int64                      // position of the last new message
	ids       []int64                    // ids of the events of the noted messages, without repetitions
	data      map[string]json.RawMessage // data of the noted messages, by webhook-id
	lastFault time.Time
	again     int // number of messages that came a second time
	refused   int
	closed    int // number of connections that the hook has closed
}

// flight is a message that a hook has received and not yet answered.
type flight struct {
	cut  <-chan struct{} // closed when the sender has hung up
	over chan struct{}   // the test closes it to let the hook go on
}

// faultPause is the shortest time between two faults of a hook. b2b tries a failed message again after about
// five seconds, so the second try meets no fault.
const faultPause = 10 * time.Second

// receive creates four webhook endpoints: two for all events, and two for the events of a partner's customer.
func (c *chaos) receive(customer int64) (all []*hook) {
	for i := range 4 {
		h := &hook{c: c, name: fmt.Sprint("webhook ", i+1), data: map[string]json.RawMessage{}}
		if i%2 == 1 {
			h.feed = customer
		}
		h.mu.Lock()
		server := httptest.NewServer(h)
		c.t.Cleanup(server.Close)
		body := fmt.Sprintf(`{"url":%q}`, server.URL)
		created, err := c.untilAcknowledged(newOwner(c.t, h.feed), "POST", c.events, "/webhook-endpoints", "", body)
		if err != nil {
			c.t.Fatal(err)
		}
		var answer eventsapi.WebhookSecretResponse
		if err := json.Unmarshal(created, &answer); err != nil {
			c.t.Fatalf("%v: %s", err, created)
		}
		h.endpoint = answer.Data.Endpoint
		h.last = h.endpoint.Position
		if h.signature, err = standardwebhooks.NewWebhook(*answer.Data.Secret); err != nil {
			c.t.Fatal(err)
		}
		h.mu.Unlock()
		all = append(all, h)
	}
	return all
}

// ServeHTTP implements http.Handler.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was killed while it sent the message
	}
	fault := h.check(body, r.Header)
	switch fault {
	case "refuse":
		w.WriteHeader(http.StatusInternalServerError)
		return
	case "close":
		h.note(body, r.Header)
		panic(http.ErrAbortHandler)
	}
	f := flight{r.Context().Done(), make(chan struct{})}
	select {
	case h.c.flights <- f:
		<-f.over
		if r.Context().Err() != nil && rand.IntN(2) == 0 {
			return // act as if the message was lost, because its sender has hung up
		}
	default:
	}
	h.note(body, r.Header)
	w.WriteHeader(http.StatusNoContent)
}

// check checks the signature of a message. It returns the fault that the hook makes next: "refuse", "close",
// or "" for none.
func (h *hook) check(body []byte, header http.Header) (fault string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.signature.Verify(body, header); err != nil {
		h.c.broken("%s: %v: %v %s", h.name, err, header, body)
	}
	if h.c.calm.Load() || time.Since(h.lastFault) < faultPause || rand.IntN(10) > 0 {
		return ""
	}
	h.lastFault = time.Now()
	if rand.IntN(2) == 0 {
		h.refused++
		return "refuse"
	}
	h.closed++
	return "close"
}

// note notes a message. A new message must have the next position. A repeated message must have the same data
// as before.
func (h *hook) note(body []byte, header http.Header) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := header.Get(standardwebhooks.HeaderWebhookID)
	var message struct{ Data json.RawMessage }
	var e eventsapi.FeedEvent
	err := cmp.Or(json.Unmarshal(body, &message), json.Unmarshal(message.Data, &e))
	if err != nil || id != fmt.Sprint("evt_", e.ID) {
		h.c.broken("%s: %v: %s %s", h.name, err, id, body)
	}
	if before, known := h.data[id]; known {
		h.again++
		if !bytes.Equal(before, message.Data) {
			h.c.broken("%s: %s is %s, and was %s", h.name, id, message.Data, before)
		}
		return
	}
	if e.Position != h.last+1 {
		h.c.broken("%s: position %d after position %d", h.name, e.Position, h.last)
	}
	h.last, h.ids, h.data[id] = e.Position, append(h.ids, e.ID), message.Data
}

// compareHook waits until b2b has delivered all events to the endpoint, and compares the noted events with
// the database.
func (c *chaos) compareHook(g *gorm.DB, h *hook) {
	q, position := g.Table("events"), "position"
	if h.feed != 0 {
		q, position = q.Where("customer_id = ?", h.feed), "customer_position"
	}
	var want []int64
	if err := q.Where(position+" > ?", h.endpoint.Position).Order(position).Pluck("id", &want).Error; err != nil {
		c.broken("the database: %v", err)
	}
	end := h.endpoint.Position + int64(len(want))
	last, since := int64(-1), time.Now()
	for ; last != end && c.ctx.Err() == nil; c.pause(20 * time.Millisecond) {
		var now int64
		err := g.Table("webhook_endpoints").Where("id = ?", h.endpoint.ID).Pluck("position", &now).Error
		if err != nil {
			c.broken("the database: %v", err)
			return
		}
		if now != last {
			last, since = now, time.Now()
		} else if time.Since(since) > patience {
			c.broken("%s: stays at position %d, want %d", h.name, last, end)
			return
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.ids, want) || len(want) < 10 {
		c.broken("%s: %d events, want %d, or not the same", h.name, len(h.ids), len(want))
	}
}

// reportHooks calls row for each figure of the hooks, added up over all hooks.
func reportHooks(hooks []*hook, row func(label string, n int)) {
	var sum hook
	for _, h := range hooks {
		h.mu.Lock()
		sum.ids = append(sum.ids, h.ids...)
		sum.again, sum.refused, sum.closed = sum.again+h.again, sum.refused+h.refused, sum.closed+h.closed
		h.mu.Unlock()
	}
	row("webhooks", len(sum.ids))
	row("webhooks that came again", sum.again)
	row("webhooks refused", sum.refused)
	row("connections closed after a webhook", sum.closed)
}

package events_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/events/deliver"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/eventsapi"
)

// patience limits the waits of these tests. A wait takes so long only when a test fails.
const patience = 30 * time.Second

// sending is a service that sends webhooks.
type sending struct {
	*api.ClientWithResponses // client of a caller without a token
	t                        *testing.T
	db                       *gorm.DB
	base                     string
	log                      *lockedBuffer
	stop                     func() // ends the background work; the service still answers
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// send starts a service on g. Its background work runs until the test ends.
func send(t *testing.T, g *gorm.DB) *sending {
	t.Helper()
	s := events.New(g, events.Config{KeyLifetime: time.Hour, Webhooks: deliver.Config{AllowPrivate: true}})
	w := &sending{t: t, db: g, log: &lockedBuffer{}}
	o := webtest.Options()
	o.Log = webtest.Log(w.log)
	w.base = webtest.Serve(t, s.Handler(o), webtest.Spec(t, api.Document))
	w.ClientWithResponses = w.as(nil)
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { db.RunJobs(ctx, g, o.Log, s.Jobs()...) })
	work.Go(func() { s.Deliver(ctx, o.Log) })
	w.stop = func() { cancel(); work.Wait() }
	t.Cleanup(func() {
		w.stop()
		if t.Failed() {
			t.Log(w.log)
		}
	})
	return w
}

// as returns a client that calls with a token for p, or without a token when p is nil.
func (w *sending) as(p *auth.Principal) *api.ClientWithResponses {
	w.t.Helper()
	sign := func(_ context.Context, r *http.Request) error {
		if p == nil {
			return nil
		}
		token, err := webtest.Options().Tokens.Issue(*p, time.Hour)
		r.Header.Set("Authorization", "Bearer "+token)
		return err
	}
	c, err := api.NewClientWithResponses(w.base, api.WithRequestEditorFn(sign))
	must(w.t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// happen records n events of a type, each event in its own transaction. The ids of the subjects ascend from
// the parameter first. The events belong to the customer; customer 0 stands for no customer.
func (w *sending) happen(eventType string, customer, first int64, n int) {
	w.t.Helper()
	subject, _, _ := strings.Cut(eventType, ".")
	for i := range int64(n) {
		e := history.Event{
			Type: eventType, Subject: subject, SubjectID: first + i, CreatedAt: time.Now(),
			Payload: map[string]any{"id": first + i, "note": "of " + eventType},
		}
		if customer != 0 {
			e.CustomerID = &customer
		}
		must(w.t, db.InTx(w.t.Context(), w.db, func(tx *gorm.DB) error {
			return history.Append(tx, history.Origin{Actor: "test"}, e)
		}))
	}
}

// received is a request that a receiver got.
type received struct {
	api.WebhookMessage
	id     string
	body   []byte
	header http.Header
	left   <-chan struct{} // closed when the sender has hung up
}

// receiver is a partner's server. It answers each request with the function answer, or with 204 when the
// function is nil.
type receiver struct {
	*httptest.Server
	t       *testing.T
	arrived chan received

	mu     sync.Mutex
	answer func(w http.ResponseWriter, got received)
}

func receive(t *testing.T) *receiver {
	r := &receiver{t: t, arrived: make(chan received, 10_000)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		got := received{id: q.Header.Get("webhook-id"), header: q.Header, left: q.Context().Done()}
		got.body, _ = io.ReadAll(q.Body)
		if err := json.Unmarshal(got.body, &got.WebhookMessage); err != nil {
			t.Errorf("%v: %s", err, got.body)
		}
		r.mu.Lock()
		answer := r.answer
		r.mu.Unlock()
		r.arrived <- got
		if answer != nil {
			answer(w, got)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(answer func(w http.ResponseWriter, got received)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) next() received {
	r.t.Helper()
	select {
	case got := <-r.arrived:
		return got
	case <-time.After(patience):
		r.t.Fatal("nothing arrives")
		return received{}
	}
}

// subjects waits for n messages, and returns the ids of their subjects.
func (r *receiver) subjects(n int) (ids []int64) {
	r.t.Helper()
	for range n {
		ids = append(ids, r.next().Data.SubjectID)
	}
	return ids
}

func create(t *testing.T, c *api.ClientWithResponses, r api.WebhookEndpointRequest) api.WebhookEndpointWithSecret {
	t.Helper()
	res, err := c.CreateWebhookEndpointWithResponse(t.Context(), nil, r)
	if err != nil || res.JSON201 == nil {
		t.Fatalf("%v %s", err, res.Body)
	}
	return res.JSON201.Data
}

func (w *sending) endpoint(id int64) api.WebhookEndpoint {
	w.t.Helper()
	res, err := w.GetWebhookEndpointWithResponse(w.t.Context(), id)
	if err != nil || res.JSON200 == nil {
		w.t.Fatalf("%v %s", err, res.Body)
	}
	return res.JSON200.Data
}

func (w *sending) deliveries(id int64) []api.WebhookDelivery {
	w.t.Helper()
	res, err := w.ListWebhookDeliveriesWithResponse(w.t.Context(), id, nil)
	if err != nil || res.JSON200 == nil {
		w.t.Fatalf("%v %s", err, res.Body)
	}
	return res.JSON200.Data
}

// until waits until the condition is true of the endpoint, and returns the endpoint.
func (w *sending) until(id int64, what string, condition func(e api.WebhookEndpoint) bool) api.WebhookEndpoint {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		e := w.endpoint(id)
		if condition(e) {
			return e
		}
		select {
		case <-deadline:
			w.t.Fatalf("it is not so that %s: %+v", what, e)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// exec runs a statement on the database, without the service.
func (w *sending) exec(statement string, args ...any) {
	w.t.Helper()
	must(w.t, w.db.Exec(statement, args...).Error)
}

// TestWebhooks sends events to two endpoints. All events must arrive, in order, signed, and in the same form
// as in the feed.
func TestWebhooks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r, orders := send(t, g), receive(t), receive(t)
		w.happen("order.created", 7, 1, 3) // events before the endpoints exist
		w.untilSequenced(3)
		all := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL})
		some := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{
			URL: orders.URL + "/hook?a=b", Types: &[]contract.EventType{"order.confirmed", "order.created"}})
		w.happen("order.created", 7, 10, 30)
		w.happen("product.updated", 0, 40, 5)
		w.happen("order.confirmed", 8, 50, 1)
		var ids []string
		for i := range 36 {
			got := r.next()
			check, err := standardwebhooks.NewWebhook(*all.Secret)
			must(t, err)
			if err := check.Verify(got.body, got.header); err != nil {
				t.Errorf("message %d: %v", i, err)
			}
			if got.Data.Position != int64(4+i) || got.id != fmt.Sprint("evt_", got.Data.ID) ||
				got.Type != string(got.Data.Type) || !got.Timestamp.Equal(got.Data.CreatedAt.Time) {
				t.Errorf("message %d: %+v", i, got)
			}
			ids = append(ids, got.id)
			feed, err := w.ListEventsWithResponse(t.Context(),
				&api.ListEventsParams{After: new(got.Data.Position - 1), Limit: new(int32(1))})
			if err != nil || feed.JSON200 == nil || len(feed.JSON200.Data) != 1 {
				t.Fatalf("%v %s", err, feed.Body)
			}
			if sent, shown := toJSON(got.Data), toJSON(feed.JSON200.Data[0]); sent != shown {
				t.Errorf("sent %s, the feed has %s", sent, shown)
			}
		}
		want := []int64{50}
		for i := range int64(30) {
			want = slices.Insert(want, int(i), 10+i)
		}
		if got := orders.subjects(31); !slices.Equal(got, want) {
			t.Errorf("orders %v", got)
		}
		isDone := func(e api.WebhookEndpoint) bool { return e.Position == 39 }
		e := w.until(all.Endpoint.ID, "everything is delivered", isDone)
		if e.Failures != 0 || e.NextAttemptAt != nil || !e.Enabled || e.CustomerID != nil {
			t.Errorf("%+v", e)
		}
		w.until(some.Endpoint.ID, "the position is behind the last event", isDone)
		for _, d := range w.deliveries(all.Endpoint.ID) {
			if d.Outcome != "delivered" || *d.Status != 204 || d.Failure != nil || d.Answer != nil ||
				*d.WebhookID != ids[*d.Position-4] || time.Since(d.AttemptedAt.Time) > time.Minute {
				t.Errorf("%+v", d)
			}
		}
		if sent := len(r.arrived) + len(orders.arrived); sent > 0 {
			t.Errorf("%d messages too many", sent)
		}
	})
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (w *sending) untilSequenced(n int64) {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		res, err := w.ListEventsWithResponse(w.t.Context(), nil)
		if err != nil || res.JSON200 == nil {
			w.t.Fatalf("%v %s", err, res.Body)
		}
		if res.JSON200.Meta.LastPosition >= n {
			return
		}
		select {
		case <-deadline:
			w.t.Fatal("the events get no positions")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestWebhookRetries refuses an event until the endpoint is disabled, and then enables the endpoint again.
func TestWebhookRetries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r := send(t, g), receive(t)
		r.answers(func(w http.ResponseWriter, _ received) {
			w.Header().Set("Retry-After", "3600")
			http.Error(w, "Down for maintenance", http.StatusServiceUnavailable)
		})
		id := create(t, w.as(&auth.Principal{Subject: "erp", Customer: 7, Scope: auth.Admin}),
			api.WebhookEndpointRequest{URL: r.URL}).Endpoint.ID
		w.happen("order.created", 7, 1, 2)
		first := r.next()
		e := w.until(id, "the first attempt has failed", func(e api.WebhookEndpoint) bool { return e.Failures == 1 })
		if wait := time.Until(e.NextAttemptAt.Time); e.Position != 0 || wait < 58*time.Minute || wait > 61*time.Minute {
			t.Errorf("after Retry-After: 3600, the wait is %s: %+v", wait, e)
		}
		r.answers(func(w http.ResponseWriter, _ received) { w.WriteHeader(http.StatusBadRequest) })
		w.exec("UPDATE webhook_endpoints SET next_attempt_at = created_at")
		if again := r.next(); again.id != first.id || !bytes.Equal(again.body, first.body) {
			t.Errorf("the retry is %s %s, and was %s %s", again.id, again.body, first.id, first.body)
		}
		e = w.until(id, "the second attempt has failed", func(e api.WebhookEndpoint) bool { return e.Failures == 2 })
		if wait := time.Until(e.NextAttemptAt.Time); wait < 10*time.Second || wait > 19*time.Second {
			t.Errorf("after two failures, the wait is %s", wait)
		}
		for i, d := range w.deliveries(id) {
			if d.Outcome != "refused" || *d.Status != []int32{400, 503}[i] || *d.WebhookID != first.id ||
				i == 1 && *d.Answer != "Down for maintenance" {
				t.Errorf("%d: %+v", i, d)
			}
		}

		// Let three days pass.
		w.exec("UPDATE webhook_endpoints SET next_attempt_at = created_at, failing_since = ?",
			time.Now().UTC().Add(-73*time.Hour))
		r.next()
		e = w.until(id, "the endpoint is disabled", func(e api.WebhookEndpoint) bool { return !e.Enabled })
		if *e.DisabledReason != "failing" || e.DisabledAt == nil || e.NextAttemptAt != nil {
			t.Errorf("%+v", e)
		}
		for _, words := range []string{`"a webhook endpoint was disabled"`, `"reason":"failing"`, `"customer_id":7`} {
			if !strings.Contains(w.log.String(), words) {
				t.Errorf("the log has no %s", words)
			}
		}
		w.untilSequenced(3)
		mine := &auth.Principal{Subject: "erp", Customer: 7, Scope: "events:read webhooks:read"}
		feed, err := w.as(mine).ListEventsWithResponse(t.Context(), nil)
		must(t, err)
		if feed.JSON200 == nil || len(feed.JSON200.Data) != 1 {
			t.Fatalf("the owner's feed: %s", feed.Body)
		}
		if e := feed.JSON200.Data[0]; e.Type != "webhook_endpoint.disabled" || e.SubjectID != id ||
			e.Actor != "system" || !strings.Contains(string(e.Representation), `"failing"`) {
			t.Errorf("the owner's feed: %s", feed.Body)
		}

		// The owner has repaired the receiver.
		r.answers(nil)
		enable := api.WebhookEndpointUpdate{Enabled: new(true)}
		update, err := w.UpdateWebhookEndpointWithResponse(t.Context(), id, enable)
		if err != nil || update.JSON200 == nil || !update.JSON200.Data.Enabled {
			t.Fatalf("%v %s", err, update.Body)
		}
		// The last event is webhook_endpoint.disabled.
		if got := r.subjects(3); !slices.Equal(got, []int64{1, 2, id}) {
			t.Errorf("%v", got)
		}

		// A single answer 410 disables the endpoint.
		r.answers(func(w http.ResponseWriter, _ received) { w.WriteHeader(http.StatusGone) })
		w.happen("order.created", 7, 3, 1)
		r.next()
		e = w.until(id, "the endpoint is disabled", func(e api.WebhookEndpoint) bool { return !e.Enabled })
		if *e.DisabledReason != "gone" || e.Failures != 1 {
			t.Errorf("%+v", e)
		}
	})
}

// TestWebhookTenancy creates endpoints with the tokens of two partners. An endpoint must get only events that
// its creator may read, and no partner may see or change the endpoint of the other partner.
func TestWebhookTenancy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r, r8 := send(t, g), receive(t), receive(t)
		const manage = "webhooks:read webhooks:write events:read "
		erp := w.as(&auth.Principal{Subject: "erp", Customer: 7, Scope: manage + "orders:read products:read"})
		own := create(t, erp, api.WebhookEndpointRequest{URL: r.URL}).Endpoint
		if !slices.Equal(own.Subjects, []contract.EventSubject{"order", "webhook_endpoint"}) || *own.CustomerID != 7 {
			t.Errorf("%+v", own)
		}
		other := w.as(&auth.Principal{Subject: "shop", Customer: 8, Scope: manage + "orders:read customers:read"})
		create(t, other, api.WebhookEndpointRequest{URL: r8.URL})
		w.happen("order.created", 8, 1, 3)
		w.happen("customer.updated", 7, 2, 1)
		w.happen("product.created", 0, 3, 1)
		w.happen("order.created", 7, 4, 1)
		w.happen("customer.updated", 8, 8, 1)
		if got := r.next(); got.Data.SubjectID != 4 || got.Data.Position != 2 {
			t.Errorf("the first event of the endpoint is %s", got.body)
		}
		if got := r8.subjects(4); !slices.Equal(got, []int64{1, 2, 3, 8}) {
			t.Errorf("%v", got)
		}

		// For the other partner, each operation on the endpoint must answer 404, as for an endpoint that does
		// not exist.
		elsewhere := api.WebhookEndpointUpdate{URL: new(r8.URL)}
		for name, call := range map[string]func(c *api.ClientWithResponses, id int64) (int, []byte){
			"get": func(c *api.ClientWithResponses, id int64) (int, []byte) {
				res, err := c.GetWebhookEndpointWithResponse(t.Context(), id)
				must(t, err)
				return res.StatusCode(), res.Body
			},
			"update": func(c *api.ClientWithResponses, id int64) (int, []byte) {
				res, err := c.UpdateWebhookEndpointWithResponse(t.Context(), id, elsewhere)
				must(t, err)
				return res.StatusCode(), res.Body
			},
			"rotate": func(c *api.ClientWithResponses, id int64) (int, []byte) {
				res, err := c.RotateWebhookSecretWithResponse(t.Context(), id, nil)
				must(t, err)
				return res.StatusCode(), res.Body
			},
			"test": func(c *api.ClientWithResponses, id int64) (int, []byte) {
				res, err := c.TestWebhookEndpointWithResponse(t.Context(), id)
				must(t, err)
				return res.StatusCode(), res.Body
			},
			"deliveries": func(c *api.ClientWithResponses, id int64) (int, []byte) {
				res, err := c.ListWebhookDeliveriesWithResponse(t.Context(), id, nil)
				must(t, err)
				return res.StatusCode(), res.Body
			},
			"replay": func(c *api.ClientWithResponses, id int64) (int, []byte) {
				res, err := c.ReplayWebhookEventsWithResponse(t.Context(), id, &api.ReplayWebhookEventsParams{})
				must(t, err)
				return res.StatusCode(), res.Body
			},
			"delete": func(c *api.ClientWithResponses, id int64) (int, []byte) {
				res, err := c.DeleteWebhookEndpointWithResponse(t.Context(), id)
				must(t, err)
				return res.StatusCode(), res.Body
			},
		} {
			status, body := call(other, own.ID)
			_, none := call(other, 999)
			webtest.WantError(t, status, body, 404, "webhook_endpoint_not_found")
			if strings.ReplaceAll(string(none), "999", fmt.Sprint(own.ID)) != string(body) {
				t.Errorf("%s: another's is %s, none is %s", name, body, none)
			}
		}
		list, err := other.ListWebhookEndpointsWithResponse(t.Context(), nil)
		if err != nil || list.JSON200 == nil || len(list.JSON200.Data) != 1 || *list.JSON200.Data[0].CustomerID != 8 {
			t.Errorf("%v %s", err, list.Body)
		}

		// An endpoint never gets events that the token of its creator cannot read. A token that cannot read
		// all events of an endpoint cannot change the URL of the endpoint.
		for _, c := range []struct {
			scope string
			types []contract.EventType
			field string
		}{
			{"webhooks:write orders:read", nil, "/header/Authorization"},
			{"webhooks:write events:read", nil, "/header/Authorization"},
			{manage + "orders:read", []contract.EventType{"order.created", "customer.created"}, "/types"},
			// A product belongs to no customer.
			{manage + "orders:read products:read", []contract.EventType{"product.created"}, "/types"},
		} {
			p := auth.Principal{Subject: "erp", Customer: 7, Scope: c.scope}
			request := api.WebhookEndpointRequest{URL: r.URL}
			if c.types != nil {
				request.Types = &c.types
			}
			res, err := w.as(&p).CreateWebhookEndpointWithResponse(t.Context(), nil, request)
			must(t, err)
			webtest.WantError(t, res.StatusCode(), res.Body, 403, "forbidden", c.field)
		}
		clerk := w.as(&auth.Principal{Subject: "clerk", Customer: 7, Scope: manage + "customers:read"})
		res, err := clerk.UpdateWebhookEndpointWithResponse(t.Context(), own.ID, elsewhere)
		must(t, err)
		webtest.WantError(t, res.StatusCode(), res.Body, 403, "forbidden", "/header/Authorization")
		more := &[]contract.EventType{"customer.updated"}
		res, err = w.as(&auth.Principal{Subject: "boss", Customer: 7, Scope: auth.Admin}).
			UpdateWebhookEndpointWithResponse(t.Context(), own.ID, api.WebhookEndpointUpdate{Types: more})
		must(t, err)
		webtest.WantError(t, res.StatusCode(), res.Body, 403, "forbidden", "/types")
	})
}

// TestWebhookTypes creates and changes endpoints with types of events that do not exist. The answer must name
// the type, and nothing may change.
func TestWebhookTypes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, url := send(t, g), receive(t).URL
		own := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: url})
		for _, wrong := range []contract.EventType{"order.creatd", "ORDER.CREATED", "order", "", "basket.created",
			"order.created,order.canceled", " order.created"} {
			types := &[]contract.EventType{"order.created", wrong}
			created, err := w.CreateWebhookEndpointWithResponse(t.Context(), nil,
				api.WebhookEndpointRequest{URL: url, Types: types})
			must(t, err)
			webtest.WantError(t, created.StatusCode(), created.Body, 400, "validation_failed", "/types/1")
			changed, err := w.UpdateWebhookEndpointWithResponse(t.Context(), own.Endpoint.ID,
				api.WebhookEndpointUpdate{Types: types})
			must(t, err)
			webtest.WantError(t, changed.StatusCode(), changed.Body, 400, "validation_failed", "/types/1")
		}
		list, err := w.ListWebhookEndpointsWithResponse(t.Context(), nil)
		must(t, err)
		if all := list.JSON200.Data; len(all) != 1 || len(all[0].Types) != 0 {
			t.Errorf("the endpoints are %+v", all)
		}
	})
}

// TestWebhookReplay replays events while an attempt is in flight. The process that sends this attempt must
// not move the position of the endpoint any more, and must record the attempt nevertheless.
func TestWebhookReplay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r := send(t, g), receive(t)
		id := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL}).Endpoint.ID
		w.happen("order.created", 7, 1, 5)
		var ids []string
		for range 5 {
			ids = append(ids, r.next().id)
		}
		w.until(id, "everything is delivered", func(e api.WebhookEndpoint) bool { return e.Position == 5 })
		held, release := make(chan struct{}), make(chan struct{})
		r.answers(func(http.ResponseWriter, received) {
			held <- struct{}{}
			<-release
		})
		w.happen("order.created", 7, 6, 1)
		<-held
		r.next()
		replay, err := w.ReplayWebhookEventsWithResponse(t.Context(), id, &api.ReplayWebhookEventsParams{After: 2})
		if err != nil || replay.JSON200 == nil || replay.JSON200.Data.Position != 2 {
			t.Fatalf("%v %s", err, replay.Body)
		}
		r.answers(nil)
		close(release)
		var again []string
		for range 4 {
			again = append(again, r.next().id)
		}
		if !slices.Equal(again[:3], ids[2:]) {
			t.Errorf("replayed %v, first sent %v", again, ids)
		}
		w.until(id, "everything is delivered again", func(e api.WebhookEndpoint) bool { return e.Position == 6 })
		w.until(id, "each attempt is recorded",
			func(api.WebhookEndpoint) bool { return len(w.deliveries(id)) == 5+1+4 })
		for _, after := range []int64{7, 1 << 40} {
			res, err := w.ReplayWebhookEventsWithResponse(t.Context(), id, &api.ReplayWebhookEventsParams{After: after})
			must(t, err)
			webtest.WantError(t, res.StatusCode(), res.Body, 410, "events_expired", "/query/after")
		}
	})
}

// TestWebhookLeases lets two processes send to the same endpoints, while a dead process has the lease of an
// endpoint. Each endpoint must get each event once, in order.
func TestWebhookLeases(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		a, b := send(t, g), send(t, g)
		receivers := make([]*receiver, 8)
		for i := range receivers {
			receivers[i] = receive(t)
			create(t, a.ClientWithResponses, api.WebhookEndpointRequest{URL: receivers[i].URL})
		}
		a.exec("UPDATE webhook_endpoints SET leased_by = 'dead', leased_until = ? WHERE id = 1",
			time.Now().UTC().Add(3*time.Second))
		for i := range 10 {
			b.happen("order.created", 7, int64(10*i), 10)
		}
		want := make([]int64, 100)
		for i := range want {
			want[i] = int64(i)
		}
		for i, r := range receivers {
			if got := r.subjects(100); !slices.Equal(got, want) {
				t.Errorf("endpoint %d got %v", i+1, got)
			}
			if len(r.arrived) > 0 {
				t.Errorf("endpoint %d got %d messages twice", i+1, len(r.arrived))
			}
		}
		// One process stops. The other process must go on at once, because the stopped process gave its
		// leases back.
		a.stop()
		b.happen("order.created", 7, 500, 1)
		for i, r := range receivers {
			if got := r.next().Data.SubjectID; got != 500 {
				t.Errorf("endpoint %d got %d", i+1, got)
			}
		}
	})
}

// TestWebhookWaits makes an endpoint wait for an hour just after the process has found the endpoint due, as
// if an attempt of another process had failed. The process must not send during the wait.
func TestWebhookWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		var once sync.Once
		found := make(chan struct{})
		must(t, g.Callback().Query().After("gorm:query").Register("fail", func(tx *gorm.DB) {
			due, isIDs := tx.Statement.Dest.(*[]int64)
			if isIDs && len(*due) > 0 && strings.Contains(tx.Statement.SQL.String(), "FROM webhook_endpoints e ") {
				once.Do(func() {
					err := g.Session(&gorm.Session{NewDB: true}).Exec("UPDATE webhook_endpoints SET failures = 1, "+
						"failing_since = created_at, next_attempt_at = ?", time.Now().UTC().Add(time.Hour)).Error
					if err != nil {
						t.Error(err)
					}
					close(found)
				})
			}
		}))
		w, r := send(t, g), receive(t)
		create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL})
		w.happen("order.created", 7, 1, 1)
		select {
		case <-found:
		case <-time.After(patience):
			t.Fatal("the endpoint is never due")
		}
		time.Sleep(200 * time.Millisecond)
		w.stop()
		if n := len(r.arrived); n > 0 {
			t.Errorf("%d messages arrive during the wait", n)
		}
	})
}

// TestWebhookStopDuringAttempt stops a process while the receiver holds the third of five messages for longer
// than the process waits. A new process must send the third message at once, and then the others.
func TestWebhookStopDuringAttempt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		a, r := send(t, g), receive(t)
		release := make(chan struct{})
		r.answers(func(w http.ResponseWriter, got received) {
			if got.Data.SubjectID == 3 {
				select {
				case <-got.left:
				case <-release:
				}
			}
			w.WriteHeader(http.StatusNoContent)
		})
		id := create(t, a.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL}).Endpoint.ID
		a.exec("UPDATE webhook_endpoints SET leased_by = 'nobody', leased_until = ?", time.Now().UTC().Add(time.Hour))
		a.happen("order.created", 7, 1, 5)
		a.untilSequenced(5) // so that one page has all events
		a.exec("UPDATE webhook_endpoints SET leased_by = NULL, leased_until = created_at")
		r.subjects(3)
		a.stop()
		close(release)
		if e := a.endpoint(id); e.Position != 2 {
			t.Errorf("the stopped process leaves the endpoint at position %d", e.Position)
		}
		b, began := send(t, g), time.Now()
		if got := r.subjects(3); !slices.Equal(got, []int64{3, 4, 5}) || time.Since(began) > 4*time.Second {
			t.Errorf("the other process sends %v, after %s", got, time.Since(began))
		}
		b.until(id, "the accepted messages are recorded",
			func(api.WebhookEndpoint) bool { return len(b.deliveries(id)) == 5 })
	})
}

// TestWebhookLeaseTaken lets another process take the lease of an endpoint while an attempt is in flight. The
// end of the attempt must record the delivery, and must change neither the position nor the lease of the
// endpoint.
func TestWebhookLeaseTaken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r := send(t, g), receive(t)
		id := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL}).Endpoint.ID
		release := make(chan struct{})
		r.answers(func(http.ResponseWriter, received) { <-release })
		w.happen("order.created", 7, 1, 1)
		r.next()
		w.exec("UPDATE webhook_endpoints SET leased_by = 'other', leased_until = ?",
			time.Now().UTC().Add(time.Hour))
		close(release)
		w.stop() // waits for the end of the attempt
		var e struct {
			LeasedBy                             string
			Position, Failures, Deliveries, Held int64
		}
		const query = `
			SELECT leased_by, position, failures, CASE WHEN leased_until > ? THEN 1 ELSE 0 END AS held,
				(SELECT COUNT(*) FROM webhook_deliveries) AS deliveries
			FROM webhook_endpoints WHERE id = ?`
		must(t, g.Raw(query, time.Now().UTC().Add(time.Minute), id).Scan(&e).Error)
		if e.LeasedBy != "other" || e.Held != 1 || e.Position != 0 || e.Failures != 0 || e.Deliveries != 1 {
			t.Errorf("%+v", e)
		}
	})
}

// TestWebhookLeaseRenewed holds an attempt. The process must renew its lease meanwhile, so that no other
// process sends the same event.
func TestWebhookLeaseRenewed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r := send(t, g), receive(t)
		id := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL}).Endpoint.ID
		release := make(chan struct{})
		defer close(release)
		r.answers(func(http.ResponseWriter, received) { <-release })
		w.happen("order.created", 7, 1, 1)
		r.next()
		type lease struct {
			LeasedBy    *string
			LeasedUntil time.Time
		}
		var first, now lease
		read := func(l *lease) {
			const query = "SELECT leased_by, leased_until FROM webhook_endpoints WHERE id = ?"
			must(t, g.Raw(query, id).Scan(l).Error)
			if l.LeasedBy == nil {
				t.Fatal("the attempt has ended, and the lease was not renewed")
			}
		}
		read(&first)
		deadline := time.Now().Add(patience)
		for now = first; !now.LeasedUntil.After(first.LeasedUntil); read(&now) {
			if time.Now().After(deadline) {
				t.Fatal("the lease is not renewed")
			}
			time.Sleep(10 * time.Millisecond)
		}
		if *now.LeasedBy != *first.LeasedBy {
			t.Errorf("the lease of %s has passed to %s", *first.LeasedBy, *now.LeasedBy)
		}
	})
}

// TestSlowWebhooks has one quick endpoint, ten dead endpoints, and many endpoints that do not answer. There
// are more of these slow endpoints than places for quick endpoints. The quick endpoint must get its events
// before an attempt at a slow endpoint times out.
func TestSlowWebhooks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, slow, quick := send(t, g), receive(t), receive(t)
		release := make(chan struct{})
		var timedOut atomic.Int64
		slow.answers(func(_ http.ResponseWriter, got received) {
			select {
			case <-release:
			case <-got.left:
				timedOut.Add(1)
			}
		})
		for range events.QuickPlaces + 10 {
			create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: slow.URL})
		}
		dead := httptest.NewServer(nil)
		dead.Close()
		for range 10 {
			create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: dead.URL})
		}
		create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: quick.URL})
		w.happen("order.created", 7, 1, 1)
		quick.next()
		w.happen("order.created", 7, 2, 1)
		if got := quick.next(); got.Data.SubjectID != 2 {
			t.Errorf("%d", got.Data.SubjectID)
		}
		if n := timedOut.Load(); n > 0 {
			t.Errorf("the quick endpoint had to wait until %d slow ones gave their places back", n)
		}
		close(release)
	})
}

// TestWebhookRetention deletes events that an endpoint has not got yet. The endpoint must get the other
// events, its deliveries must show that events were skipped, and a replay of the deleted events must fail.
func TestWebhookRetention(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r := send(t, g), receive(t)
		r.answers(func(w http.ResponseWriter, _ received) { w.WriteHeader(500) })
		id := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL}).Endpoint.ID
		w.happen("order.created", 7, 1, 5)
		r.next()
		w.until(id, "the first attempt has failed", func(e api.WebhookEndpoint) bool { return e.Failures == 1 })
		w.exec("UPDATE event_positions SET pruned_position = 3")
		w.exec("DELETE FROM events WHERE position <= 3")
		r.answers(nil)
		w.exec("UPDATE webhook_endpoints SET next_attempt_at = created_at")
		if got := r.subjects(2); !slices.Equal(got, []int64{4, 5}) {
			t.Errorf("%v", got)
		}
		w.until(id, "the rest is delivered", func(e api.WebhookEndpoint) bool { return e.Position == 5 })
		d := w.deliveries(id)
		if len(d) != 4 {
			t.Fatalf("%+v", d)
		}
		note := d[2]
		if note.Outcome != "skipped" || *note.Position != 3 || note.WebhookID != nil || note.Status != nil {
			t.Errorf("%+v", note)
		}
		res, err := w.ReplayWebhookEventsWithResponse(t.Context(), id, &api.ReplayWebhookEventsParams{After: 2})
		must(t, err)
		webtest.WantError(t, res.StatusCode(), res.Body, 410, "events_expired", "/query/after")
		w.exec("UPDATE webhook_deliveries SET attempted_at = ? WHERE outcome = 'skipped'",
			time.Now().UTC().AddDate(0, 0, -8))
		for range patience / (100 * time.Millisecond) {
			if d = w.deliveries(id); len(d) == 3 {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("old deliveries are not deleted: %+v", d)
	})
}

// TestWebhookFailsLongerThanRetention deletes the event with which an endpoint began to fail three days ago.
// The next failure must disable the endpoint nevertheless.
func TestWebhookFailsLongerThanRetention(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r := send(t, g), receive(t)
		r.answers(func(w http.ResponseWriter, _ received) { w.WriteHeader(500) })
		id := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{
			URL: r.URL, Types: &[]contract.EventType{"order.created"}}).Endpoint.ID
		w.happen("order.created", 7, 1, 1)
		w.happen("order.confirmed", 7, 1, 1) // the endpoint does not get events of this type
		w.happen("order.created", 7, 2, 1)
		r.next()
		w.until(id, "the first attempt has failed", func(e api.WebhookEndpoint) bool { return e.Failures == 1 })
		w.untilSequenced(3)
		w.exec("UPDATE event_positions SET pruned_position = 1")
		w.exec("DELETE FROM events WHERE position = 1")
		w.exec("UPDATE webhook_endpoints SET next_attempt_at = created_at, failing_since = ?",
			time.Now().UTC().Add(-73*time.Hour))
		r.next()
		e := w.until(id, "the second event has failed", func(e api.WebhookEndpoint) bool { return e.Position == 2 })
		if e.Enabled || *e.DisabledReason != "failing" || e.Failures != 1 {
			t.Errorf("%+v", e)
		}
	})
}

// TestWebhookSecrets rotates the secret of an endpoint. No later answer and no log may show a secret:
// webtest.Log panics at a line with a secret.
func TestWebhookSecrets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r := send(t, g), receive(t)
		r.answers(func(w http.ResponseWriter, _ received) { w.WriteHeader(500) })
		created := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL})
		id, key := created.Endpoint.ID, "rotation-1"
		rotate := func(key string) (string, http.Header) {
			params := &api.RotateWebhookSecretParams{XIdempotencyKey: &key}
			res, err := w.RotateWebhookSecretWithResponse(t.Context(), id, params)
			if err != nil || res.JSON200 == nil || res.JSON200.Data.Endpoint.PreviousSecretUntil == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			valid := time.Until(res.JSON200.Data.Endpoint.PreviousSecretUntil.Time)
			if valid < 23*time.Hour || valid > 25*time.Hour {
				t.Errorf("the previous secret signs for %s", valid)
			}
			return *res.JSON200.Data.Secret, res.HTTPResponse.Header
		}
		accepted := func(secrets ...string) (all []bool) {
			w.exec("UPDATE webhook_endpoints SET next_attempt_at = created_at")
			got := r.next()
			for _, secret := range secrets {
				check, err := standardwebhooks.NewWebhook(secret)
				must(t, err)
				all = append(all, check.Verify(got.body, got.header) == nil)
			}
			failures := w.endpoint(id).Failures
			w.until(id, "the attempt has failed", func(e api.WebhookEndpoint) bool {
				return e.Failures > failures || e.NextAttemptAt != nil && e.NextAttemptAt.After(e.CreatedAt.Time)
			})
			return all
		}
		w.happen("order.created", 7, 1, 1)
		first := *created.Secret
		if got := accepted(first); !slices.Equal(got, []bool{true}) {
			t.Errorf("%v", got)
		}
		second, _ := rotate(key)
		if again, h := rotate(key); again != second || h.Get("Idempotency-Replayed") != "true" || first == second {
			t.Errorf("the same key gives another secret")
		}
		if got := accepted(first, second); !slices.Equal(got, []bool{true, true}) {
			t.Errorf("after a rotation: %v", got)
		}
		third, _ := rotate("rotation-2")
		if got := accepted(first, second, third); !slices.Equal(got, []bool{false, true, true}) {
			t.Errorf("after two rotations: %v", got)
		}
		// Let a day pass.
		w.exec("UPDATE webhook_endpoints SET previous_until = created_at")
		if got := accepted(first, second, third); !slices.Equal(got, []bool{false, false, true}) {
			t.Errorf("a day after a rotation: %v", got)
		}
		var kept int64
		for range patience / (50 * time.Millisecond) {
			must(t, g.Raw("SELECT COUNT(*) FROM webhook_endpoints WHERE previous_secret IS NOT NULL").Scan(&kept).Error)
			if kept == 0 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if kept > 0 {
			t.Error("a secret that no longer signs is still there")
		}
		var shown strings.Builder
		for _, path := range []string{"", "/1", "/1/deliveries"} {
			_, body, _ := webtest.Do(t, "GET", w.base+"/webhook-endpoints"+path, "")
			shown.Write(body)
		}
		_, events, _ := webtest.Do(t, "GET", w.base+"/events", "")
		for _, text := range []string{shown.String(), string(events), w.log.String()} {
			if strings.Contains(text, "whsec_") || strings.Contains(text, first[6:]) {
				t.Errorf("a secret is shown: %s", text)
			}
		}

		signed := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL, Signature: new(api.Ed25519)})
		if signed.Secret != nil || !strings.HasPrefix(*signed.Endpoint.PublicKey, "whpk_") {
			t.Errorf("%+v", signed)
		}
		w.happen("order.created", 7, 2, 1)
		if got := r.next().header.Get("webhook-signature"); !strings.HasPrefix(got, "v1a,") {
			t.Errorf("%s", got)
		}
	})
}

// TestWebhookKeys sends a creation four times at once, with one idempotency key. Only one endpoint may exist
// afterwards. Then the test expects 422 for another request with the same key, 400 for forbidden URLs, and
// 409 for more than 20 endpoints of a customer.
func TestWebhookKeys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w := send(t, g)
		request := api.WebhookEndpointRequest{URL: "https://erp.acme.example/hook"}
		params := &api.CreateWebhookEndpointParams{XIdempotencyKey: new("key-1")}
		var bodies []string
		var calls sync.WaitGroup
		var mu sync.Mutex
		for range 4 {
			calls.Go(func() {
				res, err := w.CreateWebhookEndpointWithResponse(context.Background(), params, request)
				if err != nil || res.JSON201 == nil {
					t.Errorf("%v %s", err, res.Body)
					return
				}
				mu.Lock()
				bodies = append(bodies, string(res.Body))
				mu.Unlock()
			})
		}
		calls.Wait()
		if slices.Sort(bodies); len(slices.Compact(bodies)) != 1 {
			t.Errorf("%s", bodies)
		}
		request.Description = new("another")
		res, err := w.CreateWebhookEndpointWithResponse(t.Context(), params, request)
		must(t, err)
		webtest.WantError(t, res.StatusCode(), res.Body, 422, "idempotency_key_reused")
		list, err := w.ListWebhookEndpointsWithResponse(t.Context(), nil)
		if err != nil || list.JSON200 == nil || len(list.JSON200.Data) != 1 {
			t.Errorf("%v %s", err, list.Body)
		}
		for _, url := range []string{"http://user@erp.acme.example", "https://erp.acme.example/#x", "http:///x"} {
			res, err := w.CreateWebhookEndpointWithResponse(t.Context(), nil, api.WebhookEndpointRequest{URL: url})
			must(t, err)
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "validation_failed", "/url")
		}
		partner := w.as(&auth.Principal{Subject: "erp", Customer: 7, Scope: auth.Admin})
		for range 18 {
			create(t, partner, api.WebhookEndpointRequest{URL: request.URL})
		}
		var created atomic.Int64
		for range 8 {
			calls.Go(func() {
				res, err := partner.CreateWebhookEndpointWithResponse(t.Context(), nil, request)
				switch {
				case err != nil:
					t.Error(err)
				case res.JSON201 != nil:
					created.Add(1)
				default:
					webtest.WantError(t, res.StatusCode(), res.Body, 409, "too_many_webhook_endpoints")
				}
			})
		}
		if calls.Wait(); created.Load() != 2 {
			t.Errorf("%d endpoints beside 18", created.Load())
		}
	})
}

// TestWebhookLimit lets six instances of the service create endpoints for one customer at once. Exactly 20
// endpoints must be created.
func TestWebhookLimit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w := send(t, g)
		created, others := 0, map[string]int{}
		var mu sync.Mutex
		var calls sync.WaitGroup
		for range 6 {
			instance := *w
			s := events.New(g, events.Config{KeyLifetime: time.Hour, Webhooks: deliver.Config{AllowPrivate: true}})
			instance.base = webtest.Serve(t, s.Handler(webtest.Options()), webtest.Spec(t, api.Document))
			partner := instance.as(&auth.Principal{Subject: "erp", Customer: 7, Scope: auth.Admin})
			for range 6 {
				calls.Go(func() {
					request := api.WebhookEndpointRequest{URL: "https://erp.acme.example/hook"}
					res, err := partner.CreateWebhookEndpointWithResponse(context.Background(), nil, request)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err != nil:
						t.Error(err)
					case res.JSON201 != nil:
						created++
					case res.JSON409 != nil:
						others[string(res.JSON409.Code)]++
					default:
						t.Errorf("%s", res.Body)
					}
				})
			}
		}
		calls.Wait()
		if created != 20 || others["too_many_webhook_endpoints"] != 16 {
			t.Errorf("%d endpoints, and %v", created, others)
		}
	})
}

// TestHeldWebhooks holds a row that a customer's changes must lock: the row of an endpoint, or the row that
// the creation of an endpoint locks. Many changes of this customer wait, but only one of them may occupy a
// connection. So the changes of another customer must be served. For the endpoint of the first customer, the
// other customer must get 404 at once.
func TestHeldWebhooks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			t.Skip("SQLite has a single writer and no row locks")
		}
		w := send(t, g)
		erp := w.as(&auth.Principal{Subject: "erp", Customer: 7, Scope: auth.Admin})
		other := w.as(&auth.Principal{Subject: "shop", Customer: 8, Scope: auth.Admin})
		request := api.WebhookEndpointRequest{URL: "https://erp.acme.example/hook"}
		id := create(t, erp, request).Endpoint.ID
		for name, c := range map[string]struct {
			lock string
			of   int64
			call func() (int, error)
		}{
			"rotate": {"SELECT id FROM webhook_endpoints WHERE id = ? FOR UPDATE", id, func() (int, error) {
				res, err := erp.RotateWebhookSecretWithResponse(context.Background(), id, nil)
				return res.StatusCode(), err
			}},
			"create": {"SELECT 1 FROM webhook_owners WHERE customer_id = ? FOR UPDATE", 7, func() (int, error) {
				res, err := erp.CreateWebhookEndpointWithResponse(context.Background(), nil, request)
				return res.StatusCode(), err
			}},
		} {
			t.Run(name, func(t *testing.T) {
				tx := g.Begin()
				defer tx.Rollback()
				must(t, tx.Exec(c.lock, c.of).Error)
				var calls sync.WaitGroup
				for range 24 { // three times as many as the transactions that may run at once
					calls.Go(func() {
						if status, err := c.call(); err != nil || status >= 300 && status != 409 && status != 503 {
							t.Errorf("%d %v", status, err)
						}
					})
				}
				time.Sleep(300 * time.Millisecond) // gives the calls time to begin to wait
				begun := time.Now()
				create(t, other, request)
				elsewhere := api.WebhookEndpointUpdate{Enabled: new(false)}
				changed, err := other.UpdateWebhookEndpointWithResponse(t.Context(), id, elsewhere)
				must(t, err)
				webtest.WantError(t, changed.StatusCode(), changed.Body, 404, "webhook_endpoint_not_found")
				rotated, err := other.RotateWebhookSecretWithResponse(t.Context(), id, nil)
				must(t, err)
				webtest.WantError(t, rotated.StatusCode(), rotated.Body, 404, "webhook_endpoint_not_found")
				deleted, err := other.DeleteWebhookEndpointWithResponse(t.Context(), id)
				must(t, err)
				webtest.WantError(t, deleted.StatusCode(), deleted.Body, 404, "webhook_endpoint_not_found")
				if took := time.Since(begun); took > 1500*time.Millisecond {
					t.Errorf("the other customer's calls took %s", took)
				}
				must(t, tx.Rollback().Error)
				calls.Wait()
			})
		}
	})
}

// TestRotationOfDeletedEndpoint repeats the rotation of an endpoint that is deleted meanwhile. The repeat
// must get the stored answer. A rotation with another key must get 404.
func TestRotationOfDeletedEndpoint(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w := send(t, g)
		erp := w.as(&auth.Principal{Subject: "erp", Customer: 7, Scope: auth.Admin})
		id := create(t, erp, api.WebhookEndpointRequest{URL: "https://erp.acme.example/hook"}).Endpoint.ID
		rotate := func(key string) *api.RotateWebhookSecretResponse {
			params := &api.RotateWebhookSecretParams{XIdempotencyKey: &key}
			res, err := erp.RotateWebhookSecretWithResponse(t.Context(), id, params)
			must(t, err)
			return res
		}
		first := rotate("rotation-1")
		deleted, err := erp.DeleteWebhookEndpointWithResponse(t.Context(), id)
		if err != nil || deleted.JSON200 == nil {
			t.Fatalf("%v %s", err, deleted.Body)
		}
		if again := rotate("rotation-1"); first.JSON200 == nil || string(again.Body) != string(first.Body) {
			t.Errorf("%s, then %s", first.Body, again.Body)
		}
		other := rotate("rotation-2")
		webtest.WantError(t, other.StatusCode(), other.Body, 404, "webhook_endpoint_not_found")
	})
}

// TestWebhookTestIsRecorded sends test messages to a receiver that answers after the time limit of a request.
// The first caller waits, and gets the result; the second caller leaves. Both messages must be recorded.
func TestWebhookTestIsRecorded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r := send(t, g), receive(t)
		id := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL}).Endpoint.ID
		o := webtest.Options()
		o.Timeout = 500 * time.Millisecond
		s := httptest.NewServer(events.New(g, events.Config{Webhooks: deliver.Config{AllowPrivate: true}}).Handler(o))
		defer s.Close()
		hasty, err := api.NewClientWithResponses(s.URL)
		must(t, err)
		r.answers(func(w http.ResponseWriter, _ received) {
			time.Sleep(time.Second)
			w.WriteHeader(http.StatusNoContent)
		})
		sent, err := hasty.TestWebhookEndpointWithResponse(t.Context(), id)
		if err != nil || sent.JSON200 == nil || sent.JSON200.Data.Outcome != "delivered" {
			t.Errorf("%v %s", err, sent.Body)
		}
		r.next()
		caller, leave := context.WithCancel(t.Context())
		var left sync.WaitGroup
		left.Go(func() {
			if _, err := hasty.TestWebhookEndpointWithResponse(caller, id); err == nil {
				t.Error("the caller has not left")
			}
		})
		r.next()
		leave()
		left.Wait()
		w.until(id, "both messages are recorded", func(api.WebhookEndpoint) bool {
			d := w.deliveries(id)
			return len(d) == 2 && d[0].Outcome == "delivered" && d[1].Outcome == "delivered"
		})
	})
}

// TestWebhookTest sends test messages to a disabled endpoint. The messages must arrive, and must not change
// the endpoint.
func TestWebhookTest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w, r := send(t, g), receive(t)
		created := create(t, w.ClientWithResponses, api.WebhookEndpointRequest{URL: r.URL})
		id := created.Endpoint.ID
		res, err := w.UpdateWebhookEndpointWithResponse(t.Context(), id, api.WebhookEndpointUpdate{
			Enabled: new(false), Description: nullable.NewNullableWithValue("mine"),
			Types: &[]contract.EventType{},
		})
		if err != nil || res.JSON200 == nil {
			t.Fatalf("%v %s", err, res.Body)
		}
		e := res.JSON200.Data
		if e.Enabled || *e.DisabledReason != "requested" || *e.Description != "mine" || len(e.Types) > 0 {
			t.Errorf("%s", res.Body)
		}
		for _, status := range []int{204, 500} {
			r.answers(func(w http.ResponseWriter, _ received) { w.WriteHeader(status) })
			sent, err := w.TestWebhookEndpointWithResponse(t.Context(), id)
			if err != nil || sent.JSON200 == nil {
				t.Fatalf("%v %s", err, sent.Body)
			}
			outcome := map[int]api.WebhookDeliveryOutcome{204: "delivered", 500: "refused"}[status]
			if d := sent.JSON200.Data; *d.Status != int32(status) || d.Outcome != outcome {
				t.Errorf("%s", sent.Body)
			}
			got := r.next()
			check, err := standardwebhooks.NewWebhook(*created.Secret)
			must(t, err)
			if err := check.Verify(got.body, got.header); err != nil || got.Type != "webhook_endpoint.test" ||
				got.id != *sent.JSON200.Data.WebhookID {
				t.Errorf("%v %s", err, got.body)
			}
		}
		if e := w.endpoint(id); e.Failures != 0 || e.Enabled {
			t.Errorf("a test message has changed the endpoint: %+v", e)
		}
		deleted, err := w.DeleteWebhookEndpointWithResponse(t.Context(), id)
		if err != nil || deleted.JSON200 == nil {
			t.Fatalf("%v %s", err, deleted.Body)
		}
		again, err := w.DeleteWebhookEndpointWithResponse(t.Context(), id)
		must(t, err)
		webtest.WantError(t, again.StatusCode(), again.Body, 404, "webhook_endpoint_not_found")
	})
}

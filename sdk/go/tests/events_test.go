package tests

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"example.com/b2b/v2/openapi/eventsapi"
	b2b "example.com/b2b/v2/sdk/go"
)

// newEvents returns a fixture whose client also calls the Events API, and the proxy of the Events API.
func newEvents(t *testing.T) (*fixture, *proxy) {
	t.Helper()
	events := newProxy(t, addresses[3])
	return newFixture(t, func(o *b2b.Options) { o.Events = events.URL }), events
}

func TestFollowEvents(t *testing.T) {
	f, events := newEvents(t)
	after := must(f.Events.ListEventsWithResponse(t.Context(), nil))(t).JSON200.Meta.LastPosition
	events.plans(closed, refuse(503, "0"), cut, pass)
	for n := range 3 {
		f.newProduct(t, fmt.Sprintf("FOLLOWED-%d-%d", made, n))
	}
	seen := 0
	for e, err := range f.FollowEvents(t.Context(), after, "product.created") {
		if err != nil {
			t.Fatal(err)
		}
		if e.Position <= after || e.Type != "product.created" {
			t.Errorf("%+v after %d", e, after)
		}
		if product, err := e.Product(); err != nil || product.ID != e.SubjectID || product.PriceCents == 0 {
			t.Errorf("%+v of %+v: %v", product, e, err)
		}
		if order, err := e.Order(); err == nil {
			t.Errorf("%+v is the order %+v", e, order)
		}
		after = e.Position
		if seen++; seen == 3 {
			break
		}
	}
	for _, err := range f.FollowEvents(t.Context(), 1<<40, "") {
		failure(0, err)(t, "events_expired", 410, false)
	}
}

// TestOnPosition follows a feed in which most pages have no event for the caller. After each page that was
// read to its end, OnPosition must get the position.
func TestOnPosition(t *testing.T) {
	f, events := newEvents(t)
	page := func(nextAfter int64, positions ...int64) step {
		var data []string
		for _, position := range positions {
			data = append(data, fmt.Sprintf(`{"id": 1, "type": "order.created", "subject": "order", "subject_id": 3,
				"customer_id": 1, "actor": "erp", "correlation_id": null, "created_at": "2024-03-01T09:30:00.000Z",
				"position": %d, "representation": {}}`, position))
		}
		return answer(200, fmt.Sprintf(`{"success": true, "data": [%s],
			"meta": {"next_after": %d, "last_position": 900}}`, strings.Join(data, ","), nextAfter))
	}
	plan := []step{page(7), refuse(503, "0"), page(20, 9), page(20), page(900), page(901, 901)}
	events.plans(plan...)
	var told []string
	onPosition := b2b.OnPosition(func(position int64) error { told = append(told, fmt.Sprint(position)); return nil })
	for event, err := range f.FollowEvents(t.Context(), 5, "order.created", onPosition) {
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, fmt.Sprint("event ", event.Position))
		if event.Position == 901 { // the loop ends within the page, so OnPosition must not get 901
			break
		}
	}
	if want := []string{"7", "event 9", "20", "900", "event 901"}; !slices.Equal(told, want) {
		t.Errorf("%q, not %q", told, want)
	}
	var asked []string
	for _, r := range events.seen {
		asked = append(asked, r.URL.Query().Get("after"))
	}
	if want := []string{"5", "7", "7", "20", "20", "900"}; !slices.Equal(asked, want) {
		t.Errorf("asked after %q, not %q", asked, want)
	}

	events.plans(page(7))
	full := errors.New("the disk is full")
	failed := b2b.OnPosition(func(int64) error { return full })
	count := 0
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for event, err := range f.FollowEvents(ctx, 5, "", failed) {
		if count++; err != full {
			t.Errorf("%+v %v", event, err)
		}
	}
	if count != 1 {
		t.Errorf("%d iterations", count)
	}
}

func TestVerifyWebhook(t *testing.T) {
	const secret, id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "evt_17"
	const body = `{"type":"order.created","timestamp":"2024-03-01T09:30:00.000Z"}`
	public, private, err := ed25519.GenerateKey(nil)
	must(0, err)(t)
	key := "whpk_" + base64.StdEncoding.EncodeToString(public)
	signed := func(at time.Time) http.Header {
		stamp := strconv.FormatInt(at.Unix(), 10)
		hmac := must(must(standardwebhooks.NewWebhook(secret))(t).Sign(id, at, []byte(body)))(t)
		v1a := base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte(id+"."+stamp+"."+body)))
		signatures := "v1a," + v1a + " " + hmac
		return http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signatures}}
	}
	now := time.Now()
	for _, k := range []string{secret, key} {
		message, err := b2b.VerifyWebhook(k, signed(now), []byte(body))
		if err != nil || message.Type != "order.created" {
			t.Errorf("%s: %+v %v", k, message, err)
		}
		at := func(h http.Header, when time.Time) string {
			for name, values := range signed(when) {
				h[name] = values
			}
			return body
		}
		set := func(h http.Header, name, value string) string {
			h.Set(name, value)
			return body
		}
		for name, change := range map[string]func(h http.Header) string{
			"another body":     func(http.Header) string { return body + " " },
			"another id":       func(h http.Header) string { return set(h, "webhook-id", "evt_18") },
			"another time":     func(h http.Header) string { return set(h, "webhook-timestamp", fmt.Sprint(now.Unix()-1)) },
			"no id":            func(h http.Header) string { return set(h, "webhook-id", "") },
			"no time":          func(h http.Header) string { return set(h, "webhook-timestamp", "") },
			"no signature":     func(h http.Header) string { return set(h, "webhook-signature", "") },
			"an odd signature": func(h http.Header) string { return set(h, "webhook-signature", "v1,% v1a v2,x ,") },
			"of an hour ago":   func(h http.Header) string { return at(h, now.Add(-time.Hour)) },
			"of an hour ahead": func(h http.Header) string { return at(h, now.Add(time.Hour)) },
		} {
			h := signed(now)
			if _, err := b2b.VerifyWebhook(k, h, []byte(change(h))); !errors.Is(err, b2b.ErrWebhook) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, k := range []string{"", "whsec_", "whsec_%", "whpk_AAAA"} {
		if _, err := b2b.VerifyWebhook(k, signed(now), []byte(body)); err == nil || errors.Is(err, b2b.ErrWebhook) {
			t.Errorf("the key %q: %v", k, err)
		}
	}
}

// TestReceiveWebhooks lets b2b send events to a receiver, with signatures of both kinds. VerifyWebhook must
// accept each message.
func TestReceiveWebhooks(t *testing.T) {
	f, _ := newEvents(t)
	for _, signature := range []eventsapi.WebhookSignature{"hmac-sha256", "ed25519"} {
		key, got := make(chan string, 1), make(chan *eventsapi.WebhookMessage, 10)
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			k := <-key
			key <- k
			message, err := b2b.VerifyWebhook(k, r.Header, body)
			if err != nil {
				t.Error(err)
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			got <- message
		}))
		defer receiver.Close()
		request := eventsapi.WebhookEndpointRequest{URL: receiver.URL, Signature: &signature}
		created := must(f.Events.CreateWebhookEndpointWithResponse(t.Context(), nil, request))(t).JSON201.Data
		if created.Secret != nil {
			key <- *created.Secret
		} else {
			key <- *created.Endpoint.PublicKey
		}
		must(f.Events.TestWebhookEndpointWithResponse(t.Context(), created.Endpoint.ID))(t)
		if message := <-got; message.Type != "webhook_endpoint.test" || message.Data.SubjectID != created.Endpoint.ID {
			t.Errorf("%+v", message)
		}
		product := f.newProduct(t, fmt.Sprintf("SENT-%d-%s", made, signature))
		for message := range got { // earlier events may come first
			if message.Type == "product.created" && message.Data.SubjectID == product {
				break
			}
		}
		must(f.Events.DeleteWebhookEndpointWithResponse(t.Context(), created.Endpoint.ID))(t)
	}
}

package live_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/events/deliver"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/eventsapi"
	"example.com/b2b/v2/orders"
	"example.com/b2b/v2/test/live"
)

// payloads has the schemas of events by subject, and remembers the fields that the checked events have.
type payloads struct {
	*testing.T
	types     []string
	bySubject map[string]*openapi3.Schema
	shown     map[string]bool // paths of fields, such as order/representation/items/sku
}

// newPayloads reads the schemas from the document. A schema describes events when its property subject allows
// a single value.
func newPayloads(t *testing.T) payloads {
	document, err := openapi3.NewLoader().LoadFromData(eventsapi.Document)
	if err != nil {
		t.Fatal(err)
	}
	p := payloads{T: t, bySubject: map[string]*openapi3.Schema{}, shown: map[string]bool{}}
	known := func(schema string) (values []string) {
		for _, v := range document.Components.Schemas[schema].Value.Extensions["x-extensible-enum"].([]any) {
			values = append(values, v.(string))
		}
		return values
	}
	p.types = known("EventType")
	for _, s := range document.Components.Schemas {
		if subject := s.Value.Properties["subject"]; subject != nil && len(subject.Value.Enum) == 1 {
			p.bySubject[subject.Value.Enum[0].(string)] = s.Value
		}
	}
	for _, subject := range known("EventSubject") {
		if p.bySubject[subject] == nil {
			t.Errorf("the document describes no events of the subject %s", subject)
		}
	}
	return p
}

// checkEvent compares an event with the schema of its subject.
func (p payloads) checkEvent(event map[string]any) {
	subject := event["subject"].(string)
	schema := p.bySubject[subject]
	if schema == nil {
		p.Errorf("no schema describes %v", event)
		return
	}
	if err := schema.VisitJSON(event, openapi3.MultiErrors()); err != nil {
		p.Errorf("%v: %v", event, err)
	}
	p.check(subject, event, schema)
}

// properties returns the properties of an object's schema, including the properties of the schemas in its
// allOf.
func properties(s *openapi3.Schema) openapi3.Schemas {
	all := openapi3.Schemas{}
	maps.Copy(all, s.Properties)
	for _, part := range s.AllOf {
		maps.Copy(all, properties(part.Value))
	}
	return all
}

// check compares a part of an event with its schema. It also refuses unknown fields, which the schemas allow.
func (p payloads) check(path string, value any, s *openapi3.Schema) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			p.check(path, item, s.Items.Value)
		}
	case map[string]any:
		known := properties(s)
		for name, field := range value {
			of := path + "/" + name
			switch {
			case known[name] != nil:
				p.shown[of] = true
				p.check(of, field, known[name].Value)
			case len(known) > 0 || s.AdditionalProperties.Schema == nil:
				p.Errorf("%s is %v, and not in the document", of, field)
			}
		}
	}
}

// checkShown fails the test for each field of a schema that no checked event has.
func (p payloads) checkShown(path string, s *openapi3.Schema) {
	if s.Items != nil {
		p.checkShown(path, s.Items.Value)
	}
	for name, property := range properties(s) {
		if of := path + "/" + name; !p.shown[of] {
			p.Errorf("%s is in the document, and no event has it", of)
		} else {
			p.checkShown(of, property.Value)
		}
	}
}

// TestEventPayloads makes a change of every type, some by imports, and lets a reservation end. Each event of
// the feed must agree with the schema that the document has for its subject.
func TestEventPayloads(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		start := func(h http.Handler) string {
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			return server.URL
		}
		base := live.Serve(g, webtest.Options(), start)
		service := events.New(g, events.Config{
			KeyLifetime: time.Hour, Webhooks: deliver.Config{AllowPrivate: true},
		})
		base["events"] = start(service.Handler(webtest.Options()))
		var working sync.WaitGroup
		ctx, cancel := context.WithCancel(context.Background())
		working.Go(func() { db.RunJobs(ctx, g, slog.New(slog.DiscardHandler), service.Jobs()...) })
		working.Go(func() { service.Deliver(ctx, slog.New(slog.DiscardHandler)) })
		t.Cleanup(func() { cancel(); working.Wait() })

		makeChanges(t, base, start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusGone) // 410 disables the endpoint at once
		})))
		expiring, err := orders.New(g, orders.Config{Reservation: time.Nanosecond})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := expiring.ExpireReservations(t.Context()); n == 0 || err != nil {
			t.Fatalf("%d reservations have ended: %v", n, err)
		}

		p := newPayloads(t)
		missing := slices.Clone(p.types)
		for after, reads := int64(0), 0; len(missing) > 0; reads++ {
			url := fmt.Sprintf("%s/events?limit=1000&wait=5s&after=%d", base["events"], after)
			status, body, _ := webtest.Do(t, "GET", url, "")
			var page struct {
				Data []map[string]any
				Meta eventsapi.FeedMeta
			}
			if err := json.Unmarshal(body, &page); err != nil || status != 200 || reads == 20 {
				t.Fatalf("no events of the types %v: %d %s %v", missing, status, body, err)
			}
			for _, event := range page.Data {
				p.checkEvent(event)
				missing = slices.DeleteFunc(missing, func(name string) bool { return name == event["type"] })
			}
			after = page.Meta.NextAfter
		}
		for subject, schema := range p.bySubject {
			p.checkShown(subject, schema)
		}
	})
}

// makeChanges makes a change of every type, except that no reservation ends. The address gone is a receiver
// of webhooks that answers 410.
func makeChanges(t *testing.T, base map[string]string, gone string) {
	t.Helper()
	var answer struct{ Data struct{ ID int64 } }
	do := func(service, method, path, body string) int64 {
		t.Helper()
		media := "application/json"
		if strings.HasSuffix(path, "/import") {
			media = "application/x-ndjson"
		}
		status, text, _ := webtest.Do(t, method, base[service]+path, body,
			"Content-Type", media, "X-Idempotency-Key", rand.Text())
		if status >= 300 || strings.Contains(string(text), `"refused":1`) {
			t.Fatalf("%s %s: %d %s", method, path, status, text)
		}
		if media == "application/json" && strings.Contains(string(text), `"data"`) {
			if err := json.Unmarshal(text, &answer); err != nil {
				t.Fatal(err)
			}
		}
		return answer.Data.ID
	}
	do("events", "POST", "/webhook-endpoints", `{"url": "`+gone+`", "types": ["customer.created"]}`)

	customer := do("customers", "POST", "/customers", `{"name": "New", "email": "new@example.com"}`)
	do("customers", "PUT", fmt.Sprint("/customers/", customer), `{"phone": "+34 600 000 000", "external_ref": "N-1"}`)
	do("customers", "POST", "/customers/import", `{"email": "imported@example.com", "name": "Imported"}`+"\n")
	do("customers", "DELETE", fmt.Sprint("/customers/", customer), "")

	product := do("orders", "POST", "/products", `{"sku": "NEW", "name": "New", "price_cents": 100, "stock": 9}`)
	do("orders", "PATCH", fmt.Sprint("/products/", product), `{"price_cents": 90}`)
	do("orders", "POST", fmt.Sprint("/products/", product, "/stock-adjustments"), `{"delta": 1, "reason": "came"}`)
	do("orders", "POST", "/products/import", `{"sku": "NEWER", "name": "Newer", "price_cents": 100, "stock": 9}`+"\n")

	place := fmt.Sprintf(`{"customer_id": 1, "items": [{"product_id": %d, "qty": 1}], "metadata": {"a": "b"}}`, product)
	order := do("orders", "POST", "/orders", place)
	do("orders", "POST", fmt.Sprint("/orders/", order, "/confirm"), "")
	do("orders", "POST", fmt.Sprint("/orders/", order, "/cancel"), `{"reason": "a typo"}`)
	do("orders", "POST", "/orders", place) // the reservation of this order ends
}

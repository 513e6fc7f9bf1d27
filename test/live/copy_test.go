package live_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/eventsapi"
	"example.com/b2b/v2/test/live"
)

// mirror is a copy of the data in another system, such as an ERP: it exports once, and then follows the feed.
type mirror struct {
	t    *testing.T
	base map[string]string
	// Authorization of a partner, who gets no events of products; nil for a caller who gets all events
	headers []string
	things  map[string]fields // the copied things, by subject and id
	after   int64
}

// subjects has the service and the path of each subject that events have.
var subjects = map[string]struct{ service, path string }{
	"customer": {"customers", "/customers"}, "product": {"orders", "/products"}, "order": {"orders", "/orders"},
}

// put stores the state of a thing, without the fields that change as time passes. A product gets the
// parameter stock as its stock: an event of a product may have an old stock, because orders change the stock
// without such an event.
func (m *mirror) put(subject string, thing fields, stock any) {
	for _, computed := range []string{"allowed_actions", "cancelable_until", "reservation_expires_at"} {
		delete(thing, computed)
	}
	if subject == "product" {
		thing["stock"] = stock
	}
	m.things[fmt.Sprint(subject, " ", thing["id"])] = thing
}

// export replaces the copy by new exports, and returns the position after which the mirror must read the
// feed.
func (m *mirror) export() (position int64) {
	m.things, position = map[string]fields{}, -1
	for subject, at := range subjects {
		if subject == "product" && m.headers != nil {
			continue
		}
		url := m.base[at.service] + at.path + "/export?format=ndjson"
		status, rows, header := webtest.Do(m.t, "GET", url, "", m.headers...)
		of, err := strconv.ParseInt(header.Get("X-Event-Position"), 10, 64)
		if status != 200 || err != nil {
			m.t.Fatalf("%s: %d %v", url, status, err)
		}
		if position < 0 || of < position {
			position = of
		}
		for line := range bytes.Lines(rows) {
			thing := decode(m.t, line)
			m.put(subject, thing, thing["stock"])
		}
	}
	return position
}

// follow applies the next events of the feed, and reports whether the feed has no later event.
func (m *mirror) follow() bool {
	url := fmt.Sprintf("%s/events?limit=20&after=%d", m.base["events"], m.after)
	status, body, _ := webtest.Do(m.t, "GET", url, "", m.headers...)
	var page eventsapi.FeedResponse
	if err := json.Unmarshal(body, &page); err != nil || status != 200 {
		m.t.Fatalf("%s: %d %v %s", url, status, err, body)
	}
	moved := map[string]bool{} // ids of products whose stock may have changed
	for _, e := range page.Data {
		thing := decode(m.t, e.Representation)
		switch {
		case e.Type == "customer.deleted":
			delete(m.things, fmt.Sprint("customer ", e.SubjectID))
			continue
		case e.Subject == "product":
			moved[fmt.Sprint(e.SubjectID)] = true
		case e.Subject == "order":
			for _, i := range thing["items"].([]any) {
				moved[fmt.Sprint(i.(fields)["product_id"])] = true
			}
		}
		m.put(string(e.Subject), thing, nil)
	}
	if m.headers != nil {
		moved = nil
	}
	for id := range moved {
		status, body, _ := webtest.Do(m.t, "GET", m.base["orders"]+"/products/"+id, "", m.headers...)
		if status != 200 {
			m.t.Fatalf("product %s: %d %s", id, status, body)
		}
		product := decode(m.t, body)["data"].(fields)
		m.put("product", product, product["stock"])
	}
	m.after = page.Meta.NextAfter
	return m.after == page.Meta.LastPosition
}

func decode(t *testing.T, text []byte) (thing fields) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&thing); err != nil {
		t.Fatal(err)
	}
	return thing
}

// TestCopyByExportAndFeed changes customers, products and orders at random. Meanwhile two mirrors export once
// and follow the feed: one copies all data, the other copies the data of a partner. Now and then a mirror
// crashes, and begins again with its last saved copy and position. At the end, each copy must equal a new
// export.
func TestCopyByExportAndFeed(t *testing.T) {
	const writers, changes = 4, 60
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		base := live.Serve(g, webtest.Options(), func(h http.Handler) string {
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			return server.URL
		})
		var sequencer, working, mirrors sync.WaitGroup
		rest := make(chan struct{})
		// Give positions to events until every event has one.
		sequencer.Go(func() {
			service := events.New(g, events.Config{})
			for atRest := false; ; {
				n, err := service.SequenceBatch(t.Context())
				if err != nil {
					t.Error(err)
				}
				if err != nil || n == 0 && atRest {
					return
				}
				select {
				case <-rest:
					atRest = true
				default:
				}
			}
		})
		for w := range writers {
			working.Go(func() {
				for n := range changes {
					change(t, base, fmt.Sprintf("%d-%d", w, n))
				}
			})
		}
		partner, err := webtest.Options().Tokens.Issue(
			auth.Principal{Subject: "partner", Customer: 1, Scope: auth.Admin}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		finished := make(chan struct{})
		copies := []*mirror{
			{t: t, base: base}, {t: t, base: base, headers: []string{"Authorization", "Bearer " + partner}},
		}
		for _, m := range copies {
			mirrors.Go(func() {
				m.after = m.export()
				noted, note := maps.Clone(m.things), m.after
				for n := 1; ; n++ {
					isLast := m.follow()
					if n%7 == 0 { // the mirror crashes, and begins with its last saved copy
						m.things, m.after = maps.Clone(noted), note
					} else if n%3 == 0 {
						noted, note = maps.Clone(m.things), m.after
					}
					select {
					case <-finished:
						if isLast && m.follow() {
							return
						}
					default:
					}
				}
			})
		}
		working.Wait()
		close(rest)
		sequencer.Wait()
		close(finished)
		mirrors.Wait()
		for i, m := range copies {
			now := &mirror{t: t, base: base, headers: m.headers}
			now.export()
			for key, thing := range now.things {
				if !reflect.DeepEqual(m.things[key], thing) {
					t.Errorf("copy %d: %s is %v, want %v", i, key, m.things[key], thing)
				}
			}
			if len(m.things) != len(now.things) {
				t.Errorf("copy %d has %d things, want %d", i, len(m.things), len(now.things))
			}
			if len(now.things) < 8 {
				t.Errorf("only %d things", len(now.things))
			}
		}
	})
}

// change calls a random operation that changes a customer, a product or an order. The service may refuse the
// call. The parameter name makes texts and idempotency keys unique.
func change(t *testing.T, base map[string]string, name string) {
	do := func(service, method, path string, body fields) {
		text, err := json.Marshal(body)
		if err != nil {
			t.Error(err)
		}
		key := strings.ReplaceAll(path, "/", "-") + name
		status, answer := http.StatusServiceUnavailable, []byte(nil)
		for n := 0; n < 5 && status == http.StatusServiceUnavailable; n++ { // a client repeats the call after 503
			status, answer, _ = webtest.Do(t, method, base[service]+path, string(text),
				"Content-Type", "application/json", "X-Idempotency-Key", key)
		}
		if status >= 500 {
			t.Errorf("%s %s: %d %s", method, path, status, answer)
		}
	}
	some := func(n int) int { return 1 + rand.N(n) }
	switch rand.N(9) {
	case 0:
		do("customers", "POST", "/customers", fields{"name": "New " + name, "email": name + "@example.com"})
	case 1:
		do("customers", "PUT", fmt.Sprint("/customers/", some(12)), fields{"name": "Changed " + name})
	case 2:
		do("customers", "DELETE", fmt.Sprint("/customers/", 5+some(10)), nil)
	case 3:
		do("orders", "PATCH", fmt.Sprint("/products/", some(10)), fields{"price_cents": some(100)})
	case 4:
		do("orders", "POST", fmt.Sprint("/products/", some(10), "/stock-adjustments"),
			fields{"delta": some(5), "reason": "came"})
	case 5:
		do("orders", "POST", fmt.Sprint("/orders/", some(30), "/confirm"), nil)
	case 6:
		do("orders", "POST", fmt.Sprint("/orders/", some(30), "/cancel"), fields{})
	default:
		do("orders", "POST", "/orders", fields{"customer_id": some(3), "items": []fields{
			{"product_id": some(10), "qty": 1}, {"product_id": some(10), "qty": 2},
		}})
	}
}

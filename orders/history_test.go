package orders_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// as returns the headers of a request by p with all scopes.
func as(t *testing.T, p auth.Principal, correlationID string) []string {
	t.Helper()
	p.Scope = auth.Admin
	token, err := webtest.Options().Tokens.Issue(p, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"Authorization", "Bearer " + token, correlation.Header, correlationID, "Content-Type",
		"application/json",
	}
}

// history reads the history of a path such as /orders/1 or /products/1, page by page, newest first.
func (s *system) history(t *testing.T, thing string, headers ...string) (all []contract.ChangeEvent) {
	t.Helper()
	for cursor := ""; ; {
		status, body, _ := webtest.Do(t, "GET", s.base+thing+"/history?limit=2&cursor="+cursor, "", headers...)
		var page contract.EventListResponse
		if err := json.Unmarshal(body, &page); err != nil || status != 200 || len(page.Data) > 2 {
			t.Fatalf("%v %d %s", err, status, body)
		}
		all = append(all, page.Data...)
		if page.Meta.NextCursor == nil {
			return all
		}
		cursor = fmt.Sprint(*page.Meta.NextCursor)
	}
}

// describe returns events as text, oldest first.
func describe(events []contract.ChangeEvent) string {
	var all []string
	for _, e := range slices.Backward(events) {
		words := fmt.Sprint(e.Type, " by ", e.Actor)
		if e.CorrelationID != nil {
			words += " in " + *e.CorrelationID
		}
		all = append(all, words)
	}
	return strings.Join(all, ", ")
}

func TestHistory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		dbtest.NoFilesort(t, g)
		asService := []string{
			"Authorization", "Bearer " + webtest.Token, correlation.Header, "req-service", "Content-Type",
			"application/json",
		}
		asAnybody := []string{correlation.Header, "req-anybody", "Content-Type", "application/json"}
		asPartner := func(correlationID string) []string {
			return as(t, auth.Principal{Subject: "erp ünï", Customer: 1}, correlationID)
		}
		do := func(method, path, body string, headers []string) map[string]any {
			t.Helper()
			var content any
			if body != "" {
				content = json.RawMessage(body)
			}
			return webtest.Data(t, method, s.base+path, content, headers...)
		}
		// shows checks that the newest event shows the order or product as a GET shows it now.
		shows := func(thing string) {
			t.Helper()
			events := s.history(t, thing)
			if len(events) == 0 {
				t.Fatalf("%s has no history", thing)
			}
			newest := events[0]
			var shown map[string]any
			if err := json.Unmarshal(newest.Representation, &shown); err != nil ||
				!reflect.DeepEqual(shown, do("GET", thing, "", nil)) {
				t.Errorf("%v: %s of %s shows %s", err, newest.Type, thing, newest.Representation)
			}
			if moved := parse(shown["updated_at"].(string)); !newest.CreatedAt.Equal(moved) {
				t.Errorf("%s of %s is of %v, the change of %v", newest.Type, thing, newest.CreatedAt, moved)
			}
		}
		product, order := "", ""
		t.Run("of a product", func(t *testing.T) {
			const n = `{"sku":"H","name":"<Thing> & Größe","price_cents":100,"stock":10}`
			product = fmt.Sprint("/products/", do("POST", "/products", n, asService)["id"])
			shows(product)
			do("PATCH", product, `{"price_cents":200}`, asAnybody)
			shows(product)
			warehouse := as(t, auth.Principal{Subject: "warehouse"}, "req-1")
			do("POST", product+"/stock-adjustments", `{"delta":5,"reason":"came"}`, warehouse)
			shows(product)
			do("PATCH", product, `{"stock":30}`, asAnybody)
			shows(product)
			do("PATCH", product, `{"stock":40,"price_cents":300}`, asAnybody)
			shows(product)
			// The product already has these values.
			do("PATCH", product, `{"stock":40,"price_cents":300}`, asAnybody)
			const want = "product.created by service in req-service, product.updated by anonymous in req-anybody, " +
				"stock.adjusted by warehouse in req-1, stock.adjusted by anonymous in req-anybody, " +
				"product.updated by anonymous in req-anybody, stock.adjusted by anonymous in req-anybody"
			if got := describe(s.history(t, product)); got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
		})
		id := strings.TrimPrefix(product, "/products/")
		lines := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%s,"qty":1}]}`, id)
		t.Run("of an order", func(t *testing.T) {
			before := describe(s.history(t, product))
			order = fmt.Sprint("/orders/", do("POST", "/orders", lines, asPartner("req-2"))["id"])
			shows(order)
			keyed := append(asPartner("req-3"), "X-Idempotency-Key", "history-1")
			for range 2 { // the second request gets the stored answer
				do("POST", order+"/confirm", "", keyed)
				shows(order)
			}
			do("POST", order+"/confirm", "", append(asPartner("req-4"), "X-Idempotency-Key", "history-2"))
			for range 2 {
				do("POST", order+"/cancel", `{"cause":"requested","reason":"it failed"}`, asService)
				shows(order)
			}
			const want = "order.created by erp ünï in req-2, order.confirmed by erp ünï in req-3, " +
				"order.canceled by service in req-service"
			events := s.history(t, order)
			if got := describe(events); got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
			for _, e := range events {
				if e.Subject != contract.Order || fmt.Sprint("/orders/", e.SubjectID) != order ||
					e.CustomerID == nil ||
					*e.CustomerID != 1 {
					t.Errorf("%+v", e)
				}
			}
			if after := describe(s.history(t, product)); after != before {
				t.Errorf("an order is an event of its product: %s", after)
			}
		})
		t.Run("of orders that nobody confirmed", func(t *testing.T) {
			var expired []string
			for range 3 {
				id := int64(do("POST", "/orders", lines, asAnybody)["id"].(float64))
				s.expire(t, id)
				expired = append(expired, fmt.Sprint("/orders/", id))
			}
			if n, err := s.service.ExpireReservations(ctx); err != nil || n != len(expired) {
				t.Fatalf("%d expired, %v", n, err)
			}
			for _, order := range expired {
				shows(order)
				const want = "order.created by anonymous in req-anybody, order.canceled by system"
				if got := describe(s.history(t, order)); got != want {
					t.Error(got)
				}
			}
		})
		t.Run("nothing of what has not happened", func(t *testing.T) {
			before := s.count(t, "events")
			for path, body := range map[string]string{
				"/products":                    `{"sku":"H","name":"Taken","price_cents":1,"stock":1}`,
				product + "/stock-adjustments": `{"delta":-999,"reason":"too many"}`,
				"/orders":                      strings.Replace(lines, `"qty":1`, `"qty":999`, 1),
				order + "/confirm":             "",
			} {
				headers := append(asAnybody, "X-Idempotency-Key", "history-3")
				if status, answer, _ := webtest.Do(t, "POST", s.base+path, body, headers...); status < 400 {
					t.Errorf("%s: %d %s", path, status, answer)
				}
			}
			broken := errors.New("the last statement of a transaction failed")
			err := g.Callback().Raw().After("gorm:raw").Register("test:fail", func(tx *gorm.DB) {
				if strings.HasPrefix(tx.Statement.SQL.String(), "INSERT INTO events") {
					_ = tx.AddError(broken)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if status, answer, _ := webtest.Do(t, "POST", s.base+"/orders", lines, asAnybody...); status != 500 {
				t.Errorf("%d %s", status, answer)
			}
			if err := g.Callback().Raw().Remove("test:fail"); err != nil {
				t.Fatal(err)
			}
			if after := s.count(t, "events"); after != before {
				t.Errorf("%d events of what did not happen", after-before)
			}
		})
		t.Run("of others", func(t *testing.T) {
			owner, other := asPartner("req-5"), as(t, auth.Principal{Subject: "other", Customer: 2}, "req-5")
			if got := len(s.history(t, order, owner...)); got != 3 {
				t.Errorf("the owner sees %d events", got)
			}
			status, body, _ := webtest.Do(t, "GET", s.base+order+"/history", "", other...)
			webtest.WantError(t, status, body, 404, "order_not_found")
			for _, partner := range [][]string{owner, other} { // partners see no events of products
				if got := s.history(t, product, partner...); len(got) != 0 {
					t.Errorf("a partner sees %s", describe(got))
				}
			}
			for path, code := range map[string]string{
				"/orders/99999":   "order_not_found",
				"/products/99999": "product_not_found",
			} {
				status, body, _ := webtest.Do(t, "GET", s.base+path+"/history", "")
				webtest.WantError(t, status, body, 404, code)
			}
		})
		wantHealthy(t, g)
	})
}

// TestHistoryIsYounger makes orders and products without events, as before the first version with a history.
// The doctor must not report them.
func TestHistoryIsYounger(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 10)
		s.adjust(t, p, 5, "came", "")
		untouched, o := s.placed(t, line(p, 1)).ID, s.placed(t, line(p, 1)).ID
		s.confirm(t, untouched, "younger-1")
		s.exec(t, "DELETE FROM events") // the state after a migration from 1.0.0, which recorded no events
		s.exec(t, "UPDATE goose_db_version SET tstamp = ?", db.Now(g, time.Second))
		wantHealthy(t, g)
		s.confirm(t, o, "younger-2")
		change := api.ProductUpdate{Stock: new(int64(3)), PriceCents: new(int64(1))}
		if res, err := s.UpdateProductWithResponse(ctx, p, nil, change); err != nil || res.JSON200 == nil {
			t.Fatalf("%v %s", err, res.Body)
		}
		for thing, want := range map[string]string{
			fmt.Sprint("/orders/", untouched): "",
			fmt.Sprint("/orders/", o):         "order.confirmed",
			fmt.Sprint("/products/", p):       "product.updated, stock.adjusted",
		} {
			got := describe(s.history(t, thing))
			for _, e := range s.history(t, thing) {
				got = strings.ReplaceAll(got, " by anonymous in "+*e.CorrelationID, "")
			}
			if got != want {
				t.Errorf("history of %s: %q, want %q", thing, got, want)
			}
		}
		s.cancel(t, s.placed(t, line(s.product(t, 1, 1), 1)).ID, "")
		wantHealthy(t, g)
	})
}

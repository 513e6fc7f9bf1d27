package customers_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/customersapi"
)

// bearer returns the header Authorization of an administrator. The token is bound to the customer, or to no
// customer if customer is 0.
func bearer(t *testing.T, subject string, customer int64) string {
	t.Helper()
	p := auth.Principal{Subject: subject, Customer: customer, Scope: auth.Admin}
	token, err := webtest.Options().Tokens.Issue(p, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

func TestHistory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		dbtest.NoFilesort(t, g)
		as := func(subject string, customer int64) []string {
			return []string{"Authorization", bearer(t, subject, customer), correlation.Header, "req-" + subject}
		}
		n := map[string]any{"name": "<Before> & Zoë", "email": "before@example.com"}
		made := webtest.Data(t, "POST", base+"/customers", n, as("office", 0)...)
		id := int64(made["id"].(float64))
		path := fmt.Sprint(base, "/customers/", id)
		states := []map[string]any{made}
		for _, change := range []string{
			`{"name":"After"}`, `{"email":"AFTER@example.com"}`, `{}`, `{"name":"After","phone":null}`, `{"phone":"1"}`,
		} {
			states = append(states, webtest.Data(t, "PUT", path, json.RawMessage(change), as("erp", id)...))
		}
		// Two of the requests change nothing, and answer with the same customer as the request before.
		states = slices.CompactFunc(states, func(a, b map[string]any) bool { return reflect.DeepEqual(a, b) })

		history := func(headers ...string) (all []contract.ChangeEvent) {
			t.Helper()
			for cursor := ""; ; {
				status, body, _ := webtest.Do(t, "GET", path+"/history?limit=2&cursor="+cursor, "", headers...)
				var page contract.EventListResponse
				if err := json.Unmarshal(body, &page); err != nil || status != 200 {
					t.Fatalf("%v %d %s", err, status, body)
				}
				all = append(all, page.Data...)
				if page.Meta.NextCursor == nil {
					slices.Reverse(all)
					return all
				}
				cursor = fmt.Sprint(*page.Meta.NextCursor)
			}
		}
		summary := func(events []contract.ChangeEvent) string {
			var all []string
			for _, e := range events {
				all = append(all, fmt.Sprint(e.Type, " by ", e.Actor, " in ", *e.CorrelationID))
			}
			return strings.Join(all, ", ")
		}
		t.Run("events", func(t *testing.T) {
			events := history(as("erp", id)...)
			want := "customer.created by office in req-office" +
				strings.Repeat(", customer.updated by erp in req-erp", 3)
			if got := summary(events); got != want || len(events) != len(states) {
				t.Fatal(got)
			}
			for i, e := range events {
				var shown map[string]any
				if err := json.Unmarshal(e.Representation, &shown); err != nil ||
					!reflect.DeepEqual(shown, states[i]) {
					t.Errorf("%v: event %d shows %s, want %v", err, i, e.Representation, states[i])
				}
				if e.Subject != contract.Customer || e.SubjectID != id || e.CustomerID == nil ||
					*e.CustomerID != id {
					t.Errorf("%+v", e)
				}
			}
		})
		t.Run("no events of refused requests", func(t *testing.T) {
			create(t, c, "Other", "other@example.com")
			before := count(t, g)
			taken := api.CustomerRequest{Name: "X", Email: "OTHER@example.com"}
			if res, _ := c.CreateCustomerWithResponse(ctx, nil, taken); res.StatusCode() != 409 {
				t.Errorf("%s", res.Body)
			}
			change := api.CustomerUpdate{
				Email: new("other@example.com"), Phone: nullable.NewNullNullable[string](),
			}
			if res, _ := c.UpdateCustomerWithResponse(ctx, id, nil, change); res.StatusCode() != 409 {
				t.Errorf("%s", res.Body)
			}
			stale := &api.DeleteCustomerParams{IfMatch: new(`"stale"`)}
			if res, _ := c.DeleteCustomerWithResponse(ctx, id, stale); res.StatusCode() != 412 {
				t.Errorf("%s", res.Body)
			}
			if after := count(t, g); after != before {
				t.Errorf("%d events of refused requests", after-before)
			}
		})
		t.Run("of others", func(t *testing.T) {
			for _, path := range []string{path, base + "/customers/99999"} {
				status, body, _ := webtest.Do(t, "GET", path+"/history", "", as("other", id+1)...)
				webtest.WantError(t, status, body, 404, "customer_not_found")
			}
			status, body, _ := webtest.Do(t, "GET", base+"/customers/99999/history", "")
			webtest.WantError(t, status, body, 404, "customer_not_found")
		})
		t.Run("of a deleted customer", func(t *testing.T) {
			if res, _ := c.DeleteCustomerWithResponse(ctx, id, nil); res.JSON200 == nil {
				t.Fatalf("%s", res.Body)
			}
			var last struct{ Type, Actor string }
			if err := g.Table("events").Order("id DESC").Take(&last).Error; err != nil ||
				last.Type != "customer.deleted" ||
				last.Actor != auth.Anonymous.Subject {
				t.Errorf("%+v, %v", last, err)
			}
			reader := as("reader", 0)
			status, body, _ := webtest.Do(t, "GET", path+"/history?limit=1", "", reader...)
			if status != 200 || !strings.Contains(string(body), `"customer.deleted"`) ||
				!strings.Contains(string(body), `"deleted_at":"`) {
				t.Errorf("%d %s", status, body)
			}
			status, body, _ = webtest.Do(t, "GET", path+"/history", "", as("other", id+1)...)
			webtest.WantError(t, status, body, 404, "customer_not_found")
			if status, body, _ = webtest.Do(t, "GET", path+"/history", "", as("own", id)...); status != 200 {
				t.Errorf("to its partner: %d %s", status, body)
			}
		})
		if got := broken(t, g); got != "" {
			t.Errorf("the doctor finds %s", got)
		}
	})
}

func count(t *testing.T, g *gorm.DB) (n int64) {
	t.Helper()
	if err := g.Table("events").Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// broken returns the broken rules, each with the rows that the doctor reports.
func broken(t *testing.T, g *gorm.DB) string {
	t.Helper()
	checks, err := doctor.Examine(ctx, g, customers.Rules())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, check := range checks {
		if check.Broken > 0 {
			all = append(all, check.Rule+": "+strings.Join(check.First, ", "))
		}
	}
	return strings.Join(all, "; ")
}

// TestRules damages the data for one rule of the doctor after the other, and repairs it again. The deleted
// customer 6 has no event customer.created, as if the customer were older than the history. The doctor must
// accept that the customer lacks events.
func TestRules(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		exec := func(statement string) {
			t.Helper()
			if err := g.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Seed(ctx, g); err != nil {
			t.Fatal(err)
		}
		exec(`INSERT INTO customers (id, name, email, created_at, deleted_at)
			VALUES (6, 'Older', 'older@example.com', '2019-01-01 00:00:00', CURRENT_TIMESTAMP)`)
		exec(`INSERT INTO events (id, type, subject, subject_id, customer_id, actor, created_at, representation)
			VALUES (777, 'customer.updated', 'customer', 6, 6, 'x', CURRENT_TIMESTAMP, '{}')`)
		if got := broken(t, g); got != "" {
			t.Fatalf("the sample data breaks %s", got)
		}
		const times = "customer was created once, and deleted as often as it is"
		const shows = "last event shows the customer's name, email, phone, external_ref, " +
			"created_at, updated_at, deleted_at"
		for _, sick := range []struct{ cause, cure, want string }{
			{"UPDATE customers SET deleted_at = CURRENT_TIMESTAMP WHERE id = 3",
				"UPDATE customers SET deleted_at = NULL WHERE id = 3", times + ": 3; " + shows + ": 3"},
			{"UPDATE events SET type = 'customer.deleted' WHERE actor = 'x'",
				"UPDATE events SET type = 'customer.updated' WHERE actor = 'x'", ""},
			{`INSERT INTO events (type, subject, subject_id, customer_id, actor, created_at, representation)
				SELECT type, subject, subject_id, customer_id, 'y', created_at, representation
				FROM events WHERE subject = 'customer' AND subject_id = 2`,
				"DELETE FROM events WHERE actor = 'y'", times + ": 2"},
			{"UPDATE customers SET name = 'X' WHERE id = 1",
				"UPDATE customers SET name = 'ACME Corporation' WHERE id = 1", shows + ": 1"},
			{"UPDATE customers SET phone = '1' WHERE id = 4",
				"UPDATE customers SET phone = NULL WHERE id = 4", shows + ": 4"},
			{"UPDATE customers SET phone = NULL WHERE id = 5",
				"UPDATE customers SET phone = '+1-555-0104' WHERE id = 5", shows + ": 5"},
			{"UPDATE events SET subject_id = 99 WHERE actor = 'x'",
				"UPDATE events SET subject_id = 6 WHERE actor = 'x'", "event of a customer has its customer: 777"},
		} {
			exec(sick.cause)
			if got := broken(t, g); got != sick.want {
				t.Errorf("%s: %q, want %q", sick.cause, got, sick.want)
			}
			exec(sick.cure)
			if got := broken(t, g); got != "" {
				t.Errorf("%s: still %q", sick.cure, got)
			}
		}
	})
}

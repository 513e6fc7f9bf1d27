package customers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/customersapi"
)

// paramsOf returns the parameters of the only detail in a refusal.
func paramsOf(t *testing.T, body []byte) string {
	t.Helper()
	var e struct {
		Details []struct{ Params map[string]any }
	}
	if err := json.Unmarshal(body, &e); err != nil || len(e.Details) != 1 {
		t.Fatalf("%s", body)
	}
	return fmt.Sprint(e.Details[0].Params)
}

func TestExternalRef(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		add := func(email, ref string) *api.CreateCustomerResponse {
			n := api.CustomerRequest{Name: "N", Email: email, ExternalRef: &ref}
			res, err := c.CreateCustomerWithResponse(ctx, nil, n)
			if err != nil {
				t.Fatal(err)
			}
			return res
		}
		first := add("a@example.com", "C-1").JSON201.Data
		other := add("b@example.com", "c-1").JSON201.Data // c-1 is not C-1: external_ref is case-sensitive
		if first.ExternalRef == nil || *first.ExternalRef != "C-1" {
			t.Fatalf("%+v", first)
		}
		t.Run("taken", func(t *testing.T) {
			named := fmt.Sprintf("map[customer_id:%d rule:unique]", first.ID)
			res := add("c@example.com", "C-1")
			webtest.WantError(t, res.StatusCode(), res.Body, 409, "external_ref_taken", "/external_ref")
			if got := paramsOf(t, res.Body); got != named {
				t.Errorf("%s, want %s", got, named)
			}
			both := add("A@example.com", "C-1")
			webtest.WantError(t, both.StatusCode(), both.Body, 409, "email_taken", "/email")
			if got := paramsOf(t, both.Body); got != named {
				t.Errorf("%s, want %s", got, named)
			}
			change := api.CustomerUpdate{ExternalRef: nullable.NewNullableWithValue("C-1")}
			put, _ := c.UpdateCustomerWithResponse(ctx, other.ID, nil, change)
			webtest.WantError(t, put.StatusCode(), put.Body, 409, "external_ref_taken", "/external_ref")
		})
		t.Run("a refusal to a caller bound to a customer names no other customer", func(t *testing.T) {
			authorization := bearer(t, "b", other.ID)
			for change, code := range map[string]string{
				`{"external_ref":"C-1"}`:    "external_ref_taken",
				`{"email":"A@example.com"}`: "email_taken",
			} {
				status, body, _ := webtest.Do(t, "PUT", fmt.Sprint(base, "/customers/", other.ID), change,
					"Content-Type", "application/json", "Authorization", authorization)
				if got := paramsOf(t, body); status != 409 || got != "map[rule:unique]" ||
					!bytes.Contains(body, []byte(code)) {
					t.Errorf("%d %s", status, body)
				}
			}
		})
		t.Run("twenty at once", func(t *testing.T) {
			status := make(chan int)
			for i := range 20 {
				go func() {
					email := fmt.Sprintf("race-%d@example.com", i)
					n := api.CustomerRequest{Name: "N", Email: email, ExternalRef: new("RACE")}
					res, err := c.CreateCustomerWithResponse(ctx, nil, n)
					if err != nil {
						status <- 0
						return
					}
					status <- res.StatusCode()
				}()
			}
			counts := map[int]int{}
			for range 20 {
				counts[<-status]++
			}
			if counts[201] != 1 || counts[409] != 19 {
				t.Errorf("%v", counts)
			}
		})
		t.Run("cleared, changed, deleted", func(t *testing.T) {
			put := func(ref nullable.Nullable[string]) *string {
				res, err := c.UpdateCustomerWithResponse(ctx, first.ID, nil, api.CustomerUpdate{ExternalRef: ref})
				if err != nil || res.JSON200 == nil {
					t.Fatalf("%v %s", err, res.Body)
				}
				return res.JSON200.Data.ExternalRef
			}
			if ref := put(nil); *ref != "C-1" { // the change has no external_ref, so the old value stays
				t.Error(*ref)
			}
			if ref := put(nullable.NewNullNullable[string]()); ref != nil {
				t.Error(*ref)
			}
			if res := add("d@example.com", "C-1"); res.JSON201 == nil {
				t.Errorf("%s", res.Body)
			} else if gone, _ := c.DeleteCustomerWithResponse(ctx, res.JSON201.Data.ID, nil); gone.JSON200 == nil {
				t.Errorf("%s", gone.Body)
			}
			if ref := put(nullable.NewNullableWithValue("C-1")); *ref != "C-1" {
				t.Error(*ref)
			}
		})
		t.Run("filters", func(t *testing.T) {
			kim := add("kim@example.com", "C-2").JSON201.Data
			ida := add("ida@example.com", "C-3").JSON201.Data
			for query, want := range map[string]int64{
				"external_ref=C-1": first.ID, "external_ref=c-1": other.ID, "external_ref=C": 0,
				"email=a@example.com": first.ID, "email=%20A@EXAMPLE.com": first.ID,
				"email=example.com": 0, "email=d@example.com": 0,
				// LOWER changes the Kelvin sign and İ on some databases, but not on others.
				"email=\u212aim@example.com": kim.ID, "email=\u0130da@example.com": ida.ID,
				"email=a@example.com&external_ref=C-1&search=n": first.ID,
				"email=a@example.com&external_ref=c-1":          0,
			} {
				status, body, _ := webtest.Do(t, "GET", base+"/customers?"+query, "")
				var list api.CustomerListResponse
				if err := json.Unmarshal(body, &list); err != nil || status != 200 ||
					(want == 0) != (len(list.Data) == 0) ||
					want != 0 && (len(list.Data) != 1 || list.Data[0].ID != want) {
					t.Errorf("%s: %d %s, want %d", query, status, body, want)
				}
			}
			dbtest.WantIndex(t, g, "uq_customers_active_email", func() {
				webtest.Do(t, "GET", base+"/customers?email=a@example.com", "")
			})
			dbtest.WantIndex(t, g, "uq_customers_active_external_ref", func() {
				webtest.Do(t, "GET", base+"/customers?external_ref=C-1", "")
			})
		})
		wantHealthy(t, g)
	})
}

func wantHealthy(t *testing.T, g *gorm.DB) {
	t.Helper()
	checks, err := doctor.Examine(ctx, g, customers.Rules())
	if err != nil || !doctor.Healthy(checks) {
		t.Errorf("%v %+v", err, checks)
	}
}

// TestKeyByQuery looks up keys with special characters. Every key must be found, in the query and in the
// path.
func TestKeyByQuery(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		_, c := serve(t, g)
		for i, key := range webtest.OddKeys {
			query := &api.FindCustomerIdempotencyKeyParams{Key: key}
			unknown, _ := c.FindCustomerIdempotencyKeyWithResponse(ctx, query)
			webtest.WantError(t, unknown.StatusCode(), unknown.Body, 404, "idempotency_key_unknown")
			created, _ := c.CreateCustomerWithResponse(ctx, &api.CreateCustomerParams{XIdempotencyKey: &key},
				api.CustomerRequest{Name: "N", Email: fmt.Sprintf("n%d@example.com", i)})
			found, _ := c.FindCustomerIdempotencyKeyWithResponse(ctx, query)
			if created.JSON201 == nil || found.JSON200 == nil ||
				found.JSON200.Data.Operations[0].CustomerID != created.JSON201.Data.ID {
				t.Errorf("%s: %s %s", key, created.Body, found.Body)
			}
			byPath, _ := c.GetCustomerIdempotencyKeyWithResponse(ctx, key)
			if !bytes.Equal(found.Body, byPath.Body) {
				t.Errorf("%s: %s by query, %s by path", key, found.Body, byPath.Body)
			}
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		_, c := serve(t, g)
		key := &api.CreateCustomerParams{XIdempotencyKey: new("customer-1")}
		n := api.CustomerRequest{Name: "N", Email: "n@example.com"}
		unknown, _ := c.GetCustomerIdempotencyKeyWithResponse(ctx, "customer-1")
		webtest.WantError(t, unknown.StatusCode(), unknown.Body, 404, "idempotency_key_unknown")
		create(t, c, "Taken", "taken@example.com")
		// A refused creation does not use up the idempotency key.
		taken := api.CustomerRequest{Name: "N", Email: "taken@example.com"}
		refused, _ := c.CreateCustomerWithResponse(ctx, key, taken)
		webtest.WantError(t, refused.StatusCode(), refused.Body, 409, "email_taken", "/email")
		bodies := make(chan string)
		for range 20 {
			go func() {
				res, err := c.CreateCustomerWithResponse(ctx, key, n)
				if err != nil {
					bodies <- err.Error()
					return
				}
				bodies <- string(res.Body)
			}()
		}
		answers := map[string]int{}
		for range 20 {
			answers[<-bodies]++
		}
		if len(answers) != 1 {
			t.Errorf("%v", answers)
		}
		first, err := c.CreateCustomerWithResponse(ctx, key, n)
		if err != nil || first.JSON201 == nil || answers[string(first.Body)] != 20 ||
			first.HTTPResponse.Header.Get("Idempotency-Replayed") != "true" {
			t.Fatalf("%v %s", err, first.Body)
		}
		id := first.JSON201.Data.ID
		changed, _ := c.UpdateCustomerWithResponse(ctx, id, nil, api.CustomerUpdate{Name: new("Changed since")})
		if changed.JSON200 == nil {
			t.Errorf("%s", changed.Body)
		}
		if again, _ := c.CreateCustomerWithResponse(ctx, key, n); !bytes.Equal(again.Body, first.Body) {
			t.Errorf("%s, then %s", first.Body, again.Body)
		}
		stored := strings.Replace(strings.TrimSpace(string(first.Body)), `,"deleted_at":null`, "", 1)
		if err := g.Exec("UPDATE idempotency_keys SET response_body = ?", stored).Error; err != nil {
			t.Fatal(err)
		}
		if again, _ := c.CreateCustomerWithResponse(ctx, key, n); !bytes.Equal(again.Body, first.Body) {
			t.Errorf("%s, then, stored by version 2.0.0, %s", first.Body, again.Body)
		}
		n.Name = "M"
		reused, _ := c.CreateCustomerWithResponse(ctx, key, n)
		webtest.WantError(t, reused.StatusCode(), reused.Body, 422, "idempotency_key_reused")
		report, _ := c.GetCustomerIdempotencyKeyWithResponse(ctx, "customer-1")
		if done := report.JSON200.Data.Operations; len(done) != 1 || done[0].CustomerID != id ||
			done[0].Operation != api.CreateCustomer {
			t.Errorf("%s", report.Body)
		}
		wantHealthy(t, g)
		for _, sick := range []string{
			"UPDATE idempotency_keys SET target_id = 77",
			"UPDATE idempotency_keys SET response_body = '{}'",
		} {
			if err := g.Exec(sick).Error; err != nil {
				t.Fatal(err)
			}
			checks, err := doctor.Examine(ctx, g, customers.Rules())
			if last := checks[len(checks)-1]; err != nil || last.Broken != 1 ||
				last.First[0] != "createCustomer customer-1" {
				t.Errorf("%s: %v %+v", sick, err, last)
			}
		}
	})
}

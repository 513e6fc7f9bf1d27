package customers_test

import (
	"fmt"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/customersapi"
)

// TestEveryField sends each field of a customer, and expects each field in the answer.
func TestEveryField(t *testing.T) {
	spec := webtest.Spec(t, api.Document)
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, _ := serve(t, g)
		customer := webtest.EveryField(t, spec, "CustomerRequest")
		made := webtest.Data(t, "POST", base+"/customers", customer)
		path := fmt.Sprint(base, "/customers/", made["id"])
		webtest.ComesBack(t, "CustomerRequest", customer, webtest.Data(t, "GET", path, nil))
		webtest.NeverShown(t, spec, "Customer", made)
		change := webtest.EveryField(t, spec, "CustomerUpdate")
		webtest.ComesBack(t, "CustomerUpdate", change, webtest.Data(t, "PUT", path, change))
	})
}

// TestEmptyPhone takes an empty phone as none, so that an export, imported again, changes nothing.
func TestEmptyPhone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, _ := serve(t, g)
		create := func(body string) []byte {
			t.Helper()
			status, answer, _ := webtest.Do(t, "POST", base+"/customers", body,
				"Content-Type", "application/json", "X-Idempotency-Key", "empty-phone")
			if status != 201 {
				t.Fatalf("%d %s", status, answer)
			}
			return answer
		}
		first := create(`{"name":"A","email":"a@example.com","phone":""}`)
		again := create(`{"name":"A","email":"a@example.com","phone":""}`)
		if string(again) != string(first) {
			t.Errorf("%s, then %s", first, again)
		}
		url := base + "/customers/1"
		if phone := webtest.Data(t, "GET", url, nil)["phone"]; phone != nil {
			t.Errorf("created with phone %q", phone)
		}
		for _, media := range []string{"csv", "ndjson"} {
			_, file, header := webtest.Do(t, "GET", base+"/customers/export?format="+media, "")
			got := imported(t, base+"/customers/import", header.Get("Content-Type"), string(file))
			if got[len(got)-1] != "0 created, 0 updated, 1 unchanged, 0 refused" {
				t.Errorf("%s: %q", media, got)
			}
		}
		for _, phone := range []any{"1", ""} {
			webtest.Data(t, "PUT", url, map[string]any{"phone": phone})
		}
		if phone := webtest.Data(t, "GET", url, nil)["phone"]; phone != nil {
			t.Errorf("changed to phone %q", phone)
		}
		changed := webtest.Data(t, "PUT", url, map[string]any{"name": nil, "email": nil, "phone": "2"})
		if changed["name"] != "A" || changed["email"] != "a@example.com" || changed["phone"] != "2" {
			t.Errorf("%v", changed)
		}
	})
}

// TestDatabaseClock wants the database's clock in the times of customers, and no time to go back.
func TestDatabaseClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		later := start.Add(2 * time.Minute)
		dbtest.SetClock(t, g, start)
		made := create(t, c, "A", "a@example.com")
		if !made.CreatedAt.Equal(start) || !made.UpdatedAt.Equal(start) {
			t.Errorf("%+v", made)
		}
		url := fmt.Sprint(base, "/customers/", made.ID)
		for _, at := range []time.Time{later, start} {
			dbtest.SetClock(t, g, at)
			changed := webtest.Data(t, "PUT", url, map[string]string{"name": at.String()})
			if got := changed["updated_at"]; got != "2030-01-01T00:02:00.000Z" {
				t.Errorf("changed at %s", got)
			}
		}
		if status, body, _ := webtest.Do(t, "DELETE", url, ""); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		var deleted, recorded time.Time
		g.Table("customers").Pluck("deleted_at", &deleted)
		g.Table("events").Where("type = 'customer.deleted'").Pluck("created_at", &recorded)
		if !deleted.Equal(later) || !recorded.Equal(later) {
			t.Errorf("deleted at %s, recorded at %s", deleted, recorded)
		}
	})
}

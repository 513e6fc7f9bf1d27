package customers_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
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
		change := webtest.EveryField(t, spec, "CustomerUpdate")
		webtest.ComesBack(t, "CustomerUpdate", change, webtest.Data(t, "PUT", path, change))
		status, answer, _ := webtest.Do(t, "DELETE", path, "")
		var last string
		g.Raw("SELECT representation FROM events ORDER BY id DESC LIMIT 1").Scan(&last)
		var deleted map[string]any
		if err := json.Unmarshal([]byte(last), &deleted); err != nil || status != 200 {
			t.Fatalf("%d %s, %v: %s", status, answer, err, last)
		}
		webtest.NeverShown(t, spec, "Customer", made, deleted)
	})
}

// TestEmptyPhone sends empty phones, which the service must store as null. Then an import of an export must
// change nothing.
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

// TestDeletedAt expects deleted_at to be null in answers and in exported files, unless the customer is
// deleted. An import accepts the column deleted_at when its cells are empty; TestImportOfDeleted tests other
// cells.
func TestDeletedAt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		path := fmt.Sprint(base, "/customers/", create(t, c, "A", "a@example.com").ID)
		if at, shown := webtest.Data(t, "GET", path, nil)["deleted_at"]; at != nil || !shown {
			t.Errorf("deleted_at is %v, shown: %v", at, shown)
		}
		_, csv, _ := webtest.Do(t, "GET", base+"/customers/export?format=csv", "")
		lines := strings.Fields(string(csv))
		if !strings.HasSuffix(lines[0], ",deleted_at") || !strings.HasSuffix(lines[1], "Z,") {
			t.Errorf("%s", csv)
		}
		_, ndjson, _ := webtest.Do(t, "GET", base+"/customers/export?format=ndjson", "")
		if !strings.Contains(string(ndjson), `"deleted_at":null`) {
			t.Errorf("%s", ndjson)
		}
		for _, file := range []string{string(csv), string(ndjson)} {
			media := "text/csv"
			if file == string(ndjson) {
				media = "application/x-ndjson"
			}
			got := imported(t, base+"/customers/import", media, file)
			if got[len(got)-1] != "0 created, 0 updated, 1 unchanged, 0 refused" {
				t.Errorf("%s: %q", file, got)
			}
		}
		for _, body := range []string{`{"deleted_at":null}`, `{"deleted_at":"2024-01-01T00:00:00.000Z"}`} {
			status, answer, _ := webtest.Do(t, "PUT", path, body, "Content-Type", "application/json")
			webtest.WantError(t, status, answer, 400, "validation_failed", "/deleted_at")
		}
	})
}

// TestStoredEmptyPhones migrates customers with the phone "", which version 2.0.0 stored. The migration must
// make each of these phones null, and add an event for the change. A second run of the migration, as after a
// kill, must change nothing.
func TestStoredEmptyPhones(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		var paths []string
		for i, phone := range []string{"", "1", "  ", ""} {
			made := webtest.Data(t, "POST", base+"/customers", map[string]any{
				"name": `A "phone":"" Z`, "email": fmt.Sprint(i, "@example.com"), "phone": "#" + phone,
			})
			paths = append(paths, fmt.Sprint(base, "/customers/", made["id"]))
		}
		status, answer, _ := webtest.Do(t, "DELETE", paths[3], "")
		if status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
		before := webtest.Data(t, "GET", paths[0], nil)
		for _, statement := range []string{
			"UPDATE customers SET phone = SUBSTR(phone, 2)",
			`UPDATE events SET representation = REPLACE(representation, '"phone":"#', '"phone":"')`,
		} {
			if err := g.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
		var after map[string]any
		for range 2 {
			dbtest.Apply(t, g, 10)
			after = webtest.Data(t, "GET", paths[0], nil)
			if after["phone"] != nil || after["updated_at"].(string) < before["updated_at"].(string) {
				t.Errorf("%v, then %v", before, after)
			}
		}
		for i, want := range []any{nil, "1", "  "} {
			if got := webtest.Data(t, "GET", paths[i], nil); got["phone"] != want {
				t.Errorf("phone is %v, want %v", got["phone"], want)
			}
		}
		res, err := c.ListCustomerHistoryWithResponse(ctx, int64(after["id"].(float64)), nil)
		if err != nil || res.JSON200 == nil || len(res.JSON200.Data) != 2 {
			t.Fatalf("%v %s", err, res.Body)
		}
		last := res.JSON200.Data[0]
		var shown map[string]any
		if err := json.Unmarshal(last.Representation, &shown); err != nil || !reflect.DeepEqual(shown, after) ||
			last.Type != "customer.updated" || last.Actor != "system" ||
			last.CreatedAt.Format("2006-01-02T15:04:05.000Z") != after["updated_at"] {
			t.Errorf("%+v shows %v, want %v, %v", last, shown, after, err)
		}
	})
}

// TestDatabaseClock checks that the times of customers come from the database's clock, and never go back.
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
			if got, _ := changed["updated_at"].(string); !strings.HasPrefix(got, "2030-01-01T00:02:00.") {
				t.Errorf("changed at %s", got)
			}
		}
		if status, body, _ := webtest.Do(t, "DELETE", url, ""); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		var deleted, recorded time.Time
		g.Table("customers").Pluck("deleted_at", &deleted)
		g.Table("events").Where("type = 'customer.deleted'").Pluck("created_at", &recorded)
		if !deleted.Truncate(time.Second).Equal(later) || !recorded.Equal(deleted) {
			t.Errorf("deleted at %s, recorded at %s", deleted, recorded)
		}
	})
}

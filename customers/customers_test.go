package customers_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/buildinfo"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/customersapi"
)

var ctx = context.Background()

func serve(t *testing.T, g *gorm.DB) (string, *api.ClientWithResponses) {
	t.Helper()
	handler := customers.New(g, time.Hour).Handler(webtest.Options())
	spec := webtest.Spec(t, api.Document)
	base := webtest.Serve(t, handler, spec)
	doer := peer.Peer{Token: webtest.Token, Timeout: webtest.Options().Timeout}.Client("Customers API")
	client, err := api.NewClientWithResponses(base, api.WithHTTPClient(doer))
	if err != nil {
		t.Fatal(err)
	}
	return base, client
}

func create(t *testing.T, c *api.ClientWithResponses, name, email string) api.Customer {
	t.Helper()
	res, err := c.CreateCustomerWithResponse(ctx, nil, api.CustomerRequest{Name: name, Email: email})
	if err != nil || res.JSON201 == nil {
		t.Fatalf("%v %s", err, res.Body)
	}
	return res.JSON201.Data
}

func TestHealthAndReady(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		_, c := serve(t, g)
		health, err := c.GetHealthWithResponse(ctx)
		want := contract.Health{Status: "ok", Service: "customers-api", Version: buildinfo.Version()}
		if err != nil || health.JSON200 == nil || *health.JSON200 != want {
			t.Errorf("%v %s", err, health.Body)
		}
		ready, err := c.GetReadyWithResponse(ctx)
		if err != nil || ready.JSON200 == nil {
			t.Errorf("%v %s", err, ready.Body)
		}
		db.Close(g) // each call now fails, because the database is closed
		ready, err = c.GetReadyWithResponse(ctx)
		if err != nil {
			t.Fatal(err)
		}
		webtest.WantError(t, ready.StatusCode(), ready.Body, 503, "unavailable")
		if ready.HTTPResponse.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		health, err = c.GetHealthWithResponse(ctx)
		if err != nil || health.JSON200 == nil {
			t.Errorf("%v %s", err, health.Body)
		}
		list, err := c.ListCustomersWithResponse(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		webtest.WantError(t, list.StatusCode(), list.Body, 503, "unavailable")
	})
}

func TestCreateCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)

		t.Run("created", func(t *testing.T) {
			n := api.CustomerRequest{Name: "Zoë 😀 O'Brien \"Ltd\"", Email: " Zoe@Example.com ", Phone: new("+1-555")}
			res, err := c.CreateCustomerWithResponse(ctx, nil, n)
			if err != nil || res.JSON201 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			got, err := c.GetCustomerWithResponse(ctx, res.JSON201.Data.ID, nil)
			if err != nil || got.JSON200 == nil {
				t.Fatalf("%v %s", err, got.Body)
			}
			if !bytes.Equal(res.Body, got.Body) {
				t.Errorf("created %s, read %s", res.Body, got.Body)
			}
			if d := got.JSON200.Data; d.Name != "Zoë 😀 O'Brien \"Ltd\"" || d.Email != "Zoe@Example.com" ||
				*d.Phone != "+1-555" {
				t.Errorf("%+v", d)
			}
		})
		t.Run("without phone", func(t *testing.T) {
			res, _ := c.CreateCustomerWithResponse(ctx, nil, api.CustomerRequest{Name: "N", Email: "n@example.com"})
			if !strings.Contains(string(res.Body), `"phone":null`) {
				t.Errorf("%s", res.Body)
			}
		})
		t.Run("email_taken", func(t *testing.T) {
			create(t, c, "A", "taken@example.com")
			n := api.CustomerRequest{Name: "B", Email: " TAKEN@example.COM"}
			res, err := c.CreateCustomerWithResponse(ctx, nil, n)
			if err != nil {
				t.Fatal(err)
			}
			webtest.WantError(t, res.StatusCode(), res.Body, 409, "email_taken", "/email")
		})
		t.Run("marks count in an external_ref", func(t *testing.T) {
			var ids []int64
			for i, name := range []string{"Núñez", "Nunez"} {
				n := api.CustomerRequest{Name: name, Email: fmt.Sprintf("%d@example.com", i), ExternalRef: &name}
				res, err := c.CreateCustomerWithResponse(ctx, nil, n)
				if err != nil || res.JSON201 == nil {
					t.Fatalf("%v %s", err, res.Body)
				}
				ids = append(ids, res.JSON201.Data.ID)
			}
			for query, want := range map[string][]int64{
				"external_ref=Núñez": ids[:1], "external_ref=Nunez": ids[1:], "search=nunez": ids, "search=NÚÑEZ": ids,
			} {
				if got := listed(t, base+"/customers?"+query+"&"); !slices.Equal(got, want) {
					t.Errorf("%s: %v, want %v", query, got, want)
				}
			}
		})
		t.Run("twenty at once", func(t *testing.T) {
			count := map[int]int{}
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					email := "race@example.com"
					if i%2 == 1 {
						email = "RACE@example.com"
					}
					res, err := c.CreateCustomerWithResponse(ctx, nil, api.CustomerRequest{Name: "R", Email: email})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					count[res.StatusCode()]++
					mu.Unlock()
				})
			}
			wg.Wait()
			if count[201] != 1 || count[409] != 19 {
				t.Errorf("status counts %v", count)
			}
		})

		for name, bad := range map[string]struct {
			body   string
			code   string
			fields []string
		}{
			"missing fields": {`{}`, "validation_failed", []string{"/name", "/email"}},
			"every field bad": {`{"name":" ","email":"nope","phone":"` + strings.Repeat("1", 51) + `"}`,
				"validation_failed", []string{"/name", "/email", "/phone"}},
			"wrong types": {`{"name":1,"email":true,"phone":[]}`,
				"validation_failed", []string{"/name", "/email", "/phone"}},
			"null": {`{"name":null,"email":"a@example.com"}`, "validation_failed", []string{"/name"}},
			"long": {`{"name":"` + strings.Repeat("é", 256) + `","email":"` + strings.Repeat("a", 250) + `@example.com"}`,
				"validation_failed", []string{"/name", "/email"}},
			"unknown field":    {`{"name":"A","email":"a@example.com","vip":true}`, "validation_failed", []string{"/vip"}},
			"other case":       {`{"Name":"A","name":"B","email":"a@example.com"}`, "validation_failed", []string{"/Name"}},
			"not ASCII email":  {`{"name":"A","email":"jos\u00e9@example.com"}`, "validation_failed", []string{"/email"}},
			"email with name":  {`{"name":"A","email":"A <a@example.com>"}`, "validation_failed", []string{"/email"}},
			"array":            {`[]`, "validation_failed", []string{"/body"}},
			"malformed":        {`{"name":`, "malformed_json", nil},
			"trailing garbage": {`{"name":"A","email":"a@example.com"} x`, "malformed_json", nil},
			"not UTF-8":        {"{\"name\":\"\xff\",\"email\":\"a@example.com\"}", "malformed_json", nil},
			"missing body":     {``, "validation_failed", []string{"/body"}},
		} {
			t.Run(name, func(t *testing.T) {
				status, body, _ := webtest.Do(t, "POST", base+"/customers", bad.body,
					"Content-Type", "application/json")
				webtest.WantError(t, status, body, 400, bad.code, bad.fields...)
			})
		}
		t.Run("longest accepted", func(t *testing.T) {
			create(t, c, strings.Repeat("é", 255), strings.Repeat("a", 243)+"@example.com")
		})
		t.Run("payload_too_large", func(t *testing.T) {
			large := `{"name":"` + strings.Repeat("x", 2<<20) + `"}`
			status, body, _ := webtest.Do(t, "POST", base+"/customers", large, "Content-Type", "application/json")
			webtest.WantError(t, status, body, 413, "payload_too_large")
		})
		t.Run("unsupported_media_type", func(t *testing.T) {
			const customer = `{"name":"A","email":"charset@example.com"}`
			for _, media := range []string{
				"", "text/plain", "application/x-www-form-urlencoded", "application/jsonx",
			} {
				status, body, _ := webtest.Do(t, "POST", base+"/customers", customer, "Content-Type", media)
				webtest.WantError(t, status, body, 415, "unsupported_media_type")
			}
			status, body, _ := webtest.Do(t, "POST", base+"/customers", customer,
				"Content-Type", "application/json; charset=utf-8")
			if status != 201 {
				t.Errorf("%d %s", status, body)
			}
		})
		t.Run("nothing left behind", func(t *testing.T) {
			var rows int64
			g.Table("customers").Where("email LIKE 'a@example.com'").Count(&rows)
			if rows != 0 {
				t.Errorf("%d refused customers are stored", rows)
			}
		})
	})
}

func TestListCustomers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		dbtest.NoFilesort(t, g)
		names := []string{
			"100% Pure", "under_score", "O'Reilly", `"Quoted"`, "Emoji 😀", "Emoji 🎉", "ÉCLAIR", "plain",
			`back\slash`, "GROẞHANDEL", "o\u0301n",
		}
		for i, name := range names {
			create(t, c, name, fmt.Sprintf("list%d@example.com", i+1))
		}
		t.Run("search", func(t *testing.T) {
			for search, want := range map[string]string{
				"%": "100% Pure", "_": "under_score", "'": "O'Reilly", `"`: `"Quoted"`, "😀": "Emoji 😀",
				"éclair": "ÉCLAIR", "PLAIN": "plain", `\`: `back\slash`, "LIST3@": "O'Reilly",
				"0% p": "100% Pure", "eclair": "ÉCLAIR", "èclàír": "ÉCLAIR", "nothing such": "",
				"e\u0301clair": "ÉCLAIR", "GROẞ": "GROẞHANDEL", "großhandel": "GROẞHANDEL", "ÓN": "o\u0301n",
			} {
				res, err := c.ListCustomersWithResponse(ctx, &api.ListCustomersParams{Search: &search})
				if err != nil || res.JSON200 == nil {
					t.Fatalf("%v %s", err, res.Body)
				}
				var got []string
				for _, d := range res.JSON200.Data {
					got = append(got, d.Name)
				}
				if strings.Join(got, "|") != want {
					t.Errorf("search %q: %q, want %q", search, got, want)
				}
			}
		})
		t.Run("pages", func(t *testing.T) {
			var seen []string
			var last int64
			params := &api.ListCustomersParams{Limit: new(int32(4))}
			for pages := 1; ; pages++ {
				res, err := c.ListCustomersWithResponse(ctx, params)
				if err != nil || res.JSON200 == nil {
					t.Fatalf("%v %s", err, res.Body)
				}
				for _, d := range res.JSON200.Data {
					if d.ID <= last {
						t.Errorf("id %d behind %d", d.ID, last)
					}
					last = d.ID
					seen = append(seen, d.Name)
				}
				if params.Cursor = res.JSON200.Meta.NextCursor; params.Cursor == nil {
					if pages != 3 {
						t.Errorf("%d pages", pages)
					}
					break
				}
			}
			if strings.Join(seen, "|") != strings.Join(names, "|") {
				t.Errorf("%q", seen)
			}
		})
		t.Run("null cursor exactly on the last page", func(t *testing.T) {
			res, _ := c.ListCustomersWithResponse(ctx, &api.ListCustomersParams{Limit: new(int32(len(names)))})
			if res.JSON200.Meta.NextCursor != nil {
				t.Error("a full last page has a cursor")
			}
		})
		t.Run("empty parameters count as not given", func(t *testing.T) {
			status, body, _ := webtest.Do(t, "GET", base+"/customers?search=&cursor=&limit=", "")
			if status != 200 || bytes.Count(body, []byte(`"email"`)) != len(names) {
				t.Errorf("%d %s", status, body)
			}
		})
		t.Run("default limit", func(t *testing.T) {
			for i := range 20 {
				create(t, c, "more", fmt.Sprintf("more%d@example.com", i))
			}
			res, _ := c.ListCustomersWithResponse(ctx, nil)
			if len(res.JSON200.Data) != 20 || res.JSON200.Meta.NextCursor == nil {
				t.Errorf("%d customers", len(res.JSON200.Data))
			}
		})
		for query, field := range map[string]string{
			"limit=0": "/query/limit", "limit=101": "/query/limit", "limit=ten": "/query/limit",
			"limit=1.5": "/query/limit", "limit=1&limit=2": "/query/limit",
			"cursor=-1": "/query/cursor", "cursor=x": "/query/cursor", "cursor=9223372036854775808": "/query/cursor",
			"search=" + strings.Repeat("x", 256): "/query/search", "search=%ff": "/query/search",
			"serach=ACME": "/query/serach", "a=%zz": "/query",
		} {
			t.Run(query[:min(len(query), 20)], func(t *testing.T) {
				status, body, _ := webtest.Do(t, "GET", base+"/customers?"+query, "")
				webtest.WantError(t, status, body, 400, "validation_failed", field)
			})
		}
	})
}

func TestGetCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		t.Run("customer_not_found", func(t *testing.T) {
			res, _ := c.GetCustomerWithResponse(ctx, 9007199254740991, nil)
			webtest.WantError(t, res.StatusCode(), res.Body, 404, "customer_not_found")
		})
		for _, id := range []string{
			"0", "-1", "abc", "9223372036854775808", "9007199254740992", "1.5", "%20", "1%2F2",
		} {
			t.Run("id "+id, func(t *testing.T) {
				for _, path := range []string{"/customers/", "/internal/customers/"} {
					status, body, _ := webtest.Do(t, "GET", base+path+id, "",
						"Authorization", "Bearer "+webtest.Token)
					webtest.WantError(t, status, body, 400, "validation_failed", "/path/id")
				}
			})
		}
		t.Run("internal", func(t *testing.T) {
			made := create(t, c, "Inhouse Ltd", "internal@example.com")
			res, err := c.GetInternalCustomerWithResponse(ctx, made.ID)
			if err != nil || res.JSON200 == nil || res.JSON200.Data.Email != made.Email {
				t.Errorf("%v %s", err, res.Body)
			}
			lookup := fmt.Sprintf("%s/internal/customers/%d", base, made.ID)
			status, body, _ := webtest.Do(t, "GET", lookup, "", "Authorization", "bearer "+webtest.Token)
			if status != 200 {
				t.Errorf("the scheme's case matters: %s", body)
			}
			res, _ = c.GetInternalCustomerWithResponse(ctx, 99999)
			webtest.WantError(t, res.StatusCode(), res.Body, 404, "customer_not_found")
			for _, header := range []string{
				"", "Bearer ", "Bearer wrong", webtest.Token, "Basic " + webtest.Token, "Bearer " + webtest.Token + "x",
			} {
				status, body, _ := webtest.Do(t, "GET", lookup, "", "Authorization", header)
				webtest.WantError(t, status, body, 401, "unauthorized")
			}
		})
	})
}

func TestUpdateCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		n := api.CustomerRequest{Name: "Before", Email: "before@example.com", Phone: new("1")}
		made, err := c.CreateCustomerWithResponse(ctx, nil, n)
		if err != nil || made.JSON201 == nil {
			t.Fatalf("%v %s", err, made.Body)
		}
		id := made.JSON201.Data.ID
		for _, step := range []struct {
			name   string
			update api.CustomerUpdate
			want   string
		}{
			{"nothing", api.CustomerUpdate{}, "Before before@example.com 1"},
			{"name", api.CustomerUpdate{Name: new("After")}, "After before@example.com 1"},
			{"email in another case", api.CustomerUpdate{Email: new("BEFORE@example.com ")}, "After BEFORE@example.com 1"},
			{"phone", api.CustomerUpdate{Phone: nullable.NewNullableWithValue("2")}, "After BEFORE@example.com 2"},
			{"phone null", api.CustomerUpdate{Phone: nullable.NewNullNullable[string]()}, "After BEFORE@example.com -"},
		} {
			t.Run(step.name, func(t *testing.T) {
				res, err := c.UpdateCustomerWithResponse(ctx, id, nil, step.update)
				if err != nil || res.JSON200 == nil {
					t.Fatalf("%v %s", err, res.Body)
				}
				read, _ := c.GetCustomerWithResponse(ctx, id, nil)
				if !bytes.Equal(res.Body, read.Body) {
					t.Errorf("answered %s, read %s", res.Body, read.Body)
				}
				d, phone := read.JSON200.Data, "-"
				if d.Phone != nil {
					phone = *d.Phone
				}
				if got := d.Name + " " + d.Email + " " + phone; got != step.want {
					t.Errorf("%q, want %q", got, step.want)
				}
			})
		}
		t.Run("email_taken", func(t *testing.T) {
			create(t, c, "Other", "other@example.com")
			change := api.CustomerUpdate{Name: new("Changed"), Email: new("Other@Example.com")}
			res, _ := c.UpdateCustomerWithResponse(ctx, id, nil, change)
			webtest.WantError(t, res.StatusCode(), res.Body, 409, "email_taken", "/email")
			read, _ := c.GetCustomerWithResponse(ctx, id, nil)
			if read.JSON200.Data.Name != "After" {
				t.Errorf("a refused update left %s", read.Body)
			}
		})
		t.Run("customer_not_found", func(t *testing.T) {
			res, _ := c.UpdateCustomerWithResponse(ctx, 99999, nil, api.CustomerUpdate{})
			webtest.WantError(t, res.StatusCode(), res.Body, 404, "customer_not_found")
		})
		t.Run("bad fields", func(t *testing.T) {
			status, body, _ := webtest.Do(t, "PUT", fmt.Sprintf("%s/customers/%d", base, id),
				`{"name":"","email":7,"phone":7,"x":1}`, "Content-Type", "application/json")
			webtest.WantError(t, status, body, 400, "validation_failed", "/name", "/email", "/phone", "/x")
		})
	})
}

// TestUpdatedAt updates a customer. updated_at must change only when the update changes the customer's data.
func TestUpdatedAt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		_, c := serve(t, g)
		id := create(t, c, "Name", "name@example.com").ID
		created := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, step := range []struct {
			update api.CustomerUpdate
			moves  bool
		}{
			{api.CustomerUpdate{}, false},
			{api.CustomerUpdate{Name: new("Name"), Email: new("name@example.com"),
				Phone: nullable.NewNullNullable[string]()}, false},
			{api.CustomerUpdate{Name: new("Other")}, true},
			{api.CustomerUpdate{Email: new("other@example.com")}, true},
			{api.CustomerUpdate{Phone: nullable.NewNullableWithValue("1")}, true},
		} {
			if err := g.Exec("UPDATE customers SET updated_at = ?", created).Error; err != nil {
				t.Fatal(err)
			}
			res, err := c.UpdateCustomerWithResponse(ctx, id, nil, step.update)
			if err != nil || res.JSON200 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			if got := res.JSON200.Data.UpdatedAt; got.After(created) != step.moves {
				t.Errorf("%+v: updated_at %v", step.update, got)
			}
		}
	})
}

func TestDeleteCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		_, c := serve(t, g)
		made := create(t, c, "Gone", "gone@example.com")
		res, err := c.DeleteCustomerWithResponse(ctx, made.ID, nil)
		if err != nil || res.JSON200 == nil || res.JSON200.Message == "" {
			t.Fatalf("%v %s", err, res.Body)
		}
		again, _ := c.DeleteCustomerWithResponse(ctx, made.ID, nil)
		webtest.WantError(t, again.StatusCode(), again.Body, 404, "customer_not_found")
		read, _ := c.GetCustomerWithResponse(ctx, made.ID, nil)
		webtest.WantError(t, read.StatusCode(), read.Body, 404, "customer_not_found")
		internal, _ := c.GetInternalCustomerWithResponse(ctx, made.ID)
		webtest.WantError(t, internal.StatusCode(), internal.Body, 404, "customer_not_found")
		update, _ := c.UpdateCustomerWithResponse(ctx, made.ID, nil, api.CustomerUpdate{Name: new("Back")})
		webtest.WantError(t, update.StatusCode(), update.Body, 404, "customer_not_found")
		list, _ := c.ListCustomersWithResponse(ctx, &api.ListCustomersParams{Search: new("gone@")})
		if len(list.JSON200.Data) != 0 {
			t.Errorf("%s", list.Body)
		}
		// The row of a deleted customer must stay in the table, because the customer's orders refer to it.
		var kept int64
		if g.Table("customers").Where("id = ? AND deleted_at IS NOT NULL", made.ID).Count(&kept); kept != 1 {
			t.Error("the row is gone")
		}
		if again := create(t, c, "Successor", "GONE@example.com"); again.ID == made.ID {
			t.Error("the id was used again")
		}
	})
}

func TestUnknownPathAndMethod(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, _ := serve(t, g)
		for _, path := range []string{
			"/", "/nothing", "/customers/", "/customers/1/", "/customers/1/orders", "/docs/nothing.js",
		} {
			status, body, _ := webtest.Do(t, "GET", base+path, "")
			webtest.WantError(t, status, body, 404, "not_found")
		}
		status, body, header := webtest.Do(t, "PATCH", base+"/customers/1", "{}")
		webtest.WantError(t, status, body, 405, "method_not_allowed")
		if allow := header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "PUT") ||
			!strings.Contains(allow, "DELETE") {
			t.Errorf("Allow: %q", allow)
		}
	})
}

func TestDocumentation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, _ := serve(t, g)
		for path, want := range map[string]string{
			"/openapi.yaml": "operationId: createCustomer", "/openapi.json": `"operationId":"createCustomer"`,
			"/docs": "swagger-ui", "/docs/swagger-ui.css": ".swagger-ui",
			"/docs/swagger-ui-bundle.js": "SwaggerUIBundle",
		} {
			res, err := http.Get(base + path)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != 200 || !strings.Contains(string(body), want) {
				t.Errorf("%s: %d, without %q", path, res.StatusCode, want)
			}
		}
	})
}

func TestETag(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		_, c := serve(t, g)
		id := create(t, c, "Tagged", "tagged@example.com").ID
		read, _ := c.GetCustomerWithResponse(ctx, id, nil)
		first := read.HTTPResponse.Header.Get("ETag")
		again, _ := c.GetCustomerWithResponse(ctx, id, &api.GetCustomerParams{IfNoneMatch: &first})
		if again.StatusCode() != 304 || len(again.Body) != 0 {
			t.Errorf("%d %s", again.StatusCode(), again.Body)
		}
		ifFirst := &api.UpdateCustomerParams{IfMatch: &first}
		updated, _ := c.UpdateCustomerWithResponse(ctx, id, ifFirst, api.CustomerUpdate{Name: new("Changed")})
		second := updated.HTTPResponse.Header.Get("ETag")
		if updated.JSON200 == nil || second == "" || second == first {
			t.Errorf("%s %q", updated.Body, second)
		}
		stale, _ := c.UpdateCustomerWithResponse(ctx, id, ifFirst, api.CustomerUpdate{Name: new("Lost update")})
		webtest.WantError(t, stale.StatusCode(), stale.Body, 412, "precondition_failed")
		deleted, _ := c.DeleteCustomerWithResponse(ctx, id, &api.DeleteCustomerParams{IfMatch: &first})
		webtest.WantError(t, deleted.StatusCode(), deleted.Body, 412, "precondition_failed")
		read, _ = c.GetCustomerWithResponse(ctx, id, nil)
		if read.JSON200 == nil || read.JSON200.Data.Name != "Changed" ||
			read.HTTPResponse.Header.Get("ETag") != second {
			t.Errorf("%s", read.Body)
		}
		deleted, _ = c.DeleteCustomerWithResponse(ctx, id, &api.DeleteCustomerParams{IfMatch: &second})
		if deleted.JSON200 == nil {
			t.Errorf("%s", deleted.Body)
		}
	})
}

// meet runs two changes of a customer at the same time, and returns the result of each. It holds a lock on
// the customer's row until both changes wait for the lock or have an answer; the change first arrives first.
// On SQLite, which has a single writer, it runs both changes without a lock.
func meet(t *testing.T, g *gorm.DB, id int64, first, second func() string) (ofFirst, ofSecond string) {
	t.Helper()
	if g.Name() == db.SQLite {
		done := make(chan string)
		go func() { done <- second() }()
		ofFirst = first()
		return ofFirst, <-done
	}
	tx := g.Begin()
	defer tx.Rollback()
	var held int64
	err := tx.Raw("SELECT id FROM customers WHERE id = ? FOR UPDATE", id).Scan(&held).Error
	if err != nil || held != id {
		t.Fatal(held, err)
	}
	var results [2]chan string
	for i, change := range []func() string{first, second} {
		results[i] = make(chan string, 1)
		go func() { results[i] <- change() }()
		deadline := time.Now().Add(time.Minute)
		for dbtest.Waiting(t, g)+len(results[0])+len(results[1]) <= i {
			if time.Now().After(deadline) {
				t.Fatal("the changes do not wait")
			}
		}
	}
	if err := tx.Rollback().Error; err != nil {
		t.Fatal(err)
	}
	return <-results[0], <-results[1]
}

// TestTwoInstances changes a customer in two instances of the service at the same time. When both changes
// have the same ETag, one of them must be refused. When an instance changes the phone and the other instance
// imports a name, the customer must get both.
func TestTwoInstances(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		_, a := serve(t, g)
		_, b := serve(t, g)
		id := create(t, a, "First", "two@example.com").ID
		read, err := a.GetCustomerWithResponse(ctx, id, nil)
		if err != nil || read.JSON200 == nil {
			t.Fatalf("%v %s", err, read.Body)
		}
		type params = api.UpdateCustomerParams
		update := func(c *api.ClientWithResponses, p *params, change api.CustomerUpdate) func() string {
			return func() string {
				res, err := c.UpdateCustomerWithResponse(ctx, id, p, change)
				if err != nil {
					return err.Error()
				}
				return res.Status()
			}
		}
		seen := &params{IfMatch: new(read.HTTPResponse.Header.Get("ETag"))}
		one, other := meet(t, g, id, update(a, seen, api.CustomerUpdate{Name: new("One")}),
			update(b, seen, api.CustomerUpdate{Name: new("Other")}))
		got := []string{one, other}
		if !slices.Contains(got, "200 OK") || !slices.Contains(got, "412 Precondition Failed") {
			t.Errorf("changes with one ETag: %s", got)
		}
		phone := api.CustomerUpdate{Phone: nullable.NewNullableWithValue("+1-555")}
		ofChange, ofImport := meet(t, g, id, update(a, nil, phone), func() string {
			file := strings.NewReader("email,name\ntwo@example.com,Imported\n")
			res, err := b.ImportCustomersWithBodyWithResponse(ctx, nil, "text/csv", file)
			if err != nil {
				return err.Error()
			}
			return fmt.Sprint(res.StatusCode(), " ", strings.Contains(string(res.Body), `"updated"`))
		})
		read, err = a.GetCustomerWithResponse(ctx, id, nil)
		if err != nil || read.JSON200 == nil {
			t.Fatalf("%v %s", err, read.Body)
		}
		now := read.JSON200.Data
		if ofChange != "200 OK" || ofImport != "200 true" || now.Name != "Imported" || now.Phone == nil {
			t.Errorf("the change %s, the import %s: %s", ofChange, ofImport, read.Body)
		}
	})
}

// TestLiteralPath checks that "import" and "export" are paths, and not taken for ids of customers.
func TestLiteralPath(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, _ := serve(t, g)
		for path, allow := range map[string]string{
			"/customers/import": "POST",
			"/customers/export": "GET, HEAD",
		} {
			status, body, header := webtest.Do(t, "PUT", base+path, `{}`, "Content-Type", "application/json")
			webtest.WantError(t, status, body, 405, "method_not_allowed")
			if header.Get("Allow") != allow {
				t.Errorf("%s: Allow: %s", path, header.Get("Allow"))
			}
		}
	})
}

// TestChangesDoNotQueue locks the row of a customer, so that a change by the customer itself has to wait. A
// second customer then tries to change and to delete the first customer. The second customer must get 404 at
// once, without waiting for the lock.
func TestChangesDoNotQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			return // SQLite has a single writer and no row locks
		}
		base, c := serve(t, g)
		id := create(t, c, "Held", "held@example.com").ID
		tx := g.Begin()
		defer tx.Rollback()
		if err := tx.Exec("UPDATE customers SET name = 'x' WHERE id = ?", id).Error; err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprint(base, "/customers/", id)
		own := []string{"Authorization", bearer(t, "own", id), "Content-Type", "application/json"}
		changed := make(chan int)
		go func() {
			status, _, _ := webtest.Do(t, "PUT", path, `{"name":"Mine"}`, own...)
			changed <- status
		}()
		time.Sleep(300 * time.Millisecond) // until the customer's own change waits for the lock
		other := []string{"Authorization", bearer(t, "other", id+1), "Content-Type", "application/json"}
		for method, body := range map[string]string{"PUT": `{"name":"Mine"}`, "DELETE": ""} {
			status, answer, _ := webtest.Do(t, method, path, body, other...)
			webtest.WantError(t, status, answer, 404, "customer_not_found")
		}
		if err := tx.Rollback().Error; err != nil {
			t.Fatal(err)
		}
		if status := <-changed; status != 200 {
			t.Errorf("the customer's own change: %d", status)
		}
	})
}

// TestHeldKeysAndValues inserts an idempotency key, an email or an external_ref in an open transaction. 24
// creations with the same value must wait for the end of this transaction. A creation with other values must
// succeed meanwhile, although only eight transactions may run at once.
func TestHeldKeysAndValues(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			return // SQLite has a single writer and no row locks
		}
		base, c := serve(t, g)
		// A creation that waits for a value also locks the gap before the value in the index. This row makes
		// the gap small, so that the lock does not block other creations.
		webtest.Do(t, "POST", base+"/customers", `{"name":"n","email":"hel@example.com","external_ref":"hel"}`,
			"Content-Type", "application/json")
		for name, held := range map[string]struct{ insert, body, key string }{
			"key": {`INSERT INTO idempotency_keys (caller, operation, idempotency_key, request_hash, expires_at)
				VALUES ('public', 'createCustomer', 'held', REPEAT('h', 32), UTC_TIMESTAMP(3))`,
				`{"name":"n","email":"key-%d@example.com"}`, "held"},
			"email": {`INSERT INTO customers (name, email, created_at)
				VALUES ('n', 'held@example.com', UTC_TIMESTAMP(3))`, `{"name":"%d","email":"Held@example.com"}`, ""},
			"external_ref": {`INSERT INTO customers (name, email, external_ref, created_at)
				VALUES ('n', 'zef@example.com', 'held', UTC_TIMESTAMP(3))`,
				`{"name":"n","email":"zef-%d@example.com","external_ref":"held"}`, ""},
		} {
			t.Run(name, func(t *testing.T) {
				tx := g.Begin()
				defer tx.Rollback()
				if err := tx.Exec(held.insert).Error; err != nil {
					t.Fatal(err)
				}
				headers := []string{"Content-Type", "application/json"}
				if held.key != "" {
					headers = append(headers, "X-Idempotency-Key", held.key)
				}
				var calls sync.WaitGroup
				for i := range 24 { // at most eight transactions run at once
					calls.Go(func() { webtest.Do(t, "POST", base+"/customers", fmt.Sprintf(held.body, i), headers...) })
				}
				time.Sleep(300 * time.Millisecond) // until the calls wait
				begun := time.Now()
				create(t, c, "Other", "other-"+name+"@example.com")
				if took := time.Since(begun); took > 1500*time.Millisecond {
					t.Errorf("another creation took %s", took)
				}
				if err := tx.Rollback().Error; err != nil {
					t.Fatal(err)
				}
				calls.Wait()
			})
		}
	})
}

// TestRepeatBesideHeldEmail deletes a customer in an open transaction. A second creation with the customer's
// email waits for the transaction. A repeat of the first creation must get the stored answer meanwhile.
func TestRepeatBesideHeldEmail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			return // SQLite has no row locks
		}
		base, _ := serve(t, g)
		first := func() (int, http.Header) {
			status, _, header := webtest.Do(t, "POST", base+"/customers", `{"name":"n","email":"one@example.com"}`,
				"Content-Type", "application/json", "X-Idempotency-Key", "first")
			return status, header
		}
		first()
		var id int64
		if err := g.Raw("SELECT id FROM customers WHERE email = 'one@example.com'").Scan(&id).Error; err != nil {
			t.Fatal(err)
		}
		tx := g.Begin()
		defer tx.Rollback()
		if err := tx.Exec("UPDATE customers SET deleted_at = UTC_TIMESTAMP(3) WHERE id = ?", id).Error; err != nil {
			t.Fatal(err)
		}
		var second sync.WaitGroup
		second.Go(func() {
			webtest.Do(t, "POST", base+"/customers", `{"name":"m","email":"one@example.com"}`,
				"Content-Type", "application/json")
		})
		time.Sleep(300 * time.Millisecond) // until the second creation waits
		if status, header := first(); status != 201 || header.Get("Idempotency-Replayed") == "" {
			t.Errorf("the repeat is answered %d, %v", status, header)
		}
		tx.Rollback()
		second.Wait()
	})
}

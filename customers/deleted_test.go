package customers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/customersapi"
)

// tokenOf returns the header Authorization with a new token of p.
func tokenOf(t *testing.T, p auth.Principal) []string {
	t.Helper()
	token, err := webtest.Options().Tokens.Issue(p, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + token}
}

func remove(t *testing.T, c *api.ClientWithResponses, id int64) {
	t.Helper()
	if res, err := c.DeleteCustomerWithResponse(ctx, id, nil); err != nil || res.JSON200 == nil {
		t.Fatalf("%v %s", err, res.Body)
	}
}

// TestIncludeDeleted lists, exports and searches customers with include_deleted. A caller without the scope
// events:read must get 403 forbidden. A caller bound to a customer must get only that customer.
func TestIncludeDeleted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		dbtest.NoFilesort(t, g)
		var ids []int64
		for i := range 6 {
			ids = append(ids, create(t, c, fmt.Sprint("Name ", i), fmt.Sprintf("deleted%d@example.com", i)).ID)
		}
		before := create(t, c, "Last", "last@example.com")
		remove(t, c, ids[1])
		remove(t, c, ids[4])
		again := create(t, c, "Again", "deleted1@example.com").ID // the email of a deleted customer
		all := append(slices.Clone(ids), before.ID, again)
		reads := auth.Principal{Subject: "clerk", Scope: "customers:read events:read"}
		list := func(query string, headers ...string) (rows []api.Customer) {
			t.Helper()
			var page api.CustomerListResponse
			if err := json.Unmarshal(get(t, base+"/customers?"+query, headers...), &page); err != nil {
				t.Fatal(err)
			}
			return page.Data
		}
		idsOf := func(rows []api.Customer) (ids []int64) {
			for _, r := range rows {
				ids = append(ids, r.ID)
			}
			return ids
		}
		since := url.QueryEscape(before.UpdatedAt.Format(time.RFC3339Nano))
		for query, want := range map[string][]int64{
			"include_deleted=true":                                       all,
			"include_deleted=false":                                      {ids[0], ids[2], ids[3], ids[5], before.ID, again},
			"include_deleted=true&search=DELETED1@":                      {ids[1], again},
			"include_deleted=true&search=name":                           ids,
			"search=name":                                                {ids[0], ids[2], ids[3], ids[5]},
			fmt.Sprint("include_deleted=true&ids=", ids[4], ",", ids[0]): {ids[0], ids[4]},
			"include_deleted=true&email=deleted1@example.com":            {again},
			"include_deleted=true&sort=-created_at&limit=2":              {again, before.ID},
		} {
			if got := idsOf(list(query, tokenOf(t, reads)...)); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", query, got, want)
			}
		}
		if got := listed(t, base+"/customers?include_deleted=true&limit=3&"); !slices.Equal(got, all) {
			t.Errorf("page by page: %v, want %v", got, all)
		}
		for _, r := range list("include_deleted=true&updated_since="+since, tokenOf(t, reads)...) {
			isDeleted := r.ID == ids[1] || r.ID == ids[4]
			if (r.DeletedAt != nil) != isDeleted || isDeleted && !r.DeletedAt.Equal(r.UpdatedAt.Time) {
				t.Errorf("customer %d was updated at %v and deleted at %v", r.ID, r.UpdatedAt, r.DeletedAt)
			}
			if r.UpdatedAt.Before(before.UpdatedAt.Time) {
				t.Errorf("customer %d has not changed since", r.ID)
			}
		}
		file := string(get(t, base+"/customers/export?include_deleted=true", tokenOf(t, reads)...))
		if got := strings.Count(file, `"deleted_at":"`); got != 2 || strings.Count(file, "\n") != len(all) {
			t.Errorf("the export: %s", file)
		}

		t.Run("scopes", func(t *testing.T) {
			for _, path := range []string{"/customers?", "/customers/export?"} {
				for _, p := range []auth.Principal{
					{Subject: "clerk", Scope: "customers:read"},
					{Subject: "clerk", Scope: "customers:read customers:write orders:read"},
					{Subject: "partner", Customer: ids[1], Scope: "customers:read"},
				} {
					status, body, _ := webtest.Do(t, "GET", base+path+"include_deleted=true", "", tokenOf(t, p)...)
					webtest.WantError(t, status, body, 403, "forbidden", "/header/Authorization")
					if !strings.Contains(string(body), "events:read") {
						t.Errorf("the refusal names no scope: %s", body)
					}
					get(t, base+path+"include_deleted=false", tokenOf(t, p)...)
				}
				for _, bad := range []string{"TRUE", "1", "true&include_deleted=true", "false&include_deleted=true"} {
					status, body, _ := webtest.Do(t, "GET", base+path+"include_deleted="+bad, "",
						tokenOf(t, auth.Principal{Subject: "clerk", Scope: "customers:read"})...)
					if status != 400 && status != 403 {
						t.Errorf("%s: %d %s", bad, status, body)
					}
				}
			}
		})
		t.Run("to a partner", func(t *testing.T) {
			partner := auth.Principal{Subject: "erp", Customer: ids[1], Scope: "customers:read events:read"}
			if got := idsOf(list("include_deleted=true", tokenOf(t, partner)...)); !slices.Equal(got, ids[1:2]) {
				t.Errorf("its own deleted customer: %v", got)
			}
			partner.Customer = ids[0]
			got := idsOf(list("include_deleted=true&search=name", tokenOf(t, partner)...))
			if !slices.Equal(got, ids[:1]) {
				t.Errorf("deleted customers of others: %v", got)
			}
		})
		t.Run("a read of one is 404", func(t *testing.T) {
			status, body, _ := webtest.Do(t, "GET", fmt.Sprint(base, "/customers/", ids[1]), "", tokenOf(t, reads)...)
			webtest.WantError(t, status, body, 404, "customer_not_found")
		})
		if got := broken(t, g); got != "" {
			t.Errorf("the doctor finds %s", got)
		}
	})
}

// TestCopyByUpdatedSince makes a copy of all customers, and updates the copy after each change and deletion
// by an export with updated_since. At the end the copy must equal a full export.
func TestCopyByUpdatedSince(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		held, since := map[int64]string{}, ""
		update := func() {
			t.Helper()
			file := get(t, base+"/customers/export?include_deleted=true"+since)
			for line := range strings.Lines(string(file)) {
				var row api.Customer
				if err := json.Unmarshal([]byte(line), &row); err != nil {
					t.Fatal(err)
				}
				held[row.ID] = line
				since = "&updated_since=" + url.QueryEscape(row.UpdatedAt.Format(time.RFC3339Nano))
			}
		}
		var newest time.Time
		// The function latest lets the next call of update begin at the newest updated_at in the copy.
		latest := func() {
			for _, line := range held {
				var row api.Customer
				if err := json.Unmarshal([]byte(line), &row); err != nil {
					t.Fatal(err)
				}
				if row.UpdatedAt.After(newest) {
					newest = row.UpdatedAt.Time
				}
			}
			since = "&updated_since=" + url.QueryEscape(newest.Format(time.RFC3339Nano))
		}
		var ids []int64
		for i := range 12 {
			ids = append(ids, create(t, c, fmt.Sprint("Name ", i), fmt.Sprintf("copy%d@example.com", i)).ID)
			switch {
			case i%3 == 1:
				remove(t, c, ids[i-1])
			case i%3 == 2:
				change := api.CustomerUpdate{Name: new("Changed")}
				if res, err := c.UpdateCustomerWithResponse(ctx, ids[i-1], nil, change); err != nil ||
					res.JSON200 == nil {
					t.Fatalf("%v %s", err, res.Body)
				}
			}
			update()
			latest()
		}
		kept := maps.Clone(held)
		held, since = map[int64]string{}, ""
		update()
		if len(held) != 12 || !reflect.DeepEqual(kept, held) {
			t.Errorf("the copy is %v, want %v", kept, held)
		}
	})
}

// TestImportOfDeleted imports the file of an export with deleted customers. No row may create a deleted
// customer again.
func TestImportOfDeleted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		gone, stays := create(t, c, "Gone", "gone@example.com"), create(t, c, "Stays", "stays@example.com")
		remove(t, c, gone.ID)
		back := create(t, c, "Back", "gone@example.com")
		for media, first := range map[string]int{"text/csv": 2, "application/x-ndjson": 1} {
			format := strings.TrimPrefix(strings.TrimPrefix(media, "application/x-"), "text/")
			file := get(t, base+"/customers/export?include_deleted=true&format="+format)
			wantLines(t, imported(t, base+"/customers/import", media, string(file)),
				fmt.Sprint(first, " validation_failed /deleted_at"), fmt.Sprint(first+1, " unchanged"),
				fmt.Sprint(first+2, " unchanged"), "0 created, 0 updated, 2 unchanged, 1 refused")
		}
		if got := listed(t, base+"/customers?"); !slices.Equal(got, []int64{stays.ID, back.ID}) {
			t.Errorf("%v", got)
		}
	})
}

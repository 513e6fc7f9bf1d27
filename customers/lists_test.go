package customers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/customersapi"
)

// listed reads all pages of a list by next_cursor, and returns the ids.
func listed(t *testing.T, url string) (ids []int64) {
	t.Helper()
	for cursor := "cursor="; ; {
		status, body, _ := webtest.Do(t, "GET", url+cursor, "")
		var page struct {
			Data []struct{ ID int64 }
			Meta struct{ NextCursor *int64 }
		}
		if err := json.Unmarshal(body, &page); err != nil || status != 200 {
			t.Fatalf("%s: %d %s", url+cursor, status, body)
		}
		for _, row := range page.Data {
			ids = append(ids, row.ID)
		}
		if page.Meta.NextCursor == nil {
			return ids
		}
		cursor = fmt.Sprint("cursor=", *page.Meta.NextCursor)
	}
}

func TestSort(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		dbtest.NoFilesort(t, g)
		var made []int64
		for i := range 7 {
			made = append(made, create(t, c, fmt.Sprint("Name ", i), fmt.Sprintf("sort%d@example.com", i)).ID)
		}
		for i := range 2 {
			change := api.CustomerUpdate{Name: new(fmt.Sprint("Other ", i))}
			res, err := c.UpdateCustomerWithResponse(ctx, made[0], nil, change)
			if err != nil || res.JSON200 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
		}
		for path, want := range map[string]struct {
			rows        int
			newestFirst bool // whether a list without the parameter sort begins with the newest entry
		}{
			"/customers?":             {7, false},
			"/customers?search=sort&": {7, false},
			fmt.Sprintf("/customers/%d/history?", made[0]): {3, true},
		} {
			byDefault, newest := listed(t, base+path), listed(t, base+path+"sort=-created_at&")
			for _, limit := range []int{1, 2, want.rows, 100} {
				up := listed(t, fmt.Sprint(base, path, "sort=created_at&limit=", limit, "&"))
				down := listed(t, fmt.Sprint(base, path, "sort=-created_at&limit=", limit, "&"))
				if len(up) != want.rows || !slices.IsSorted(up) {
					t.Errorf("%s, %d a page: %v", path, limit, up)
				}
				if slices.Reverse(up); !slices.Equal(up, down) {
					t.Errorf("%s, %d a page: %v, and the other way %v", path, limit, down, up)
				}
			}
			if slices.Equal(byDefault, newest) != want.newestFirst {
				t.Errorf("%s is %v by default", path, byDefault)
			}
			status, body, _ := webtest.Do(t, "GET", base+path+"sort=name", "")
			webtest.WantError(t, status, body, 400, "validation_failed", "/query/sort")
		}
	})
}

func TestUpdatedSince(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		type row struct {
			ID                   int64
			Name, Email          string
			CreatedAt, UpdatedAt time.Time
		}
		start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		var rows []row
		for i := range 1500 { // customers with a higher id may have an older updated_at
			changed := start.Add(time.Duration(i*7919%1500) * time.Minute)
			name, email := fmt.Sprint("Name ", i%2), fmt.Sprintf("%d@example.com", i)
			rows = append(rows, row{int64(i + 1), name, email, start, changed})
		}
		if err := g.Table("customers").CreateInBatches(rows, 500).Error; err != nil {
			t.Fatal(err)
		}
		if g.Name() == db.MySQL {
			if err := g.Exec("ANALYZE TABLE customers").Error; err != nil {
				t.Fatal(err)
			}
		}
		late := start.Add(1490 * time.Minute)
		for _, since := range []time.Time{start, late, late.Add(time.Millisecond), start.AddDate(1, 0, 0)} {
			for query, is := range map[string]func(row) bool{
				"":                 func(row) bool { return true },
				"sort=-created_at": func(row) bool { return true },
				"search=NAME%201":  func(r row) bool { return r.Name == "Name 1" },
			} {
				var want []int64
				for _, r := range rows {
					if !r.UpdatedAt.Before(since) && is(r) {
						want = append(want, r.ID)
					}
				}
				from := since.Format(time.RFC3339Nano)
				got := listed(t, base+"/customers?"+query+"&limit=100&updated_since="+from+"&")
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Errorf("%s since %v: %d customers, want %d: %v", query, since, len(got), len(want), got)
				}
			}
		}
		dbtest.WantIDs(t, g, "ix_customers_updated_at", func() {
			webtest.Do(t, "GET", base+"/customers?updated_since=2024-01-02T00:55:00Z", "")
		})
		t.Run("an updated_at of an answer", func(t *testing.T) {
			// SQLite stores a time as a text. Of 30 times, some end in zeros.
			for i := range 30 {
				change := api.CustomerUpdate{Name: new(fmt.Sprint("Changed ", i))}
				res, err := c.UpdateCustomerWithResponse(ctx, 700, nil, change)
				if err != nil || res.JSON200 == nil {
					t.Fatalf("%v %s", err, res.Body)
				}
				at := res.JSON200.Data.UpdatedAt
				since := func(at time.Time) []int64 {
					return listed(t, base+"/customers?updated_since="+at.Format(time.RFC3339Nano)+"&")
				}
				if got := since(at.Time); !slices.Equal(got, []int64{700}) {
					t.Errorf("since %v: %v", at, got)
				}
				if got := since(at.Add(time.Millisecond)); got != nil {
					t.Errorf("after %v: %v", at, got)
				}
			}
		})
		t.Run("export", func(t *testing.T) {
			file := get(t, base+"/customers/export?format=ndjson&updated_since=2024-01-02T00:58:00Z")
			// The two customers that have changed last, and customer 700, which the subtest above has
			// changed.
			if n := bytes.Count(file, []byte("\n")); n != 3 {
				t.Errorf("%d customers", n)
			}
		})
		if _, err := c.DeleteCustomerWithResponse(ctx, 700, nil); err != nil {
			t.Fatal(err)
		}
		if got := listed(t, base+"/customers?updated_since=2025-01-01&"); got != nil {
			t.Errorf("%v", got)
		}
		for _, bad := range []string{"yesterday", "2024-02-30", "1969-01-01"} {
			status, body, _ := webtest.Do(t, "GET", base+"/customers?updated_since="+bad, "")
			webtest.WantError(t, status, body, 400, "validation_failed", "/query/updated_since")
		}
	})
}

// TestIDs lists and exports customers by their ids.
func TestIDs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, c := serve(t, g)
		var made []int64
		for i := range 30 {
			made = append(made, create(t, c, fmt.Sprint("Name ", i), fmt.Sprintf("ids%d@example.com", i)).ID)
		}
		ids := fmt.Sprintf("%d,%d,%d,999999", made[7], made[2], made[29])
		want := []int64{made[2], made[7], made[29]}
		for query, want := range map[string][]int64{
			"":                          want,
			"&search=NAME%2029":         want[2:],
			"&email=ids7@example.com":   want[1:2],
			"&updated_since=2024-01-01": want,
		} {
			for _, limit := range []int{1, 100} {
				got := listed(t, fmt.Sprint(base, "/customers?ids=", ids, query, "&limit=", limit, "&"))
				if !slices.Equal(got, want) {
					t.Errorf("%s, %d a page: %v, want %v", query, limit, got, want)
				}
			}
		}
		dbtest.WantIDs(t, g, "", func() { webtest.Do(t, "GET", base+"/customers?ids="+ids, "") })
		if file := get(t, base+"/customers/export?ids="+ids); bytes.Count(file, []byte("\n")) != 3 {
			t.Errorf("the export: %s", file)
		}
		status, body, _ := webtest.Do(t, "GET", base+"/customers?ids=1,x", "")
		webtest.WantError(t, status, body, 400, "validation_failed", "/query/ids")
	})
}

package customers_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/web/webtest"
	api "example.com/b2b/openapi/customersapi"
)

// listed reads a list to its end, as the documents say, and returns the ids.
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
			if res, err := c.UpdateCustomerWithResponse(ctx, made[0], nil, api.CustomerUpdate{Name: new(fmt.Sprint("Other ", i))}); err != nil ||
				res.JSON200 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
		}
		for path, want := range map[string]struct {
			rows        int
			newestFirst bool // without a word
		}{"/customers?": {7, false}, "/customers?search=sort&": {7, false}, fmt.Sprintf("/customers/%d/history?", made[0]): {3, true}} {
			byDefault, newest := listed(t, base+path), listed(t, base+path+"sort=-created_at&")
			for _, limit := range []int{1, 2, want.rows, 100} {
				up, down := listed(
					t, fmt.Sprint(base, path, "sort=created_at&limit=", limit, "&"),
				), listed(
					t, fmt.Sprint(base, path, "sort=-created_at&limit=", limit, "&"),
				)
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
		for i := range 1500 { // changed in another order than created
			rows = append(
				rows,
				row{
					int64(i + 1), fmt.Sprint("Name ", i%2), fmt.Sprintf("%d@example.com", i), start,
					start.Add(time.Duration(i*7919%1500) * time.Minute),
				},
			)
		}
		if err := g.Table("customers").CreateInBatches(rows, 500).Error; err != nil {
			t.Fatal(err)
		}
		if g.Name() == db.MySQL {
			if err := g.Exec("ANALYZE TABLE customers").Error; err != nil {
				t.Fatal(err)
			}
		}
		for _, since := range []time.Time{start, start.Add(1490 * time.Minute), start.Add(1490*time.Minute + time.Millisecond), start.AddDate(1, 0, 0)} {
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
				got := listed(
					t,
					base+"/customers?"+query+"&limit=100&updated_since="+since.Format(time.RFC3339Nano)+"&",
				)
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Errorf("%s since %v: %d customers, want %d: %v", query, since, len(got), len(want), got)
				}
			}
		}
		dbtest.WantIndex(
			t, g, "ix_customers_updated_at",
			func() { webtest.Do(t, "GET", base+"/customers?updated_since=2024-01-02T00:55:00Z", "") },
		)
		t.Run("what the answers show as updated_at", func(t *testing.T) {
			for i := range 30 { // on SQLite times are texts, and some end in zeros
				res, err := c.UpdateCustomerWithResponse(
					ctx, 700, nil, api.CustomerUpdate{Name: new(fmt.Sprint("Changed ", i))},
				)
				if err != nil || res.JSON200 == nil {
					t.Fatalf("%v %s", err, res.Body)
				}
				at := res.JSON200.Data.UpdatedAt
				if got := listed(t, base+"/customers?updated_since="+at.Format(time.RFC3339Nano)+"&"); !slices.Equal(
					got, []int64{700},
				) {
					t.Errorf("since %v: %v", at, got)
				}
				if got := listed(t, base+"/customers?updated_since="+at.Add(time.Millisecond).Format(time.RFC3339Nano)+"&"); got != nil {
					t.Errorf("after %v: %v", at, got)
				}
			}
		})
		t.Run("export", func(t *testing.T) {
			if n := bytes.Count(get(t, base+"/customers/export?format=ndjson&updated_since=2024-01-02T00:58:00Z"), []byte("\n")); n != 3 { // and the changed one
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

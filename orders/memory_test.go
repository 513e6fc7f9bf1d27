package orders_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
	"example.com/b2b/v2/orders"
)

// TestListEndsByBytes lists orders whose metadata have 60 KB of JSON each. A page must end after about 1 MiB,
// and the next page must go on with the next order.
func TestListEndsByBytes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 1000)
		metadata := contract.OrderMetadata{}
		for i := range 20 {
			metadata[fmt.Sprint("text", i)] = strings.Repeat("<", 500)
		}
		var want []int64
		for range 40 {
			n := api.OrderRequest{CustomerID: 1, Items: []contract.OrderItemRequest{line(p, 1)}, Metadata: &metadata}
			res := s.order(t, "", n)
			if res.JSON201 == nil {
				t.Fatalf("%s", res.Body)
			}
			want = append(want, res.JSON201.Data.ID)
		}
		for _, path := range []string{
			"/orders?", "/orders?from=2024-01-01&", "/orders?customer_id=1&updated_since=2024-01-01&",
		} {
			up, down := listed(t, s.base+path+"limit=100&"), listed(t, s.base+path+"limit=100&sort=-created_at&")
			if slices.Reverse(down); !slices.Equal(up, want) || !slices.Equal(down, want) {
				t.Errorf("%s: %v, and the other way %v", path, up, down)
			}
			_, body, _ := webtest.Do(t, "GET", s.base+path+"limit=100", "")
			if len(body) < 1<<20 || len(body) > 1<<20+100_000 {
				t.Errorf("%s: an answer of %d bytes", path, len(body))
			}
		}
	})
}

// TestExportInSmallSteps exports orders of 100 lines with long names. A step of the export must read at most
// 1000 lines, and the file must have all lines of all orders.
func TestExportInSmallSteps(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		var lines []contract.OrderItemRequest
		for range 100 {
			n := api.ProductRequest{Sku: fmt.Sprint("SKU-", skus.Add(1)), Name: strings.Repeat("😀", 255), Stock: 1000}
			res, err := s.CreateProductWithResponse(ctx, nil, n)
			if err != nil || res.JSON201 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			lines = append(lines, line(res.JSON201.Data.ID, 1))
		}
		small := s.placed(t, lines[0]).ID
		for range 30 {
			s.placed(t, lines...)
		}
		steps, exported := 0, 0
		for cursor := (*int64)(nil); ; steps++ {
			n, items, next, err := orders.ExportPage(ctx, s.service, cursor)
			if err != nil || items > 1000 {
				t.Fatalf("a step of %d lines: %v", items, err)
			}
			exported += n
			if cursor = next; cursor == nil {
				break
			}
		}
		if exported != 31 || steps < 3 {
			t.Errorf("%d orders in %d steps", exported, steps+1)
		}
		_, body, _ := webtest.Do(t, "GET", s.base+"/orders/export?format=ndjson", "")
		next := small
		for text := range strings.Lines(string(body)) {
			var o api.Order
			if err := json.Unmarshal([]byte(text), &o); err != nil || o.ID != next {
				t.Fatalf("order %d, want %d: %v", o.ID, next, err)
			}
			if n := len(o.Items); n != 100 && o.ID != small {
				t.Errorf("order %d has %d lines", o.ID, n)
			}
			next++
		}
		if next != small+31 {
			t.Errorf("the file ends before order %d", next)
		}
	})
}

// TestPeriodOfOneCustomer lists the orders of a customer in a period. The customer has few orders, and
// another customer has many. No statement may look for the first order of the period in the index of times,
// because this index has the orders of all customers: see db.During.
func TestPeriodOfOneCustomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		type row struct {
			ID, CustomerID, TotalCents int64
			Status                     string
			CreatedAt, UpdatedAt       time.Time
			ConfirmedAt                *time.Time
		}
		then, since := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
		var rows []row
		var want []int64
		for i := range int64(4000) {
			r := row{ID: i + 1, CustomerID: 1, Status: "CONFIRMED"}
			r.CreatedAt, r.UpdatedAt, r.ConfirmedAt = then, then, &then
			if i >= 700 {
				r.UpdatedAt, r.ConfirmedAt = since, &since
			}
			if i%1300 == 0 {
				if r.CustomerID = 2; i >= 700 {
					want = append(want, r.ID)
				}
			}
			rows = append(rows, r)
		}
		s.insertAll(t, "orders", rows)
		token, err := webtest.Options().Tokens.Issue(
			auth.Principal{Subject: "partner", Scope: "orders:read", Customer: 2}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var statements []string
		note := func(tx *gorm.DB) {
			mu.Lock()
			defer mu.Unlock()
			statements = append(statements, tx.Statement.SQL.String())
		}
		if err := g.Callback().Query().After("gorm:query").Register("test:query", note); err != nil {
			t.Fatal(err)
		}
		if err := g.Callback().Row().After("gorm:row").Register("test:row", note); err != nil {
			t.Fatal(err)
		}
		for _, period := range []string{"confirmed_from=2024-01-02", "updated_since=2024-01-02"} {
			for path, headers := range map[string][]string{
				"/orders?":               {"Authorization", "Bearer " + token},
				"/orders?customer_id=2&": nil,
			} {
				for _, sort := range []string{"created_at", "-created_at"} {
					statements = nil
					_, body, _ := webtest.Do(t, "GET", s.base+path+period+"&sort="+sort, "", headers...)
					var page struct{ Data []struct{ ID int64 } }
					if err := json.Unmarshal(body, &page); err != nil {
						t.Fatal(err)
					}
					var got []int64
					for _, o := range page.Data {
						got = append(got, o.ID)
					}
					if slices.Sort(got); !slices.Equal(got, want) {
						t.Errorf("%s%s: %v, want %v", path, period, got, want)
					}
					// One statement reads at most 1000 entries of the index of times. The other reads the
					// orders.
					if len(statements) != 2 {
						t.Errorf("%s%s: %q", path, period, statements)
					}
				}
			}
		}
	})
}

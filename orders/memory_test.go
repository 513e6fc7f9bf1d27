package orders_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
	"example.com/b2b/v2/orders"
)

// TestListEndsByBytes lists orders with 60 KB of metadata, as JSON writes them. An answer has about 1 MiB, and
// the cursor goes on behind it.
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

// TestExportInSmallSteps exports orders of 100 lines with long names. A step of the export has few of them, and
// the file has all lines of all orders.
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

package orders_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// TestLinesKeepNames places orders by id and by sku, and then renames the products. All answers, the history
// and the exports must still show the sku and the name that the product had when the order was placed.
func TestLinesKeepNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		a, b := s.product(t, 1500, 100), s.product(t, 250, 100)
		want := []contract.OrderItem{
			{ProductID: a, Sku: s.sku(t, a), Name: "Thing", Qty: 1, UnitPriceCents: 1500, SubtotalCents: 1500},
			{ProductID: b, Sku: s.sku(t, b), Name: "Thing", Qty: 2, UnitPriceCents: 250, SubtotalCents: 500},
		}
		shows := func(in string, got []contract.OrderItem) {
			t.Helper()
			if !slices.Equal(got, want) {
				t.Errorf("%s: %+v, want %+v", in, got, want)
			}
		}
		first := s.place(t, "names", contract.OrderItemRequest{Sku: new(s.sku(t, b)), Qty: 2}, line(a, 1))
		if first.JSON201 == nil {
			t.Fatalf("%s", first.Body)
		}
		shows("placed", first.JSON201.Data.Items)
		id := first.JSON201.Data.ID
		for _, p := range []int64{a, b} {
			rename := api.ProductUpdate{Name: new("Renamed"), PriceCents: new(int64(1))}
			if res, err := s.UpdateProductWithResponse(ctx, p, nil, rename); err != nil || res.JSON200 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
		}
		if o := s.placed(t, line(a, 1)); o.Items[0].Name != "Renamed" || o.Items[0].UnitPriceCents != 1 {
			t.Errorf("placed after the change: %+v", o)
		}
		again := s.place(t, "names", contract.OrderItemRequest{Sku: new(s.sku(t, b)), Qty: 2}, line(a, 1))
		if string(again.Body) != string(first.Body) {
			t.Errorf("repeated: %s, first %s", again.Body, first.Body)
		}
		confirmed := s.confirm(t, id, "confirm-names")
		shows("confirmed", confirmed.JSON200.Data.Items)
		canceled := s.cancel(t, id, "")
		shows("canceled", canceled.JSON200.Data.Items)
		read, err := s.GetOrderWithResponse(ctx, id, nil)
		if err != nil {
			t.Fatal(err)
		}
		shows("read", read.JSON200.Data.Items)
		for _, event := range s.history(t, fmt.Sprint("/orders/", id)) {
			var o api.Order
			if err := json.Unmarshal(event.Representation, &o); err != nil {
				t.Fatal(err)
			}
			shows(string(event.Type), o.Items)
		}
		_, lines, _ := webtest.Do(t, "GET", s.base+"/orders/export", "")
		var o api.Order
		if err := json.NewDecoder(strings.NewReader(string(lines))).Decode(&o); err != nil || o.ID != id {
			t.Fatalf("%v %s", err, lines)
		}
		shows("NDJSON", o.Items)
		_, table, _ := webtest.Do(t, "GET", s.base+"/orders/export?format=csv", "")
		rows, err := csv.NewReader(strings.NewReader(string(table))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var items []contract.OrderItem
		if err := json.Unmarshal([]byte(rows[1][slices.Index(rows[0], "items")]), &items); err != nil {
			t.Fatal(err)
		}
		shows("CSV", items)
	})
}

// TestTextsLikeTimes stores texts that look like times in each text column of an order, and expects the same
// texts in all answers. SQLite's driver turns such a text into a time when the column of a query is an
// expression, such as a call of COALESCE.
func TestTextsLikeTimes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		const text = "2026-11-30 10:00:00"
		p := s.product(t, 100, 10)
		s.exec(t, "UPDATE products SET sku = ?, name = ? WHERE id = ?", text, text, p)
		placed, err := s.CreateOrderWithResponse(ctx, nil, api.OrderRequest{
			CustomerID: 1, Items: []contract.OrderItemRequest{line(p, 1)}, ExternalRef: new(text),
			Metadata: &contract.OrderMetadata{"text": text},
		})
		if err != nil || placed.JSON201 == nil {
			t.Fatalf("%v %s", err, placed.Body)
		}
		id := placed.JSON201.Data.ID
		canceled, err := s.CancelOrderWithResponse(ctx, id, nil, api.CancelOrderJSONRequestBody{Reason: new(text)})
		if err != nil || canceled.JSON200 == nil {
			t.Fatalf("%v %s", err, canceled.Body)
		}
		for path, want := range map[string]int{ // how often the answer has the text
			fmt.Sprint("/orders/", id):                      5,
			"/orders?external_ref=" + url.QueryEscape(text): 3,
			"/orders/export":                                5,
			"/products?search=" + url.QueryEscape(text):     2,
			fmt.Sprintf("/products/%d", p):                  2,
		} {
			_, body, _ := webtest.Do(t, "GET", s.base+path, "")
			if got := strings.Count(string(body), `"`+text+`"`); got != want {
				t.Errorf("%s has the text %d times, want %d: %s", path, got, want, body)
			}
		}
	})
}

// TestLinesOfPreviousVersion migrates an order of the previous version, whose lines have no names. The
// migration must give each line the present name of its product. The previous version may still insert a line
// without a name after the migration. Answers must then show the name of the product, and a second run of the
// migration must store it.
func TestLinesOfPreviousVersion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 10)
		sku := s.sku(t, p)
		rename := func(name string) {
			t.Helper()
			res, err := s.UpdateProductWithResponse(ctx, p, nil, api.ProductUpdate{Name: &name})
			if err != nil || res.JSON200 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
		}
		wantName := func(order int64, want string) {
			t.Helper()
			res, err := s.GetOrderWithResponse(ctx, order, nil)
			if err != nil || res.JSON200 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			if got := res.JSON200.Data.Items[0]; got.Name != want || got.Sku != sku {
				t.Errorf("order %d: %+v, want the name %q", order, got, want)
			}
		}
		before, between := s.placed(t, line(p, 1)).ID, s.placed(t, line(p, 1)).ID
		s.exec(t, "ALTER TABLE order_items DROP COLUMN sku")
		s.exec(t, "ALTER TABLE order_items DROP COLUMN name")
		migration, err := os.ReadFile("../db/migrations/" + g.Name() + "/00011_line_names.sql")
		if err != nil {
			t.Fatal(err)
		}
		migrate := func() {
			t.Helper()
			err := g.Connection(func(tx *gorm.DB) (err error) {
				for statement := range strings.SplitSeq(strings.TrimSpace(string(migration)), ";\n") {
					err = errors.Join(err, tx.Exec(strings.TrimSuffix(statement, ";")).Error)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		migrate()
		s.exec(t, "DELETE FROM order_items WHERE order_id = ?", between)
		s.exec(t, `INSERT INTO order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents)
			VALUES (?, ?, 1, 100, 100)`, between, p)
		rename("Renamed")
		wantName(before, "Thing")
		wantName(between, "Renamed")
		if g.Name() == db.SQLite {
			return // on SQLite no migration runs twice
		}
		migrate() // as after a crash
		rename("Renamed again")
		wantName(before, "Thing")
		wantName(between, "Renamed")
	})
}

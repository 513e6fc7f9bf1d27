package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/ordersapi"
	b2b "example.com/b2b/v2/sdk/go"
)

// all returns the items of an iteration, and the error that ends it.
func all[T any](items iter.Seq2[T, error]) (got []T, err error) {
	for item, failed := range items {
		if failed != nil {
			return got, failed
		}
		got = append(got, item)
	}
	return got, nil
}

func TestImport(t *testing.T) {
	f := newFixture(t)
	prefix := fmt.Sprintf("IMPORT-%d-", f.customer)
	rows := []ordersapi.ProductImportRow{
		{Sku: prefix + "A", Name: new("A \"test\", \u00fc"), PriceCents: new(int64(1)), Stock: new(int64(3))},
		{Sku: prefix + "B", PriceCents: new(int64(1))}, // a new product must have more fields than these
		{Sku: prefix + "C", Name: new("A test"), PriceCents: new(int64(2)), Stock: new(int64(0))},
		{Sku: prefix + "A", PriceCents: new(int64(2))}, // refused, because the first row has the same sku
	}
	for i := range 300 {
		rows = append(rows, ordersapi.ProductImportRow{Sku: fmt.Sprint(prefix, i), Name: new("A test"),
			PriceCents: new(int64(2)), Stock: new(int64(0))})
	}
	dry := ordersapi.ImportProductsParams{DryRun: new(true)}
	for _, params := range []ordersapi.ImportProductsParams{dry, {}} {
		got := must(all(f.ImportProducts(t.Context(), params, slices.Values(rows))))(t)
		if len(got) != len(rows) {
			t.Fatalf("%d answers", len(got))
		}
		for i, row := range got {
			result := contract.ImportLineResult("created")
			if i == 1 || i == 3 {
				result = "refused"
			}
			if row.Index != i || row.Row.Sku != rows[i].Sku || row.Result != result ||
				(row.ID != 0) != (result == "created" && params.DryRun == nil) {
				t.Fatalf("row %d: %+v", i, row)
			}
		}
		row := got[1]
		if row.Code != contract.ValidationFailed || row.Message == "" || row.Details[0].Field != "/name" {
			t.Errorf("%+v", row)
		}
	}

	// The first import ends when the loop breaks off, the second import has no rows, and the service refuses
	// the third import with 429.
	for row := range f.ImportProducts(t.Context(), dry, slices.Values(rows)) {
		if row.Index != 0 {
			t.Errorf("%+v", row)
		}
		break
	}
	failure(all(f.ImportCustomers(t.Context(), customersapi.ImportCustomersParams{},
		slices.Values([]customersapi.CustomerImportRow(nil)))))(t, contract.ValidationFailed, 400, false)
	f.orders.plans(refuse(429, "1"))
	failure(all(f.ImportProducts(t.Context(), dry, slices.Values(rows))))(t, "unavailable", 429, true)

	exported := must(all(f.ExportProducts(t.Context(), ordersapi.ExportProductsParams{Search: &prefix})))(t)
	if len(exported) != len(rows)-2 || exported[0].Sku != rows[0].Sku || exported[0].Name != *rows[0].Name {
		t.Errorf("%d products, of which the first is %+v", len(exported), exported[0])
	}
}

func TestExport(t *testing.T) {
	f := newFixture(t)
	first := must(f.Orders.CreateOrderWithResponse(t.Context(), nil, f.newOrder(1)))(t).JSON201.Data
	second := must(f.Orders.CreateOrderWithResponse(t.Context(), nil, f.newOrder(2)))(t).JSON201.Data
	of := ordersapi.ExportOrdersParams{CustomerID: &f.customer}
	orders := must(all(f.ExportOrders(t.Context(), of)))(t)
	if len(orders) != 2 || orders[0].ID != first.ID || orders[1].ID != second.ID || orders[1].Items[0].Qty != 2 {
		t.Errorf("%+v", orders)
	}
	for order := range f.ExportOrders(t.Context(), of) {
		if order.ID != first.ID {
			t.Errorf("%+v", order)
		}
		break
	}
	customer, found := customersapi.Customer{}, false
	for c, err := range f.ExportCustomers(t.Context(), customersapi.ExportCustomersParams{}) {
		if err != nil {
			t.Fatal(err)
		}
		if c.ID == f.customer {
			customer, found = c, true
		}
	}
	if !found || customer.Name != "A test" {
		t.Errorf("%+v", customer)
	}
	// The comment of FollowEvents shows this way to the header.
	res := must(f.Orders.ExportOrders(t.Context(), &of))(t)
	defer res.Body.Close()
	var row ordersapi.Order
	position, err := strconv.ParseInt(res.Header.Get("X-Event-Position"), 10, 64)
	if err != nil || json.NewDecoder(res.Body).Decode(&row) != nil || row.ID != first.ID {
		t.Errorf("position %d, %v, and row %+v", position, err, row)
	}
	nonsense := contract.OrderStatus("NONSENSE")
	failure(all(f.ExportOrders(t.Context(), ordersapi.ExportOrdersParams{Status: &nonsense})))(
		t, contract.ValidationFailed, 400, false)
}

// TestOddFiles calls an import of two rows, and an export, while the service answers with complete,
// incomplete and malformed files. Each call must return the rows before the fault, and then the right error.
func TestOddFiles(t *testing.T) {
	f := newFixture(t)
	rows := []ordersapi.ProductImportRow{{Sku: "A"}, {Sku: "B"}}
	const (
		first   = `{"row":1,"result":"updated","id":2}` + "\n"
		second  = `{"row":2,"result":"refused","code":"validation_failed","error":"No."}` + "\n"
		summary = `{"summary":{"complete":true,"dry_run":false,"rows":2,` +
			`"created":0,"updated":1,"unchanged":0,"refused":1}}`
	)
	incomplete := strings.Replace(summary, `true,`, `false,"code":"timeout","error":"Too slow.",`, 1)
	for answered, want := range map[string]struct {
		items  int
		code   contract.ErrorCode
		status int
	}{
		first + second + summary:           {2, "", 0},
		first + incomplete:                 {1, "timeout", 200},
		"":                                 {0, b2b.NoAnswer, 0},
		first:                              {1, b2b.NoAnswer, 0},
		first + second[:20]:                {1, b2b.NoAnswer, 0},
		first + "<html>":                   {1, b2b.UnexpectedAnswer, 200},
		first + "null\n":                   {1, b2b.UnexpectedAnswer, 200},
		first + "{}\n":                     {1, b2b.UnexpectedAnswer, 200},
		first + `{"row":3,"result":"new"}`: {1, b2b.UnexpectedAnswer, 200},
		first + `{"row":0,"result":"new"}`: {1, b2b.UnexpectedAnswer, 200},
		first + `{"row":"2"}`:              {1, b2b.UnexpectedAnswer, 200},
		first + `{"row":2}`:                {1, b2b.UnexpectedAnswer, 200},
		first + `{"summary":{}}`:           {1, b2b.UnexpectedAnswer, 200},
	} {
		f.orders.plans(answer(200, answered, "Content-Type", "application/x-ndjson"))
		got, err := all(f.ImportProducts(t.Context(), ordersapi.ImportProductsParams{}, slices.Values(rows)))
		if len(got) != want.items {
			t.Errorf("%s: %+v", answered, got)
		}
		if want.code != "" {
			failure(got, err)(t, want.code, want.status, false)
		} else if err != nil {
			t.Error(err)
		}
	}
	line := `{"id":2,"sku":"A","name":"A","price_cents":1,"stock":1,"active":true,` +
		`"created_at":"2024-01-10T08:00:00.000Z","updated_at":"2024-01-10T08:00:00.000Z"}` + "\n"
	for answered, want := range map[string]contract.ErrorCode{
		"": "", line + line: "", line + line[:50]: b2b.NoAnswer, line + "<": b2b.UnexpectedAnswer,
		line + strings.Replace(line, `"id":2`, `"id":null`, 1): b2b.UnexpectedAnswer,
	} {
		f.orders.plans(answer(200, answered, "Content-Type", "application/x-ndjson"))
		got, err := all(f.ExportProducts(t.Context(), ordersapi.ExportProductsParams{}))
		var failed *b2b.Error
		if errors.As(err, &failed) != (want != "") || failed != nil && failed.Code != want {
			t.Errorf("%s: %+v, %v", answered, got, err)
		}
	}
	f.orders.plans(answer(200, "<html>", "Content-Type", "text/html"))
	failure(all(f.ExportProducts(t.Context(), ordersapi.ExportProductsParams{})))(t, b2b.UnexpectedAnswer, 200, false)
	f.orders.plans(cut)
	if _, err := all(f.ExportProducts(t.Context(), ordersapi.ExportProductsParams{})); err == nil {
		t.Error("an export that breaks off ends without an error")
	} else {
		failure(0, err)(t, b2b.NoAnswer, 0, true)
	}
}

// TestPageSize checks that iterators ask for pages of 100 items, unless the parameters have another limit.
func TestPageSize(t *testing.T) {
	for want, given := range map[string]*int32{"100": nil, "7": new(int32(7))} {
		asked := ""
		client := must(b2b.New(b2b.Options{Orders: nowhere, HTTPClient: &http.Client{
			Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				asked = r.URL.Query().Get("limit")
				return nil, errors.New("no answer")
			}),
		}, Deadline: 1}))(t)
		failure(all(client.ListOrders(t.Context(), ordersapi.ListOrdersParams{Limit: given})))(t, b2b.NoAnswer, 0, true)
		if asked != want {
			t.Errorf("it asks for %s", asked)
		}
		failure(all(client.ListStockAdjustments(t.Context(), 1, ordersapi.ListStockAdjustmentsParams{Limit: given})))(
			t, b2b.NoAnswer, 0, true)
		if asked != want {
			t.Errorf("it asks for %s", asked)
		}
	}
}

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// exportCommand prints the orders, products or customers that match the filters.
type exportCommand struct {
	client
	kind  string
	query map[string]string // query parameters of the request, by name
}

// filters lists the query parameters that filter the exports, with their names in the OpenAPI documents.
var filters = []string{"status", "customer_id", "external_ref", "from", "to",
	"confirmed_from", "confirmed_to", "cancel_reason",
	"updated_since", "search", "sku", "email", "active", "stock_below", "ids", "include_deleted"}

func (e *exportCommand) flags(f *flag.FlagSet) {
	e.client.flags(f)
	set := func(name string) func(string) error {
		return func(text string) error {
			e.query[name] = text
			return nil
		}
	}
	f.Func("format", "csv or ndjson; without it ndjson", set("format"))
	f.BoolFunc("bom", "begin CSV with a byte order mark, by which Excel knows UTF-8", set("bom"))
	f.Func("delimiter", "comma, semicolon or tab, between the cells of CSV; without it comma", set("delimiter"))
	f.BoolFunc("lines", "a row of CSV for each line of an order, with its sku and name", set("lines"))
	for _, name := range filters {
		usage := "only those with it, as the list's parameter " + name
		f.Func(strings.ReplaceAll(name, "_", "-"), usage, set(name))
	}
}

func (e *exportCommand) run(ctx context.Context, out io.Writer) error {
	if err := e.connect(); err != nil {
		return err
	}
	res, err := e.request(ctx)
	if err != nil {
		return explain(err)
	}
	defer res.Body.Close()
	bar := progress(-1, e.kind)
	if out == os.Stdout && term.IsTerminal(int(os.Stdout.Fd())) {
		bar = progressbar.DefaultSilent(-1)
	}
	defer bar.Clear() // removes the bar, so that an error begins on a new line
	if _, err := io.Copy(io.MultiWriter(out, bar), res.Body); err != nil {
		return fmt.Errorf("the answer broke off, and what was printed is not all: %w", err)
	}
	return bar.Finish()
}

func (e *exportCommand) request(ctx context.Context) (*http.Response, error) {
	setQuery := func(_ context.Context, req *http.Request) error {
		values := req.URL.Query()
		for name, value := range e.query {
			values.Set(name, value)
		}
		req.URL.RawQuery = values.Encode()
		return nil
	}
	switch e.kind {
	case "orders":
		return e.Orders.ExportOrders(ctx, nil, setQuery)
	case "products":
		return e.Orders.ExportProducts(ctx, nil, setQuery)
	case "customers":
		return e.Customers.ExportCustomers(ctx, nil, setQuery)
	}
	return nil, fmt.Errorf("%q cannot be exported; allowed: orders, products, customers", e.kind)
}

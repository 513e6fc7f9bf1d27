package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"example.com/b2b/internal/bulk"
	"example.com/b2b/internal/config"
	"example.com/b2b/openapi/contract"
	"example.com/b2b/openapi/customersapi"
	"example.com/b2b/openapi/ordersapi"
)

// client is what the commands share that call the services over HTTP, as a partner does.
type client struct {
	settings *config.Settings
	base     string // of the service; "" for that of the environment
	token    string // "" for that of the environment

	customersapi.ClientInterface
	orders ordersapi.ClientInterface
}

// filters are the parameters by which exports choose, as the documents call them.
var filters = []string{"status", "customer_id", "external_ref", "from", "to", "updated_since", "search", "sku", "email", "active"}

// clientCommands returns the commands that call services.
func clientCommands(c *config.Settings) []command {
	x := client{settings: c}
	shared := func(f *flag.FlagSet) {
		f.StringVar(&x.base, "base", "", "where the service is; without it CUSTOMERS_API_BASE or ORDERS_API_BASE")
		f.StringVar(&x.token, "token", "", "the token to call with; without it B2B_TOKEN")
	}
	var what, format string
	var i importing
	query := map[string]string{}
	o := ordering{NewOrder: ordersapi.NewOrder{}}
	return []command{{
		name: "import", argument: &i.path,
		summary: "create and change what a file says: FILE [--kind products|customers] [--format csv|ndjson] [--dry-run]; exit code 1 when a row is refused",
		flags: func(f *flag.FlagSet) {
			shared(f)
			f.StringVar(&i.kind, "kind", "", "products or customers; without it as the file's name begins")
			f.StringVar(&i.format, "format", "", "csv or ndjson; without it as the file's name ends")
			f.BoolVar(&i.dryRun, "dry-run", false, "say what would happen, and change nothing")
		},
		run: func(ctx context.Context, out io.Writer) error {
			if err := x.connect(); err != nil {
				return err
			}
			return x.importFile(ctx, i, out)
		},
	}, {
		name: "export", argument: &what,
		summary: "print all orders, products or customers: WHAT [--format csv|ndjson] [--status CONFIRMED] [--from 2024-01-01] and the other filters of the list",
		flags: func(f *flag.FlagSet) {
			shared(f)
			f.StringVar(&format, "format", "", "csv or ndjson; without it ndjson")
			for _, name := range filters {
				f.Func(strings.ReplaceAll(name, "_", "-"), "only those with it, as the list's parameter "+name, func(text string) error { query[name] = text; return nil })
			}
		},
		run: func(ctx context.Context, out io.Writer) error {
			if err := x.connect(); err != nil {
				return err
			}
			query["format"] = format
			return x.export(ctx, what, query, out)
		},
	}, {
		name: "order", summary: "place an order: --customer 1 --item 2:3 [--item SKU:1] [--external-ref PO-1] [--confirm] [--key KEY]; repeat it with the same key",
		flags: func(f *flag.FlagSet) {
			shared(f)
			f.Int64Var(&o.CustomerID, "customer", 0, "who orders")
			f.Func("item", "PRODUCT:PIECES; a product is an id, or a sku", o.addItem)
			f.Func("external-ref", "your number of the order", func(text string) error { o.ExternalRef = &text; return nil })
			f.StringVar(&o.key, "key", "", "idempotency key; without it one is made and printed")
			f.BoolVar(&o.confirm, "confirm", false, "confirm it, too")
		},
		run: func(ctx context.Context, out io.Writer) error {
			if err := x.connect(); err != nil {
				return err
			}
			return x.order(ctx, o, out)
		},
	}}
}

// connect makes the clients.
func (x *client) connect() (err error) {
	if err := x.settings.Read(&x.settings.Calling, &x.settings.CustomersPeer, &x.settings.OrdersPeer); err != nil {
		return err
	}
	authorize := func(_ context.Context, req *http.Request) error {
		if token := cmp.Or(x.token, x.settings.Token); token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}
	if x.ClientInterface, err = customersapi.NewClient(cmp.Or(x.base, x.settings.CustomersBase), customersapi.WithRequestEditorFn(authorize)); err != nil {
		return err
	}
	x.orders, err = ordersapi.NewClient(cmp.Or(x.base, x.settings.OrdersBase), ordersapi.WithRequestEditorFn(authorize))
	return err
}

// importing is a file to import.
type importing struct {
	path, kind, format string
	dryRun             bool
}

var mediaTypes = map[string]string{"csv": bulk.CSV, "ndjson": bulk.NDJSON, "jsonl": bulk.NDJSON}

// guess fills in what the file's name says.
func (i *importing) guess() error {
	name := strings.ToLower(filepath.Base(i.path))
	for _, kind := range []string{"products", "customers"} {
		if i.kind == "" && strings.HasPrefix(name, kind) {
			i.kind = kind
		}
	}
	i.format = cmp.Or(i.format, strings.TrimPrefix(filepath.Ext(name), "."))
	if mediaTypes[i.format] == "" {
		return fmt.Errorf("the format is %q; allowed: --format csv, --format ndjson, or a file name that ends so", i.format)
	}
	if i.kind != "products" && i.kind != "customers" {
		return fmt.Errorf("the kind is %q; allowed: --kind products, --kind customers, or a file name that begins so", i.kind)
	}
	return nil
}

// importFile prints the refused rows on stderr, and the summary.
func (x *client) importFile(ctx context.Context, i importing, out io.Writer) error {
	if err := i.guess(); err != nil {
		return err
	}
	file, err := os.Open(i.path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines, size, err := measure(file)
	if err != nil {
		return err
	}
	bar := progress(lines, "rows")
	sized := func(_ context.Context, req *http.Request) error { req.ContentLength = size; return nil }
	var res *http.Response
	if i.kind == "products" {
		res, err = x.orders.ImportProductsWithBody(ctx, &ordersapi.ImportProductsParams{DryRun: &i.dryRun}, mediaTypes[i.format], file, sized)
	} else {
		res, err = x.ImportCustomersWithBody(ctx, &customersapi.ImportCustomersParams{DryRun: &i.dryRun}, mediaTypes[i.format], file, sized)
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := refused(res); err != nil {
		return err
	}
	for answers := json.NewDecoder(res.Body); ; {
		var line contract.ImportLine
		if err := answers.Decode(&line); err != nil {
			return fmt.Errorf("the answer broke off; repeat the import, it is safe: %w", err)
		}
		if line.Summary != nil {
			_ = bar.Finish()
			return report(*line.Summary, out)
		}
		_ = bar.Set64(int64(*line.Row))
		if line.Code != nil {
			_ = bar.Clear()
			fmt.Fprintf(os.Stderr, "row %d: %s\n", *line.Row, sentence(*line.Error, line.Details))
		}
	}
}

// measure counts the lines and bytes of a file, and returns to its beginning.
func measure(file *os.File) (lines, size int64, err error) {
	for buffer := make([]byte, 64<<10); ; {
		n, err := file.Read(buffer)
		lines, size = lines+int64(bytes.Count(buffer[:n], []byte{'\n'})), size+int64(n)
		if errors.Is(err, io.EOF) {
			_, err := file.Seek(0, io.SeekStart)
			return lines, size, err
		} else if err != nil {
			return 0, 0, err
		}
	}
}

// report prints what has become of a file. Its error is that not everything was taken.
func report(s contract.ImportSummary, out io.Writer) error {
	would := ""
	if s.DryRun {
		would = " (a dry run: nothing was changed)"
	}
	fmt.Fprintf(out, "%d rows: %d created, %d updated, %d unchanged, %d refused%s\n", s.Rows, s.Created, s.Updated, s.Unchanged, s.Refused, would)
	switch {
	case !s.Complete:
		return fmt.Errorf("the file was not read to its end: %s", *s.Error)
	case s.Refused > 0:
		return fmt.Errorf("%d rows were refused", s.Refused)
	}
	return nil
}

// export prints a file.
func (x *client) export(ctx context.Context, what string, query map[string]string, out io.Writer) error {
	choose := func(_ context.Context, req *http.Request) error {
		values := req.URL.Query()
		for name, value := range query {
			if value != "" {
				values.Set(name, value)
			}
		}
		req.URL.RawQuery = values.Encode()
		return nil
	}
	var res *http.Response
	var err error
	switch what {
	case "orders":
		res, err = x.orders.ExportOrders(ctx, nil, choose)
	case "products":
		res, err = x.orders.ExportProducts(ctx, nil, choose)
	case "customers":
		res, err = x.ExportCustomers(ctx, nil, choose)
	default:
		return fmt.Errorf("%q cannot be exported; allowed: orders, products, customers", what)
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := refused(res); err != nil {
		return err
	}
	bar := progress(-1, what)
	if out == os.Stdout && term.IsTerminal(int(os.Stdout.Fd())) {
		bar = progressbar.DefaultSilent(-1)
	}
	if _, err := io.Copy(io.MultiWriter(out, bar), res.Body); err != nil {
		return fmt.Errorf("the answer broke off, and what was printed is not all: %w", err)
	}
	return bar.Finish()
}

// ordering is an order to place.
type ordering struct {
	ordersapi.NewOrder
	key     string
	confirm bool
}

// addItem reads PRODUCT:PIECES.
func (o *ordering) addItem(text string) error {
	at := strings.LastIndex(text, ":")
	pieces, err := strconv.ParseInt(text[at+1:], 10, 64)
	if at < 1 || err != nil {
		return errors.New("allowed: PRODUCT:PIECES, such as 2:3 or LAPTOP-HP-2024:3")
	}
	item := contract.NewOrderItem{Qty: pieces}
	if id, err := strconv.ParseInt(text[:at], 10, 64); err == nil {
		item.ProductID = &id
	} else {
		item.Sku = new(text[:at])
	}
	o.Items = append(o.Items, item)
	return nil
}

// order places an order, confirms it when that is wanted, and prints it as JSON.
func (x *client) order(ctx context.Context, o ordering, out io.Writer) error {
	if o.CustomerID == 0 || len(o.Items) == 0 {
		return errors.New("an order needs --customer and --item; see b2b order --help")
	}
	if o.key == "" {
		o.key = rand.Text()
		fmt.Fprintf(os.Stderr, "When there is no answer, repeat this with --key %s: it is the same order.\n", o.key)
	}
	api := ordersapi.ClientWithResponses{ClientInterface: x.orders}
	placed, err := api.CreateOrderWithResponse(ctx, &ordersapi.CreateOrderParams{XIdempotencyKey: &o.key}, o.NewOrder)
	if err != nil {
		return err
	}
	if placed.JSON201 == nil {
		return failure(placed.StatusCode(), placed.Body)
	}
	order := placed.JSON201.Data
	if o.confirm {
		confirmed, err := api.ConfirmOrderWithResponse(ctx, order.ID, &ordersapi.ConfirmOrderParams{XIdempotencyKey: o.key})
		if err != nil {
			return err
		}
		if confirmed.JSON200 == nil {
			return fmt.Errorf("order %d was placed and not confirmed: %w", order.ID, failure(confirmed.StatusCode(), confirmed.Body))
		}
		order = confirmed.JSON200.Data
	}
	pretty := json.NewEncoder(out)
	pretty.SetIndent("", "  ")
	return pretty.Encode(order)
}

// refused is the error of an answer that is no success.
func refused(res *http.Response) error {
	if res.StatusCode == http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	return failure(res.StatusCode, body)
}

// failure says what a service has said.
func failure(status int, body []byte) error {
	var said contract.APIError
	if json.Unmarshal(body, &said) != nil || said.Error == "" {
		return fmt.Errorf("the service answered %d: is --base, CUSTOMERS_API_BASE or ORDERS_API_BASE right?", status)
	}
	return errors.New(sentence(said.Error, said.Details))
}

func sentence(message string, details *[]contract.APIErrorDetail) string {
	if details != nil {
		for _, d := range *details {
			message += " " + d.Field + " " + d.Message + "."
		}
	}
	return message
}

// progress returns a bar on a terminal, else one that shows nothing. total is -1 when it is not known.
func progress(total int64, of string) *progressbar.ProgressBar {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return progressbar.DefaultSilent(total)
	}
	if total < 0 {
		return progressbar.DefaultBytes(total, of)
	}
	return progressbar.Default(total, of)
}

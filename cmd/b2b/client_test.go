package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/ordersapi"
)

// call runs a command against a service that handle implements, and returns the output of the command.
func call(t *testing.T, handle http.HandlerFunc, line string) (string, error) {
	t.Helper()
	return callWithin(t.Context(), t, handle, line)
}

// callWithin is like call, but ends the command when ctx ends.
func callWithin(ctx context.Context, t *testing.T, handle http.HandlerFunc, line string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := callInto(ctx, t, &out, handle, line)
	return out.String(), err
}

// callInto is like callWithin, but writes the output of the command to out.
func callInto(ctx context.Context, t *testing.T, out io.Writer, handle http.HandlerFunc, line string) error {
	t.Helper()
	service := httptest.NewServer(handle)
	t.Cleanup(service.Close)
	t.Chdir(t.TempDir()) // an empty folder, because the command reads the file .env of its folder
	return run(ctx, append(strings.Fields(line), "--base", service.URL), out)
}

// answeredOrder is the answer with order 7.
var answeredOrder = func() string {
	order, err := json.Marshal(ordersapi.OrderResponse{Success: true, Data: ordersapi.Order{
		OrderSummary: ordersapi.OrderSummary{
			ID: 7, CustomerID: 1, Status: contract.CREATED, AllowedActions: []ordersapi.OrderAction{},
		},
		Items: []contract.OrderItem{},
	}})
	if err != nil {
		panic(err)
	}
	return string(order)
}()

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// TestOrderIsRepeated closes the connection without an answer. The order must be sent again with the same
// key.
func TestOrderIsRepeated(t *testing.T) {
	var keys []string
	out, err := call(t, func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("X-Idempotency-Key"))
		if len(keys) == 1 {
			panic(http.ErrAbortHandler)
		}
		answer(w, 201, answeredOrder)
	}, "order --customer 1 --item A:1")
	if err != nil || !strings.Contains(out, `"id": 7`) || len(keys) != 2 || keys[0] != keys[1] {
		t.Errorf("%v, keys %q, %s", err, keys, out)
	}
}

// TestUnknownOutcome lets one request of a command fail. If the failure does not tell whether the service has
// done the request, the message must say so, and name the key. The same command with this key must then
// succeed.
func TestUnknownOutcome(t *testing.T) {
	gone := func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	says := func(status int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "60") // beyond the timeout of 1s, so there is no second try
			answer(w, status, body)
		}
	}
	const (
		confirm = "order --customer 1 --item A:1 --confirm --key po-1 --timeout 1s"
		place   = "order --customer 1 --item A:1 --key po-1 --timeout 1s"
		cancel  = "cancel 7 --key po-1 --timeout 1s"
		repeat  = " is not known: repeat this with --key po-1 ("
		known   = `{"success":false,"code":"order_not_confirmable","error":"No.","details":[]}`
		failed  = `{"success":false,"code":"internal","error":"No.","details":[]}`
	)
	for _, c := range []struct {
		line, path string
		odd        func(http.ResponseWriter)
		want       string
	}{
		{confirm, "/confirm", gone, "order 7 was placed; whether it was confirmed" + repeat + "no answer came"},
		{confirm, "/confirm", says(500, failed), "order 7 was placed; whether it was confirmed" + repeat + "No.)"},
		{confirm, "/confirm", says(502, "<p>Bad gateway"), "order 7 was placed; whether it was confirmed" + repeat},
		{confirm, "/confirm", says(200, "{}"), "order 7 was placed; whether it was confirmed" + repeat},
		{confirm, "/confirm", says(400, known), "order 7 was placed and not confirmed: No."},
		{confirm, "/orders", gone, "whether the order was placed" + repeat + "no answer came"},
		{place, "/orders", says(500, failed), "whether the order was placed" + repeat + "No.)"},
		{place, "/orders", says(400, known), "No."},
		{cancel, "/cancel", gone, "whether order 7 was canceled" + repeat + "no answer came"},
		{cancel, "/cancel", says(201, answeredOrder), "whether order 7 was canceled" + repeat},
		{cancel, "/cancel", says(400, known), "No."},
	} {
		var repeated atomic.Bool
		handle := func(w http.ResponseWriter, r *http.Request) {
			if key := r.Header.Get("X-Idempotency-Key"); key != "po-1" {
				t.Errorf("b2b %s: %s has the key %q", c.line, r.URL.Path, key)
			}
			switch {
			case !repeated.Load() && strings.HasSuffix(r.URL.Path, c.path):
				c.odd(w)
			case r.URL.Path == "/orders":
				answer(w, 201, answeredOrder)
			default:
				answer(w, 200, answeredOrder)
			}
		}
		if _, err := call(t, handle, c.line); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("b2b %s: %v, want %s", c.line, err, c.want)
		}
		repeated.Store(true)
		if _, err := call(t, handle, c.line+" --timeout 1m"); err != nil {
			t.Errorf("b2b %s, repeated: %v", c.line, err)
		}
	}
}

// TestInterruptedConfirm interrupts b2b order while the command waits for the answer to its confirmation. The
// message must say that the outcome of the confirmation is not known, and name the key.
func TestInterruptedConfirm(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	_, err := callWithin(ctx, t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/orders" {
			answer(w, 201, answeredOrder)
			return
		}
		cancel(errInterrupted)
		<-r.Context().Done()
	}, "order --customer 1 --item A:1 --confirm --key po-1")
	want := "order 7 was placed; whether it was confirmed is not known: repeat this with --key po-1 (interrupted)"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestExportForPeople compares the flags of an export with the parameters of its request.
func TestExportForPeople(t *testing.T) {
	for line, want := range map[string]string{
		"export orders": "/orders/export?",
		"export products --format csv --bom --delimiter tab": "/products/export?bom=true&delimiter=tab&format=csv",
		"export orders --format csv --lines --confirmed-from 2024-01-01 --confirmed-to 2024-01-31": "/orders/export?" +
			"confirmed_from=2024-01-01&confirmed_to=2024-01-31&format=csv&lines=true",
		"export customers --format csv --bom=false": "/customers/export?bom=false&format=csv",
	} {
		var asked string
		out, err := call(t, func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.Path + "?" + r.URL.RawQuery
			w.Header().Set("Content-Type", "text/csv")
			io.WriteString(w, "\uFEFFid;name\r\n")
		}, line)
		if err != nil || asked != want || out != "\uFEFFid;name\r\n" {
			t.Errorf("%s: %v, asked for %s, want %s: %q", line, err, asked, want, out)
		}
	}
}

// TestBlankFlags gives each flag of each command a blank value, as a script with an unset variable does. The
// command must refuse the value. If the command ignored such a flag, it would export the orders of all
// customers, or issue a token with all scopes.
func TestBlankFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // ends a command that accepts the value
	flags := 0
	for _, c := range commands() {
		f := flag.NewFlagSet(c.name, flag.ContinueOnError)
		if c.flags != nil {
			c.flags(f)
		}
		f.VisitAll(func(f *flag.Flag) {
			flags++
			for _, blank := range []string{"", " "} {
				err := run(ctx, []string{c.name, "--" + f.Name + "=" + blank}, io.Discard)
				if want := fmt.Sprintf("%q for flag -%s: it is blank", blank, f.Name); err == nil ||
					!strings.Contains(strings.Replace(err.Error(), " for -", " for flag -", 1), want) {
					t.Errorf("b2b %s --%s=%s: %v", c.name, f.Name, blank, err)
				}
			}
		})
	}
	if flags < 60 {
		t.Errorf("only %d flags", flags)
	}
}

// TestMapKeepsLines imports files with --map. The service must get each row on the line that the row has in
// the imported file, and the file of refused rows must have the refused row.
func TestMapKeepsLines(t *testing.T) {
	for _, head := range []string{
		"Art;name;stock", "\n\nArt;name;stock", "sep=;\n\nArt;name;stock", "Art;\"name\n\";stock",
		";;\n;\nArt;name;stock", "sep=;\n;;\nArt;name;stock", "Art;name;\"stock\n\n\"", "\"\nArt\";name;stock", "sep=|\nArt|\"\nname\"|\"stock\n\"",
	} {
		path := filepath.Join(t.TempDir(), "products.csv")
		const rows = "\nM-1;One;many\nM-2;Two;2\n"
		line := strings.Count(head, "\n") + 2
		if err := os.WriteFile(path, []byte(head+rows), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := call(t, func(w http.ResponseWriter, r *http.Request) {
			sent, _ := io.ReadAll(r.Body)
			before, _, found := strings.Cut(string(sent), "M-1")
			if got := strings.Count(before, "\n") + 1; !found || got != line || !strings.Contains(before, "sku") {
				t.Errorf("%q: row %d arrives on line %d: %q", head, line, got, sent)
			}
			w.Header().Set("Content-Type", "application/x-ndjson")
			fmt.Fprintf(w, `{"row":%d,"result":"refused","code":"validation_failed","error":"No."}`+"\n"+
				`{"row":%d,"result":"created","id":2}`+"\n"+`{"summary":{"complete":true,"dry_run":false,"rows":2,`+
				`"created":1,"updated":0,"unchanged":0,"refused":1}}`, line, line+1)
		}, "import --map Art=sku "+path)
		if err == nil || !strings.Contains(err.Error(), "1 row refused; ") {
			t.Errorf("%q: %v", head, err)
		}
		refused, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "products.refused.csv"))
		if !strings.Contains(string(refused), "M-1") || strings.Contains(string(refused), "M-2") {
			t.Errorf("%q: %q", head, refused)
		}
	}
}

// TestImportEndsEarly ends the answer of an import after a refused row. The message must name the file with
// that row, or say why there is no file.
func TestImportEndsEarly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "products.csv")
	if err := os.WriteFile(path, []byte("sku;stock\nM-1;many\nM-2;2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const partly = "products.refused.csv has only the refused rows that were answered so far"
	for end, want := range map[string]string{
		"": "the answer broke off; repeat the import, it is safe",
		`{"summary":{"complete":false,"dry_run":false,"rows":1,"created":0,"updated":0,"unchanged":0,` +
			`"refused":1,"code":"timeout","error":"Too late."}}`: "the file was not read to its end: Too late.",
	} {
		handle := func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/x-ndjson")
			io.WriteString(w, `{"row":2,"result":"refused","code":"validation_failed","error":"No."}`+"\n"+end)
		}
		_, err := call(t, handle, "import "+path)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), partly) {
			t.Errorf("%v, want %s and %s", err, want, partly)
		}
		_, err = call(t, handle, "import --refused "+path+" "+path)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "are in no file: ") ||
			strings.Contains(err.Error(), "so far") {
			t.Errorf("without a file: %v", err)
		}
		refused := filepath.Join(filepath.Dir(path), "products.refused.csv")
		if text, _ := os.ReadFile(refused); string(text) != "sku;stock;refusal\nM-1;many;No.\n" {
			t.Errorf("%q", text)
		}
		_ = os.Remove(refused)
	}
}

// TestCount counts the rows of files. The number must be the number of rows that the service reads.
func TestCount(t *testing.T) {
	for file, want := range map[string]int64{
		"": 0, "sku": 0, "sku;name\nA;B": 1, "sku;name\nA;B\n\nC;D\n": 2, "sku;name\rA;B\rC;D\r": 2,
		"sep=;\nsku;name\nA;B\n": 1, "sep=|\nsku|name\nA|B\n|\n|\n": 1, "\n;;\n;\nsku;name;price\nA;;\n;\n": 1,
		"sku;name\nA;\"B\nB\"\nC\nD;\"\"E\n": 3, "\xff\xfes\x00k\x00u\x00\n\x00A\x00": 1, "\"": 0,
	} {
		i := &importCommand{format: "csv"}
		if got, err := i.count(strings.NewReader(file)); err != nil || got != want {
			t.Errorf("%q: %d rows, want %d: %v", file, got, want, err)
		}
	}
	i := &importCommand{format: "ndjson"}
	if got, err := i.count(strings.NewReader("{}\n \n\r\n{}\r\n{}")); err != nil || got != 3 {
		t.Errorf("%d rows of NDJSON, want 3: %v", got, err)
	}
}

// TestTimeout calls a service that never answers. The command must end with an error soon after --timeout.
func TestTimeout(t *testing.T) {
	for _, line := range []string{"order --customer 1 --item A:1", "export orders"} {
		begin := time.Now()
		_, err := call(t, func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // without this read, the server does not notice that the caller has gone
			select {
			case <-r.Context().Done():
			case <-time.After(20 * time.Second):
			}
		}, line+" --timeout 200ms")
		if err == nil || !strings.Contains(err.Error(), "no answer came") ||
			time.Since(begin) > 10*time.Second {
			t.Errorf("%s: %v after %v", line, err, time.Since(begin))
		}
	}
}

// TestNamesTwice gives the flags --metadata and --map two values for one name. The commands must refuse them,
// because only one of the values would count.
func TestNamesTwice(t *testing.T) {
	for args, want := range map[string]string{
		"order --metadata po=1 --metadata po=2":                    "the name po comes twice",
		"import products.csv --map Artikel=sku --map ARTIKEL=name": "the column artikel comes twice",
	} {
		err := run(t.Context(), strings.Fields(args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("b2b %s: %v, want %s", args, err, want)
		}
	}
}

// TestFlagsSayAllowed checks that allowedValues knows the kind of every flag. Then it gives flags values that
// they do not allow: each error must name the flag and its allowed values.
func TestFlagsSayAllowed(t *testing.T) {
	for _, c := range commands() {
		f := flag.NewFlagSet(c.name, flag.ContinueOnError)
		if c.flags != nil {
			c.flags(f)
		}
		f.VisitAll(func(f *flag.Flag) {
			if kind := kindOf(f); kind != "" && kind != "string" && allowedValues[kind] == "" {
				t.Errorf("the errors of b2b %s --%s do not say what a %s allows", c.name, f.Name, kind)
			}
		})
	}
	for args, want := range map[string]string{
		"order --customer x":          `"x" for flag -customer: allowed: the id of a customer`,
		"order --customer 1.5":        `"1.5" for flag -customer: allowed: the id of a customer`,
		"order --customer 010":        `"010" for flag -customer: allowed: the id of a customer`,
		"order --customer 0x7":        `"0x7" for flag -customer: allowed: the id of a customer`,
		"token --customer 007":        `"007" for flag -customer: allowed: the id of a customer`,
		"cancel --timeout 5":          `"5" for flag -timeout: allowed: times, such as 30s`,
		"cancel 7 --timeout 0":        "--timeout is 0s; allowed: times above 0",
		"export orders --timeout -1s": "--timeout is -1s; allowed: times above 0",
		"order --confirm=ja":          `"ja" for -confirm: allowed: true, false`,
		"order --output xml":          `"xml" for flag -output: allowed: json, text`,
		"order --item A":              `"A" for flag -item: allowed: PRODUCT:PIECES`,
		"doctor --limits":             "flag provided but not defined: -limits",
	} {
		err := run(t.Context(), strings.Fields(args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("b2b %s: %v, want %s", args, err, want)
		}
	}
}

package system_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi"
)

// TestImportExportPage runs the commands of docs/import-export.md from top to bottom on a fresh database.
// Each command must succeed.
func TestImportExportPage(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skip("this machine has no curl")
	}
	p := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")))
	page, err := os.ReadFile("../../docs/import-export.md")
	if err != nil {
		t.Fatal(err)
	}
	addresses := strings.NewReplacer(
		openapi.CustomersAddress, p.customers, openapi.OrdersAddress, p.orders,
		"curl ", "curl --fail-with-body -sS ",
	)
	folder, printed := t.TempDir(), ""
	if err := os.Symlink(binary(), filepath.Join(folder, "b2b")); err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(string(page), -1) {
		cmd := exec.Command("bash", "-euc", addresses.Replace(block[1]))
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
		cmd.Env = append(cmd.Env, "CUSTOMERS_API_BASE="+p.customers, "ORDERS_API_BASE="+p.orders)
		out, err := cmd.CombinedOutput()
		if printed += string(out); err != nil {
			t.Errorf("%s\n%v %s", block[1], err, out)
		}
	}
	for _, want := range []string{
		"2 rows: 2 created, 0 updated, 0 unchanged, 0 refused (a dry run: nothing was changed)\n" +
			"2 rows: 2 created, 0 updated, 0 unchanged, 0 refused\n" +
			"2 rows: 0 created, 0 updated, 2 unchanged",
		`"status": "CONFIRMED"`, `"summary":{"complete":true,"dry_run":true,"rows":2`,
		`{"row":1,"result":"created","id":6}`, `{"id":2,"customer_id":2,`,
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("no %q in the output of the page's commands:\n%s", want, printed)
		}
	}
	for pattern, lines := range map[string]int{
		"catalogue.csv": 13, "orders.csv": 4, "lines.csv": 3, "order-lines-20[0-9][0-9]-[0-9][0-9]-[0-9][0-9].csv": 5,
	} {
		files, _ := filepath.Glob(filepath.Join(folder, pattern))
		if len(files) != 1 {
			t.Fatalf("%s: %q", pattern, files)
		}
		content, err := os.ReadFile(files[0])
		if err != nil || strings.Count(string(content), "\r\n") != lines {
			t.Errorf("%v %s", err, content)
		}
	}
}

// TestClientCommands calls b2b import, b2b export and b2b order with mistakes of the user. Each call must fail
// with the right message.
func TestClientCommands(t *testing.T) {
	env := append(anyPorts, append(ofProduction, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db"))...)
	p := start(t, env)
	token, err := execute(t, env, "token", "--sub", "office", "--scope", "admin")
	if err != nil {
		t.Fatal(err)
	}
	token = strings.TrimSpace(token)
	caller := []string{
		"B2B_TOKEN=" + token, "CUSTOMERS_API_BASE=" + p.customers, "ORDERS_API_BASE=" + p.orders,
	}
	file := func(name, content string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	products := file("Products-2024.csv", "sku,name,price_cents,stock\nX-1,Good,1,1\nX-2,,1,x\nX-1,Again,1,1\n")
	customers := file("list.txt", `{"email":"erp@example.com","name":"ERP"}`)
	for _, c := range []struct {
		env  []string
		args string
		says string
	}{
		{caller, "import " + products, "row 3: The request is not valid. /stock must be an integer.\n" +
			"row 4: The request is not valid. /sku is in row 2 already.\n" +
			"3 rows: 1 created, 0 updated, 0 unchanged, 2 refused\n" +
			"b2b: 2 rows refused; " + strings.Replace(products, ".csv", ".refused.csv", 1) +
			" has them, with the reasons\n"},
		{caller, "import " + products, "3 rows: 0 created, 0 updated, 1 unchanged, 2 refused\n"},
		{caller, "import " + file("products.xlsx", "PK"), `the format is "xlsx"; allowed: --format csv, ` +
			"--format ndjson, or a file name that ends so; save the sheet of a workbook as CSV"},
		{caller, "import " + file("products.txt", "\uFEFFsku\tprice\r\nX-1\tx\r\n"), "/price must be an amount"},
		{caller, "import " + file("products.csv", "Art;Preis\nX-1;0,01\n") + " --map Art=sku", "b2b: The request " +
			`is not valid. /Preis is not a known field. --map "COLUMN=FIELD" says which field a column has, ` +
			`--map "COLUMN=" leaves the column out`},
		{caller, "import --format ndjson " + customers, `the kind is ""`},
		{caller, "import --format ndjson --kind orders " + customers, `the kind is "orders"`},
		{caller, "import " + products + " --kind customers", "/sku is not a known field."},
		{caller, "import", "an argument is missing; see b2b import --help"},
		{caller, "import a.csv b.csv", `"b.csv" is one argument too many`},
		{caller, "import missing-products.csv --kind products", "no such file"},
		{caller, "import missing.txt", "missing.txt: no such file"},
		{caller, "import --output json " + products, `"code":"validation_failed"`},
		{caller, "import --output json " + products, `{"summary":{"complete":true,`},
		{caller, "export invoices", `"invoices" cannot be exported`},
		{caller, "export orders --status ODD", "/query/status must be one of"},
		{caller, "export orders --search x", "/query/search is not a known parameter"},
		{caller, "export orders --format xls", "/query/format must be one of"},
		{caller, "export orders --lines --bom", "/query/bom is only for format=csv. /query/lines is only for"},
		{caller, "export products --lines --format csv", "/query/lines is not a known parameter"},
		{caller, "export orders --delimiter ; --format csv", "/query/delimiter must be one of"},
		{caller, "order --customer 1 --item 2", "PRODUCT:PIECES"},
		{caller, "order --customer 1 --item NO-SUCH:2", "NO-SUCH"},
		{caller[1:], "export customers", "valid token"},
		{append(caller, "B2B_TOKEN=wrong"), "order --customer 1 --item 2:1", "valid token"},
		{[]string{"ORDERS_API_BASE=http://127.0.0.1:1"}, "export products",
			"connection refused: is --base, CUSTOMERS_API_BASE or ORDERS_API_BASE right?"},
		{[]string{"ORDERS_API_BASE=http://127.0.0.1:1"}, "order --customer 1 --item A:1 --timeout 8s",
			"No answer yet; trying for 8s.\nb2b: no answer came: "},
		{caller, "export products --base " + p.customers, "There is no /products/export here: is --base, "},
	} {
		if got := refused(t, c.env, strings.Fields(c.args)...); !strings.Contains(got, c.says) {
			t.Errorf("b2b %s says %q, want %q", c.args, got, c.says)
		}
	}
	args := []string{"import", "--token", token, "--kind", "customers", customers, "--format", "ndjson"}
	const imported = "1 row: 1 created, 0 updated, 0 unchanged, 0 refused\n"
	if out, err := execute(t, caller[1:], args...); err != nil || out != imported {
		t.Errorf("%v %q", err, out)
	}
	const order = "order --customer 1 --item 2:3 --item X-1:1 --key once --external-ref PO-1 --confirm"
	var orders []string
	for range 2 {
		out, err := execute(t, caller, strings.Fields(order)...)
		if err != nil || !strings.Contains(out, `"external_ref": "PO-1"`) {
			t.Fatalf("%v %s", err, out)
		}
		orders = append(orders, out)
	}
	if orders[0] != orders[1] {
		t.Errorf("%s %s", orders[0], orders[1])
	}
	id := regexp.MustCompile(`"id": (\d+)`).FindStringSubmatch(orders[0])
	out, err := execute(t, caller, "export", "orders", "--external-ref", "PO-1")
	if err != nil || strings.Count(out, "\n") != 1 || id == nil ||
		!strings.HasPrefix(out, fmt.Sprintf(`{"id":%s,`, id[1])) {
		t.Errorf("%v %s", err, out)
	}
}

// TestOrderItems orders products whose sku looks like an id, and compares the messages for arguments that b2b
// order and b2b cancel must refuse.
func TestOrderItems(t *testing.T) {
	p := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")))
	env := []string{"ORDERS_API_BASE=" + p.orders}
	for _, sku := range []string{"00010", "4006381333931", "2", "id:2"} { // the products get the ids 11 to 14
		body := fmt.Sprintf(`{"sku":%q,"name":"N-%s","price_cents":1,"stock":9}`, sku, sku)
		status, answer, _ := webtest.Do(t, "POST", p.orders+"/products", body,
			"Content-Type", "application/json")
		if status != 201 {
			t.Fatalf("%d %s", status, answer)
		}
	}
	for item, want := range map[string]int{
		"00010": 11, "4006381333931": 12, "10": 10, "sku:00010": 11, "sku:2": 13, "id:2": 2, "sku:id:2": 14,
		"14": 14,
	} {
		out, err := execute(t, env, "order", "--customer", "1", "--item", item+":1")
		if err != nil || !strings.Contains(out, fmt.Sprintf(`"product_id": %d,`, want)) {
			t.Errorf("%s: want product %d, got %v %s", item, want, err, out)
		}
	}
	const order = "order --customer 1 --item id:2:1 "
	for line, want := range map[string]string{
		"order --customer 1 --item 2:1":        "2 is the sku of product 13 (N-2) and the id of another, ",
		"order --customer 1 --item id:00010:1": "allowed: PRODUCT:PIECES",
		"order --customer 1 --item sku::1":     "allowed: PRODUCT:PIECES",
		order + "--key=":                       `invalid value "" for flag -key: it is blank, as an unset variable is`,
		order + "--output xml":                 "allowed: json, text",
		order + "--metadata cost_center":       "allowed: NAME=VALUE",
		"cancel 1 --key=":                      `invalid value "" for flag -key`,
		"cancel PO-1":                          `"PO-1" is no order; allowed: its id`,
		"cancel 999":                           "There is no order 999.",
		"cancel":                               "an argument is missing",
	} {
		if got := refused(t, env, strings.Fields(line)...); !strings.Contains(got, want) {
			t.Errorf("b2b %s says %q, want %q", line, got, want)
		}
	}
	status, body, _ := webtest.Do(t, "GET", p.orders+"/orders?customer_id=1&limit=100", "")
	orders := strings.Count(string(body), `"customer_id":1`) // including an order of the sample data
	if status != 200 || orders != 9 {
		t.Errorf("%d %d orders, want 9: %s", status, orders, body)
	}
}

// TestCancelCommand places orders with b2b order, and cancels orders with b2b cancel. It repeats a
// cancellation with the same key, and places an order again with the same key and --confirm. A repeated
// command must print the same order.
func TestCancelCommand(t *testing.T) {
	p := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")))
	env := []string{"ORDERS_API_BASE=" + p.orders}
	for _, c := range []struct{ line, want string }{
		{"order --customer 1 --item id:2:1 --metadata cost_center=4711 --metadata note=a=b", `"metadata": {
    "cost_center": "4711",
    "note": "a=b"
  }`},
		{"order --customer 1 --item id:2:1 --confirm --output text", "order 4 is CONFIRMED, total_cents "},
		{"cancel 3 --reason broken --key c-4 --output json", `"cancel_note": "broken"`},
		{"cancel 3 --reason broken --key c-4 --output text", "order 3 is CANCELED, total_cents "},
		{"cancel --output text 4", "order 4 is CANCELED"},
		{"order --customer 1 --item id:2:1 --key po-5 --output text", "order 5 is CREATED"},
		{"order --customer 1 --item id:2:1 --key po-5 --output text --confirm", "order 5 is CONFIRMED"},
		{"order --customer 1 --item id:2:1 --key po-5 --output text --confirm", "order 5 is CONFIRMED"},
	} {
		out, err := execute(t, env, strings.Fields(c.line)...)
		if err != nil || !strings.Contains(out, c.want) {
			t.Errorf("b2b %s: want %q, got %v %s", c.line, c.want, err, out)
		}
	}
}

// TestImportOnTerminal reads the output of b2b import on a terminal: a progress bar of the rows, and each
// error on a line of its own.
func TestImportOnTerminal(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil || runtime.GOOS != "linux" {
		t.Skip("this machine has no script of util-linux")
	}
	p := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")))
	folder := t.TempDir()
	const rows = "sep=,\n,,,\nsku,name,price_cents,stock\nT-1,\"Of two\nlines\",1,1\nT-2,Bad,x,1\n" +
		"T-3,Good,1,1\n,,,\n"
	if err := os.WriteFile(filepath.Join(folder, "products.csv"), []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	for base, want := range map[string][]string{
		p.orders: {
			"row 6: The request is not valid. /price_cents must be an integer.",
			"3 rows: 1 created, 0 updated, 0 unchanged, 2 refused",
			"b2b: 2 rows refused; products.refused.csv has them, with the reasons",
		},
		"http://127.0.0.1:1": {`b2b: no answer came: Post ` +
			`"http://127.0.0.1:1/products/import?dry_run=false": ` +
			"dial tcp 127.0.0.1:1: connect: connection refused: " +
			"is --base, CUSTOMERS_API_BASE or ORDERS_API_BASE right?"},
	} {
		cmd := exec.Command("script", "-qec", binary()+" import products.csv --base "+base, "/dev/null")
		cmd.Dir, cmd.Env = folder, []string{"SHELL=/bin/sh"}
		out, _ := cmd.Output()
		screen := onScreen(string(out))
		for _, line := range want {
			if !slices.Contains(screen, line) {
				t.Errorf("no line %q in %q", line, out)
			}
		}
		bar := regexp.MustCompile(`\(\d/(\d)`).FindAllStringSubmatch(string(out), -1)
		if len(bar) == 0 || slices.ContainsFunc(bar, func(m []string) bool { return m[1] != "3" }) {
			t.Errorf("the bar is not of 3 rows: %q", out)
		}
	}
}

// onScreen returns the lines that a terminal shows: the text after a carriage return overwrites the line.
func onScreen(output string) (lines []string) {
	for line := range strings.Lines(output) {
		var shown []rune
		for part := range strings.SplitSeq(strings.TrimRight(line, "\r\n"), "\r") {
			part := []rune(part)
			shown = append(part, shown[min(len(part), len(shown)):]...)
		}
		lines = append(lines, strings.TrimRight(string(shown), " "))
	}
	return lines
}

// TestImportChecksTextFirst imports files whose third line is in another encoding than b2b expects. The error
// must name the line and the flag --encoding, and the command must call no service. The last file has the
// expected encoding, so for this file b2b must call the service.
func TestImportChecksTextFirst(t *testing.T) {
	env := []string{"ORDERS_API_BASE=http://127.0.0.1:1"}
	path := filepath.Join(t.TempDir(), "products.csv")
	for _, c := range []struct{ text, args, says string }{
		{"sku;name\nA;A\nB;Gr\xf6\xdfe\n", "", "line 3 is not UTF-8; if the file is in another encoding, name it, such as --encoding windows-1252."},
		{"sku;name\nA;A\nB;Gr\xf6\xdfe\n", "--map name=name", "line 3 is not UTF-8; "},
		{"sku;name\nA;A\nB;Größe\n", "--encoding windows-1252", "line 3 is UTF-8, as the whole file is, and not windows-1252; name it: --encoding utf-8."},
		{"sku;name\nA;A\nB;Größe\n", "--encoding windows-1252 --map name=name", "line 3 is UTF-8"},
		{"sku;name\nA;A\nB;Größe\n", "", "connection refused"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := refused(t, env, append([]string{"import", path}, strings.Fields(c.args)...)...)
		if !strings.Contains(got, c.says) {
			t.Errorf("%q %s: %s, want %s", c.text, c.args, got, c.says)
		}
	}
}

// TestImportRefusedRows imports a German clerk's file with b2b, corrects the file of refused rows, and
// imports the corrected file.
func TestImportRefusedRows(t *testing.T) {
	p := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")))
	env := []string{"ORDERS_API_BASE=" + p.orders, "CUSTOMERS_API_BASE=" + p.customers}
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	save := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	want := func(got string, lines ...string) {
		t.Helper()
		if all := strings.Join(lines, "\n") + "\n"; got != all {
			t.Errorf("%s\nwant %s", got, all)
		}
	}
	// Windows-1252: \xf6 is ö, \xdf is ß, \x80 is €.
	sheet := "Artikel-\"\"Nr\"\"\";Bezeichnung;\"Preis\nbrutto\";Bestand;Lieferant\r\n" +
		"K-1;Gr\xf6\xdfe;1.299,90 \x80;5;X\r\n" + "K-2;\"Zwei; \"\"2\"\"\";1.299;5;X\r\n" + "K-3;Drei;2,5;viele;X\r\n" +
		"K-4;Vier\r\n" + "K-5;F\"nf;1,00;1;X\r\n" + "K-6;Gr\xf6\xdfer;1,00;keine;X\r\n;;;;\r\n"
	save("products.csv", "\""+sheet)
	args := []string{
		"import", "--encoding", "windows-1252", "--map", `artikel-"nr"=sku`, "--map", "Bezeichnung=name",
		"--map", "Preis brutto=price", "--map", "Bestand=stock", "--map", "Lieferant=",
	}
	const cells = "The row cannot be read: it has more or fewer cells than the first line: " +
		"each row needs as many separators even where its last cells are empty."
	again := "; " + path("products.refused.csv") + " has them, with the reasons"
	want(refused(t, env, append(args, path("products.csv"))...),
		"row 4: The request is not valid. /Preis brutto must be an amount such as 1299.90, 1.299,90 or EUR 5, not 1.299, which has two meanings.",
		"row 5 and 1 more: The request is not valid. /Bestand must be an integer.",
		"row 6: "+cells,
		"row 7: The row cannot be read: a quote is where CSV has none, or missing.",
		"6 rows: 1 created, 0 updated, 0 unchanged, 5 refused",
		"b2b: 5 rows refused"+again)
	const amount, integer = "The request is not valid. /Preis brutto must be an amount such as 1299.90, 1.299,90 " +
		"or EUR 5, not 1.299, which has two meanings.",
		"The request is not valid. /Bestand must be an integer."
	const head = "\uFEFF\"Artikel-\"\"Nr\"\"\";Bezeichnung;\"Preis\r\nbrutto\";Bestand;Lieferant;refusal\r\n"
	if got, all := read("products.refused.csv"), head+"K-2;\"Zwei; \"\"2\"\"\";1.299;5;X;"+amount+"\r\n"+
		"K-3;Drei;2,5;viele;X;"+integer+"\r\n"+
		"K-4;Vier;"+cells+"\r\n"+
		"K-5;F\"nf;1,00;1;X;The row cannot be read: a quote is where CSV has none, or missing.\r\n"+
		"K-6;Größer;1,00;keine;X;"+integer+"\r\n"; got != all {
		t.Errorf("%q\nwant %q", got, all)
	}

	mended := strings.NewReplacer("1.299;", "1.299,00;", "viele", "7", "keine", "0", "F\"nf", "Fünf")
	save("products.refused.csv", mended.Replace(read("products.refused.csv")))
	want(refused(t, env, append(args, path("products.refused.csv"))...),
		"row 5: "+cells,
		"5 rows: 4 created, 0 updated, 0 unchanged, 1 refused",
		"b2b: 1 row refused; "+path("products.refused-2.csv")+" has them, with the reasons")
	if got, all := read("products.refused-2.csv"), head+
		"K-4;Vier;"+cells+"\r\n"; got != all {
		t.Errorf("%q\nwant %q", got, all)
	}
	_, body, _ := webtest.Do(t, "GET", p.orders+"/products/export?format=csv&search=K-", "")
	var products []string
	for line := range strings.Lines(string(body)) {
		_, product, _ := strings.Cut(line, ",")
		products = append(products, strings.Join(strings.SplitN(product, ",2", 2)[:1], ""))
	}
	if got := strings.Join(products[1:], " "); !strings.Contains(got, "K-1,Größe,129990,5,true") ||
		!strings.Contains(got, "K-6,Größer,100,0,true") {
		t.Error(got)
	}

	save("customers.ndjson", `{"email":"k@example.com","name":"K"}`+"\n\n"+`{"email":"l@example.com"}`+"\n"+
		`{"email": "nobody", "refusal": "old"}`+"\n{\n{}\n")
	got := refused(t, env, "import", path("customers.ndjson"), "--refused", path("bad"))
	if !strings.Contains(got, "5 rows: 1 created, 0 updated, 0 unchanged, 4 refused") {
		t.Error(got)
	}
	want(read("bad"),
		`{"email":"l@example.com","refusal":"The request is not valid. /name is required: no customer has this email yet."}`,
		`{"email": "nobody", "refusal": "The request is not valid. /email must be an email address, such as name@example.com."}`,
		`{`, `{"refusal":"The request is not valid. /email is required."}`)
	got = refused(t, env, "import", path("customers.ndjson"), "--refused", path("bad"))
	if !strings.Contains(got, "the refused rows are in no file: ") || !strings.Contains(got, "1 unchanged, 4 refused") {
		t.Error(got)
	}
	got = refused(t, env, "import", "--kind", "customers", "--format", "ndjson", path("bad"))
	if !strings.Contains(got, "/name is required") || strings.Contains(got, "/refusal") {
		t.Error(got)
	}
	for args, says := range map[string]string{
		"--encoding windows-1252 --map Preis=price":                       `--map: the file has no column "preis"`,
		"--encoding windows-1252 --map Bezeichnung=name --map Pris=price": `has no column "pris", only ["Artikel-\"Nr\"" "Bezeichnung" `,
		"--map =sku":        "allowed: COLUMN=FIELD",
		"--encoding latin9": `the encoding is "latin9"; allowed: ibm850, `,
		"--encoding windows-1252 --map Bezeichnung=name": "/Bestand is not a known field.",
		"--format ndjson":          "line 3 is not UTF-8; if the file is in another encoding, name it, such as --encoding windows-1252.",
		"--map a=b --format jsonl": "--map names columns of CSV",
	} {
		line := append([]string{"import", path("products.csv")}, strings.Fields(args)...)
		if got := refused(t, env, line...); !strings.Contains(got, says) {
			t.Errorf("%s: %q, want %q", args, got, says)
		}
	}
}

package system_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/b2b/openapi"
)

// TestImportExportPage runs the commands of docs/import-export.md from top to bottom on a fresh database. Each
// command must succeed.
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
	for file, lines := range map[string]int{"catalogue.csv": 13, "orders.csv": 4} {
		content, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil || strings.Count(string(content), "\r\n") != lines {
			t.Errorf("%v %s", err, content)
		}
	}
}

// TestClientCommands compares the messages of b2b import, export and order for mistakes of the user.
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
			"b2b: 2 rows were refused\n"},
		{caller, "import " + products, "3 rows: 0 created, 0 updated, 1 unchanged, 2 refused\n"},
		{caller, "import " + customers, `the format is "txt"`},
		{caller, "import --format ndjson " + customers, `the kind is ""`},
		{caller, "import --format ndjson --kind orders " + customers, `the kind is "orders"`},
		{caller, "import " + products + " --kind customers", "/sku is not a known field."},
		{caller, "import", "an argument is missing; see b2b import --help"},
		{caller, "import a.csv b.csv", `"b.csv" is one argument too many`},
		{caller, "import missing-products.csv --kind products", "no such file"},
		{caller, "export invoices", `"invoices" cannot be exported`},
		{caller, "export orders --status ODD", "/query/status must be one of"},
		{caller, "export orders --search x", "/query/search is not a known parameter"},
		{caller, "export orders --format xls", "/query/format must be one of"},
		{caller, "order --customer 1 --item 2", "PRODUCT:PIECES"},
		{caller, "order --customer 1 --item NO-SUCH:2", "NO-SUCH"},
		{caller[1:], "export customers", "valid token"},
		{append(caller, "B2B_TOKEN=wrong"), "order --customer 1 --item 2:1", "valid token"},
		{[]string{"ORDERS_API_BASE=http://127.0.0.1:1"}, "export products", "refused"},
		{caller, "export products --base " + p.customers, "There is no /products/export here."},
	} {
		if got := refused(t, c.env, strings.Fields(c.args)...); !strings.Contains(got, c.says) {
			t.Errorf("b2b %s says %q, want %q", c.args, got, c.says)
		}
	}
	args := []string{"import", "--token", token, "--kind", "customers", customers, "--format", "ndjson"}
	const imported = "1 rows: 1 created, 0 updated, 0 unchanged, 0 refused\n"
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

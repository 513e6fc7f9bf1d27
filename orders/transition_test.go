package orders

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// TestOneTransition fails when code outside the method transition writes the status of an order, into the
// struct or into the table.
func TestOneTransition(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files, written := token.NewFileSet(), 0
	visit := func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name == "transition" {
			written++
			return false
		}
		at := files.Position(token.NoPos)
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if s, ok := left.(*ast.SelectorExpr); ok && s.Sel.Name == "Status" {
					at = files.Position(s.Pos())
				}
			}
		case *ast.CompositeLit: // a literal of the type order
			if name, ok := n.Type.(*ast.Ident); ok && name.Name == "order" {
				for _, e := range n.Elts {
					if pair, ok := e.(*ast.KeyValueExpr); ok && pair.Key.(*ast.Ident).Name == "Status" {
						at = files.Position(e.Pos())
					}
				}
			}
		case *ast.BasicLit: // the name of the column, alone or in an SQL statement that sets it
			if n.Value == `"status"` || setsStatus.MatchString(n.Value) {
				at = files.Position(n.Pos())
			}
		}
		if at.IsValid() {
			t.Errorf("%s writes a status: that is transition's", at)
		}
		return true
	}
	for _, name := range names {
		// In metrics.go, "status" is the name of a label.
		if strings.HasSuffix(name, "_test.go") || name == "metrics.go" {
			continue
		}
		if name == "doctor.go" { // doctor.go sets statuses of the past in memory, and writes no table
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, visit)
	}
	if written != 1 {
		t.Errorf("%d functions transition", written)
	}
}

var setsStatus = regexp.MustCompile(`(?is)\bset\b.*\bstatus\s*=`)

// TestKnownValues compares the enumerations of the code with the document.
func TestKnownValues(t *testing.T) {
	schemas := webtest.Spec(t, api.Document).Components.Schemas
	listed := func(schema, property string) (values []string) {
		s := schemas[schema].Value
		if property != "" {
			s = s.Properties[property].Value
		}
		for _, v := range s.Extensions["x-extensible-enum"].([]any) {
			values = append(values, v.(string))
		}
		return values
	}
	var operations []string
	for _, o := range keyedOperations {
		operations = append(operations, o.Name)
	}
	var events []string // types of events of orders and products
	for _, event := range listed("EventType", "") {
		switch subject, _, _ := strings.Cut(event, "."); subject {
		case "order", "product", "stock":
			events = append(events, event)
		}
	}
	for name, known := range map[string][2][]string{
		"EventType": {events, {transitioned(created), transitioned(confirmed), transitioned(canceled),
			productCreated, productUpdated, stockAdjusted}},
		"OrderStatus":    {listed("OrderStatus", ""), {string(created), string(confirmed), string(canceled)}},
		"CancelReason":   {listed("CancelReason", ""), {string(requested), string(reservationExpired), string(compensation)}},
		"OrderAction":    {listed("OrderAction", ""), {string(confirmAction), string(cancelAction)}},
		"KeyedOperation": {listed("KeyedOperation", "operation"), operations},
	} {
		if !slices.Equal(known[0], known[1]) {
			t.Errorf("%s: the document knows %v, the code %v", name, known[0], known[1])
		}
	}
}

// TestKeyedOperations checks that the operations with an idempotency key are the same in the code and in the
// OpenAPI document.
func TestKeyedOperations(t *testing.T) {
	for path, item := range webtest.Spec(t, api.Document).Paths.Map() {
		for _, operation := range item.Operations() {
			_, known := keyedOperations.Find(operation.OperationID)
			takes := operation.Parameters.GetByInAndName("header", "X-Idempotency-Key") != nil
			if takes != known {
				t.Errorf("%s of %s takes a key: %v; it is one of keyedOperations: %v",
					operation.OperationID, path, takes, known)
			}
		}
	}
}

// TestStatesInDocs compares the state diagram of docs/orders.md with allowedFrom.
func TestStatesInDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/orders.md")
	if err != nil {
		t.Fatal(err)
	}
	var drawn, want []string
	arrow := regexp.MustCompile(`(?m)^ +(\S+) --> ([A-Z]+):`)
	for _, m := range arrow.FindAllStringSubmatch(string(text), -1) {
		drawn = append(drawn, strings.TrimPrefix(m[1], "[*]")+" to "+m[2])
	}
	for to, all := range allowedFrom {
		for _, from := range all {
			want = append(want, string(from)+" to "+string(to))
		}
	}
	slices.Sort(drawn)
	slices.Sort(want)
	if !slices.Equal(drawn, want) {
		t.Errorf("the diagram has %q, allowedFrom %q", drawn, want)
	}
}

package system_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/web/webtest"
)

// TestExamples follows the documentation like a reader. It runs the commands of the pages. Then it does "Try
// it out" and "Execute" on every operation of every service, with the example values, in the order of the
// page, twice for each operation.
func TestExamples(t *testing.T) {
	p := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db"), "SERVICE_TOKEN="+webtest.Token))
	runPages(t, p)
	bases := p.all
	for _, base := range bases {
		for _, e := range examples(t, base) {
			// After the commands of the pages, each read must succeed with its example values. Webhook
			// endpoints are left out, because the pages create none.
			if e.method != http.MethodGet || strings.Contains(e.url, "/webhook-endpoints/") {
				continue
			}
			if got, body, _ := webtest.Do(t, e.method, e.url, e.body, e.headers...); got != e.success {
				t.Errorf("%s, after the pages: %d %s, want %d", e.OperationID, got, body, e.success)
			}
		}
	}
	// The statuses of the first and the second call, for operations that succeed only once.
	want := map[string][2]int{
		"deleteCustomer": {200, 404}, "deleteWebhookEndpoint": {200, 404},
	}
	for _, base := range bases {
		for _, e := range examples(t, base) {
			statuses, special := want[e.OperationID]
			delete(want, e.OperationID)
			if !special {
				statuses = [2]int{e.success, e.success}
			}
			keyed := e.Responses.Status(e.success).Value.Headers["Idempotency-Replayed"] != nil
			for i, status := range statuses {
				got, body, header := webtest.Do(t, e.method, e.url, e.body, e.headers...)
				if got != status {
					t.Errorf("%s, time %d: %d %s, want %d", e.OperationID, i+1, got, body, status)
				}
				if replayed := header.Get("Idempotency-Replayed") == "true"; replayed != (keyed && i == 1) {
					t.Errorf("%s, time %d: replayed is %v", e.OperationID, i+1, replayed)
				}
			}
		}
	}
	for id := range want {
		t.Errorf("no document has %s", id)
	}
}

// example is an operation with the values that Swagger UI fills in.
type example struct {
	*openapi3.Operation
	method, url, body string
	headers           []string
	success           int // the declared status below 300
}

// examples returns the operations of a service's document, in the order of the document.
func examples(t *testing.T, base string) (all []example) {
	t.Helper()
	_, served, _ := webtest.Do(t, "GET", base+"/openapi.yaml", "")
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true // keeps the line of each operation
	doc, err := loader.LoadFromData(served)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			e := example{Operation: op, method: method}
			e.fillIn(t, base+path, slices.Concat(item.Parameters, op.Parameters))
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b example) int { return a.Origin.Key.Line - b.Origin.Key.Line })
	return all
}

func (e *example) fillIn(t *testing.T, path string, parameters openapi3.Parameters) {
	t.Helper()
	query := url.Values{}
	for _, p := range parameters {
		value := p.Value.Example
		if value == nil {
			value = p.Value.Schema.Value.Example
		}
		switch {
		case value == nil && p.Value.Required:
			t.Fatalf("%s: %s has no example", e.OperationID, p.Value.Name)
		case value == nil:
		case p.Value.In == openapi3.ParameterInPath:
			path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", url.PathEscape(fmt.Sprint(value)))
		case p.Value.In == openapi3.ParameterInQuery:
			query.Set(p.Value.Name, fmt.Sprint(value))
		default:
			e.headers = append(e.headers, p.Value.Name, fmt.Sprint(value))
		}
	}
	e.url = path + "?" + query.Encode()
	if e.RequestBody != nil {
		media, content := "application/json", e.RequestBody.Value.Content
		if content.Get(media) == nil {
			media = bulk.CSV
		}
		body, isText := content.Get(media).Example.(string)
		if !isText {
			encoded, err := json.Marshal(content.Get(media).Example)
			if err != nil || string(encoded) == "null" {
				t.Fatalf("the body of %s has no example", e.OperationID)
			}
			body = string(encoded)
		}
		e.headers, e.body = append(e.headers, "Content-Type", media), body
	}
	if e.Security != nil && len(*e.Security) == 1 { // the token is required
		e.headers = append(e.headers, "Authorization", "Bearer "+webtest.Token)
	}
	e.success = 200
	if e.Responses.Status(200) == nil {
		e.success = 201
	}
}

package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/config"

	"example.com/b2b/v2/internal/generate/nodes"
)

const common = `
openapi: 3.0.3
info: { title: Common, version: 0.0.0, description: For all services. }
servers: [{ url: / }]
tags: [{ name: Operations }]
paths:
  /health:
    get:
      operationId: getHealth
      tags: [Operations]
      security: []
      responses: { "200": { description: The process is alive. } }
components:
  schemas:
    ErrorCode: { type: string, description: A code., x-extensible-enum: [] }
    ErrorBody: { type: object, properties: { code: { $ref: "#/components/schemas/ErrorCode" } } }
    Note: { type: string, maxLength: 100 }
    Unused: { type: string }
  x-properties:
    Noted: { note: { $ref: "#/components/schemas/Note" } }
  responses: {}
  headers:
    CorrelationId: { schema: { type: string } }
    IdempotencyReplayed: { schema: { type: string } }
    Help: { schema: { type: string } }
    RetryAfter: { schema: { type: string } }
    RateLimit: { schema: { type: string } }
    RateLimitPolicy: { schema: { type: string } }
    WWWAuthenticate: { schema: { type: string } }
`

const orders = `
openapi: 3.0.3
info: { title: Orders API, version: 0.0.0, description: Places orders. }
tags: [{ name: Orders }]
paths:
  /orders:
    post:
      operationId: createOrder
      tags: [Orders]
      parameters: [{ name: X-Idempotency-Key, in: header, schema: { type: string } }]
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } }
      responses:
        "201":
          description: The order.
          content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } }
  /orders/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer, x-go-name: Number } }]
    get:
      operationId: getOrder
      tags: [Orders]
      parameters:
        - name: size
          in: query
          schema: { allOf: [{ $ref: "#/components/schemas/Size" }], default: small }
      responses: { "200": { description: The order. } }
components:
  schemas:
    Size: { type: string, enum: [small, large] }
    Order:
      type: object
      properties:
        zone: { type: string }
        note: { $ref: "../common.yaml#/components/schemas/Note" }
        made:
          type: object
          required: all
          properties:
            by: { type: string, x-extensible-enum: keyed operations }
            $ref: "../common.yaml#/components/x-properties/Noted"
            at: { type: string }
`

const customers = `
openapi: 3.0.3
info: { title: Customers API, version: 0.0.0, description: Shows customers. }
paths:
  /customers:
    get: { operationId: listCustomers, responses: { "200": { description: Customers. } } }
components: {}
`

// The contract feed has one schema of its own, Change. Change refers to the schema Order of the contract
// orders.
const feed = `
openapi: 3.0.3
info: { title: Feed API, version: 0.0.0, description: Tells what has changed. }
paths:
  /changes:
    get:
      operationId: listChanges
      responses:
        "200":
          description: A change.
          content: { application/json: { schema: { $ref: "#/components/schemas/Change" } } }
components:
  schemas:
    Change:
      type: object
      properties:
        place: { type: integer }
        order: { $ref: "../ordersapi/openapi.yaml#/components/schemas/Order" }
`

func parse(t *testing.T, text string) *yaml.Node {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	return clone(n.Content[0])
}

func yamlOf(t *testing.T, n *yaml.Node) string {
	t.Helper()
	text, err := yaml.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// bundled returns a contract that refers to no other contract.
func bundled(t *testing.T, contract string) document {
	return bundle("ordersapi", authored{"ordersapi": parse(t, contract)}, parse(t, common))
}

// TestServed expects the served document of a small contract to have no references to other files, to have
// the errors of the catalogue, and to have no keys for the Go generator.
func TestServed(t *testing.T) {
	served := bundled(t, orders).served()
	text := yamlOf(t, served)
	for _, unwanted := range []string{"common.yaml", "x-go-", "x-properties", "Unused"} {
		if strings.Contains(text, unwanted) {
			t.Errorf("the served document has %s", unwanted)
		}
	}
	if got := value(nodes.At(served, "info"), "description"); got != "Places orders.\nFor all services." {
		t.Errorf("description %q", got)
	}
	if nodes.At(served, "paths", "/health") == nil ||
		value(nodes.At(served, "components", "schemas", "Note"), "maxLength") != "100" {
		t.Error("shared parts are missing")
	}
	if got := value(nodes.At(served, "components", "schemas", "Order"), "additionalProperties"); got != "true" {
		t.Errorf("additional fields of an order: %q", got)
	}
	size := nodes.At(served, "paths", "/orders/{id}", "get", "parameters").Content[0]
	got := yamlOf(t, nodes.At(size, "schema"))
	if strings.Contains(got, "additional") || !strings.Contains(got, "small") {
		t.Errorf("an enum with a default of its own: %s", got)
	}
	create, show := nodes.At(served, "paths", "/orders", "post"), nodes.At(served, "paths", "/orders/{id}", "get")
	for _, c := range []struct {
		op           *yaml.Node
		status, code string
		declared     bool
	}{
		{show, "404", "order_not_found", true}, // the catalogue has order_not_found for this operation
		{create, "404", "order_not_found", false},
		{create, "400", "insufficient_stock", true},
		{create, "400", "malformed_json", true}, // the operation has a request body
		{show, "400", "malformed_json", false},
		{show, "500", "internal", true},
	} {
		name := strings.TrimPrefix(value(nodes.At(c.op, "responses", c.status), "$ref"), "#/components/responses/")
		body := nodes.At(served, "components", "responses", name, "content", "application/json")
		example := nodes.At(body, "examples", c.code)
		if (example != nil) != c.declared {
			t.Errorf("%s answers %s %s: %v", value(c.op, "operationId"), c.status, c.code, !c.declared)
		}
	}
	if nodes.At(create, "responses", "201", "headers", "Idempotency-Replayed") == nil ||
		nodes.At(show, "responses", "200", "headers", "Idempotency-Replayed") != nil ||
		nodes.At(show, "responses", "200", "headers", "X-Correlation-Id") == nil {
		t.Error("headers do not follow from the operations")
	}
	codes := nodes.At(served, "components", "schemas", "ErrorCode", extensible)
	if len(content(codes)) != len(codeNames()) {
		t.Errorf("%d codes", len(content(codes)))
	}
	made := nodes.At(served, "components", "schemas", "Order", "properties", "made")
	if got := yamlOf(t, nodes.At(made, "properties", "by", extensible)); got != "[createOrder]\n" {
		t.Errorf("operations that take a key: %s", got)
	}
	if got := keys(nodes.At(made, "properties")); !slices.Equal(got, []string{"by", "note", "at"}) {
		t.Errorf("shared properties among others: %v", got)
	}
	if got := yamlOf(t, nodes.At(made, "required")); got != "[by, note, at]\n" {
		t.Errorf("required: %s", got)
	}
}

const (
	endpointsHead = "| operation | summary | token | headers |\n|---|---|---|---|\n"
	endpointsPage = "# Endpoints\n\n## Orders API\n\nBy hand.\n\n" + endpointsHead + "| an old row |\n" +
		"\n## Feed API\n\n" + endpointsHead + "\nThe end.\n" // the page has no section for the Customers API
)

// TestRun writes all files of a small contract. It expects the error of checkCatalogue, because the catalogue
// has codes for operations that the small contract lacks. It expects no other error.
func TestRun(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"common.yaml": common, "ordersapi/openapi.yaml": orders, "customersapi/openapi.yaml": customers,
		"eventsapi/openapi.yaml": feed, "contract/x": "",
		"../docs/endpoints.md": endpointsPage,
		"../docs/reference.md": "| service | document | what |\n|---|---|---|\n" +
			"| Orders | openapi/ordersapi/openapi.gen.yaml | o |\n\nEnd\n",
	} {
		file := filepath.Join(root, "openapi", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := run(root)
	if err == nil || !strings.HasSuffix(err.Error(), "which no document has") ||
		strings.Contains(err.Error(), "\n") {
		t.Fatalf("%v", err)
	}
	address, err := config.LocalAddress("ORDERS_PORT")
	if err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{
		"contract/contract.gen.go":       {"type Note = string", "ErrorCode = \"order_not_found\""},
		"ordersapi/client.gen.go":        {"Zone *string", "Size *Size", "GetOrderWithResponse(", "id int", "externalRef0.Note"},
		"ordersapi/server/server.gen.go": {"CreateOrder(ctx context.Context, request ", "func (a Answer) "},
		"ordersapi/document.gen.go":      {`Package ordersapi is the contract "Orders API"`},
		"ordersapi/openapi.gen.yaml":     {"title: Orders API"},
		"eventsapi/client.gen.go":        {"Order *ordersapi.Order", module + `openapi/ordersapi"`},
		"openapi.gen.yaml":               {"title: B2B order management", "url: " + address, "# Orders API"},
		"addresses.gen.go":               {"OrdersAddress    = \"" + address + "\"", `"orders":    OrdersAddress`},
		"documents/documents.gen.go":     {`{"orders", "` + address + `", ordersapi.Document}`},
		"../docs/endpoints.md": {"By hand.\n\n" + endpointsHead +
			"| `POST /orders` | | none | `X-Idempotency-Key` |\n| `GET /orders/{id}` | | none | |\n", "\n## Customers API\n\nLocally at <http://localhost:3001>; document:\n",
			endpointsHead + "| `GET /customers` | | none | |\n", "|\n\nThe end.\n"},
		"../docs/reference.md": {"openapi.gen.yaml | o |\n| Customers API | [openapi/customersapi/openapi.gen.yaml]" +
			"(../openapi/customersapi/openapi.gen.yaml) | Shows customers |\n| Feed API |", "|\n\nEnd\n"},
		"../docs/errors.md": {"\n## order_not_found\n"},
	} {
		text, err := os.ReadFile(filepath.Join(root, "openapi", name))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s has no %q", name, want)
			}
		}
		if strings.HasSuffix(name, ".go") {
			if _, err := parser.ParseFile(token.NewFileSet(), name, text, 0); err != nil {
				t.Error(err)
			}
		}
	}
	client, err := os.ReadFile(filepath.Join(root, "openapi", "ordersapi", "client.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(client), "json.Unmarshal(bodyBytes") ||
		strings.Index(string(client), "Zone ") > strings.Index(string(client), "Note ") {
		t.Error("the client reads names in any case, or sorts fields")
	}
	without, err := os.ReadFile(filepath.Join(root, "openapi", "customersapi", "client.gen.go"))
	if err != nil || strings.Contains(string(without), "encoding/json") {
		t.Error("a client without request bodies imports encoding/json, and does not compile", err)
	}
}

// TestJoin expects one document of two contracts, each path with the address of its service.
func TestJoin(t *testing.T) {
	shared := parse(t, common)
	other := strings.NewReplacer("/orders", "/things", "createOrder", "createThing", "getOrder", "getThing",
		"Orders API", "Things API")
	contracts := []contract{
		{bundled(t, orders), "orders", "http://localhost:1"},
		{bundled(t, other.Replace(orders)), "things", "http://localhost:2"},
	}
	joined, err := join(contracts, shared)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/orders/{id}": "http://localhost:1", "/things": "http://localhost:2",
	} {
		servers := nodes.At(joined, "paths", path, "servers")
		if servers == nil || value(servers.Content[0], "url") != want {
			t.Errorf("%s is not at %s", path, want)
		}
	}
	if nodes.At(joined, "paths", "/health") != nil {
		t.Error("a path of every service is in the joined document")
	}
	contracts[1] = contracts[0]
	_, err = join(contracts, shared)
	if err == nil || !strings.Contains(err.Error(), "/orders is in two documents") {
		t.Errorf("%v", err)
	}
}

// TestComplete completes an example, in a list and through an allOf. It must keep the values that the example
// has, and must add neither an optional property nor a property without an example.
func TestComplete(t *testing.T) {
	const contract = `
info: { description: x }
paths:
  /things:
    get:
      operationId: listThings
      responses:
        "200":
          description: Things.
          content:
            application/json:
              schema:
                type: object
                properties: { data: { type: array, items: { $ref: "#/components/schemas/Thing" } } }
              example: { data: [{ id: 7 }, { id: 8, note: null }] }
components:
  schemas:
    Thing:
      allOf:
        - type: object
          required: all
          properties:
            id: { type: integer, example: 1 }
            note: { $ref: "#/components/schemas/Text" }
            none: { type: string }
        - { type: object, properties: { optional: { type: string, example: o } } }
    Text: { type: string, nullable: true, example: A note }
`
	responses := nodes.At(bundled(t, contract).Node, "paths", "/things", "get", "responses")
	got := yamlOf(t, nodes.At(responses, "200", "content", "application/json", "example"))
	if want := "{data: [{id: 7, note: A note}, {id: 8, note: null}]}\n"; got != want {
		t.Errorf("%s", got)
	}
}

// TestSchemaOfAnotherContract bundles a contract that refers to a schema of another contract. The bundled
// contract must have a copy of this schema, and of the schemas to which it refers. The joined document must
// have each schema once.
func TestSchemaOfAnotherContract(t *testing.T) {
	shared := parse(t, common)
	nested := strings.NewReplacer("zone: { type: string }", `size: { $ref: "#/components/schemas/Size" }`,
		", x-extensible-enum: keyed operations", "").Replace(orders)
	all := authored{"eventsapi": parse(t, feed), "ordersapi": parse(t, nested)}
	events, owner := bundle("eventsapi", all, shared), bundle("ordersapi", all, shared)
	text := yamlOf(t, events.served())
	if strings.Contains(text, "../") || !strings.Contains(text, "$ref: '#/components/schemas/Order'") {
		t.Errorf("references to another document, or none to the order:\n%s", text)
	}
	for _, name := range []string{"Order", "Size", "Note"} {
		got := nodes.At(events.served(), "components", "schemas", name)
		want := nodes.At(owner.served(), "components", "schemas", name)
		if got == nil || yamlOf(t, got) != yamlOf(t, want) {
			t.Errorf("%s is not as its owner has it: %v", name, got)
		}
	}
	joined, err := join([]contract{{document: events}, {document: owner}}, shared)
	if err != nil {
		t.Fatal(err)
	}
	names := keys(nodes.At(joined, "components", "schemas"))
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) || !slices.Contains(names, "Order") {
		t.Errorf("schemas of the joined document: %v", names)
	}
}

// TestSchemaOfNoContract expects the generator to panic for a reference to a missing schema, and for a
// reference to a schema whose name the contract already uses for another schema.
func TestSchemaOfNoContract(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"schemas/Order", "schemas/Orders", "ordersapi has no schema Orders"},
		{"../ordersapi", "../nothingapi", "nothingapi has no schema Order"},
		{"Change:", "Order:", "the schema Order of ordersapi has the name of another schema"},
	} {
		t.Run(c.want, func(t *testing.T) {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("stopped by %v", got)
				}
			}()
			changed := parse(t, strings.Replace(feed, c.before, c.after, 1))
			bundle("eventsapi", authored{"eventsapi": changed, "ordersapi": parse(t, orders)}, parse(t, common))
		})
	}
}

// TestServiceWithoutPort expects an error for a contract whose service has no variable for its port.
func TestServiceWithoutPort(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "thingsapi")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(folder, "openapi.yaml")
	_, err := writeDocument(source, authored{"thingsapi": parse(t, orders)}, parse(t, common))
	if err == nil || !strings.Contains(err.Error(), "THINGS_PORT") {
		t.Errorf("%v", err)
	}
}

func TestClone(t *testing.T) {
	got := yamlOf(t, parse(t, "base: &b { a: 1, b: 2 }\nown: { <<: *b, b: 3 } # a comment\nalias: *b\n"))
	if got != "base: {a: 1, b: 2}\nown: {a: 1, b: 3}\nalias: {a: 1, b: 2}\n" {
		t.Error(got)
	}
}

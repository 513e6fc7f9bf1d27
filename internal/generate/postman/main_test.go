package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/apperr"
)

const small = `
info: { title: Orders API }
tags: [{ name: Orders }]
paths:
  /orders:
    post:
      operationId: createOrder
      summary: Place an order
      tags: [Orders]
      parameters:
        - name: X-Idempotency-Key
          in: header
          example: my-key
          schema: { $ref: "#/components/schemas/IdempotencyKey" }
      requestBody: { content: { application/json: { example: { customer_id: 1, external_ref: PO-1 } } } }
      responses: { "201": {} }
  /orders/{id}:
    parameters: [{ $ref: "#/components/parameters/ID" }]
    get:
      operationId: getOrder
      summary: Show an order
      tags: [Orders]
      parameters: [{ name: fields, in: query, description: What to show. }]
      responses: { "200": {} }
components:
  parameters: { ID: { name: id, in: path, required: true, example: 7 } }
`

const flows = `
requests:
  createOrder: { save: { orderId: data.id } }
flows:
  - name: A refusal
    steps:
      - name: There is none
        call: getOrder
        set: { nobody: "{{$guid}}" }
        path: { id: "{{nobody}}" }
        query: { fields: "a b" }
        token: none
        status: 404
        code: order_not_found
        expect: { details.0.field: id }
`

func generatorOf(t *testing.T, flows string) *generator {
	t.Helper()
	g, err := newGenerator([]byte(flows), []service{{"ordersBase", "http://localhost:4002", []byte(small)}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestCollection expects a request for each operation, and the step of the flow with its scripts.
func TestCollection(t *testing.T) {
	g := generatorOf(t, flows)
	c, err := g.collection()
	if err != nil {
		t.Fatal(err)
	}
	orders := c.Item[1].(folder).Items[0].(folder)
	tag := orders.Items[0].(folder)
	if orders.Name != "Orders API" || tag.Name != "Orders" || len(tag.Items) != 2 {
		t.Fatalf("%+v", orders)
	}
	create, show := tag.Items[0].(item), tag.Items[1].(item)
	if r := create.Request; r.Method != "POST" || r.URL.Raw != "{{ordersBase}}/orders" ||
		r.Header[0].Value != "{{key}}" ||
		r.Body.Raw != "{\n  \"customer_id\": 1,\n  \"external_ref\": \"PO-1-{{$guid}}\"\n}" {
		t.Errorf("%+v %+v", r, r.Body)
	}
	wants(t, "before a creation", create.Event[0],
		`pm.collectionVariables.set("key", pm.variables.replaceIn("my-key-{{$guid}}"));`)
	wants(t, "after a creation", create.Event[1],
		"to.eql(201)",
		`pm.collectionVariables.set("orderId", body.data.id);`)
	if u := show.Request.URL; u.Raw != "{{ordersBase}}/orders/{{orderId}}" || !u.Query[0].Disabled {
		t.Errorf("%+v", u)
	}
	step := c.Item[0].(folder).Items[0].(folder).Items[0].(item)
	r := step.Request
	if r.URL.Raw != "{{ordersBase}}/orders/{{nobody}}?fields=a%20b" || r.Auth.Type != "noauth" {
		t.Errorf("%+v", r)
	}
	wants(t, "after the refusal", step.Event[1],
		"to.eql(404)",
		`pm.expect(body.code).to.eql("order_not_found")`,
		`pm.expect(body.details[0].field).to.eql("id")`)
	if !slices.Equal(g.provoked, []string{"404 order_not_found"}) ||
		!strings.Contains(c.Info.Description, "\n- `internal`: "+apperr.Internal.Unprovoked+"\n") {
		t.Errorf("%v %s", g.provoked, c.Info.Description)
	}
	if base := g.environment().Values[0]; base.Key != "ordersBase" || base.Value != "http://localhost:4002" {
		t.Errorf("%+v", base)
	}
	if last := c.Variable[len(c.Variable)-1]; last.Key != "orderId" || last.Value != "7" {
		t.Errorf("%+v", last)
	}
}

func wants(t *testing.T, when string, e event, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if all := strings.Join(e.Script.Exec, "\n"); !strings.Contains(all, line) {
			t.Errorf("%s: no %s in\n%s", when, line, all)
		}
	}
}

func TestFlowsAreRefused(t *testing.T) {
	for want, flows := range map[string]string{
		"no status":                 strings.Replace(flows, "status: 404", "", 1),
		"no document has getOrders": strings.Replace(flows, "call: getOrder", "call: getOrders", 1),
		"nothing is said of /{id}":  strings.Replace(flows, `path: { id: "{{nobody}}" }`, "", 1),
	} {
		if _, err := generatorOf(t, flows).collection(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := newGenerator([]byte("flow: []"), nil); err == nil {
		t.Error("an unknown key is read")
	}
}

// TestCodes expects, for each code of the catalogue, either a step or a reason in Unprovoked, and not both.
func TestCodes(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "postman"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "postman", "flows.yaml"), []byte(flows), 0o644); err != nil {
		t.Fatal(err)
	}
	err := run(root)
	if err == nil || !strings.Contains(err.Error(), "flows.yaml neither provokes") {
		t.Errorf("%v", err)
	}
	if written, _ := filepath.Glob(filepath.Join(root, "postman", "*.json")); len(written) > 0 {
		t.Errorf("%v are written without most codes", written)
	}

	lost, late := apperr.Code{Name: "order_lost", Status: 404}, apperr.Code{Name: "order_late", Status: 503}
	late.Unprovoked = "A reason."
	codes := []*apperr.Code{&lost, &late, {Name: "order_late", Status: 504}}
	g := &generator{provoked: []string{"404 order_lost"}}
	if err := g.checkCodes(codes); err != nil {
		t.Error(err)
	}
	g.provoked = nil
	if err := g.checkCodes(codes); err == nil || !strings.Contains(err.Error(), "neither provokes 404 order_lost") {
		t.Errorf("%v", err)
	}
	g.provoked = []string{"404 order_lost", "503 order_late"}
	if err := g.checkCodes(codes); err == nil || !strings.Contains(err.Error(), "provokes 503 order_late, and") {
		t.Errorf("%v", err)
	}
}

// TestWrite expects write to keep characters that an encoder of JSON for HTML would escape.
func TestWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.json")
	if err := write(file, map[string]string{"a": "b => c"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !json.Valid(text) || !strings.Contains(string(text), "b => c") {
		t.Errorf("%v %s", err, text)
	}
}

package main

import (
	"context"
	"io"
	"reflect"
	"strings"
	"testing"

	"example.com/b2b/v2/openapi/ordersapi"
)

// client has the methods of a generated client for the operations of small.
type client struct{}

type page struct {
	JSON200 *ordersapi.OrderListResponse
}

type single struct {
	JSON201 *ordersapi.OrderResponse
}

type transfer struct{ Body []byte }

type editor func()

func (client) ListOrdersWithResponse(context.Context, *ordersapi.ListOrdersParams, ...editor) (*page, error) {
	return nil, nil
}

func (client) CreateOrderWithResponse(
	context.Context, *ordersapi.CreateOrderParams, ordersapi.OrderRequest, ...editor,
) (*single, error) {
	return nil, nil
}

func (client) ExportOrdersWithResponse(context.Context, *ordersapi.ExportOrdersParams, ...editor) (*transfer, error) {
	return nil, nil
}

func (client) ImportProductsWithBodyWithResponse(
	context.Context, *ordersapi.ImportProductsParams, string, io.Reader, ...editor,
) (*transfer, error) {
	return nil, nil
}

func (client) KeyInBodyWithResponse(context.Context, ordersapi.OrderRequest, ...editor) (*single, error) {
	return nil, nil
}

const small = `
paths:
  /health:
    get:
      operationId: getHealth
      tags: [Operations]
      responses: { "200": { content: { application/json: {} } } }
  /orders:
    parameters: [{ $ref: "#/components/parameters/Key" }]
    post:
      operationId: createOrder
      responses:
        "201": { content: { application/json: {} } }
        "404": { content: { application/json: {} } }
    get:
      operationId: listOrders
      summary: List orders
      responses: { "200": { content: { application/json: {} } } }
  /orders/export:
    get:
      operationId: exportOrders
      summary: Read all orders
      responses:
        "200":
          content: { text/csv: {}, application/x-ndjson: { x-row: { $ref: "#/components/schemas/Order" } } }
  /products/import:
    post:
      operationId: importProducts
      summary: Create and change products, row by row
      requestBody:
        content:
          application/x-ndjson: { x-row: { $ref: "#/components/schemas/ProductImportRow" } }
      responses:
        "200": { content: { application/x-ndjson: { x-row: { $ref: "#/components/schemas/ImportLine" } } } }
  /orders/quote:
    put:
      operationId: keyInBody
      requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Quote" } } } }
      responses: { "201": { content: { application/json: {} } } }
components:
  parameters: { Key: { name: X-Idempotency-Key } }
  schemas: { Quote: { properties: { idempotency_key: {} } } }
`

func TestOperations(t *testing.T) {
	code, err := operations([]service{{"orders", "Orders", []byte(small), reflect.TypeFor[client]()}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{name: "listOrders", method: "GET", path: "/orders", key: inHeader, ` +
			`ok: checks{200: success[ordersapi.OrderListResponse]}},`,
		`{name: "createOrder", method: "POST", path: "/orders", key: inHeader, ` +
			`ok: checks{201: success[ordersapi.OrderResponse]}},`,
		`{name: "exportOrders", method: "GET", path: "/orders/export", key: none, ` +
			`files: []string{"application/x-ndjson", "text/csv"}},`,
		`{name: "importProducts", method: "POST", path: "/products/import", key: none, ` +
			`files: []string{"application/x-ndjson"}},`,
		`{name: "keyInBody", method: "PUT", path: "/orders/quote", key: inBody, ` +
			`ok: checks{201: success[ordersapi.OrderResponse]}},`,
		`func (c *Client) ListOrders(ctx context.Context, params ordersapi.ListOrdersParams) iter.Seq2[`,
		`func (c *Client) ExportOrders(ctx context.Context, params ordersapi.ExportOrdersParams) ` +
			`iter.Seq2[ordersapi.Order, error] {`,
		`func (c *Client) ImportProducts(ctx context.Context, params ordersapi.ImportProductsParams, ` +
			`rows iter.Seq[ordersapi.ProductImportRow]) iter.Seq2[Imported[ordersapi.ProductImportRow], error] {`,
		`"example.com/b2b/v2/openapi/ordersapi"`,
	} {
		if !strings.Contains(string(code), want) {
			t.Errorf("no %s in\n%s", want, code)
		}
	}
	// getHealth is not for partners; createOrder answers neither pages nor a file, so it has no method: see
	// writeMethod.
	for _, unwanted := range []string{"getHealth", ") CreateOrder("} {
		if strings.Contains(string(code), unwanted) {
			t.Errorf("%s in\n%s", unwanted, code)
		}
	}
	for line := range strings.Lines(string(code)) {
		if strings.HasPrefix(line, "//") && len(line) > 110 {
			t.Errorf("long comment: %s", line)
		}
	}
}

// TestNoMethod expects an error for an operation for which the client has no method.
func TestNoMethod(t *testing.T) {
	document := strings.Replace(small, "operationId: listOrders", "operationId: listThings", 1)
	_, err := operations([]service{{"orders", "Orders", []byte(document), reflect.TypeFor[client]()}})
	if err == nil || !strings.Contains(err.Error(), "ListThingsWithResponse") {
		t.Errorf("%v", err)
	}
}

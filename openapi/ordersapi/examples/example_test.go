package examples_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/ordersapi"
	"example.com/b2b/v2/test/live"
)

var base string // the address of the Orders API

func TestMain(m *testing.M) { live.Main(m, "orders", &base) }

// The idempotency key makes the call safe to repeat, for example after a timeout: both calls place a single
// order.
func Example_createOrder() {
	client, err := ordersapi.NewClientWithResponses(base)
	if err != nil {
		log.Fatal(err)
	}
	items := []contract.OrderItemRequest{{ProductID: new(int64(2)), Qty: 3}}
	order := ordersapi.OrderRequest{CustomerID: 1, Items: items}
	for range 2 {
		params := &ordersapi.CreateOrderParams{XIdempotencyKey: new("po-4711")}
		res, err := client.CreateOrderWithResponse(context.Background(), params, order)
		if err != nil {
			log.Fatal(err) // no answer: repeat the call with the same key
		}
		if res.JSON201 == nil {
			log.Fatal(string(res.Body)) // Example_refusal shows what a refusal has
		}
		placed := res.JSON201.Data
		replayed := res.HTTPResponse.Header.Get("Idempotency-Replayed") == "true"
		fmt.Println(placed.ID, placed.Status, placed.TotalCents, "replayed:", replayed)
	}
	// Output:
	// 3 CREATED 389700 replayed: false
	// 3 CREATED 389700 replayed: true
}

// Branch on the code of an error, and show its sentence to the user.
func Example_refusal() {
	client, err := ordersapi.NewClientWithResponses(base)
	if err != nil {
		log.Fatal(err)
	}
	items := []contract.OrderItemRequest{{ProductID: new(int64(5)), Qty: 1000}}
	order := ordersapi.OrderRequest{CustomerID: 1, Items: items}
	res, err := client.CreateOrderWithResponse(context.Background(), &ordersapi.CreateOrderParams{}, order)
	if err != nil {
		log.Fatal(err)
	}
	if refused := res.JSON400; refused != nil && refused.Code == contract.InsufficientStock {
		fmt.Println(refused.Error)
		for _, detail := range *refused.Details {
			fmt.Println(detail.Field, detail.Message)
		}
	}
	// Output:
	// There is not enough stock for this order.
	// /items/0/qty product 5: asked 1000, available 250
}

// A list has another page as long as the field nextCursor is not null.
func Example_pages() {
	client, err := ordersapi.NewClientWithResponses(base)
	if err != nil {
		log.Fatal(err)
	}
	params := &ordersapi.ListProductsParams{Limit: new(ordersapi.Limit(4))}
	for {
		res, err := client.ListProductsWithResponse(context.Background(), params)
		if err != nil {
			log.Fatal(err)
		}
		if res.JSON200 == nil {
			log.Fatal(string(res.Body))
		}
		fmt.Println(len(res.JSON200.Data), "products, the first is", res.JSON200.Data[0].Name)
		if params.Cursor = res.JSON200.Meta.NextCursor; params.Cursor == nil {
			break
		}
	}
	// Output:
	// 4 products, the first is LG UltraFine 27 Monitor
	// 4 products, the first is Logitech MX Master 3S
	// 2 products, the first is Logitech Brio 4K
}

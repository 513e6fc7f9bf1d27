package examples_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/test/live"
)

var base string // the address of the orchestrator

func TestMain(m *testing.M) { live.Main(m, "orchestrator", &base) }

// The idempotency key makes the call safe to repeat, and the caller can look up the result by the key.
func Example_createAndConfirmOrder() {
	client, err := orchestratorapi.NewClientWithResponses(base)
	if err != nil {
		log.Fatal(err)
	}
	request := orchestratorapi.OrchestrationRequest{
		CustomerID: 1, IdempotencyKey: "po-4712",
		Items: []contract.OrderItemRequest{{ProductID: new(int64(2)), Qty: 3}},
	}
	for range 2 {
		res, err := client.CreateAndConfirmOrderWithResponse(context.Background(), request)
		if err != nil {
			log.Fatal(err) // no answer: repeat the call with the same key
		}
		if res.JSON201 == nil {
			log.Fatal(string(res.Body))
		}
		order := res.JSON201.Data.Order
		replayed := res.HTTPResponse.Header.Get("Idempotency-Replayed") == "true"
		fmt.Println(order.ID, order.Status, order.TotalCents, "replayed:", replayed)
	}
	report, err := client.GetOrchestrationWithResponse(context.Background(), "po-4712")
	if err != nil {
		log.Fatal(err)
	}
	if report.JSON200 != nil {
		fmt.Println(report.JSON200.Data.Customer.Name, report.JSON200.Data.CurrentStatus)
	}
	// Output:
	// 3 CONFIRMED 389700 replayed: false
	// 3 CONFIRMED 389700 replayed: true
	// ACME Corporation CONFIRMED
}

// Branch on the code of an error, and show its sentence to the user.
func Example_refusal() {
	client, err := orchestratorapi.NewClientWithResponses(base)
	if err != nil {
		log.Fatal(err)
	}
	request := orchestratorapi.OrchestrationRequest{
		CustomerID: 4711, IdempotencyKey: "po-4713",
		Items: []contract.OrderItemRequest{{ProductID: new(int64(2)), Qty: 3}},
	}
	res, err := client.CreateAndConfirmOrderWithResponse(context.Background(), request)
	if err != nil {
		log.Fatal(err)
	}
	if refused := res.JSON404; refused != nil && refused.Code == contract.CustomerNotFound {
		fmt.Println(refused.Error)
	}
	// Output:
	// There is no customer 4711.
}

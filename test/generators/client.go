//go:build ignore

// Command client uses the Go client that openapi-generator makes from /openapi/all.yaml. The client takes the
// address of each service from the field servers of a path in this document.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	b2b "example.com/b2b/client"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	client := b2b.NewAPIClient(b2b.NewConfiguration())
	key := fmt.Sprint("go-", time.Now().UnixNano())
	name, ref := "Größe 日本 GmbH", "Bestellung Nº 1"

	wanted := b2b.NewCustomerRequest(name, key+"@example.com")
	made, _, err := client.CustomersAPI.CreateCustomer(ctx).CustomerRequest(*wanted).Execute()
	if err != nil {
		return err
	}
	item := b2b.NewOrderItemRequest(1)
	item.SetProductId(2)
	order := b2b.NewOrderRequest(made.Data.Id, []b2b.OrderItemRequest{*item})
	order.SetExternalRef(ref)

	orders := client.OrdersAPI
	placed, _, err := orders.CreateOrder(ctx).OrderRequest(*order).XIdempotencyKey(key).Execute()
	if err != nil {
		return err
	}
	id := placed.Data.Id
	again, _, err := orders.CreateOrder(ctx).OrderRequest(*order).XIdempotencyKey(key).Execute()
	if err != nil || again.Data.Id != id {
		return fmt.Errorf("a repeat of %d: %+v %w", id, again, err)
	}
	if _, _, err := orders.ConfirmOrder(ctx, id).XIdempotencyKey(key + "-confirm").Execute(); err != nil {
		return err
	}
	read, _, err := orders.GetOrder(ctx, id).Execute()
	if err != nil || made.Data.Name != name || read.Data.Status != "CONFIRMED" ||
		read.Data.GetExternalRef() != ref || !read.Data.CreatedAt.Before(read.Data.GetConfirmedAt()) {
		return fmt.Errorf("%+v %+v %w", made, read, err)
	}
	reason := b2b.NewCancellation()
	reason.SetReason("a test")
	canceled, _, err := orders.CancelOrder(ctx, id).Cancellation(*reason).Execute()
	if err != nil || canceled.Data.Status != "CANCELED" {
		return fmt.Errorf("%+v %w", canceled, err)
	}

	order.Items[0].Qty = 1_000_000
	_, _, err = orders.CreateOrder(ctx).OrderRequest(*order).Execute()
	var refusal *b2b.GenericOpenAPIError
	if !errors.As(err, &refusal) {
		return fmt.Errorf("the call was not refused: %w", err)
	}
	if body, ok := refusal.Model().(b2b.ErrorBody); !ok || body.Code != "insufficient_stock" {
		return fmt.Errorf("%T %s", refusal.Model(), refusal.Body())
	}
	page, _, err := client.ProductsAPI.ListProducts(ctx).Sort(b2b.NEWEST_FIRST).Limit(1).Execute()
	if err != nil || len(page.Data) != 1 {
		return fmt.Errorf("%+v %w", page, err)
	}
	return nil
}

package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"example.com/b2b/openapi/contract"
	"example.com/b2b/openapi/ordersapi"
)

// orderCommand places an order. With --confirm, it also confirms the order.
type orderCommand struct {
	client
	order   ordersapi.NewOrder
	key     string
	confirm bool
}

func (o *orderCommand) flags(f *flag.FlagSet) {
	o.client.flags(f)
	f.Int64Var(&o.order.CustomerID, "customer", 0, "who orders")
	f.Func("item", "PRODUCT:PIECES; a product is an id, or a sku", o.addItem)
	f.Func("external-ref", "your number of the order", func(text string) error {
		o.order.ExternalRef = &text
		return nil
	})
	f.StringVar(&o.key, "key", "", "idempotency key; without it one is made and printed")
	f.BoolVar(&o.confirm, "confirm", false, "confirm it, too")
}

// addItem adds an item to the order. The text has the form PRODUCT:PIECES.
func (o *orderCommand) addItem(text string) error {
	colon := strings.LastIndex(text, ":")
	pieces, err := strconv.ParseInt(text[colon+1:], 10, 64)
	if colon < 1 || err != nil {
		return errors.New("allowed: PRODUCT:PIECES, such as 2:3 or LAPTOP-HP-2024:3")
	}
	item := contract.NewOrderItem{Qty: pieces}
	if id, err := strconv.ParseInt(text[:colon], 10, 64); err == nil {
		item.ProductID = &id
	} else {
		item.Sku = new(text[:colon])
	}
	o.order.Items = append(o.order.Items, item)
	return nil
}

// run places the order, confirms the order if o.confirm is set, and prints the order as JSON.
func (o *orderCommand) run(ctx context.Context, out io.Writer) error {
	if err := o.connect(); err != nil {
		return err
	}
	if o.order.CustomerID == 0 || len(o.order.Items) == 0 {
		return errors.New("an order needs --customer and --item; see b2b order --help")
	}
	if o.key == "" {
		o.key = rand.Text()
		fmt.Fprintf(os.Stderr,
			"When there is no answer, repeat this with --key %s: it is the same order.\n", o.key)
	}
	api := ordersapi.ClientWithResponses{ClientInterface: o.orders}
	params := &ordersapi.CreateOrderParams{XIdempotencyKey: &o.key}
	placed, err := api.CreateOrderWithResponse(ctx, params, o.order)
	if err != nil {
		return err
	}
	if placed.JSON201 == nil {
		return failure(placed.StatusCode(), placed.Body)
	}
	order := placed.JSON201.Data
	if o.confirm {
		params := &ordersapi.ConfirmOrderParams{XIdempotencyKey: o.key}
		confirmed, err := api.ConfirmOrderWithResponse(ctx, order.ID, params)
		if err != nil {
			return err
		}
		if confirmed.JSON200 == nil {
			return fmt.Errorf("order %d was placed and not confirmed: %w",
				order.ID, failure(confirmed.StatusCode(), confirmed.Body))
		}
		order = confirmed.JSON200.Data
	}
	pretty := json.NewEncoder(out)
	pretty.SetIndent("", "  ")
	return pretty.Encode(order)
}

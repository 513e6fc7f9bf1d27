package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/ordersapi"
	b2b "example.com/b2b/v2/sdk/go"
)

// keyedCommand is a command with an idempotency key that prints an order.
type keyedCommand struct {
	client
	key, output string
}

func (c *keyedCommand) flags(f *flag.FlagSet) {
	c.client.flags(f)
	f.StringVar(&c.key, "key", "", "idempotency key; without it one is made and printed")
	outputFlag(f, &c.output, "json for the whole order, text for a line; without it json")
}

func (c *keyedCommand) connect() error {
	time.AfterFunc(3*time.Second, func() {
		fmt.Fprintf(os.Stderr, "No answer yet; trying for %v.\n", c.timeout)
	})
	return c.client.connect()
}

// ensureKey makes a key and prints it, unless the user gives a key.
func (c *keyedCommand) ensureKey() {
	if c.key == "" {
		c.key = rand.Text()
		fmt.Fprintf(os.Stderr,
			"When there is no answer, repeat this with --key %s: nothing is done twice.\n", c.key)
	}
}

// isUnknown reports whether a failed call may have done its work: the command has reached the service, and
// has got no answer, or an answer that does not tell the outcome.
func (c *keyedCommand) isUnknown(err error) bool {
	var failed *b2b.Error
	return errors.As(err, &failed) && (failed.Status < 300 || failed.Status >= 500) && c.reached.Load()
}

// explainUnknown returns the error of a call whose outcome is not known. It says what is not known, such as
// "whether the order was placed", and the key to repeat the command with.
func (c *keyedCommand) explainUnknown(what string, err error) error {
	return fmt.Errorf("%s is not known: repeat this with --key %s (%w)", what, c.key, explain(err))
}

func (c *keyedCommand) print(order ordersapi.Order, out io.Writer) error {
	if c.output == "text" {
		_, err := fmt.Fprintf(out, "order %d is %s, total_cents %d\n",
			order.ID, order.Status, order.TotalCents)
		return err
	}
	pretty := json.NewEncoder(out)
	pretty.SetIndent("", "  ")
	return pretty.Encode(order)
}

// orderCommand places an order. With --confirm, it also confirms the order.
type orderCommand struct {
	keyedCommand
	order   ordersapi.OrderRequest
	skuOrID []int // indexes of items whose Sku is a number that may be an id: see resolve
	confirm bool
}

func (o *orderCommand) flags(f *flag.FlagSet) {
	o.keyedCommand.flags(f)
	customerFlag(f, &o.order.CustomerID, "who orders")
	f.Func("item", "PRODUCT:PIECES; a product is a sku, else an id; sku:PRODUCT and id:PRODUCT say which",
		o.addItem)
	f.Func("external-ref", "your number of the order", func(text string) error {
		o.order.ExternalRef = &text
		return nil
	})
	f.Func("metadata", "NAME=VALUE, kept with the order", o.addMetadata)
	f.BoolVar(&o.confirm, "confirm", false, "confirm it, too")
}

// addItem adds an item to the order. The text has the form PRODUCT:PIECES.
func (o *orderCommand) addItem(text string) error {
	malformed := errors.New("allowed: PRODUCT:PIECES, such as LAPTOP-HP-2024:3, sku:00010:3 or id:2:3")
	colon := strings.LastIndex(text, ":")
	pieces, err := strconv.ParseInt(text[colon+1:], 10, 64)
	if colon < 1 || err != nil {
		return malformed
	}
	item := contract.OrderItemRequest{Qty: pieces}
	if number, isID := strings.CutPrefix(text[:colon], "id:"); isID {
		id, isID := parseID(number)
		if !isID {
			return malformed
		}
		item.ProductID = &id
	} else {
		sku, isSku := strings.CutPrefix(text[:colon], "sku:")
		if item.Sku = &sku; sku == "" {
			return malformed
		}
		if _, mayBeID := parseID(sku); mayBeID && !isSku {
			o.skuOrID = append(o.skuOrID, len(o.order.Items))
		}
	}
	o.order.Items = append(o.order.Items, item)
	return nil
}

// customerFlag defines the flag --customer, which sets *id. Package flag would read 010 as the id 8.
func customerFlag(f *flag.FlagSet, id *int64, usage string) {
	f.Func("customer", usage, func(text string) (err error) {
		var isID bool
		if *id, isID = parseID(text); !isID {
			return errors.New("allowed: the id of a customer, such as 7")
		}
		return nil
	})
}

// parseID parses an id in the form of the services, without leading zeros.
func parseID(text string) (int64, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil && 0 < id && id < 1<<53 && strconv.FormatInt(id, 10) == text
}

// addMetadata adds metadata to the order. The parameter text has the form NAME=VALUE.
func (o *orderCommand) addMetadata(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" {
		return errors.New("allowed: NAME=VALUE, such as cost_center=4711")
	}
	if o.order.Metadata == nil {
		o.order.Metadata = &contract.OrderMetadata{}
	}
	if _, found := (*o.order.Metadata)[name]; found {
		return fmt.Errorf("the name %s comes twice", name)
	}
	(*o.order.Metadata)[name] = value
	return nil
}

// resolve decides whether the number in item.Sku is a sku or an id. It refuses a number that is the sku of
// one product and the id of another product.
func (o *orderCommand) resolve(ctx context.Context, item *contract.OrderItemRequest) error {
	number := *item.Sku
	id, _ := parseID(number)
	withSku, err := o.Orders.ListProductsWithResponse(ctx, &ordersapi.ListProductsParams{Sku: &number})
	if err != nil {
		return fmt.Errorf("whether %s is a sku or an id cannot be looked up; write sku:%[1]s or id:%[1]s: %w",
			number, explain(err))
	}
	if len(withSku.JSON200.Data) == 0 {
		item.Sku, item.ProductID = nil, &id
		return nil
	}
	withID, err := o.Orders.GetProductWithResponse(ctx, id, nil)
	var failed *b2b.Error
	if errors.As(err, &failed) && failed.Status == http.StatusNotFound {
		return nil
	} else if err != nil {
		return explain(err)
	}
	if sku, other := withSku.JSON200.Data[0], withID.JSON200.Data; sku.ID != other.ID {
		return fmt.Errorf("%s is the sku of product %d (%s) and the id of another, %s (%s); "+
			"write sku:%[1]s or id:%[1]s", number, sku.ID, sku.Name, other.Sku, other.Name)
	}
	return nil
}

// run places the order, confirms the order if o.confirm is set, and prints the order.
func (o *orderCommand) run(ctx context.Context, out io.Writer) error {
	if err := o.connect(); err != nil {
		return err
	}
	if o.order.CustomerID == 0 || len(o.order.Items) == 0 {
		return errors.New("an order needs --customer and --item; see b2b order --help")
	}
	for _, i := range o.skuOrID {
		if err := o.resolve(ctx, &o.order.Items[i]); err != nil {
			return err
		}
	}
	o.ensureKey()
	params := &ordersapi.CreateOrderParams{XIdempotencyKey: &o.key}
	placed, err := o.Orders.CreateOrderWithResponse(ctx, params, o.order)
	switch {
	case o.isUnknown(err):
		return o.explainUnknown("whether the order was placed", err)
	case err != nil:
		return explain(err)
	}
	order := placed.JSON201.Data
	if o.confirm {
		params := &ordersapi.ConfirmOrderParams{XIdempotencyKey: o.key}
		confirmed, err := o.Orders.ConfirmOrderWithResponse(ctx, order.ID, params)
		switch {
		case o.isUnknown(err):
			return o.explainUnknown(fmt.Sprintf("order %d was placed; whether it was confirmed", order.ID), err)
		case err != nil:
			return fmt.Errorf("order %d was placed and not confirmed: %w", order.ID, explain(err))
		}
		order = confirmed.JSON200.Data
	}
	return o.print(order, out)
}

type cancelCommand struct {
	keyedCommand
	order        string
	cancellation ordersapi.Cancellation
}

func (c *cancelCommand) flags(f *flag.FlagSet) {
	c.keyedCommand.flags(f)
	f.Func("reason", "why, in your words", func(text string) error {
		c.cancellation.Reason = &text
		return nil
	})
}

func (c *cancelCommand) run(ctx context.Context, out io.Writer) error {
	if err := c.connect(); err != nil {
		return err
	}
	id, isID := parseID(c.order)
	if !isID {
		return fmt.Errorf("%q is no order; allowed: its id, such as 7", c.order)
	}
	c.ensureKey()
	params := &ordersapi.CancelOrderParams{XIdempotencyKey: &c.key}
	canceled, err := c.Orders.CancelOrderWithResponse(ctx, id, params, c.cancellation)
	switch {
	case c.isUnknown(err):
		return c.explainUnknown(fmt.Sprintf("whether order %d was canceled", id), err)
	case err != nil:
		return explain(err)
	}
	return c.print(canceled.JSON200.Data, out)
}

// Package b2b is the Go SDK of the B2B order management: typed clients of the three services, with
// idempotency keys, retries, and errors of type *Error.
package b2b

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"example.com/b2b/openapi/customersapi"
	"example.com/b2b/openapi/orchestratorapi"
	"example.com/b2b/openapi/ordersapi"
)

// Options configures a Client.
type Options struct {
	// The addresses of the services, such as https://orders.example.com. Addresses of unused services may be
	// "".
	Customers, Orders, Orchestrator string

	// Token returns the bearer token. It is called before every try. Nil sends no token; see StaticToken.
	Token func(context.Context) (string, error)

	// Deadline limits a call with all its tries; 60 s when 0. A deadline of the call's context replaces it.
	Deadline time.Duration
	// TryTimeout limits a single try; 30 s when 0, longer than the services need at most.
	TryTimeout time.Duration
	// HTTPClient sends the requests; http.DefaultClient when nil. Redirects are not followed, because a
	// redirected POST may arrive as a GET.
	HTTPClient *http.Client
}

// StaticToken returns a function for Options.Token with a constant token.
func StaticToken(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// Client has the generated clients of the three services. A call returns an *Error unless the operation
// succeeded; JSON200 or JSON201 of its response is then set.
//
// An empty idempotency key is replaced by a new key, the same for all tries of a call. Reads, and writes with
// a key, are tried again after a connection error, a timeout of the try, 429, 502, 503 and 504, until the
// deadline. A write without a key is sent once.
type Client struct {
	Customers    *customersapi.ClientWithResponses
	Orders       *ordersapi.ClientWithResponses
	Orchestrator *orchestratorapi.ClientWithResponses
}

// New returns a client. The error is for an invalid address.
func New(o Options) (*Client, error) {
	customers, err1 := customersapi.NewClientWithResponses(o.Customers,
		customersapi.WithHTTPClient(o.transport("customers", o.Customers)))
	orders, err2 := ordersapi.NewClientWithResponses(o.Orders,
		ordersapi.WithHTTPClient(o.transport("orders", o.Orders)))
	orchestrator, err3 := orchestratorapi.NewClientWithResponses(o.Orchestrator,
		orchestratorapi.WithHTTPClient(o.transport("orchestrator", o.Orchestrator)))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return &Client{customers, orders, orchestrator}, nil
}

// CreateAndConfirmOrder places and confirms an order. Repeat the call after an *Error with Retryable, with
// the error's IdempotencyKey: the order is not placed twice.
func (c *Client) CreateAndConfirmOrder(
	ctx context.Context, order orchestratorapi.OrchestrationRequest,
) (*orchestratorapi.Orchestration, error) {
	res, err := c.Orchestrator.CreateAndConfirmOrderWithResponse(ctx, order)
	if err != nil {
		return nil, err
	}
	return &res.JSON201.Data, nil
}

// pages iterates over the items of all pages. fetch returns the page at a cursor, nil for the first page, and
// the cursor of the next page, nil after the last page. An error ends the iteration.
func pages[T any](fetch func(cursor *int64) ([]T, *int64, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var cursor *int64
		for {
			items, next, err := fetch(cursor)
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == nil {
				return
			}
			cursor = next
		}
	}
}

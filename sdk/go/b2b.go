// Package b2b is the Go SDK of the B2B order management: the typed clients of its three services, behind a transport that makes
// and keeps idempotency keys, tries again, and returns every refusal as an *Error.
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

// Options says where the services are and how they are called. Only the addresses of the services that are called are needed.
type Options struct {
	Customers, Orders, Orchestrator string // addresses, such as https://orders.example.com

	// Token returns what Authorization: Bearer carries. It is asked before every try. Nil sends none. StaticToken makes one of a string.
	Token func(context.Context) (string, error)

	Deadline   time.Duration // how long a call may take with all its tries; 60 s when 0; a deadline of its context counts instead
	TryTimeout time.Duration // how long one try may take; 30 s when 0, longer than the services themselves allow
	HTTPClient *http.Client  // http.DefaultClient when nil; redirects are not followed, a POST that is redirected may arrive as a GET
}

// StaticToken is for Options.Token: always the same token.
func StaticToken(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// Client calls the three services, through the clients that are generated from their documents. A call returns an *Error unless
// the operation has succeeded; then the JSON200 or JSON201 of its answer is there.
//
// A call that takes an idempotency key gets one when its own is empty; all tries of the call share it. Reads, and writes with a
// key, are tried again after a connection error, the time-out of a try, 429, 502, 503 and 504, until the deadline. A write
// without a key is sent once.
type Client struct {
	Customers    *customersapi.ClientWithResponses
	Orders       *ordersapi.ClientWithResponses
	Orchestrator *orchestratorapi.ClientWithResponses
}

// New returns a client.
func New(o Options) (*Client, error) {
	customers, err1 := customersapi.NewClientWithResponses(o.Customers, customersapi.WithHTTPClient(o.transport("customers", o.Customers)))
	orders, err2 := ordersapi.NewClientWithResponses(o.Orders, ordersapi.WithHTTPClient(o.transport("orders", o.Orders)))
	orchestrator, err3 := orchestratorapi.NewClientWithResponses(o.Orchestrator, orchestratorapi.WithHTTPClient(o.transport("orchestrator", o.Orchestrator)))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return &Client{customers, orders, orchestrator}, nil
}

// CreateAndConfirmOrder places and confirms an order in one call, which can't order twice. Without an idempotency key the call
// makes one; after an *Error that is Retryable, repeat it with the error's key.
func (c *Client) CreateAndConfirmOrder(ctx context.Context, order orchestratorapi.OrchestrationRequest) (*orchestratorapi.Orchestration, error) {
	res, err := c.Orchestrator.CreateAndConfirmOrderWithResponse(ctx, order)
	if err != nil {
		return nil, err
	}
	return &res.JSON201.Data, nil
}

// pages iterates over the things of all pages that next returns, each with the cursor of the one after it.
func pages[T any](next func(cursor *int64) ([]T, *int64, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for cursor := (*int64)(nil); ; {
			things, after, err := next(cursor)
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, thing := range things {
				if !yield(thing, nil) {
					return
				}
			}
			if after == nil {
				return
			}
			cursor = after
		}
	}
}

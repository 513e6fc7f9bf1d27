// Package b2b is the Go SDK of the B2B order management: typed clients of the services, with
// idempotency keys, retries, and errors of type *Error.
package b2b

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/eventsapi"
	"example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/ordersapi"
)

// Options configures a Client.
type Options struct {
	// Customers, Orders, Events and Orchestrator are the addresses of the services, such as
	// https://orders.example.com. The address of an unused service may be "".
	Customers, Orders, Events, Orchestrator string

	// Token returns the bearer token. It is called before every try. With a nil Token, requests have no
	// token. See StaticToken for a constant token.
	Token func(context.Context) (string, error)

	// Deadline limits the time of a call with all tries; 0 means 60 s. A deadline in the context of the call
	// replaces Deadline.
	Deadline time.Duration
	// TryTimeout limits the time of a single try; 0 means 30 s, which is longer than a service takes to
	// answer by default.
	TryTimeout time.Duration
	// HTTPClient sends the requests; nil means the zero http.Client. Redirects are not followed, because a
	// redirected POST may become a GET.
	HTTPClient *http.Client
}

// StaticToken returns a function for Options.Token that always returns the parameter token.
func StaticToken(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// Client has the generated clients of the services. After a successful call, JSON200 or JSON201 of the
// response is set, with all required fields. Any other call returns an *Error.
//
// A call without an idempotency key gets a new key, if the operation has keys. The service refuses an empty
// XIdempotencyKey. All tries of the call have the same key. The client repeats reads, and writes with a key,
// after a connection error, a timeout of the try, 429, 502, 503 and 504, until the deadline. It sends a write
// without a key once.
type Client struct {
	Customers    *customersapi.ClientWithResponses
	Orders       *ordersapi.ClientWithResponses
	Events       *eventsapi.ClientWithResponses
	Orchestrator *orchestratorapi.ClientWithResponses
}

// New returns a client. It fails when an address is invalid.
func New(o Options) (*Client, error) {
	for _, address := range []string{o.Customers, o.Orders, o.Events, o.Orchestrator} {
		u, err := url.Parse(address)
		if address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return nil, fmt.Errorf("%q is no address such as https://orders.example.com", address)
		}
	}
	customers, err1 := customersapi.NewClientWithResponses(o.Customers,
		customersapi.WithHTTPClient(o.transport("customers", o.Customers)))
	orders, err2 := ordersapi.NewClientWithResponses(o.Orders,
		ordersapi.WithHTTPClient(o.transport("orders", o.Orders)))
	events, err4 := eventsapi.NewClientWithResponses(o.Events,
		eventsapi.WithHTTPClient(o.transport("events", o.Events)))
	orchestrator, err3 := orchestratorapi.NewClientWithResponses(o.Orchestrator,
		orchestratorapi.WithHTTPClient(o.transport("orchestrator", o.Orchestrator)))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return &Client{customers, orders, events, orchestrator}, nil
}

// CreateAndConfirmOrder places and confirms an order. After an *Error with Retryable, repeat the call with
// the IdempotencyKey of the error: the order is not placed twice.
func (c *Client) CreateAndConfirmOrder(
	ctx context.Context, order orchestratorapi.OrchestrationRequest,
) (*orchestratorapi.Orchestration, error) {
	res, err := c.Orchestrator.CreateAndConfirmOrderWithResponse(ctx, order)
	if err != nil {
		return nil, err
	}
	return &res.JSON201.Data, nil
}

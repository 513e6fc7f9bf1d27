// Package orchestrator places and confirms an order in one call, over the Customers API and the Orders API.
// It keeps nothing: what must survive is in the Orders API, under the caller's idempotency key.
package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/correlation"
	remote "example.com/b2b/internal/peer"
	"example.com/b2b/openapi/contract"
	"example.com/b2b/openapi/customersapi"
	api "example.com/b2b/openapi/orchestratorapi"
	"example.com/b2b/openapi/orchestratorapi/server"
	"example.com/b2b/openapi/ordersapi"
)

// Service implements the generated StrictServerInterface over the two other services.
type Service struct {
	customers customersapi.ClientWithResponsesInterface
	orders    ordersapi.ClientWithResponsesInterface
}

// New returns the service over the Customers API and the Orders API. Its error is about their addresses.
func New(customers, orders remote.Peer) (*Service, error) {
	c, err := customersapi.NewClientWithResponses(customers.Base, customersapi.WithHTTPClient(customers.Client(customersPeer.name)))
	if err != nil {
		return nil, err
	}
	o, err := ordersapi.NewClientWithResponses(orders.Base, ordersapi.WithHTTPClient(orders.Client(ordersPeer.name)))
	return &Service{c, o}, err
}

// CreateAndConfirmOrder checks the customer, places the order with the caller's key and confirms it with the
// same key. Each step may be repeated without a second effect, so each is, and so may be the whole call.
// Errors are those of the services behind it, with their codes, and 503 or 504 upstream_unavailable when one
// of them gives no answer in time.
func (s *Service) CreateAndConfirmOrder(ctx context.Context, r server.CreateAndConfirmOrderRequestObject) (server.CreateAndConfirmOrderResponseObject, error) {
	customer, err := s.customer(ctx, r.Body.CustomerID)
	if err != nil {
		return nil, err
	}
	created, err := ask(ctx, ordersPeer, func() (*ordersapi.CreateOrderResponse, error) {
		return s.orders.CreateOrderWithResponse(ctx, &ordersapi.CreateOrderParams{XIdempotencyKey: &r.Body.IdempotencyKey},
			ordersapi.NewOrder{CustomerID: r.Body.CustomerID, Items: r.Body.Items, ExternalRef: r.Body.ExternalRef, Metadata: r.Body.Metadata})
	}, (*ordersapi.CreateOrderResponse).GetJSON201)
	if err != nil {
		return nil, err
	}
	id := created.JSON201.Data.ID
	confirmed, err := ask(ctx, ordersPeer, func() (*ordersapi.ConfirmOrderResponse, error) {
		return s.orders.ConfirmOrderWithResponse(ctx, id, &ordersapi.ConfirmOrderParams{XIdempotencyKey: r.Body.IdempotencyKey})
	}, (*ordersapi.ConfirmOrderResponse).GetJSON200)
	if refused := refusal(err); refused != nil {
		return nil, errors.Join(refused, s.settle(ctx, refused, created))
	}
	if err != nil {
		return nil, err
	}
	answer := server.CreateAndConfirmOrder201JSONResponse{Body: api.OrchestrationResponse{Success: true, CorrelationID: correlation.ID(ctx),
		Data: api.Orchestration{Customer: customerView(customer), Order: orderView(confirmed.JSON200.Data)}}}
	if confirmed.HTTPResponse.Header.Get(replayedHeader) != "" {
		answer.Headers.IdempotencyReplayed = new(true)
	}
	return answer, nil
}

const replayedHeader = "Idempotency-Replayed"

// GetOrchestration answers as CreateAndConfirmOrder did or would, from what the Orders API remembers of the
// key, and says where the order stands now. It returns 404 idempotency_key_unknown when nothing is
// remembered, and 404 order_incomplete when the order is not confirmed with the key.
func (s *Service) GetOrchestration(ctx context.Context, r server.GetOrchestrationRequestObject) (server.GetOrchestrationResponseObject, error) {
	key, err := ask(ctx, ordersPeer, func() (*ordersapi.GetIdempotencyKeyResponse, error) {
		return s.orders.GetIdempotencyKeyWithResponse(ctx, r.IdempotencyKey)
	}, (*ordersapi.GetIdempotencyKeyResponse).GetJSON200)
	if err != nil {
		return nil, err
	}
	id, err := confirmedWith(key.JSON200.Data)
	if err != nil {
		return nil, err
	}
	order, err := ask(ctx, ordersPeer, func() (*ordersapi.GetOrderResponse, error) {
		return s.orders.GetOrderWithResponse(ctx, id, nil)
	}, (*ordersapi.GetOrderResponse).GetJSON200)
	if err != nil {
		return nil, err
	}
	customer, err := s.customer(ctx, order.JSON200.Data.CustomerID)
	if err != nil {
		return nil, err
	}
	done := orderView(order.JSON200.Data)
	done.Status = string(contract.CONFIRMED) // what the call did, whatever has become of the order since
	return server.GetOrchestration200JSONResponse{Body: api.OrchestrationReportResponse{Success: true, CorrelationID: correlation.ID(ctx),
		Data: api.OrchestrationReport{Customer: customerView(customer), Order: done, CurrentStatus: order.JSON200.Data.Status}}}, nil
}

// confirmedWith returns the order that a key has placed and confirmed, or the 404 that says how far it got.
func confirmedWith(key ordersapi.KeyReport) (id int64, err error) {
	var created, confirmed *ordersapi.KeyedOperation
	for i, done := range key.Operations {
		switch done.Operation {
		case ordersapi.CreateOrder:
			created = &key.Operations[i]
		case ordersapi.ConfirmOrder:
			confirmed = &key.Operations[i]
		}
	}
	if created == nil {
		return 0, apperr.IdempotencyKeyUnknown.New()
	}
	id = *created.OrderID
	incomplete := func(more apperr.Params, format string, args ...any) error {
		params := apperr.Params{"order_id": id}
		maps.Copy(params, more)
		return apperr.OrderIncomplete.New().With("/path/idempotency_key", params, format, args...)
	}
	switch {
	case confirmed != nil && *confirmed.OrderID == id:
		return id, nil
	case confirmed != nil:
		return 0, incomplete(apperr.Params{"confirmed_order_id": *confirmed.OrderID}, "order %d was placed with the key, and order %d confirmed with it: use a new key", id, *confirmed.OrderID)
	case created.OrderStatus != nil && *created.OrderStatus == contract.CANCELED:
		return 0, incomplete(apperr.Params{"order_status": string(contract.CANCELED)}, "order %d is CANCELED and cannot be confirmed any more: use a new key", id)
	}
	return 0, incomplete(apperr.Params{"order_status": string(*created.OrderStatus)}, "order %d is %s: repeat the call to complete it", id, *created.OrderStatus)
}

// customer asks for the customer who orders. Errors: 404 customer_not_found, and 403 forbidden when the
// caller acts for another one, with the field that named the customer.
func (s *Service) customer(ctx context.Context, id int64) (customersapi.Customer, error) {
	res, err := ask(ctx, customersPeer, func() (*customersapi.GetInternalCustomerResponse, error) {
		return s.customers.GetInternalCustomerWithResponse(ctx, id)
	}, (*customersapi.GetInternalCustomerResponse).GetJSON200)
	if err != nil {
		var refused *apperr.Error
		errors.As(err, &refused)
		switch refused.Code {
		case apperr.CustomerNotFound:
			refused.With("/customer_id", apperr.Params{"customer_id": id}, "names no customer")
		case apperr.Forbidden:
			refused.With("/customer_id", apperr.Params{"customer_id": auth.From(ctx).Customer}, "is another customer than the one for whom you act")
		}
		return customersapi.Customer{}, err
	}
	return res.JSON200.Data, nil
}

// settle cancels the order that this call has placed and that its key can never confirm, and adds the state
// of the order to refused, which is the caller's answer. It does so even when the caller has gone. An order
// that the key had placed before, in another call, is left as it is: with another key that order may still be
// confirmed. So is one that somebody else has confirmed meanwhile. The error says that the order could not be
// canceled.
func (s *Service) settle(ctx context.Context, refused *apperr.Error, placed *ordersapi.CreateOrderResponse) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	id := placed.JSON201.Data.ID
	var order *ordersapi.Order
	var err error
	if placed.HTTPResponse.Header.Get(replayedHeader) == "" {
		order, err = s.compensate(ctx, id)
	}
	if order == nil && err == nil {
		if read, err := ask(ctx, ordersPeer, func() (*ordersapi.GetOrderResponse, error) {
			return s.orders.GetOrderWithResponse(ctx, id, nil)
		}, (*ordersapi.GetOrderResponse).GetJSON200); err == nil { // a caller without orders:read does not learn the state
			order = &read.JSON200.Data
		}
	}
	params := apperr.Params{"order_id": id, "compensated": false}
	says := "stands for order %d, whose state is not known"
	if order != nil {
		params["order_status"] = string(order.Status)
		says = "stands for order %d, which is " + string(order.Status)
		if order.CancelReason != nil && *order.CancelReason == ordersapi.Compensation {
			params["compensated"] = true
			says += ": its stock was given back"
		}
	}
	refused.With("/idempotency_key", params, says, id)
	return err
}

// compensate cancels an order as a compensation and returns the order, or nil when somebody has confirmed the
// order since it was placed.
func (s *Service) compensate(ctx context.Context, id int64) (*ordersapi.Order, error) {
	res, err := ask(ctx, ordersPeer, func() (*ordersapi.CancelOrderResponse, error) {
		return s.orders.CancelOrderWithResponse(ctx, id, nil, ordersapi.Cancellation{Cause: new(ordersapi.Compensation)})
	}, (*ordersapi.CancelOrderResponse).GetJSON200)
	switch {
	case err == nil:
		return &res.JSON200.Data, nil
	case res != nil && res.JSON412 != nil:
		return nil, nil
	}
	return nil, fmt.Errorf("order %d could not be canceled: %w", id, err)
}

// refusal returns the peer's refusal that err is, which repeating the call would not change, or nil.
func refusal(err error) *apperr.Error {
	var e *apperr.Error
	if errors.As(err, &e) && e.Status < http.StatusInternalServerError {
		return e
	}
	return nil
}

func customerView(c customersapi.Customer) api.OrderingCustomer {
	return api.OrderingCustomer{ID: c.ID, Name: c.Name, Email: c.Email, Phone: c.Phone}
}

func orderView(o ordersapi.Order) api.PlacedOrder {
	return api.PlacedOrder{ID: o.ID, Status: string(o.Status), TotalCents: o.TotalCents, Items: o.Items}
}

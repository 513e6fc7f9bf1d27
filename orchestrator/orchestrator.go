// Package orchestrator places and confirms an order in a single call, with requests to the Customers API and
// the Orders API. It stores nothing: the Orders API stores the results under the caller's idempotency key.
package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/sync/singleflight"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	api "example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/orchestratorapi/server"
	"example.com/b2b/v2/openapi/ordersapi"
)

// Service implements the generated StrictServerInterface with calls to the Customers API and the Orders API.
type Service struct {
	customers customersapi.ClientWithResponsesInterface
	orders    ordersapi.ClientWithResponsesInterface
	readiness singleflight.Group // concurrent calls of ready share a call of askReady
}

// New returns the service. It fails when the address of a peer is invalid.
func New(customers, orders peer.Peer) (*Service, error) {
	customersClient, err := customersapi.NewClientWithResponses(customers.Base,
		customersapi.WithHTTPClient(customers.Client(customersAPI.name)))
	if err != nil {
		return nil, err
	}
	ordersClient, err := ordersapi.NewClientWithResponses(orders.Base,
		ordersapi.WithHTTPClient(orders.Client(ordersAPI.name)))
	return &Service{customers: customersClient, orders: ordersClient}, err
}

// CreateAndConfirmOrder checks the customer, places the order with the caller's key, and confirms the order
// with the same key. Each step is idempotent, and is tried again after a failure. The caller may repeat the
// whole call. Errors: the refusals by the Customers API and the Orders API, and 503 or 504
// upstream_unavailable. When the confirmation is refused, the order is canceled: see the method settle.
func (s *Service) CreateAndConfirmOrder(
	ctx context.Context, r server.CreateAndConfirmOrderRequestObject,
) (server.CreateAndConfirmOrderResponseObject, error) {
	customer, err := s.customer(ctx, r.Body.CustomerID)
	if err != nil {
		return nil, err
	}
	order, err := newOrder(r.Body)
	if err != nil {
		return nil, err
	}
	created, err := ask(ctx, ordersAPI, func() (*ordersapi.CreateOrderResponse, error) {
		return s.orders.CreateOrderWithResponse(ctx,
			&ordersapi.CreateOrderParams{XIdempotencyKey: &r.Body.IdempotencyKey}, order)
	}, (*ordersapi.CreateOrderResponse).GetJSON201)
	if err != nil {
		return nil, err
	}
	web.LogOrder(ctx, created.JSON201.Data.ID)
	confirmed, err := ask(ctx, ordersAPI, func() (*ordersapi.ConfirmOrderResponse, error) {
		return s.orders.ConfirmOrderWithResponse(ctx, created.JSON201.Data.ID,
			&ordersapi.ConfirmOrderParams{XIdempotencyKey: r.Body.IdempotencyKey})
	}, (*ordersapi.ConfirmOrderResponse).GetJSON200)
	if refused := refusal(err); refused != nil {
		return nil, errors.Join(refused, s.settle(ctx, refused, created))
	}
	if err != nil {
		return nil, err
	}
	answer := server.CreateAndConfirmOrder201JSONResponse{Body: api.OrchestrationResponse{
		Success: true, CorrelationID: correlation.ID(ctx),
		Data: api.Orchestration{Customer: customerView(customer), Order: orderView(confirmed.JSON200.Data)}}}
	if confirmed.HTTPResponse.Header.Get(replayedHeader) != "" {
		answer.Headers.IdempotencyReplayed = new(true)
	}
	return answer, nil
}

// newOrder returns the order for the Orders API. It copies each field of the request that an OrderRequest
// has.
func newOrder(request *api.OrchestrationRequest) (order ordersapi.OrderRequest, err error) {
	encoded, err := json.Marshal(request)
	if err == nil {
		err = contract.Unmarshal(encoded, &order)
	}
	return order, err
}

const replayedHeader = "Idempotency-Replayed"

// GetOrchestration returns the result of an earlier CreateAndConfirmOrder with the key, and the current
// status of the order. Errors: see report.
func (s *Service) GetOrchestration(
	ctx context.Context, r server.GetOrchestrationRequestObject,
) (server.GetOrchestrationResponseObject, error) {
	report, err := s.report(ctx, r.IdempotencyKey, "/path/idempotency_key")
	return server.GetOrchestration200JSONResponse{Body: report}, err
}

// FindOrchestration is like GetOrchestration, but takes the key as a query parameter.
func (s *Service) FindOrchestration(
	ctx context.Context, r server.FindOrchestrationRequestObject,
) (server.FindOrchestrationResponseObject, error) {
	report, err := s.report(ctx, r.Params.IdempotencyKey, "/query/idempotency_key")
	return server.FindOrchestration200JSONResponse{Body: report}, err
}

// report asks the Orders API for the order of an idempotency key, and returns the order and its customer. An
// error detail has the parameter field, which is the place of the key in the request. Errors: 404
// idempotency_key_unknown when no order was placed with the key; 404 order_incomplete when the order was not
// confirmed with the key; and the errors of the function ask.
func (s *Service) report(ctx context.Context, key, field string) (none api.OrchestrationReportResponse, err error) {
	done, err := ask(ctx, ordersAPI, func() (*ordersapi.FindIdempotencyKeyResponse, error) {
		return s.orders.FindIdempotencyKeyWithResponse(ctx, &ordersapi.FindIdempotencyKeyParams{Key: key})
	}, (*ordersapi.FindIdempotencyKeyResponse).GetJSON200)
	if err != nil {
		return none, err
	}
	id, err := confirmedWith(done.JSON200.Data, field)
	if err != nil {
		return none, err
	}
	order, err := s.order(ctx, id)
	if err != nil {
		return none, err
	}
	customer, err := s.customer(ctx, order.CustomerID)
	if err != nil {
		return none, err
	}
	result := orderView(order)
	// The order was CONFIRMED when CreateAndConfirmOrder answered. Its status may have changed since: see
	// CurrentStatus below.
	result.Status = string(contract.CONFIRMED)
	return api.OrchestrationReportResponse{Success: true, CorrelationID: correlation.ID(ctx),
		Data: api.OrchestrationReport{Customer: customerView(customer), Order: result,
			CurrentStatus: order.Status}}, nil
}

// confirmedWith returns the id of the order that was placed and confirmed with a key. Errors: 404
// idempotency_key_unknown when no order was placed with the key; 404 order_incomplete when the order was not
// confirmed with the key, with a detail for the parameter field.
func confirmedWith(key ordersapi.KeyReport, field string) (id int64, err error) {
	var created, confirmed *ordersapi.KeyedOperation
	for i, operation := range key.Operations {
		switch operation.Operation {
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
	incomplete := apperr.OrderIncomplete.New()
	switch {
	case confirmed != nil && *confirmed.OrderID == id:
		return id, nil
	case confirmed != nil:
		return 0, incomplete.With(field,
			apperr.Params{"order_id": id, "confirmed_order_id": *confirmed.OrderID},
			"order %d was placed with the key, and order %d confirmed with it: use a new key",
			id, *confirmed.OrderID)
	case created.OrderStatus != nil && *created.OrderStatus == contract.CANCELED:
		return 0, incomplete.With(field,
			apperr.Params{"order_id": id, "order_status": string(contract.CANCELED)},
			"order %d is CANCELED and cannot be confirmed any more: use a new key", id)
	}
	return 0, incomplete.With(field,
		apperr.Params{"order_id": id, "order_status": string(*created.OrderStatus)},
		"order %d is %s: repeat the call to complete it", id, *created.OrderStatus)
}

// customer returns the customer with the id. Errors: 404 customer_not_found; 403 forbidden when the caller
// acts for another customer; and the errors of the function ask. The 404 and the 403 have the field
// /customer_id.
func (s *Service) customer(ctx context.Context, id int64) (customersapi.Customer, error) {
	res, err := ask(ctx, customersAPI, func() (*customersapi.GetInternalCustomerResponse, error) {
		return s.customers.GetInternalCustomerWithResponse(ctx, id)
	}, (*customersapi.GetInternalCustomerResponse).GetJSON200)
	if err != nil {
		if refused, ok := errors.AsType[*apperr.Error](err); ok {
			switch refused.Code {
			case apperr.CustomerNotFound:
				refused.With("/customer_id", apperr.Params{"customer_id": id}, "names no customer")
			case apperr.Forbidden:
				refused.With("/customer_id", apperr.Params{"customer_id": auth.From(ctx).Customer},
					"is another customer than the one for whom you act")
			}
		}
		return customersapi.Customer{}, err
	}
	return res.JSON200.Data, nil
}

// order returns the order with the id as it is now. Errors: the errors of the function ask.
func (s *Service) order(ctx context.Context, id int64) (ordersapi.Order, error) {
	res, err := ask(ctx, ordersAPI, func() (*ordersapi.GetOrderResponse, error) {
		return s.orders.GetOrderWithResponse(ctx, id, nil)
	}, (*ordersapi.GetOrderResponse).GetJSON200)
	if err != nil {
		return ordersapi.Order{}, err
	}
	return res.JSON200.Data, nil
}

// settle handles an order whose confirmation was refused. It cancels the order, even when the caller has
// gone, with two exceptions. An order that an earlier call placed stays, because a call with another key may
// still confirm the order. An order that was confirmed in the meantime stays, too. settle adds the id and the
// status of the order to the parameter refused, which is the error for the caller. It returns an error when
// the order could not be canceled.
func (s *Service) settle(
	ctx context.Context, refused *apperr.Error, placed *ordersapi.CreateOrderResponse,
) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	id := placed.JSON201.Data.ID
	var order *ordersapi.Order
	var err error
	if placed.HTTPResponse.Header.Get(replayedHeader) == "" {
		order, err = s.compensate(ctx, id)
	}
	if order == nil && err == nil {
		current, readErr := s.order(ctx, id)
		if readErr == nil { // without orders:read the caller does not get the status
			order = &current
		}
	}
	params := apperr.Params{"order_id": id, "compensated": false}
	message := "stands for order %d, whose state is not known"
	if order != nil {
		params["order_status"] = string(order.Status)
		message = "stands for order %d, which is " + string(order.Status)
		if order.CancelReason != nil && *order.CancelReason == ordersapi.Compensation {
			params["compensated"] = true
			message += ": its stock was given back"
		}
	}
	refused.With("/idempotency_key", params, message, id)
	return err
}

// readyWithin limits the time for the answers of both peers to /ready.
const readyWithin = 2 * time.Second

const (
	readyTries = 5
	readyPause = 100 * time.Millisecond
)

// ready returns 503 unavailable unless the Customers API and the Orders API are ready. Concurrent calls share
// the requests to these APIs.
func (s *Service) ready(ctx context.Context) error {
	answer := s.readiness.DoChan("", func() (any, error) { return nil, s.askReady(context.WithoutCancel(ctx)) })
	select {
	case a := <-answer:
		return a.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) askReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	customers, customersErr := askAgain(ctx, s.customers.GetReadyWithResponse)
	orders, ordersErr := askAgain(ctx, s.orders.GetReadyWithResponse)
	if err := errors.Join(customersErr, ordersErr); err != nil {
		return apperr.Unavailable.Because(err)
	}
	if customers.JSON200 == nil || orders.JSON200 == nil {
		return apperr.Unavailable.Because(fmt.Errorf(
			"the %s answered %s, the %s %s", customersAPI.name, customers.Status(), ordersAPI.name, orders.Status()))
	}
	return nil
}

// askAgain asks whether a peer is ready, up to readyTries times while the answer is 503. An instance that is
// about to stop answers 503 and closes the connection, so the next request may reach an instance that is
// ready. Errors: the error of ask, and the error of ctx when ctx ends between two tries.
func askAgain[R interface{ StatusCode() int }, E any](
	ctx context.Context, ask func(context.Context, ...E) (R, error),
) (res R, err error) {
	for try := 1; ; try++ {
		if res, err = ask(ctx); err != nil || res.StatusCode() != http.StatusServiceUnavailable || try == readyTries {
			return res, err
		}
		select {
		case <-time.After(readyPause):
		case <-ctx.Done():
			return res, ctx.Err()
		}
	}
}

var compensations = promauto.NewCounter(prometheus.CounterOpts{
	Name: "b2b_compensations_total",
	Help: "Orders that were placed, could not be confirmed, and were canceled again.",
})

// compensate cancels the order and returns the result. It returns nil when the order was confirmed meanwhile.
func (s *Service) compensate(ctx context.Context, id int64) (*ordersapi.Order, error) {
	res, err := ask(ctx, ordersAPI, func() (*ordersapi.CancelOrderResponse, error) {
		return s.orders.CancelOrderWithResponse(ctx, id, nil,
			ordersapi.Cancellation{Cause: new(ordersapi.Compensation)})
	}, (*ordersapi.CancelOrderResponse).GetJSON200)
	switch {
	case err == nil:
		compensations.Inc()
		return &res.JSON200.Data, nil
	case res != nil && res.JSON412 != nil:
		return nil, nil
	}
	return nil, fmt.Errorf("order %d could not be canceled: %w", id, err)
}

// refusal returns err if it refuses the caller's request (4xx), and nil for any other error.
func refusal(err error) *apperr.Error {
	if e, ok := errors.AsType[*apperr.Error](err); ok && e.Status < http.StatusInternalServerError {
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

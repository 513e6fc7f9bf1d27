// Package orchestrator places and confirms an order in one call, over the Customers API and the Orders API. It keeps nothing:
// what must survive is in the Orders API, under the caller's idempotency key.
package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/web"
	"example.com/b2b/openapi/contract"
	"example.com/b2b/openapi/customersapi"
	api "example.com/b2b/openapi/orchestratorapi"
	"example.com/b2b/openapi/orchestratorapi/server"
	"example.com/b2b/openapi/ordersapi"
)

// Service implements the generated StrictServerInterface over the two other services.
type Service struct {
	Customers customersapi.ClientWithResponsesInterface
	Orders    ordersapi.ClientWithResponsesInterface
}

var _ server.StrictServerInterface = (*Service)(nil)

// CreateAndConfirmOrder checks the customer, places the order with the caller's key and confirms it with the same key. Each
// step may be repeated without a second effect, so each is, and so may be the whole call. Errors are those of the services
// behind it, with their codes, and 503 or 504 upstream_unavailable when one of them gives no answer in time.
func (s *Service) CreateAndConfirmOrder(ctx context.Context, r server.CreateAndConfirmOrderRequestObject) (server.CreateAndConfirmOrderResponseObject, error) {
	customer, err := ask(ctx, "Customers API", func() (*customersapi.GetInternalCustomerResponse, error) {
		return s.Customers.GetInternalCustomerWithResponse(ctx, r.Body.CustomerID)
	}, (*customersapi.GetInternalCustomerResponse).GetJSON200)
	if err != nil {
		return nil, blameCustomer(err)
	}
	lines := make([]contract.NewOrderItem, len(r.Body.Items))
	for i, item := range r.Body.Items {
		lines[i] = contract.NewOrderItem{ProductID: item.ProductID, Qty: item.Qty}
	}
	created, err := ask(ctx, "Orders API", func() (*ordersapi.CreateOrderResponse, error) {
		return s.Orders.CreateOrderWithResponse(ctx, &ordersapi.CreateOrderParams{XIdempotencyKey: &r.Body.IdempotencyKey},
			ordersapi.NewOrder{CustomerID: r.Body.CustomerID, Items: lines})
	}, (*ordersapi.CreateOrderResponse).GetJSON201)
	if err != nil {
		return nil, err
	}
	id := created.Data.ID
	confirmed, err := ask(ctx, "Orders API", func() (*ordersapi.ConfirmOrderResponse, error) {
		return s.Orders.ConfirmOrderWithResponse(ctx, id, &ordersapi.ConfirmOrderParams{XIdempotencyKey: r.Body.IdempotencyKey})
	}, (*ordersapi.ConfirmOrderResponse).GetJSON200)
	if definite(err) {
		return nil, errors.Join(err, s.cancel(ctx, id))
	}
	if err != nil {
		return nil, err
	}
	return server.CreateAndConfirmOrder201JSONResponse{Body: response(ctx, customer.Data, confirmed.Data)}, nil
}

// GetOrchestration answers as CreateAndConfirmOrder did or would, from what the Orders API remembers of the key. It returns 404
// idempotency_key_unknown when that is nothing, and 404 order_incomplete when the order is not confirmed with the key.
func (s *Service) GetOrchestration(ctx context.Context, r server.GetOrchestrationRequestObject) (server.GetOrchestrationResponseObject, error) {
	key, err := ask(ctx, "Orders API", func() (*ordersapi.GetIdempotencyKeyResponse, error) {
		return s.Orders.GetIdempotencyKeyWithResponse(ctx, r.IdempotencyKey)
	}, (*ordersapi.GetIdempotencyKeyResponse).GetJSON200)
	if err != nil {
		return nil, err
	}
	var created, confirmed *ordersapi.KeyedOperation
	for i, done := range key.Data.Operations {
		switch done.Operation {
		case ordersapi.CreateOrder:
			created = &key.Data.Operations[i]
		case ordersapi.ConfirmOrder:
			confirmed = &key.Data.Operations[i]
		}
	}
	if created == nil {
		return nil, apperr.IdempotencyKeyUnknown.New()
	}
	if confirmed == nil || *confirmed.OrderID != *created.OrderID {
		return nil, apperr.OrderIncomplete.New().
			With("/path/idempotency_key", "order %d was placed and is %s", *created.OrderID, *created.OrderStatus)
	}
	order, err := ask(ctx, "Orders API", func() (*ordersapi.GetOrderResponse, error) {
		return s.Orders.GetOrderWithResponse(ctx, *created.OrderID, nil)
	}, (*ordersapi.GetOrderResponse).GetJSON200)
	if err != nil {
		return nil, err
	}
	customer, err := ask(ctx, "Customers API", func() (*customersapi.GetInternalCustomerResponse, error) {
		return s.Customers.GetInternalCustomerWithResponse(ctx, order.Data.CustomerID)
	}, (*customersapi.GetInternalCustomerResponse).GetJSON200)
	if err != nil {
		return nil, err
	}
	current := order.Data.Status
	order.Data.Status = contract.CONFIRMED // what the key has done, as the POST would say, whatever has become of the order since
	done := response(ctx, customer.Data, order.Data)
	report := api.OrchestrationReportResponse{Success: true, CorrelationID: done.CorrelationID,
		Data: api.OrchestrationReport{Customer: done.Data.Customer, Order: done.Data.Order, CurrentStatus: current}}
	return server.GetOrchestration200JSONResponse{Body: report}, nil
}

func response(ctx context.Context, c customersapi.Customer, o ordersapi.Order) api.OrchestrationResponse {
	items := make([]contract.OrderItem, len(o.Items))
	for i, item := range o.Items {
		items[i] = contract.OrderItem{ProductID: item.ProductID, Qty: item.Qty, UnitPriceCents: item.UnitPriceCents, SubtotalCents: item.SubtotalCents}
	}
	return api.OrchestrationResponse{
		Success:       true,
		CorrelationID: web.CorrelationID(ctx),
		Data: api.Orchestration{
			Customer: api.OrderingCustomer{ID: c.ID, Name: c.Name, Email: c.Email, Phone: c.Phone},
			Order:    api.PlacedOrder{ID: o.ID, Status: string(o.Status), TotalCents: o.TotalCents, Items: items},
		},
	}
}

// blameCustomer names the field, which the Customers API does not know.
func blameCustomer(err error) error {
	var e *apperr.Error
	if errors.As(err, &e) && e.Code == apperr.CustomerNotFound {
		e.With("/customer_id", "names no customer")
	}
	return err
}

// cancel gives the stock of an order back that can never be confirmed, even when the caller has gone.
func (s *Service) cancel(ctx context.Context, id int64) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	_, err := ask(ctx, "Orders API", func() (*ordersapi.CancelOrderResponse, error) {
		return s.Orders.CancelOrderWithResponse(ctx, id, nil, ordersapi.Cancellation{Cause: new(ordersapi.Compensation)})
	}, (*ordersapi.CancelOrderResponse).GetJSON200)
	if err != nil {
		return fmt.Errorf("order %d could not be canceled: %w", id, err)
	}
	return nil
}

// definite reports whether err is a refusal, which repeating the call would not change.
func definite(err error) bool {
	var e *apperr.Error
	return errors.As(err, &e) && e.Status < http.StatusInternalServerError
}

// reply is what the responses of the generated clients have in common.
type reply interface {
	StatusCode() int
	GetBody() []byte
}

// tries bounds how often a step is tried; with the waits between it is over within two seconds when a peer refuses at once.
const tries = 5

// ask makes a call until it has an answer, a bounded number of times and within ctx. Lost answers and passing faults (5xx, 429)
// are tried again. A refusal is returned as the peer's own error.
func ask[R reply, T any](ctx context.Context, peer string, call func() (R, error), success func(R) *T) (*T, error) {
	wait := backoff.NewExponentialBackOff() // jittered
	wait.InitialInterval, wait.MaxInterval = 100*time.Millisecond, 2*time.Second
	options := []backoff.RetryOption{backoff.WithBackOff(wait), backoff.WithMaxTries(tries)}
	if deadline, ok := ctx.Deadline(); ok { // no wait so close to it that the next try had no chance: the caller can have the answer now
		options = append(options, backoff.WithMaxElapsedTime(time.Until(deadline)*3/4))
	}
	answer, err := backoff.Retry(ctx, func() (*T, error) {
		res, err := call()
		if err != nil { // no answer, one that ended early, or web.ErrPeerDown: nobody asked
			return nil, err
		}
		if answer := success(res); answer != nil {
			return answer, nil
		}
		if refused := refusal(res); refused != nil {
			return nil, backoff.Permanent(refused)
		}
		if res.StatusCode() == http.StatusUnauthorized || res.StatusCode() == http.StatusForbidden {
			return nil, backoff.Permanent(fmt.Errorf("the %s refused our SERVICE_TOKEN: it differs between the services", peer))
		}
		return nil, fmt.Errorf("%s answered %d", peer, res.StatusCode())
	}, options...)
	if err == nil || definite(err) {
		return answer, err
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, apperr.UpstreamTimeout.Because(err, peer)
	}
	return nil, apperr.UpstreamUnavailable.Because(err, peer)
}

// passedOn are the refusals that are about the caller's request. Any other is about ours: a wrong address or token.
var passedOn = []int{http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity}

func refusal(res reply) *apperr.Error {
	var body contract.APIError // the services' envelopes are alike
	if !slices.Contains(passedOn, res.StatusCode()) || json.Unmarshal(res.GetBody(), &body) != nil || body.Code == "" || string(body.Code) == apperr.NotFound.Name {
		return nil
	}
	e := apperr.Relayed(res.StatusCode(), string(body.Code), body.Error)
	if body.Details != nil {
		for _, d := range *body.Details {
			e.With(d.Field, "%s", d.Message)
		}
	}
	return e
}

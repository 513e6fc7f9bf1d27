package events

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/events/deliver"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/eventsapi"
	"example.com/b2b/v2/openapi/eventsapi/server"
)

// CreateWebhookEndpoint creates an endpoint. Errors: the errors of check and store.create; 422
// idempotency_key_reused.
func (s *Service) CreateWebhookEndpoint(ctx context.Context, r server.CreateWebhookEndpointRequestObject,
) (server.CreateWebhookEndpointResponseObject, error) {
	if err := s.check(&r.Body.URL, r.Body.Types); err != nil {
		return nil, err
	}
	request := createWebhookEndpoint.Request(ctx, r.Params.XIdempotencyKey, r.Body)
	return answer(s.createOnce(ctx, request, func(tx store) (int64, any, error) {
		e := endpoint{
			URL: r.Body.URL, Description: r.Body.Description, Types: listFrom(r.Body.Types),
			Signature: deliver.Algorithm(valueOr(r.Body.Signature, api.HmacSha256)),
		}
		err := tx.create(&e)
		return e.ID, withSecret(e), err
	}))
}

// check checks the given fields of an endpoint. Error: 400 validation_failed for a forbidden URL or an
// unknown type of event.
func (s *Service) check(url *string, types *[]contract.EventType) error {
	if url != nil {
		if err := s.sender.CheckURL(*url); err != nil {
			return apperr.ValidationFailed.New().With("/url", apperr.Params{"rule": "url"}, "%s", err)
		}
	}
	for i, name := range valueOr(types, nil) {
		if !name.Valid() {
			return apperr.ValidationFailed.New().With(fmt.Sprintf("/types/%d", i), apperr.Params{"rule": "enum"},
				"must be a type of events, and %q is none", name)
		}
	}
	return nil
}

// ListWebhookEndpoints returns a page of endpoints.
func (s *Service) ListWebhookEndpoints(ctx context.Context, r server.ListWebhookEndpointsRequestObject,
) (server.ListWebhookEndpointsResponseObject, error) {
	page := db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit)
	rows, next, err := s.db.Read(ctx).listEndpoints(page)
	return server.ListWebhookEndpoints200JSONResponse{Body: api.WebhookEndpointListResponse{
		Success: true, Data: service.Views(rows, endpointView), Meta: contract.Meta{NextCursor: next},
	}}, err
}

// GetWebhookEndpoint returns an endpoint. Error: 404 webhook_endpoint_not_found.
func (s *Service) GetWebhookEndpoint(ctx context.Context, r server.GetWebhookEndpointRequestObject,
) (server.GetWebhookEndpointResponseObject, error) {
	e, err := s.db.Read(ctx).findEndpoint(r.ID)
	return server.GetWebhookEndpoint200JSONResponse{Body: endpointResponse(e)}, err
}

// UpdateWebhookEndpoint changes the given fields of an endpoint. Errors: the errors of check, store.change
// and endpoint.checkTypes.
func (s *Service) UpdateWebhookEndpoint(ctx context.Context, r server.UpdateWebhookEndpointRequestObject,
) (server.UpdateWebhookEndpointResponseObject, error) {
	if err := s.check(r.Body.URL, r.Body.Types); err != nil {
		return nil, err
	}
	change := endpointChange{r.Body.URL, r.Body.Description, r.Body.Types, r.Body.Enabled}
	e, err := s.changeEndpoint(ctx, r.ID, func(_ store, e *endpoint) error {
		change.apply(e)
		return e.checkTypes()
	})
	return server.UpdateWebhookEndpoint200JSONResponse{Body: endpointResponse(e)}, err
}

// changeEndpoint changes an endpoint in a transaction: see store.change.
func (s *Service) changeEndpoint(ctx context.Context, id int64, fn func(tx store, e *endpoint) error,
) (e endpoint, err error) {
	err = s.db.ChangeRow(ctx, rowOf(id), func(tx store) (err error) {
		e, err = tx.change(id, func(e *endpoint) error { return fn(tx, e) })
		return err
	})
	return e, err
}

// DeleteWebhookEndpoint deletes an endpoint. Error: 404 webhook_endpoint_not_found.
func (s *Service) DeleteWebhookEndpoint(ctx context.Context, r server.DeleteWebhookEndpointRequestObject,
) (server.DeleteWebhookEndpointResponseObject, error) {
	err := s.db.ChangeRow(ctx, rowOf(r.ID), func(tx store) error { return tx.deleteEndpoint(r.ID) })
	message := fmt.Sprintf("Webhook endpoint %d was deleted.", r.ID)
	return server.DeleteWebhookEndpoint200JSONResponse{
		Body: api.WebhookDeletedResponse{Success: true, Message: message}}, err
}

// RotateWebhookSecret gives an endpoint a new secret. Errors: 422 idempotency_key_reused, and the errors of
// store.change.
func (s *Service) RotateWebhookSecret(ctx context.Context, r server.RotateWebhookSecretRequestObject,
) (server.RotateWebhookSecretResponseObject, error) {
	request := rotateWebhookSecret.Request(ctx, r.Params.XIdempotencyKey, r.ID)
	return answer(s.db.OnceOnRow(ctx, rowOf(r.ID), request, func(tx store) (int64, any, error) {
		e, err := tx.change(r.ID, func(e *endpoint) error {
			e.rotate()
			return nil
		})
		return e.ID, withSecret(e), err
	}))
}

// recordTime is the time to record the delivery of a test message.
const recordTime = 5 * time.Second

// TestWebhookEndpoint sends a test message to an endpoint, once. The attempt goes on when the caller leaves,
// and after the time limit of a request, so that every message is recorded as a delivery. Error: 404
// webhook_endpoint_not_found.
func (s *Service) TestWebhookEndpoint(ctx context.Context, r server.TestWebhookEndpointRequestObject,
) (server.TestWebhookEndpointResponseObject, error) {
	e, err := s.db.Read(ctx).findEndpoint(r.ID)
	if err != nil {
		return nil, err
	}
	const messageType = "webhook_endpoint.test"
	representation, err := json.Marshal(endpointView(e))
	if err != nil {
		return nil, err
	}
	message := history.Event{
		ID: e.ID, Type: messageType, Subject: endpointSubject, SubjectID: e.ID, CustomerID: e.CustomerID,
		Origin: s.db.Read(ctx).Origin, CreatedAt: e.Now, Representation: string(representation),
	}
	body, err := messageOf(placed{Event: message})
	if err != nil {
		return nil, err
	}
	id := "test_" + strings.ToLower(rand.Text())
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), deliver.Timeout+recordTime)
	defer stop()
	a := s.sender.Send(ctx, deliver.Message{URL: e.URL, ID: id, Body: body, Secrets: e.secrets()})
	d := deliveryOf(id, messageType, nil, a)
	d.EndpointID = e.ID
	err = s.db.Change(ctx, func(tx store) error {
		now, err := tx.ReadClock()
		if err != nil {
			return err
		}
		d.ID = 0
		d.happened(now)
		return tx.insertDeliveries([]*delivery{d})
	})
	return server.TestWebhookEndpoint200JSONResponse{
		Body: api.WebhookDeliveryResponse{Success: true, Data: deliveryView(*d)}}, err
}

// ListWebhookDeliveries returns a page of the deliveries to an endpoint. Error: 404
// webhook_endpoint_not_found.
func (s *Service) ListWebhookDeliveries(ctx context.Context, r server.ListWebhookDeliveriesRequestObject,
) (server.ListWebhookDeliveriesResponseObject, error) {
	page := db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit)
	rows, next, err := s.db.Read(ctx).deliveriesOf(r.ID, page)
	return server.ListWebhookDeliveries200JSONResponse{Body: api.WebhookDeliveryListResponse{
		Success: true, Data: service.Views(rows, deliveryView), Meta: contract.Meta{NextCursor: next},
	}}, err
}

// ReplayWebhookEvents moves an endpoint to a position, so that the endpoint gets the events after this
// position again. Errors: see store.change and store.replay.
func (s *Service) ReplayWebhookEvents(ctx context.Context, r server.ReplayWebhookEventsRequestObject,
) (server.ReplayWebhookEventsResponseObject, error) {
	e, err := s.changeEndpoint(ctx, r.ID, func(tx store, e *endpoint) error {
		return tx.replay(e, r.Params.After)
	})
	return server.ReplayWebhookEvents200JSONResponse{Body: endpointResponse(e)}, err
}

func answer(a idempotency.Answer, err error) (server.Answer, error) { return a.Respond, err }

// listFrom returns the list of types; nil or empty types become nil, which stands for all types.
func listFrom(types *[]contract.EventType) *list {
	if types == nil || len(*types) == 0 {
		return nil
	}
	return new(listOf(*types))
}

func endpointResponse(e endpoint) api.WebhookEndpointResponse {
	return api.WebhookEndpointResponse{Success: true, Data: endpointView(e)}
}

// withSecret returns the answer to a creation or a rotation. No other answer shows the secret. Nobody but
// this service needs the private key of Ed25519, so the answer does not show that key.
func withSecret(e endpoint) api.WebhookSecretResponse {
	shown := api.WebhookEndpointWithSecret{Endpoint: endpointView(e)}
	if e.Signature == deliver.HMAC {
		shown.Secret = new(string(e.Secret))
	}
	return api.WebhookSecretResponse{Success: true, Data: shown}
}

// endpointView shows an endpoint, without its secrets.
func endpointView(e endpoint) api.WebhookEndpoint {
	v := api.WebhookEndpoint{
		ID: e.ID, CustomerID: e.CustomerID, URL: e.URL, Description: e.Description,
		Subjects:  namesAs[contract.EventSubject](e.Subjects),
		Signature: api.WebhookSignature(e.Signature), PublicKey: e.Secret.PublicKey(),
		Enabled: e.DisabledAt == nil, DisabledAt: timeView(e.DisabledAt),
		DisabledReason: (*api.WebhookEndpointDisabledReason)(e.DisabledReason),
		Position:       e.Position, Failures: e.Failures, FailingSince: timeView(e.FailingSince),
		NextAttemptAt: timeView(e.NextAttemptAt), CreatedBy: e.CreatedBy,
		CreatedAt: contract.Time{Time: e.CreatedAt}, UpdatedAt: contract.Time{Time: e.UpdatedAt},
	}
	if len(e.secrets()) > 1 {
		v.PreviousSecretUntil = timeView(e.PreviousUntil)
	}
	v.Types = []contract.EventType{}
	if e.Types != nil {
		v.Types = namesAs[contract.EventType](*e.Types)
	}
	return v
}

func namesAs[S ~string](l list) []S {
	return service.Views(l.names(), func(name string) S { return S(name) })
}

func deliveryView(d delivery) api.WebhookDelivery {
	return api.WebhookDelivery{
		ID: d.ID, WebhookID: d.WebhookID, Type: d.Type, Position: d.Position,
		AttemptedAt: contract.Time{Time: d.AttemptedAt}, Outcome: api.WebhookDeliveryOutcome(d.Outcome),
		Status: d.Status, DurationMs: d.DurationMS, Answer: d.Answer, Failure: d.Failure,
	}
}

func timeView(t *time.Time) *contract.NullableTimestamp {
	if t == nil {
		return nil
	}
	return &contract.Time{Time: *t}
}

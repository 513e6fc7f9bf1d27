package eventsapi

import (
	"fmt"

	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/ordersapi"
)

// Order returns the order right after the event. It fails for an event of another subject.
func (e FeedEvent) Order() (*ordersapi.Order, error) {
	return representation[ordersapi.Order](e, contract.Order)
}

// Product returns the product right after the event. It fails for an event of another subject.
func (e FeedEvent) Product() (*ordersapi.Product, error) {
	return representation[ordersapi.Product](e, contract.Product)
}

// Customer returns the customer right after the event. It fails for an event of another subject.
func (e FeedEvent) Customer() (*customersapi.Customer, error) {
	return representation[customersapi.Customer](e, contract.Customer)
}

// WebhookEndpoint returns the webhook endpoint right after the event. It fails for an event of another
// subject.
func (e FeedEvent) WebhookEndpoint() (*WebhookEndpoint, error) {
	return representation[WebhookEndpoint](e, contract.WebhookEndpoint)
}

// representation decodes the representation of an event. Fields that the API did not have at the time of the
// event stay zero.
func representation[T any](e FeedEvent, subject contract.EventSubject) (*T, error) {
	if e.Subject != subject {
		return nil, fmt.Errorf("event %d is about the subject %s, not %s", e.ID, e.Subject, subject)
	}
	var shown T
	if err := contract.Unmarshal(e.Representation, &shown); err != nil {
		return nil, fmt.Errorf("event %d: %w", e.ID, err)
	}
	return &shown, nil
}

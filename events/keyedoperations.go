package events

import (
	"net/http"

	"example.com/b2b/v2/internal/idempotency"
)

// The operations that take an idempotency key. TestKeyedOperations checks that keyedOperations has exactly
// the operations that take a key in the OpenAPI document.
var (
	createWebhookEndpoint = idempotency.Operation{
		Name: "createWebhookEndpoint", Status: http.StatusCreated, Target: endpointSubject}
	rotateWebhookSecret = idempotency.Operation{
		Name: "rotateWebhookSecret", Status: http.StatusOK, Target: endpointSubject}

	keyedOperations = idempotency.Operations{createWebhookEndpoint, rotateWebhookSecret}
)

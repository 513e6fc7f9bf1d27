package orchestrator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/customersapi"
	api "example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/ordersapi"
)

// TestEveryField compares a request to the orchestrator with the order that the Orders API gets. The schema
// OrchestrationRequest must have every field of OrderRequest, and the order must have every field of the
// request.
func TestEveryField(t *testing.T) {
	spec := webtest.Spec(t, api.Document)
	fields := spec.Components.Schemas["OrchestrationRequest"].Value.Properties
	for field := range webtest.Spec(t, ordersapi.Document).Components.Schemas["OrderRequest"].Value.Properties {
		if fields[field] == nil {
			t.Errorf("OrchestrationRequest has no %s", field)
		}
	}

	var placed map[string]any
	fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&placed); err != nil {
				t.Error(err)
			}
			answer(400, "insufficient_stock")(w)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(customersapi.CustomerResponse{Success: true, Data: customersapi.Customer{ID: 1}})
	}))
	t.Cleanup(fake.Close)
	order := webtest.EveryField(t, spec, "OrchestrationRequest")
	delete(order["items"].([]any)[0].(map[string]any), "sku") // a line names its product by its id or its sku
	sent, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	if status, body, _ := post(t, serveOn(t, fake.URL, webtest.Options()), string(sent)); status != 400 {
		t.Errorf("%d %s", status, body)
	}
	// The Orders API gets these fields as headers.
	for _, own := range []string{"idempotency_key", "correlation_id"} {
		delete(order, own)
	}
	webtest.ComesBack(t, "OrchestrationRequest", order, placed)
}

package orchestrator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/internal/correlation"
	"example.com/b2b/internal/web"
	"example.com/b2b/internal/web/webtest"
	"example.com/b2b/openapi/contract"
	"example.com/b2b/openapi/customersapi"
	"example.com/b2b/openapi/ordersapi"
)

// TestEveryPeerCode takes from the documents of the peers every code that a called operation can answer, lets
// a peer answer it again and again, and shows what it becomes: passed on, tried again, or taken as a fault of
// this deployment.
func TestEveryPeerCode(t *testing.T) {
	placed := []ordersapi.KeyedOperation{
		{Operation: ordersapi.ConfirmOrder, OrderID: new(int64(5)), OrderStatus: new(contract.CONFIRMED)},
		{Operation: ordersapi.CreateOrder, OrderID: new(int64(5)), OrderStatus: new(contract.CONFIRMED)},
	}
	const path = "/orchestrator/create-and-confirm-order"
	codes := 0
	for _, called := range []struct {
		document  []byte
		operation string
		step      string
		reads     bool // the call is made by GET of an orchestration
	}{
		{customersapi.Document, "getInternalCustomer", customerStep, false},
		{ordersapi.Document, "createOrder", createStep, false},
		{ordersapi.Document, "confirmOrder", confirmStep, false},
		{ordersapi.Document, "cancelOrder", cancelStep, false},
		{ordersapi.Document, "getIdempotencyKey", keyStep, true},
		{ordersapi.Document, "getOrder", orderStep, true},
	} {
		for status, code := range answers(t, called.document, called.operation) {
			codes++
			t.Run(fmt.Sprint(called.operation, " ", status, " ", code), func(t *testing.T) {
				t.Parallel()
				p := &peers{
					done: placed,
					instead: map[string][]func(http.ResponseWriter){
						called.step: slices.Repeat([]func(http.ResponseWriter){answer(status, code)}, 20),
					},
				}
				if called.operation == "cancelOrder" { // called when the order cannot be confirmed, which stays the answer
					p.instead[confirmStep] = []func(http.ResponseWriter){answer(400, "order_not_confirmable")}
				}
				base, got, body := serve(t, p, time.Minute), 0, []byte(nil)
				if called.reads {
					got, body, _ = webtest.Do(t, "GET", base+path+"/key-1", "", correlation.Header, "req-1")
				} else {
					got, body, _ = post(t, base, sample)
				}
				tried := strings.Count(strings.Join(p.calls, ",")+",", called.step+",")
				var e contract.APIError
				_ = json.Unmarshal(body, &e)

				wantTries, wantStatus, wantCode := 1, status, code
				switch {
				case status == 408 || status == 425 || status == 429 || status >= 500:
					wantTries, wantStatus, wantCode = 5, 503, "upstream_unavailable"
				case status == 401 || status == 403 || status == 405 || status == 412 || code == "idempotency_key_required" || code == "not_found":
					wantStatus, wantCode = 503, "upstream_unavailable"
				}
				if called.operation == "cancelOrder" {
					wantStatus, wantCode = 400, "order_not_confirmable"
				}
				if got != wantStatus || string(e.Code) != wantCode || tried != wantTries {
					t.Errorf(
						"after %d calls it became %d %s; want %d calls and %d %s", tried, got, e.Code,
						wantTries, wantStatus, wantCode,
					)
				}
				t.Logf("became %d %s after %d calls", got, e.Code, tried)
			})
		}
	}
	if codes < 40 {
		t.Errorf("only %d codes in the documents", codes)
	}
}

// answers yields the statuses and codes that an operation's document declares.
func answers(t *testing.T, document []byte, id string) func(yield func(status int, code string) bool) {
	t.Helper()
	var found *openapi3.Operation
	for _, item := range webtest.Spec(t, document).Paths.Map() {
		for _, operation := range item.Operations() {
			if operation.OperationID == id {
				found = operation
			}
		}
	}
	if found == nil {
		t.Fatalf("there is no operation %s", id)
	}
	return func(yield func(int, string) bool) {
		for status, response := range found.Responses.Map() {
			number, _ := strconv.Atoi(status)
			if number < 400 {
				continue
			}
			for code := range response.Value.Content.Get("application/json").Examples {
				if !yield(number, code) {
					return
				}
			}
		}
	}
}

// TestDeploymentFault says once, and clearly, where to look when the token or an address of this deployment
// is wrong.
func TestDeploymentFault(t *testing.T) {
	for name, fault := range map[string]struct {
		answer func(http.ResponseWriter)
		look   string
	}{
		"token refused":   {answer(401, "unauthorized"), "SERVICE_TOKEN"},
		"token forbidden": {answer(403, "forbidden"), "SERVICE_TOKEN"},
		"no such path":    {answer(404, "not_found"), "CUSTOMERS_API_BASE"},
		"another server":  {func(w http.ResponseWriter) { http.NotFound(w, nil) }, "CUSTOMERS_API_BASE"},
		"another API":     {foreign(404, `{"code":5,"message":"Not Found"}`), "CUSTOMERS_API_BASE"},
		"a gateway":       {foreign(401, `{"error":{"status":"UNAUTHENTICATED"}}`), "SERVICE_TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &peers{instead: map[string][]func(http.ResponseWriter){customerStep: {fault.answer}}}
			log := webtest.Logged(t, func(o web.Options) {
				status, body, header := post(t, serveWith(t, p, o), sample)
				webtest.WantError(t, status, body, 503, "upstream_unavailable")
				if header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			})
			if len(p.calls) != 1 || strings.Count(log, "\n") != 1 || !strings.Contains(log, fault.look) {
				t.Errorf("%v, log: %s", p.calls, log)
			}
		})
	}
}

// foreign is the JSON of an API that is none of ours.
func foreign(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

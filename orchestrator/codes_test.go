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

	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/ordersapi"
)

// TestEveryPeerCode lets a peer answer each error that its OpenAPI document declares. The orchestrator must
// pass the error on, try again, or answer 503 because the error shows a wrong configuration.
func TestEveryPeerCode(t *testing.T) {
	placed := []ordersapi.KeyedOperation{
		{Operation: ordersapi.ConfirmOrder, OrderID: new(int64(5)), OrderStatus: new(contract.CONFIRMED)},
		{Operation: ordersapi.CreateOrder, OrderID: new(int64(5)), OrderStatus: new(contract.CONFIRMED)},
	}
	codes := 0
	for _, called := range []struct {
		document  []byte
		operation string
		step      string
		get       bool // whether GetOrchestration makes the call, and not CreateAndConfirmOrder
	}{
		{customersapi.Document, "getInternalCustomer", customerStep, false},
		{ordersapi.Document, "createOrder", createStep, false},
		{ordersapi.Document, "confirmOrder", confirmStep, false},
		{ordersapi.Document, "cancelOrder", cancelStep, false},
		{ordersapi.Document, "findIdempotencyKey", keyStep, true},
		{ordersapi.Document, "getOrder", orderStep, true},
	} {
		for status, code := range declared(t, called.document, called.operation) {
			codes++
			t.Run(fmt.Sprint(called.operation, " ", status, " ", code), func(t *testing.T) {
				t.Parallel()
				answers := slices.Repeat([]fault{answer(status, code)}, 20)
				p := &peers{done: placed, instead: map[string][]fault{called.step: answers}}
				compensates := called.operation == "cancelOrder"
				if compensates { // only a refused confirmation leads to a cancellation
					p.instead[confirmStep] = []fault{answer(400, "order_not_confirmable")}
				}
				var got int
				var body []byte
				if base := serve(t, p, time.Minute); called.get {
					got, body, _ = webtest.Do(t, "GET", base+path+"/key-1", "", correlation.Header, "req-1")
				} else {
					got, body, _ = post(t, base, sample)
				}
				calls := p.count(called.step)
				var e contract.ErrorBody
				_ = json.Unmarshal(body, &e)

				wantCalls, want := 1, fmt.Sprint(status, " ", code)
				switch {
				case status == 408 || status == 425 || status == 429 || status >= 500:
					wantCalls, want = 5, "503 upstream_unavailable"
				case slices.Contains([]int{401, 403, 405, 412}, status), code == "idempotency_key_required",
					code == "not_found":
					want = "503 upstream_unavailable"
				}
				if compensates {
					want = "400 order_not_confirmable"
				}
				if answered := fmt.Sprint(got, " ", e.Code); answered != want || calls != wantCalls {
					t.Errorf("answered %s after %d calls; want %s after %d calls", answered, calls, want, wantCalls)
				}
				t.Logf("answered %d %s after %d calls", got, e.Code, calls)
			})
		}
	}
	if codes < 40 {
		t.Errorf("only %d codes in the documents", codes)
	}
}

// declared yields the statuses and codes of the errors that a document declares for an operation.
func declared(t *testing.T, document []byte, id string) func(yield func(status int, code string) bool) {
	t.Helper()
	var operation *openapi3.Operation
	for _, item := range webtest.Spec(t, document).Paths.Map() {
		for _, o := range item.Operations() {
			if o.OperationID == id {
				operation = o
			}
		}
	}
	if operation == nil {
		t.Fatalf("there is no operation %s", id)
	}
	return func(yield func(int, string) bool) {
		for status, response := range operation.Responses.Map() {
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

// TestDeploymentFault checks that a call with a wrong token or address of a peer leaves a single log line,
// which names the environment variable to correct.
func TestDeploymentFault(t *testing.T) {
	for name, c := range map[string]struct {
		answer   fault
		variable string
	}{
		"token refused":   {answer(401, "unauthorized"), "SERVICE_TOKEN"},
		"token forbidden": {answer(403, "forbidden"), "SERVICE_TOKEN"},
		"no such path":    {answer(404, "not_found"), "CUSTOMERS_API_BASE"},
		"another server":  {func(w http.ResponseWriter) { http.NotFound(w, nil) }, "CUSTOMERS_API_BASE"},
		"another API":     {foreign(404, `{"code":5,"message":"Not Found"}`), "CUSTOMERS_API_BASE"},
		"a gateway":       {foreign(401, `{"error":{"status":"UNAUTHENTICATED"}}`), "SERVICE_TOKEN"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &peers{instead: map[string][]fault{customerStep: {c.answer}}}
			log := webtest.Logged(t, func(o web.Options) {
				status, body, header := post(t, serveWith(t, p, o), sample)
				webtest.WantError(t, status, body, 503, "upstream_unavailable")
				if header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			})
			if len(p.calls) != 1 || strings.Count(log, "\n") != 1 || !strings.Contains(log, c.variable) {
				t.Errorf("%v, log: %s", p.calls, log)
			}
		})
	}
}

// foreign answers with JSON that does not follow the contract.
func foreign(status int, body string) fault {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

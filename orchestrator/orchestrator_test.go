package orchestrator_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/b2b/v2/internal/buildinfo"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/docs"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/documents"
	api "example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/ordersapi"
	"example.com/b2b/v2/orchestrator"
	"example.com/b2b/v2/orchestrator/start"
)

// peers is an HTTP server that stands for the Customers API and the Orders API. A step is a method and a
// path.
type peers struct {
	t        *testing.T
	mu       sync.Mutex
	instead  map[string][]fault         // faults to answer with before a step succeeds, by step
	calls    []string                   // steps of all requests, in order of arrival
	done     []ordersapi.KeyedOperation // operations in the answer to a lookup of the idempotency key
	replayed string                     // value of the header Idempotency-Replayed in each answer
	key      string                     // idempotency key that a lookup must have; "" means key-1
}

// fault writes an answer in place of a success.
type fault = func(w http.ResponseWriter)

// count returns the number of calls of a step.
func (p *peers) count(step string) (n int) {
	for _, call := range p.calls {
		if call == step {
			n++
		}
	}
	return n
}

const path = "/orchestrator/create-and-confirm-order"

const (
	readyStep    = "GET /ready"
	customerStep = "GET /internal/customers/1"
	createStep   = "POST /orders"
	confirmStep  = "POST /orders/5/confirm"
	cancelStep   = "POST /orders/5/cancel"
	orderStep    = "GET /orders/5"
	keyStep      = "GET /idempotency-keys"
)

// answer returns a fault with an error of the contract. The parameters details are the field and the message
// of the only detail; without them, the error has no details.
func answer(status int, code string, details ...string) fault {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		e := contract.ErrorBody{Error: "The " + code + " sentence.", Code: contract.ErrorCode(code)}
		if details != nil {
			e.Details = &[]contract.APIErrorDetail{
				{Field: details[0], Message: details[1], Params: &map[string]any{"order_id": 7}},
			}
		}
		json.NewEncoder(w).Encode(e)
	}
}

// lost closes the connection without an answer.
func lost(http.ResponseWriter) { panic(http.ErrAbortHandler) }

// maintenance answers 200 with JSON that is not the expected object, as a gateway may do.
func maintenance(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"status":"maintenance"}`)
}

// garbled answers 200 with HTML, as a broken proxy may do.
func garbled(w http.ResponseWriter) { io.WriteString(w, "<html>OK</html>") }

func (p *peers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	step := r.Method + " " + r.URL.Path
	p.mu.Lock()
	p.calls = append(p.calls, step)
	var instead fault
	if left := p.instead[step]; len(left) > 0 {
		instead, p.instead[step] = left[0], left[1:]
	}
	p.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+webtest.Token ||
		step != readyStep && r.Header.Get(correlation.Header) != "req-1" {
		p.t.Errorf("%s with headers %v", step, r.Header)
	}
	if key := r.Header.Get("X-Idempotency-Key"); key != "key-1" && (step == createStep || step == confirmStep) {
		p.t.Errorf("%s with key %q", step, key)
	}
	if key := r.URL.Query().Get("key"); step == keyStep && key != cmp.Or(p.key, "key-1") {
		p.t.Errorf("%s with key %q", step, key)
	}
	if instead != nil {
		instead(w)
		return
	}
	order := ordersapi.Order{
		OrderSummary: ordersapi.OrderSummary{
			ID: 5, CustomerID: 1, Status: contract.CREATED, TotalCents: 389700,
			AllowedActions: []ordersapi.OrderAction{},
		},
		Items: []contract.OrderItem{{
			ProductID: 2, Sku: "LAPTOP-HP-2024", Name: "HP EliteBook 840", Qty: 3,
			UnitPriceCents: 129900, SubtotalCents: 389700,
		}},
	}
	w.Header().Set("Content-Type", "application/json")
	if p.replayed != "" {
		w.Header().Set("Idempotency-Replayed", p.replayed)
	}
	out := json.NewEncoder(w)
	switch step {
	case readyStep:
		out.Encode(contract.Health{Status: "ok"})
	case customerStep:
		customer := customersapi.Customer{
			ID: 1, Name: "ACME Corporation", Email: "ops@acme.com", Phone: new("+1-555-0100"),
		}
		out.Encode(customersapi.CustomerResponse{Success: true, Data: customer})
	case createStep:
		const want = `{"customer_id":1,"items":[{"product_id":2,"qty":3}],"external_ref":"PO-1","metadata":{"a":"b"}}`
		if body, _ := io.ReadAll(r.Body); string(body) != want {
			p.t.Errorf("an order of %s", body)
		}
		w.WriteHeader(http.StatusCreated)
		out.Encode(ordersapi.OrderResponse{Success: true, Data: order})
	case confirmStep:
		order.Status = contract.CONFIRMED
		out.Encode(ordersapi.OrderResponse{Success: true, Data: order})
	case orderStep:
		order.Status = contract.CANCELED // as if the order were canceled after its confirmation
		out.Encode(ordersapi.OrderResponse{Success: true, Data: order})
	case keyStep:
		report := ordersapi.KeyReport{IdempotencyKey: "key-1", Operations: p.done}
		out.Encode(ordersapi.KeyReportResponse{Success: true, Data: report})
	case cancelStep:
		if body, _ := io.ReadAll(r.Body); string(body) != `{"cause":"compensation"}` {
			p.t.Errorf("a cancellation with %s", body)
		}
		order.Status, order.CancelReason = contract.CANCELED, new(ordersapi.Compensation)
		out.Encode(ordersapi.OrderResponse{Success: true, Data: order})
	default:
		p.t.Errorf("unexpected %s", step)
	}
}

// serve runs the orchestrator with the peers, and returns its address.
func serve(t *testing.T, p *peers, timeout time.Duration) string {
	t.Helper()
	o := webtest.Options()
	o.Timeout = timeout
	return serveWith(t, p, o)
}

func serveWith(t *testing.T, p *peers, o web.Options) string {
	t.Helper()
	p.t = t
	fake := httptest.NewServer(p)
	t.Cleanup(fake.Close)
	return serveOn(t, fake.URL, o)
}

// baseOf returns the address of another service in the configuration of the orchestrator.
func baseOf(d documents.Document) string {
	if d.Service == "orders" {
		return "https://api.example.com/orders"
	}
	return strings.Replace(d.Address, "localhost", d.Service+"-api", 1)
}

func serveOn(t *testing.T, base string, o web.Options) string {
	t.Helper()
	at := peer.Peer{Base: base, Token: webtest.Token, Timeout: time.Minute}
	service, err := orchestrator.New(at, at)
	if err != nil {
		t.Fatal(err)
	}
	engine := service.Engine(o)
	for _, d := range documents.All {
		if d.Service != "orchestrator" {
			title := webtest.Spec(t, d.Content).Info.Title
			o.Others = append(o.Others, docs.Linked{Name: d.Service, Title: title, Base: baseOf(d)})
		}
	}
	start.Serve(engine, o, true)
	return webtest.Serve(t, engine, webtest.Spec(t, api.Document))
}

const sample = `{"customer_id":1,"items":[{"product_id":2,"qty":3}],"external_ref":"PO-1","metadata":{"a":"b"},` +
	`"idempotency_key":"key-1","correlation_id":"req-1"}`

// post posts a JSON body. The parameter headers has names and values in turn.
func post(t *testing.T, base, body string, headers ...string) (int, []byte, http.Header) {
	t.Helper()
	return webtest.Do(t, "POST", base+path, body, append(headers, "Content-Type", "application/json")...)
}

func TestCreateAndConfirmOrder(t *testing.T) {
	p := &peers{}
	status, body, header := post(t, serve(t, p, time.Minute), sample)
	want := `{"success":true,"correlationId":"req-1","data":{` +
		`"customer":{"id":1,"name":"ACME Corporation","email":"ops@acme.com","phone":"+1-555-0100"},` +
		`"order":{"id":5,"status":"CONFIRMED","total_cents":389700,"items":[` +
		`{"product_id":2,"sku":"LAPTOP-HP-2024","name":"HP EliteBook 840","qty":3,"unit_price_cents":129900,"subtotal_cents":389700}]}}}`
	if status != 201 || strings.TrimSpace(string(body)) != want {
		t.Errorf("%d %s", status, body)
	}
	if header.Get(correlation.Header) != "req-1" {
		t.Errorf("%v", header)
	}
	if got := strings.Join(p.calls, ", "); got != customerStep+", "+createStep+", "+confirmStep {
		t.Errorf("calls: %s", got)
	}
}

// TestKeyInHeader sends the same key in the body and in a header. The answer must be 201.
func TestKeyInHeader(t *testing.T) {
	p := &peers{}
	base := serve(t, p, time.Minute)
	for _, header := range [][]string{
		{"X-Idempotency-Key", "key-1"}, {"Idempotency-Key", "key-1"}, {"Idempotency-Key", `"key-1"`},
		{"X-Idempotency-Key", "key-1", "Idempotency-Key", `"key-1"`},
	} {
		status, body, _ := post(t, base, sample, header...)
		if status != 201 {
			t.Errorf("%s: %d %s", header, status, body)
		}
	}
}

// TestReplayed checks that the orchestrator passes on the header Idempotency-Replayed of the confirmation.
func TestReplayed(t *testing.T) {
	for _, replayed := range []string{"true", ""} {
		p := &peers{replayed: replayed}
		status, body, header := post(t, serve(t, p, time.Minute), sample)
		if got := header.Get("Idempotency-Replayed"); status != 201 || got != replayed ||
			!strings.Contains(string(body), `"status":"CONFIRMED"`) {
			t.Errorf("%d %s, Idempotency-Replayed %q, want %q", status, body, got, replayed)
		}
	}
}

func TestRetriedStep(t *testing.T) {
	for name, failure := range map[string]fault{
		"503": answer(503, "unavailable"), "500": answer(500, "internal"), "429": answer(429, "rate_limited"),
		"lost": lost, "garbled": garbled, "maintenance": maintenance,
	} {
		for _, step := range []string{customerStep, createStep, confirmStep} {
			t.Run(name+" "+step, func(t *testing.T) {
				t.Parallel()
				p := &peers{instead: map[string][]fault{step: {failure, failure}}}
				status, body, _ := post(t, serve(t, p, time.Minute), sample)
				if status != 201 || p.count(step) != 3 {
					t.Errorf("%d %s after %v", status, body, p.calls)
				}
			})
		}
	}
}

func TestRefusedStep(t *testing.T) {
	for _, refused := range []struct {
		step         string
		status       int
		code         string
		field        string
		wantCanceled bool
	}{
		{customerStep, 404, "customer_not_found", "/customer_id", false},
		{createStep, 400, "insufficient_stock", "/items/0/qty", false},
		{createStep, 404, "product_not_found", "/items/0/product_id", false},
		{createStep, 409, "external_ref_taken", "/external_ref", false},
		{createStep, 409, "total_changed", "/expected_total_cents", false},
		{createStep, 400, "product_inactive", "/items/0/sku", false},
		{createStep, 422, "idempotency_key_reused", "/idempotency_key", false},
		{confirmStep, 400, "order_not_confirmable", "/id", true},
		{confirmStep, 404, "order_not_found", "/id", true},
		{confirmStep, 422, "idempotency_key_reused", "/id", true},
	} {
		t.Run(refused.step+" "+refused.code, func(t *testing.T) {
			refusal := answer(refused.status, refused.code, refused.field, "why")
			if refused.step == customerStep { // the refusal of a GET names no field
				refusal = answer(refused.status, refused.code)
			}
			p := &peers{instead: map[string][]fault{
				refused.step: {refusal},
				// The first try fails, so the orchestrator must try again.
				cancelStep: {answer(503, "unavailable")},
			}}
			status, body, _ := post(t, serve(t, p, time.Minute), sample)
			const compensated = `"message":"stands for order 5, which is CANCELED: its stock was given back",` +
				`"params":{"compensated":true,"order_id":5,"order_status":"CANCELED"}`
			fields := []string{refused.field}
			if refused.wantCanceled {
				fields = append(fields, "/idempotency_key")
			}
			webtest.WantError(t, status, body, refused.status, refused.code, fields...)
			if strings.Contains(string(body), compensated) != refused.wantCanceled {
				t.Errorf("%s", body)
			}
			if !strings.Contains(string(body), `"correlationId":"req-1"`) ||
				!strings.Contains(string(body), "The "+refused.code+" sentence.") ||
				strings.Contains(string(body), `"why","params":{"order_id":7}`) == (refused.step == customerStep) {
				t.Errorf("%s", body)
			}
			if canceled := p.count(cancelStep) == 2; canceled != refused.wantCanceled {
				t.Errorf("calls: %v", p.calls)
			}
			if last := p.calls[len(p.calls)-1]; !refused.wantCanceled && last != refused.step {
				t.Errorf("%s after a refusal", last)
			}
		})
	}
}

// TestPeersByExactName checks that the orchestrator reads only the exact names of fields in the answers of
// peers. It must try again after an answer that has a name twice, or that writes the name of the error code
// in capitals.
func TestPeersByExactName(t *testing.T) {
	const customer = `{"success":true,"data":{"id":1,"name":"ACME Corporation","email":"ops@acme.com",` +
		`"phone":"+1-555-0100"%s}}`
	all := []string{customerStep, createStep, confirmStep}
	customerTwice := []string{customerStep, customerStep, createStep, confirmStep}
	createTwice := []string{customerStep, createStep, createStep, confirmStep}
	confirmTwice := []string{customerStep, createStep, confirmStep, confirmStep}
	for name, c := range map[string]struct {
		step   string
		status int
		body   string
		calls  []string
	}{
		"another_id_in_capitals":  {createStep, 201, `{"success":true,"data":{"id":5,"ID":6,"Id":7},"Data":{"id":8}}`, all},
		"an_id_twice":             {createStep, 201, `{"success":true,"data":{"id":6,"id":5}}`, createTwice},
		"data_twice":              {createStep, 201, `{"success":true,"data":{"id":6},"data":{"id":5}}`, createTwice},
		"another_name":            {customerStep, 200, fmt.Sprintf(customer, `,"NAME":"Mallory","\u212aind":1`), all},
		"a_name_twice":            {customerStep, 200, fmt.Sprintf(customer, `,"name":"Mallory"`), customerTwice},
		"a_code_twice":            {confirmStep, 400, `{"success":false,"error":"No.","code":"x","code":"order_not_confirmable"}`, confirmTwice},
		"a_code_in_capitals_only": {confirmStep, 400, `{"success":false,"error":"No.","CODE":"order_not_confirmable"}`, confirmTwice},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &peers{instead: map[string][]fault{c.step: {foreign(c.status, c.body)}}}
			status, body, _ := post(t, serve(t, p, time.Minute), sample)
			if status != 201 || !slices.Equal(p.calls, c.calls) || strings.Contains(string(body), "Mallory") {
				t.Errorf("%d %s after %v", status, body, p.calls)
			}
		})
	}
}

// TestNotCompensated refuses the confirmation of an order that must stay: an earlier call has placed the
// order, or the order was confirmed in the meantime. The orchestrator must not cancel the order. It must
// report the order's status when the caller may read the order.
func TestNotCompensated(t *testing.T) {
	reused := answer(422, "idempotency_key_reused")
	for name, c := range map[string]struct {
		replayed string
		step     string
		instead  fault
		calls    []string // steps that must follow the refused confirmation
		params   string
	}{
		"replayed": {"true", "", nil, []string{orderStep},
			`{"compensated":false,"order_id":5,"order_status":"CANCELED"}`},
		"replayed, and the caller may not read": {"true", orderStep, answer(403, "forbidden"), []string{orderStep},
			`{"compensated":false,"order_id":5}`},
		"confirmed meanwhile": {"", cancelStep, answer(412, "precondition_failed"), []string{cancelStep, orderStep},
			`{"compensated":false,"order_id":5,"order_status":"CANCELED"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &peers{replayed: c.replayed, instead: map[string][]fault{confirmStep: {reused}}}
			if c.instead != nil {
				p.instead[c.step] = []fault{c.instead}
			}
			status, body, _ := post(t, serve(t, p, time.Minute), sample)
			webtest.WantError(t, status, body, 422, "idempotency_key_reused", "/idempotency_key")
			if !strings.Contains(string(body), `"params":`+c.params) {
				t.Errorf("%s, want %s", body, c.params)
			}
			want := append([]string{customerStep, createStep, confirmStep}, c.calls...)
			if !slices.Equal(p.calls, want) {
				t.Errorf("calls: %v", p.calls)
			}
		})
	}
}

// TestCallerLeaves ends the caller's request while the orchestrator cancels an order whose confirmation was
// refused. The first try to cancel fails, and the orchestrator must still make a second try. The caller is a
// service, because the orchestrator ends the context of a service that has left.
func TestCallerLeaves(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	served := make(chan context.Context, 1)
	p := &peers{t: t, instead: map[string][]fault{
		confirmStep: {answer(400, "order_not_confirmable")},
		cancelStep: {func(w http.ResponseWriter) {
			leave()
			select {
			case <-(<-served).Done():
			case <-time.After(30 * time.Second):
				t.Error("the orchestrator does not notice that the caller has left")
			}
			answer(503, "unavailable")(w)
		}},
	}}
	fake := httptest.NewServer(p)
	defer fake.Close()
	at := peer.Peer{Base: fake.URL, Token: webtest.Token, Timeout: time.Minute}
	service, err := orchestrator.New(at, at)
	if err != nil {
		t.Fatal(err)
	}
	engine := service.Engine(webtest.Options())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served <- r.Context()
		engine.ServeHTTP(w, r)
	}))
	r, err := http.NewRequestWithContext(ctx, "POST", server.URL+path, strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+webtest.Token)
	if _, err := http.DefaultClient.Do(r); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	server.Close() // Close waits for the end of the request
	if n := p.count(cancelStep); n != 2 {
		t.Errorf("%d tries to cancel the order: %v", n, p.calls)
	}
}

func TestUpstreamUnavailable(t *testing.T) {
	down := slices.Repeat([]fault{answer(503, "unavailable")}, 20)
	for _, step := range []string{customerStep, createStep, confirmStep} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			p := &peers{instead: map[string][]fault{step: down}}
			status, body, header := post(t, serve(t, p, time.Minute), sample)
			webtest.WantError(t, status, body, 503, "upstream_unavailable")
			if header.Get("Retry-After") == "" || !strings.Contains(string(body), `"correlationId":"req-1"`) {
				t.Errorf("%v %s", header, body)
			}
			if p.count(cancelStep) != 0 {
				t.Error("an order was canceled although its confirmation may have succeeded")
			}
		})
	}
	// The caller must still get the refusal of the confirmation.
	t.Run("compensation fails", func(t *testing.T) {
		t.Parallel()
		p := &peers{instead: map[string][]fault{
			confirmStep: {answer(400, "order_not_confirmable")}, cancelStep: down,
		}}
		status, body, _ := post(t, serve(t, p, time.Minute), sample)
		webtest.WantError(t, status, body, 400, "order_not_confirmable", "/idempotency_key")
		if !strings.Contains(string(body), `"params":{"compensated":false,"order_id":5}`) {
			t.Errorf("%s", body)
		}
	})
	t.Run("no peer listens", func(t *testing.T) {
		t.Parallel()
		gone := httptest.NewServer(nil)
		gone.Close()
		status, body, _ := post(t, serveOn(t, gone.URL, webtest.Options()), sample)
		webtest.WantError(t, status, body, 503, "upstream_unavailable")
	})
	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		silent := httptest.NewServer(http.HandlerFunc(hang))
		t.Cleanup(silent.Close)
		o := webtest.Options()
		o.Timeout = 50 * time.Millisecond
		status, body, header := post(t, serveOn(t, silent.URL, o), sample)
		webtest.WantError(t, status, body, 504, "upstream_unavailable")
		if header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
}

func TestGetOrchestration(t *testing.T) {
	t.Run("by_path", func(t *testing.T) { testGetOrchestration(t, "/", "/path/idempotency_key") })
	t.Run("by_query", func(t *testing.T) { testGetOrchestration(t, "?idempotency_key=", "/query/idempotency_key") })
}

func testGetOrchestration(t *testing.T, before, field string) {
	get := func(t *testing.T, p *peers) (int, []byte) {
		t.Helper()
		url := serve(t, p, time.Minute) + path + before + url.QueryEscape(cmp.Or(p.key, "key-1"))
		status, body, _ := webtest.Do(t, "GET", url, "", correlation.Header, "req-1")
		for _, call := range p.calls {
			if !strings.HasPrefix(call, "GET ") {
				t.Errorf("reading called %s", call)
			}
		}
		return status, body
	}
	type keyed = ordersapi.KeyedOperation
	of := func(operation ordersapi.KeyedOperationOperation, order int64, status contract.OrderStatus) keyed {
		return keyed{Operation: operation, OrderID: &order, OrderStatus: &status}
	}
	created := of(ordersapi.CreateOrder, 5, contract.CREATED)
	t.Run("completed", func(t *testing.T) {
		_, posted, _ := post(t, serve(t, &peers{}, time.Minute), sample)
		status, body := get(t, &peers{done: []keyed{of(ordersapi.ConfirmOrder, 5, contract.CANCELED), created}})
		// The answer must be the answer of the POST, with current_status added.
		want := strings.TrimSuffix(strings.TrimSpace(string(posted)), "}}") + `,"current_status":"CANCELED"}}`
		if status != 200 || strings.TrimSpace(string(body)) != want {
			t.Errorf("%d %s, want %s", status, body, want)
		}
	})
	t.Run("order_incomplete", func(t *testing.T) {
		confirmed := of(ordersapi.CreateOrder, 5, contract.CONFIRMED)
		canceled := of(ordersapi.CreateOrder, 5, contract.CANCELED)
		other := of(ordersapi.ConfirmOrder, 4, contract.CONFIRMED)
		for help, done := range map[string][]keyed{
			"order 5 is CREATED: repeat the call to complete it":                            {created},
			"order 5 is CONFIRMED: repeat the call to complete it":                          {confirmed},
			"order 5 is CANCELED and cannot be confirmed any more: use a new key":           {canceled},
			"order 5 was placed with the key, and order 4 confirmed with it: use a new key": {other, created},
		} {
			status, body := get(t, &peers{done: done})
			webtest.WantError(t, status, body, 404, "order_incomplete", field)
			if !strings.Contains(string(body), `"`+help+`"`) {
				t.Errorf("%s, want %s", body, help)
			}
		}
	})
	t.Run("idempotency_key_unknown", func(t *testing.T) {
		unknown := answer(404, "idempotency_key_unknown")
		status, body := get(t, &peers{instead: map[string][]fault{keyStep: {unknown}}})
		webtest.WantError(t, status, body, 404, "idempotency_key_unknown")
		status, body = get(t, &peers{done: []keyed{of(ordersapi.CancelOrder, 5, contract.CANCELED)}})
		webtest.WantError(t, status, body, 404, "idempotency_key_unknown")
	})
	t.Run("bad key", func(t *testing.T) {
		status, body, _ := webtest.Do(t, "GET", serve(t, &peers{}, time.Minute)+path+before+"two%20words", "")
		webtest.WantError(t, status, body, 400, "validation_failed", field)
	})
	t.Run("any key", func(t *testing.T) {
		for _, key := range webtest.OddKeys {
			status, body := get(t, &peers{key: key, done: []keyed{created}})
			webtest.WantError(t, status, body, 404, "order_incomplete", field)
		}
	})
}

func TestBadRequest(t *testing.T) {
	p := &peers{}
	base := serve(t, p, time.Minute)
	withKey := func(key string) string {
		return `{"customer_id":1,"items":[{"product_id":2,"qty":3}],"correlation_id":"req-1",` +
			`"idempotency_key":"` + key + `"}`
	}
	const everyField = `{"customer_id":0,"items":[{"product_id":0,"qty":0,"z":1}],"idempotency_key":"a b",` +
		`"correlation_id":"req-1","x":1}`
	fields := []string{"/customer_id", "/items/0/product_id", "/items/0/qty", "/items/0/z", "/idempotency_key", "/x"}
	required := []string{"/customer_id", "/items", "/idempotency_key"}
	for name, bad := range map[string]struct {
		body   string
		status int
		code   string
		fields []string
	}{
		"missing fields": {`{"correlation_id":"req-1"}`, 400, "validation_failed", required},
		"every field":    {everyField, 400, "validation_failed", fields},
		"long key":       {withKey(strings.Repeat("k", 256)), 400, "validation_failed", []string{"/idempotency_key"}},
		"empty key":      {withKey(""), 400, "validation_failed", []string{"/idempotency_key"}},
		"malformed":      {`{"correlation_id":"req-1"`, 400, "malformed_json", nil},
		"too large":      {strings.Repeat(" ", 2<<20), 413, "payload_too_large", nil},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, header := post(t, base, bad.body)
			webtest.WantError(t, status, body, bad.status, bad.code, bad.fields...)
			var e struct{ CorrelationID string }
			if json.Unmarshal(body, &e); e.CorrelationID == "" ||
				e.CorrelationID != header.Get(correlation.Header) {
				t.Errorf("%s with header %q", body, header.Get(correlation.Header))
			}
			if bad.code == "validation_failed" && e.CorrelationID != "req-1" {
				t.Errorf("not the caller's correlation id: %s", body)
			}
		})
	}
	// TestKeyInHeader tests headers with the key of the body.
	t.Run("another key in a header", func(t *testing.T) {
		for _, header := range [][]string{
			{"X-Idempotency-Key", "key-2"}, {"Idempotency-Key", "key-2"}, {"Idempotency-Key", `"key-2"`},
			{"X-Idempotency-Key", `"key-1"`}, {"X-Idempotency-Key", "key-1", "Idempotency-Key", "key-2"},
			{"X-Idempotency-Key", "two words"}, {"Idempotency-Key", `""`},
		} {
			status, body, _ := post(t, base, sample, header...)
			webtest.WantError(t, status, body, 400, "validation_failed", "/header/X-Idempotency-Key")
		}
		status, body, _ := post(t, base, sample, "Idempotency-Key", `"key-1`)
		webtest.WantError(t, status, body, 400, "validation_failed", "/header/Idempotency-Key")
	})
	t.Run("bad correlation id", func(t *testing.T) {
		status, body, _ := post(t, base, strings.Replace(sample, "req-1", "two words", 1))
		webtest.WantError(t, status, body, 400, "validation_failed", "/correlation_id")
	})
	t.Run("unsupported_media_type", func(t *testing.T) {
		status, body, _ := webtest.Do(t, "POST", base+path, sample)
		webtest.WantError(t, status, body, 415, "unsupported_media_type")
	})
	t.Run("unknown path and method", func(t *testing.T) {
		status, body, _ := webtest.Do(t, "GET", base+"/orchestrator", "")
		webtest.WantError(t, status, body, 404, "not_found")
		status, body, header := webtest.Do(t, "DELETE", base+path, "")
		webtest.WantError(t, status, body, 405, "method_not_allowed")
		if header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("Allow: %q", header.Get("Allow"))
		}
	})
	if len(p.calls) != 0 {
		t.Errorf("bad requests reached %v", p.calls)
	}
}

// TestReadyNeedsPeers checks that /ready answers 503 when the Customers API or the Orders API is not ready,
// or does not answer. After a single 503, which an instance that stops may send, /ready must ask again.
func TestReadyNeedsPeers(t *testing.T) {
	stopping := func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	base := serve(t, &peers{t: t, instead: map[string][]fault{readyStep: {stopping}}}, time.Minute)
	if status, body, _ := webtest.Do(t, "GET", base+"/ready", ""); status != http.StatusOK {
		t.Errorf("an instance stops: %d %s", status, body)
	}
	for name, missing := range map[string][]fault{
		"not ready": slices.Repeat([]fault{stopping}, 10), // both peers get five requests each
		"no answer": {lost},
	} {
		base := serve(t, &peers{t: t, instead: map[string][]fault{readyStep: missing}}, time.Minute)
		status, body, _ := webtest.Do(t, "GET", base+"/ready", "")
		webtest.WantError(t, status, body, 503, "unavailable")
		if status, body, _ = webtest.Do(t, "GET", base+"/ready", ""); status != http.StatusOK {
			t.Errorf("%s, and ready again: %d %s", name, status, body)
		}
	}
}

// TestReadinessIsShared calls /ready ten times while a peer does not answer. The calls must share one request
// to the peer, or two requests when the first request takes too long.
func TestReadinessIsShared(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{}, 100)
	silent := func(http.ResponseWriter) {
		asked <- struct{}{}
		<-release
	}
	p := &peers{instead: map[string][]fault{readyStep: slices.Repeat([]fault{silent}, 100)}}
	base := serve(t, p, time.Minute)
	// This runs before the Close of the peer, which waits until all requests have an answer.
	t.Cleanup(func() { close(release) })
	impatient := http.Client{Timeout: 50 * time.Millisecond}
	for range 10 {
		if res, err := impatient.Get(base + "/ready"); err == nil {
			t.Errorf("%s", res.Status)
		}
	}
	if n := len(asked); n < 1 || n > 2 {
		t.Errorf("the peer was asked %d times", n)
	}
}

func TestHealthReadyAndStartPage(t *testing.T) {
	base := serve(t, &peers{t: t}, time.Minute)
	for _, path := range []string{"/health", "/ready"} {
		if status, body, _ := webtest.Do(t, "GET", base+path, ""); status != 200 ||
			!strings.Contains(string(body), `"service":"orchestrator"`) {
			t.Errorf("%d %s", status, body)
		}
	}
	status, body, _ := webtest.Do(t, "GET", base+"/", "")
	for _, link := range []string{`"/docs"`, `"http://127.0.0.1:3001/docs"`, `"https://api.example.com/orders/docs"`} {
		if status != 200 || !strings.Contains(string(body), link) {
			t.Errorf("%d, no link to %s: %s", status, link, body)
		}
	}
	if strings.Contains(string(body), "localhost") ||
		!strings.Contains(string(body), "curl -X POST "+base+"/orchestrator/") {
		t.Errorf("the sample code does not call %s: %s", base, body)
	}
	if strings.Contains(string(body), "<script>") || regexp.MustCompile(`<[^>]* on\w+=`).Match(body) {
		t.Errorf("a script that a Content-Security-Policy forbids: %s", body)
	}
	for _, id := range []string{"curl", "typescript", "python", "go", "java"} {
		code := regexp.MustCompile(`(?s)id="` + id + `".*?<code>(.*?)</code></pre>`).FindStringSubmatch(string(body))
		if code == nil || !strings.Contains(code[1], "FIRST-ORDER") || !strings.Contains(code[1], base) {
			t.Errorf("%s: no order with a key at this address: %q", id, code)
		}
	}
	for path, want := range map[string]string{
		"/start/start.js": "idempotency_key", "/start/start.css": "light-dark",
		"/postman/collection.json":  "{{orchestratorBase}}/orchestrator/create-and-confirm-order",
		"/postman/environment.json": base,
	} {
		if status, body, _ := webtest.Do(t, "GET", base+path, ""); status != 200 ||
			!strings.Contains(string(body), want) {
			t.Errorf("%s: %d, without %q", path, status, want)
		}
	}
	for _, link := range []string{"/openapi/all.yaml", "/openapi/all.json"} {
		if !strings.Contains(string(body), `"`+link+`"`) {
			t.Errorf("no link to %s: %s", link, body)
		}
	}
	if status, _, header := webtest.Do(t, "HEAD", base+"/", ""); status != 200 ||
		header.Get("Content-Length") != fmt.Sprint(len(body)) {
		t.Errorf("HEAD: %d %v", status, header)
	}
}

// TestCurrency checks that the documents and the start page show the currency of the deployment, or USD.
func TestCurrency(t *testing.T) {
	for set, want := range map[string]string{"": "USD", "EUR": "EUR"} {
		o := webtest.Options()
		o.Currency = set
		base := serveWith(t, &peers{}, o)
		for path, text := range map[string]string{
			"/": `data-currency="` + want + `"`, "/openapi.yaml": "  x-currency: " + want + "\n",
			"/openapi.json": `"x-currency":"` + want + `"`, "/openapi/all.yaml": "  x-currency: " + want + "\n",
			"/openapi/all.json": `"x-currency":"` + want + `"`,
		} {
			status, body, _ := webtest.Do(t, "GET", base+path, "")
			if status != 200 || strings.Count(string(body), text) != 1 {
				t.Errorf("%s: %d, not once %q", path, status, text)
			}
		}
	}
}

// TestJoinedDocument checks that the joined OpenAPI document has all operations of all services, unchanged,
// each with the address of its service.
func TestJoinedDocument(t *testing.T) {
	base := serve(t, &peers{}, time.Minute)
	want := map[string]string{} // the operation as JSON, by method and address
	for _, d := range documents.All {
		at := strings.Replace(d.Address, "localhost", "127.0.0.1", 1)
		switch d.Service {
		case "orders":
			at = "https://api.example.com/orders"
		case "orchestrator":
			at = base
		}
		own, _ := docs.Served(d.Content, true, "")
		for path, item := range webtest.Spec(t, own).Paths.Map() {
			for method, operation := range item.Operations() {
				if path != "/health" && path != "/ready" {
					want[method+" "+at+path] = asJSON(t, item.Parameters) + asJSON(t, operation)
				}
			}
		}
	}
	for _, name := range []string{"all.yaml", "all.json"} {
		status, body, header := webtest.Do(t, "GET", base+"/openapi/"+name, "")
		if status != 200 || header.Get("Content-Type") != "application/"+strings.TrimPrefix(name, "all.") {
			t.Fatalf("%s: %d %v", name, status, header)
		}
		if strings.Contains(string(body), "://localhost:") {
			t.Errorf("%s has an address of another process", name)
		}
		spec := webtest.Spec(t, body)
		if err := spec.Validate(t.Context()); err != nil || spec.Info.Version != buildinfo.Version() {
			t.Errorf("%s: version %s, %v", name, spec.Info.Version, err)
		}
		got := map[string]string{}
		for path, item := range spec.Paths.Map() {
			for method, operation := range item.Operations() {
				got[method+" "+item.Servers[0].URL+path] = asJSON(t, item.Parameters) + asJSON(t, operation)
			}
		}
		for at := range want {
			if got[at] != want[at] {
				t.Errorf("%s: %s is %.300s, want %.300s", name, at, got[at], want[at])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s has %d operations, want %d", name, len(got), len(want))
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

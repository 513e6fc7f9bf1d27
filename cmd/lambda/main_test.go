package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/function"
	"example.com/b2b/v2/internal/function/functiontest"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/ordersapi"
)

const (
	token    = "service-token-of-the-test-in-production"
	secret   = "jwt-secret-of-the-test-in-production"
	endpoint = "/orchestrator/create-and-confirm-order"
)

// The sample request of the contract, and its answer.
const (
	sampleOrder = `{"customer_id": 1, "items": [{"product_id": 2, "qty": 3}],
		"idempotency_key": "order-2024-001", "correlation_id": "req-12345"}`
	sampleAnswer = `{"success": true, "correlationId": "req-12345", "data": {
		"customer": {"id": 1, "name": "ACME Corporation", "email": "ops@acme.com", "phone": "+1-555-0100"},
		"order": {"id": 5, "status": "CONFIRMED", "total_cents": 389700,
			"items": [{"product_id": 2, "sku": "LAPTOP-HP-2024", "name": "HP EliteBook 840", "qty": 3,
				"unit_price_cents": 129900, "subtotal_cents": 389700}]}}}`
)

func TestMain(m *testing.M) {
	webtest.Forbid(token, secret)
	functiontest.Main(m)
}

// request is a request to a gateway; each kind of gateway turns the request into an event of its own.
type request struct {
	// path and query in the encoding in which the caller sends them
	method, path, query, body string
	headers                   map[string]string
	base64                    bool
}

var partner = auth.Principal{Subject: "acme", Customer: 1, Scope: "orders:read orders:write"}

func order(body string) request {
	jwt, err := auth.Tokens{Secrets: []string{secret}}.Issue(partner, time.Hour)
	if err != nil {
		panic(err)
	}
	return request{
		method: "POST", path: endpoint, body: body,
		headers: map[string]string{"content-type": "application/json", "authorization": "Bearer " + jwt},
	}
}

type object = map[string]any

// kinds has, for each kind of gateway, the function that turns a request into an event. Events of an ALB have
// the field elb in their context.
var kinds = map[string]func(request) object{
	"rest_v1": func(r request) object {
		return r.event(object{"resource": "/{proxy+}", "httpMethod": r.method, "path": r.path,
			"headers": r.headers, "multiValueHeaders": several(r.headers), "queryStringParameters": nil,
			"requestContext": object{
				"stage": "v1", "path": "/v1" + r.path, "httpMethod": r.method,
				"domainName": "api.example.com", "identity": object{"sourceIp": "192.0.2.1"},
			}})
	},
	"http_v2": func(r request) object {
		return r.event(object{"version": "2.0", "routeKey": "$default", "rawPath": r.path, "rawQueryString": "",
			"headers": r.headers,
			"requestContext": object{
				"stage": "$default", "domainName": "api.example.com",
				"http": object{
					"method": r.method, "path": r.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
				},
			}})
	},
	"alb": func(r request) object {
		return r.event(object{"httpMethod": r.method, "path": r.path, "headers": r.headers,
			"queryStringParameters": object{}, "requestContext": loadBalancer})
	},
	"alb_multi_value": func(r request) object {
		return r.event(object{"httpMethod": r.method, "path": r.path, "multiValueHeaders": several(r.headers),
			"multiValueQueryStringParameters": object{}, "requestContext": loadBalancer})
	},
}

var loadBalancer = object{"elb": object{
	"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/b2b/1",
}}

func (r request) event(e object) object {
	e["body"], e["isBase64Encoded"] = r.body, r.base64
	if r.base64 {
		e["body"] = base64.StdEncoding.EncodeToString([]byte(r.body))
	}
	return e
}

func several(headers map[string]string) map[string][]string {
	m := map[string][]string{}
	for name, value := range headers {
		m[name] = []string{value}
	}
	return m
}

// start runs the function with the environment variables until the test ends.
func start(t testing.TB, variables ...string) gateway {
	return gateway{functiontest.Start(t, functiontest.Bootstrap, variables...)}
}

// gateway turns requests into events of a function.
type gateway struct{ *functiontest.Function }

type answer struct {
	StatusCode        int
	Headers           map[string]string
	MultiValueHeaders http.Header
	Body              string
	IsBase64Encoded   bool
}

// send sends a request through a gateway of the kind, and returns the gateway's answer.
func (g gateway) send(t testing.TB, kind string, r request) answer {
	t.Helper()
	res := g.Invoke(t, kinds[kind](r))
	var a answer
	if err := json.Unmarshal(res.Body, &a); err != nil || res.Failed || a.IsBase64Encoded {
		t.Fatalf("failed %t: %s: %v", res.Failed, res.Body, err)
	}
	if single := kind == "http_v2" || kind == "alb"; single != (a.MultiValueHeaders == nil) {
		t.Errorf("headers in a field that %s ignores: %s", kind, res.Body)
	} else if !single {
		a.Headers = map[string]string{}
		for name := range a.MultiValueHeaders {
			a.Headers[name] = a.MultiValueHeaders.Get(name)
		}
	}
	if a.Headers["X-Correlation-Id"] == "" || !strings.HasPrefix(a.Headers["Content-Type"], "application/json") {
		t.Errorf("headers: %v", a.Headers)
	}
	return a
}

// expectError compares the answer with the error envelope, a status and a code.
func (a answer) expectError(t *testing.T, status int, code string) {
	t.Helper()
	var e contract.ErrorBody
	if err := json.Unmarshal([]byte(a.Body), &e); err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	if a.StatusCode != status || string(e.Code) != code || e.Success || e.Error == "" ||
		*e.CorrelationID != a.Headers["X-Correlation-Id"] {
		id := a.Headers["X-Correlation-Id"]
		t.Errorf("%d %s; want %d %s with correlationId %s", a.StatusCode, a.Body, status, code, id)
	}
}

func expectSampleAnswer(t testing.TB, a answer) {
	t.Helper()
	var got, want any
	if err := json.Unmarshal([]byte(sampleAnswer), &want); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal([]byte(a.Body), &got)
	if a.StatusCode != http.StatusCreated || !reflect.DeepEqual(got, want) ||
		a.Headers["X-Correlation-Id"] != "req-12345" {
		t.Errorf("%d %v\n%s", a.StatusCode, a.Headers, a.Body)
	}
}

// peers is a Customers API and an Orders API with the data of the sample order only.
type peers struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string // each with method, path, token, X-Acting-For, correlation id, idempotency key
	spans []string // the header traceparent of each call
}

func newPeers(t testing.TB) *peers {
	phone, when := "+1-555-0100", time.Date(2024, 3, 1, 9, 30, 0, 0, time.UTC)
	createdAt := contract.Time{Time: when}
	customer := customersapi.CustomerResponse{Success: true, Data: customersapi.Customer{
		ID: 1, Name: "ACME Corporation", Email: "ops@acme.com", Phone: &phone, CreatedAt: createdAt,
	}}
	created := ordersapi.OrderResponse{Success: true, Data: ordersapi.Order{
		OrderSummary: ordersapi.OrderSummary{
			ID: 5, CustomerID: 1, Status: contract.CREATED, TotalCents: 389700, CreatedAt: createdAt,
		},
		Items: []contract.OrderItem{{
			ProductID: 2, Sku: "LAPTOP-HP-2024", Name: "HP EliteBook 840", Qty: 3,
			UnitPriceCents: 129900, SubtotalCents: 389700,
		}},
	}}
	confirmed := created
	confirmed.Data.Status, confirmed.Data.ConfirmedAt = contract.CONFIRMED, &contract.Time{Time: when}

	p := new(peers)
	mux := http.NewServeMux()
	handle := func(pattern string, status int, body any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			p.mu.Lock()
			defer p.mu.Unlock()
			call := r.Method + " " + r.URL.RequestURI()
			for _, name := range []string{
				"Authorization", auth.ActingForHeader, "X-Correlation-Id", "X-Idempotency-Key",
			} {
				call += " " + r.Header.Get(name)
			}
			p.calls = append(p.calls, strings.TrimSpace(call))
			p.spans = append(p.spans, r.Header.Get("traceparent"))
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(body)
		})
	}
	handle("GET /internal/customers/1", http.StatusOK, customer)
	handle("POST /orders", http.StatusCreated, created)
	handle("POST /orders/5/confirm", http.StatusOK, confirmed)
	handle("GET /idempotency-keys", http.StatusNotFound, contract.ErrorBody{
		Code: contract.IdempotencyKeyUnknown, Error: "Nothing has been done with this key.",
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// take returns the calls that the peers got since the last take.
func (p *peers) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := p.calls
	p.calls = nil
	return calls
}

// traces returns the headers traceparent of all calls.
func (p *peers) traces() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spans
}

func environment(base string) []string {
	return []string{
		"CUSTOMERS_API_BASE=" + base, "ORDERS_API_BASE=" + base, "SERVICE_TOKEN=" + token, "JWT_SECRET=" + secret,
	}
}

func TestFunction(t *testing.T) {
	p := newPeers(t)
	g := start(t, environment(p.URL)...)
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			p.take()
			expectSampleAnswer(t, g.send(t, kind, order(sampleOrder)))
			identity := "Bearer " + token + " " + partner.ActingFor()
			want := []string{
				"GET /internal/customers/1 " + identity + " req-12345",
				"POST /orders " + identity + " req-12345 order-2024-001",
				"POST /orders/5/confirm " + identity + " req-12345 order-2024-001",
			}
			if calls := p.take(); !slices.Equal(calls, want) {
				t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(calls, "\n"), strings.Join(want, "\n"))
			}

			encoded := order(sampleOrder)
			encoded.base64 = true
			expectSampleAnswer(t, g.send(t, kind, encoded))

			anonymous := order(sampleOrder)
			delete(anonymous.headers, "authorization")
			g.send(t, kind, anonymous).expectError(t, http.StatusUnauthorized, "unauthorized")

			bad := order(`{"customer_id": 0, "items": [], "idempotency_key": "k"}`)
			bad.headers["x-correlation-id"] = "of-the-header"
			a := g.send(t, kind, bad)
			a.expectError(t, http.StatusBadRequest, "validation_failed")
			if a.Headers["X-Correlation-Id"] != "of-the-header" || !strings.Contains(a.Body, "/customer_id") ||
				!strings.Contains(a.Body, "/items") {
				t.Errorf("%v %s", a.Headers, a.Body)
			}

			get := func(path string) answer { return g.send(t, kind, request{method: "GET", path: path}) }
			get("/nowhere").expectError(t, http.StatusNotFound, "not_found")
			get("/").expectError(t, http.StatusNotFound, "not_found") // the function has no start page
			get("/50%").expectError(t, http.StatusNotFound, "not_found")
			g.send(t, kind, request{method: "DELETE", path: endpoint}).
				expectError(t, http.StatusMethodNotAllowed, "method_not_allowed")
		})
	}
}

func TestFunctionUnknownEvent(t *testing.T) {
	g := start(t, environment("http://localhost:1")...)
	schedule := object{"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": object{}}
	for name, event := range map[string]any{
		"schedule":    schedule,
		"direct_call": json.RawMessage(sampleOrder),
		"not_http_v2": object{"version": "2.0"},
		"only_elb":    object{"requestContext": object{"elb": object{}}},
		"wrong_types": object{"httpMethod": "GET", "path": 1},
		"list":        []int{1},
		"null":        nil,
	} {
		t.Run(name, func(t *testing.T) {
			r := g.Invoke(t, event)
			if !r.Failed ||
				!strings.Contains(string(r.Body), "neither of API Gateway nor of an Application Load Balancer") {
				t.Errorf("failed %t: %s", r.Failed, r.Body)
			}
		})
	}
}

// TestEventsByExactName checks that the function reads the fields of an event by their exact names only, and
// refuses an event that has a field twice.
func TestEventsByExactName(t *testing.T) {
	p := newPeers(t)
	g := start(t, environment(p.URL)...)
	tokens := auth.Tokens{Secrets: []string{secret}}
	mallory := auth.Principal{Subject: "mallory", Customer: 2, Scope: "orders:write"}
	token, err := tokens.Issue(mallory, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for kind, event := range kinds {
		t.Run(kind, func(t *testing.T) {
			text, err := json.Marshal(event(order(sampleOrder)))
			if err != nil {
				t.Fatal(err)
			}
			others := `"Headers":{"authorization":"Bearer ` + token + `"},` +
				`"MULTIVALUEHEADERS":{"authorization":["Bearer ` + token + `"]},` +
				`"Body":"{}","PATH":"/","RAWPATH":"/","VERSION":"1.0","HTTPMETHOD":"GET"`
			r := g.Invoke(t, json.RawMessage(strings.TrimSuffix(string(text), "}")+","+others+"}"))
			var a answer
			if err := json.Unmarshal(r.Body, &a); err != nil || a.StatusCode != http.StatusCreated {
				t.Errorf("names in capitals: failed %t %s", r.Failed, r.Body)
			}
			r = g.Invoke(t, json.RawMessage("{"+others+`,"headers":{},"body":"",`+string(text[1:])))
			if !r.Failed || !strings.Contains(string(r.Body), "neither of API Gateway nor") {
				t.Errorf("names twice: failed %t %s", r.Failed, r.Body)
			}
		})
	}
}

// TestFunctionDeadline checks that the function answers before Lambda's deadline when another service does
// not answer. After the deadline, the gateway would answer 502.
func TestFunctionDeadline(t *testing.T) {
	t.Run("no_answer", func(t *testing.T) {
		hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		silent := httptest.NewServer(http.HandlerFunc(hang))
		t.Cleanup(silent.Close)
		g := start(t, append(environment(silent.URL), "REQUEST_TIMEOUT_SECONDS=300",
			"AWS_LAMBDA_FUNCTION_TIMEOUT=2")...)
		a := g.send(t, "http_v2", order(sampleOrder))
		// 504 means that the time is over; 503 would mean that all tries failed while there was time.
		a.expectError(t, http.StatusGatewayTimeout, "upstream_unavailable")
		a = g.send(t, "http_v2", request{method: "GET", path: "/health"})
		if a.StatusCode != http.StatusOK { // the same process goes on: Lambda has not killed it
			t.Errorf("afterwards: %+v", a)
		}
	})
	t.Run("refused", func(t *testing.T) {
		gone := httptest.NewServer(nil)
		gone.Close()
		g := start(t, environment(gone.URL)...)
		a := g.send(t, "rest_v1", order(sampleOrder))
		a.expectError(t, http.StatusServiceUnavailable, "upstream_unavailable")
	})
	t.Run("reserve", func(t *testing.T) {
		want := time.Now().Add(time.Hour)
		ctx, cancel := context.WithDeadline(t.Context(), want)
		defer cancel()
		gin.SetMode(gin.ReleaseMode)
		for kind, event := range kinds {
			var got time.Time
			engine := gin.New()
			engine.GET("/", func(c *gin.Context) { got, _ = c.Request.Context().Deadline() })
			raw, _ := json.Marshal(event(request{method: "GET", path: "/"}))
			if _, err := function.OfEvents(engine, "")(ctx, raw); err != nil ||
				!got.Equal(want.Add(-function.DeadlineReserve)) {
				t.Errorf("%s: %v, deadline %s before Lambda's", kind, err, want.Sub(got))
			}
		}
	})
}

func TestFunctionBadConfiguration(t *testing.T) {
	good := environment("http://localhost:1")
	for name, variables := range map[string][]string{
		"CUSTOMERS_API_BASE":      good[1:],
		"ORDERS_API_BASE":         append(good[:1:1], good[2:]...),
		"SERVICE_TOKEN":           append(good[:2:2], good[3]),
		"JWT_SECRET":              good[:3],
		"AUTH_MODE":               append([]string{"AUTH_MODE=open"}, good...),
		"REQUEST_TIMEOUT_SECONDS": append([]string{"REQUEST_TIMEOUT_SECONDS=soon"}, good...),
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(functiontest.Bootstrap)
			cmd.Env = append(slices.Clone(variables), "AWS_LAMBDA_RUNTIME_API=localhost:1")
			var stderr strings.Builder
			cmd.Stderr = &stderr
			var exit *exec.ExitError
			if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("ended with %v", err)
			}
			if line := stderr.String(); strings.Count(line, "\n") != 1 || !strings.Contains(line, name) {
				t.Errorf("stderr: %q", line)
			}
		})
	}
}

// TestFunctionLinksNoDatabase checks that the function contains no code of a database.
func TestFunctionLinksNoDatabase(t *testing.T) {
	deps, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dep := range strings.Lines(string(deps)) {
		for _, database := range []string{"gorm", "sqlite", "mysql", "b2b/db"} {
			if strings.Contains(dep, database) {
				t.Errorf("links %s", dep)
			}
		}
	}
}

func TestZip(t *testing.T) {
	var archives [2][]byte
	for i := range archives {
		archive := filepath.Join(t.TempDir(), "lambda.zip")
		zip := exec.Command("go", "tool", "build-lambda-zip", "-o", archive, functiontest.Bootstrap)
		if out, err := zip.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		archives[i], _ = os.ReadFile(archive)
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the same bootstrap makes different archives")
	}
	z, err := zip.NewReader(bytes.NewReader(archives[0]), int64(len(archives[0])))
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode()&0o111 != 0o111 {
		t.Fatalf("%d files, the first %s %s", len(z.File), z.File[0].Mode(), z.File[0].Name)
	}
	f, err := z.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	packed, err := io.ReadAll(f)
	if want, _ := os.ReadFile(functiontest.Bootstrap); err != nil || !bytes.Equal(packed, want) {
		t.Errorf("the zip does not contain the bootstrap (%v)", err)
	}
}

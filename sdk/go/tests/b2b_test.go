package tests

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/documents"
	"example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/ordersapi"
	b2b "example.com/b2b/v2/sdk/go"
	_ "example.com/b2b/v2/test/live" // makes go test run again after a change of the services
)

var (
	binary string // path of the program b2b
	// Addresses of the Customers API, the Orders API, the Orchestrator and the Events API.
	addresses []string
)

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "b2b-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "b2b")
	build := exec.Command("go", "build", "-o", binary, "example.com/b2b/v2/cmd/b2b")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	var stop func()
	addresses, stop = start(folder)
	defer stop()
	m.Run()
}

// start runs b2b in a folder and returns its addresses.
func start(folder string, env ...string) (addresses []string, stop func()) {
	cmd := exec.Command(binary)
	cmd.Dir = folder
	cmd.Env = append(env, "LOG_LEVEL=error")
	for _, d := range documents.All {
		cmd.Env = append(cmd.Env, strings.ToUpper(d.Service)+"_PORT=0")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	at := map[string]string{}
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.HasPrefix(lines.Text(), "Try: "); {
		started := regexp.MustCompile(`^(Customers API|Orders API|Events API|Orchestrator) +(http:\S+)`)
		if m := started.FindStringSubmatch(lines.Text()); m != nil {
			at[m[1]] = m[2]
		}
	}
	addresses = []string{at["Customers API"], at["Orders API"], at["Orchestrator"], at["Events API"]}
	go io.Copy(io.Discard, out)
	return addresses, func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

// step says how a proxy treats a request.
type step struct {
	name   string // one of pass, close, drop, cut, hang and answer
	status int
	header http.Header
	body   string
	done   func() // a proxy that hangs calls this function first
}

var (
	pass   = step{name: "pass"}
	closed = step{name: "close"} // closes the connection, and does not call the service
	drop   = step{name: "drop"}  // calls the service, but closes the connection without the answer
	cut    = step{name: "cut"}   // calls the service, but closes the connection after half of the answer
	hang   = step{name: "hang"}  // calls the service, but never answers
)

func refuse(status int, retryAfter string) step {
	return answer(status, `{"success": false, "error": "Not now.", "code": "unavailable"}`, "Retry-After", retryAfter)
}

func answer(status int, body string, header ...string) step {
	s := step{name: "answer", status: status, body: body, header: http.Header{"Content-Type": {"application/json"}}}
	for pair := range slices.Chunk(header, 2) {
		s.header.Set(pair[0], pair[1])
	}
	return s
}

// proxy forwards requests to a service. Each request takes the next step of the plan, or passes when no step
// is left.
type proxy struct {
	*httptest.Server
	mu   sync.Mutex
	plan []step
	seen []*http.Request // requests since the last call of plans, each with its body
}

func newProxy(t *testing.T, target string) *proxy {
	p := &proxy{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		next := pass
		if len(p.plan) > 0 {
			next, p.plan = p.plan[0], p.plan[1:]
		}
		seen := r.Clone(context.Background())
		seen.Body = io.NopCloser(bytes.NewReader(content))
		p.seen = append(p.seen, seen)
		p.mu.Unlock()
		switch next.name {
		case "close":
			panic(http.ErrAbortHandler)
		case "answer":
			for name := range next.header {
				w.Header().Set(name, next.header.Get(name))
			}
			w.WriteHeader(next.status)
			io.WriteString(w, next.body)
			return
		}
		forward, err := http.NewRequest(r.Method, target+r.URL.RequestURI(), bytes.NewReader(content))
		if err != nil {
			t.Error(err)
			return
		}
		forward.Header = r.Header
		res, err := http.DefaultTransport.RoundTrip(forward)
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		content, err = io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		switch next.name {
		case "drop":
			panic(http.ErrAbortHandler)
		case "hang":
			if next.done != nil {
				next.done()
			}
			<-r.Context().Done()
			return
		}
		for name, values := range res.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(res.StatusCode)
		if next.name == "cut" {
			w.Write(content[:len(content)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		w.Write(content)
	}))
	// On a connection that is kept alive, net/http would repeat requests by itself.
	p.Config.SetKeepAlivesEnabled(false)
	p.Start()
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) plans(steps ...step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.seen = steps, nil
}

// keys returns the idempotency keys of all requests since the last call of plans. A request has its key in
// the header or in the body.
func (p *proxy) keys(t *testing.T) (keys []string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.seen {
		var body struct {
			Key string `json:"idempotency_key"`
		}
		if r.Header.Get("Content-Type") != "" {
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
		}
		keys = append(keys, r.Header.Get("X-Idempotency-Key")+body.Key)
	}
	return keys
}

// one checks the number of requests since the last call of plans, and that all of them have the same
// idempotency key. It returns the key.
func (p *proxy) one(t *testing.T, requests int) string {
	t.Helper()
	keys := p.keys(t)
	if len(keys) != requests || keys[0] == "" || len(slices.Compact(slices.Clone(keys))) != 1 {
		t.Fatalf("%d requests with keys %q", len(keys), keys)
	}
	return keys[0]
}

// fixture is a client of the SDK that calls the services through proxies. It has a new customer, and a new
// product with a stock of 100 and a price of 9,999,999.37.
type fixture struct {
	*b2b.Client
	customers, orders, orchestrator *proxy
	customer, product               int64
}

var made int

func newFixture(t *testing.T, change ...func(*b2b.Options)) *fixture {
	t.Helper()
	f := &fixture{customers: newProxy(t, addresses[0]), orders: newProxy(t, addresses[1]),
		orchestrator: newProxy(t, addresses[2])}
	o := b2b.Options{Customers: f.customers.URL, Orders: f.orders.URL, Orchestrator: f.orchestrator.URL}
	for _, c := range change {
		c(&o)
	}
	f.Client = must(b2b.New(o))(t)
	made++
	customer := must(f.Customers.CreateCustomerWithResponse(t.Context(), nil,
		customersapi.CustomerRequest{Name: "A test", Email: fmt.Sprintf("test-%d@example.com", made)}))(t)
	f.customer = customer.JSON201.Data.ID
	f.product = f.newProduct(t, fmt.Sprintf("TEST-%d", made))
	return f
}

func (f *fixture) newProduct(t *testing.T, sku string) int64 {
	t.Helper()
	product := ordersapi.ProductRequest{Sku: sku, Name: "A test", PriceCents: 999_999_937, Stock: 100}
	return must(f.Orders.CreateProductWithResponse(t.Context(), nil, product))(t).JSON201.Data.ID
}

func (f *fixture) items(qty int64) []contract.OrderItemRequest {
	return []contract.OrderItemRequest{{ProductID: &f.product, Qty: qty}}
}

func (f *fixture) newOrder(qty int64) ordersapi.OrderRequest {
	return ordersapi.OrderRequest{CustomerID: f.customer, Items: f.items(qty)}
}

// ordersAre checks the ids of the customer's orders, in the order of the list.
func (f *fixture) ordersAre(t *testing.T, want ...int64) {
	t.Helper()
	var got []int64
	for order, err := range f.ListOrders(t.Context(), ordersapi.ListOrdersParams{CustomerID: &f.customer}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, order.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the orders are %d, not %d", got, want)
	}
}

func (f *fixture) stockIs(t *testing.T, want int64) {
	t.Helper()
	if got := must(f.Orders.GetProductWithResponse(t.Context(), f.product, nil))(t).JSON200.Data.Stock; got != want {
		t.Errorf("the stock is %d, not %d", got, want)
	}
}

// must returns a function that returns the value v, or ends the test when err is not nil.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// failure returns a function for the error of a call. The function checks that the error is an *Error with
// the given code, status and Retryable, and returns the Error.
func failure[T any](_ T, err error) func(t *testing.T, code contract.ErrorCode, status int, retryable bool) *b2b.Error {
	return func(t *testing.T, code contract.ErrorCode, status int, retryable bool) *b2b.Error {
		t.Helper()
		var e *b2b.Error
		if !errors.As(err, &e) {
			t.Fatalf("%v is no Error", err)
		}
		if e.Code != code || e.Status != status || e.Retryable != retryable || e.CorrelationID == "" {
			t.Fatalf("%+v is not %s, status %d, retryable %t", e, code, status, retryable)
		}
		return e
	}
}

func TestOneKeyOneOrder(t *testing.T) {
	f := newFixture(t)
	f.orders.plans(closed, drop, refuse(503, "0"), cut, refuse(502, ""), pass)
	res := must(f.Orders.CreateOrderWithResponse(t.Context(), &ordersapi.CreateOrderParams{}, f.newOrder(3)))(t)
	key := f.orders.one(t, 6)
	sent := res.HTTPResponse.Request.Header.Get("X-Idempotency-Key")
	if sent != key || res.HTTPResponse.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("key %q, headers %v", sent, res.HTTPResponse.Header)
	}
	f.ordersAre(t, res.JSON201.Data.ID)
	f.stockIs(t, 97)

	second := must(f.Orders.CreateOrderWithResponse(t.Context(), nil, f.newOrder(3)))(t)
	f.ordersAre(t, res.JSON201.Data.ID, second.JSON201.Data.ID)
	f.stockIs(t, 94)
}

func TestCreateAndConfirmOrder(t *testing.T) {
	f := newFixture(t)
	f.orchestrator.plans(drop, cut, refuse(504, "0"), closed, pass)
	placed := must(f.CreateAndConfirmOrder(t.Context(),
		orchestratorapi.OrchestrationRequest{CustomerID: f.customer, Items: f.items(2)}))(t)
	f.orchestrator.one(t, 5)
	if placed.Order.Status != string(contract.CONFIRMED) {
		t.Errorf("the order is %s", placed.Order.Status)
	}
	f.ordersAre(t, placed.Order.ID)
	f.stockIs(t, 98)

	f.orchestrator.plans(drop, pass)
	again := orchestratorapi.OrchestrationRequest{CustomerID: f.customer, Items: f.items(2),
		IdempotencyKey: fmt.Sprintf(`po-%d"a/?#%%&+`, f.customer)}
	second := must(f.CreateAndConfirmOrder(t.Context(), again))(t)
	if key := f.orchestrator.one(t, 2); key != again.IdempotencyKey {
		t.Errorf("the key is %q", key)
	}
	report := must(f.Orchestrator.GetOrchestrationWithResponse(t.Context(), again.IdempotencyKey))(t)
	if report.JSON200.Data.Order.ID != second.Order.ID {
		t.Errorf("the key stands for %+v", report.JSON200.Data)
	}
	f.ordersAre(t, placed.Order.ID, second.Order.ID)
}

func TestEveryKeyedWrite(t *testing.T) {
	f := newFixture(t)
	id := must(f.Orders.CreateOrderWithResponse(t.Context(), nil, f.newOrder(2)))(t).JSON201.Data.ID

	f.orders.plans(drop, drop, pass)
	confirmed := must(f.Orders.ConfirmOrderWithResponse(t.Context(), id, nil))(t)
	f.orders.one(t, 3)
	f.orders.plans(drop, drop, pass)
	canceled := must(f.Orders.CancelOrderWithResponse(t.Context(), id, nil,
		ordersapi.Cancellation{Reason: new("a test")}))(t)
	f.orders.one(t, 3)
	f.orders.plans(drop, drop, pass)
	adjusted := must(f.Orders.AdjustStockWithResponse(t.Context(), f.product,
		&ordersapi.AdjustStockParams{XIdempotencyKey: new(fmt.Sprint("delivery-", f.product))},
		ordersapi.StockAdjustmentRequest{Delta: 40, Reason: "a test"}))(t)
	if key := f.orders.one(t, 3); key != fmt.Sprint("delivery-", f.product) {
		t.Errorf("the key is %q", key)
	}
	if confirmed.JSON200.Data.Status != contract.CONFIRMED ||
		canceled.JSON200.Data.Status != contract.CANCELED || adjusted.JSON201.Data.Level != 140 {
		t.Errorf("%s %s %s", confirmed.Body, canceled.Body, adjusted.Body)
	}
	f.stockIs(t, 140)
}

// TestEmptyKey sends empty idempotency keys, as a program does that forgets to set them. The service must
// refuse the calls. The client must not replace an empty key by a new key, because each repetition would then
// place another order.
func TestEmptyKey(t *testing.T) {
	f := newFixture(t)
	empty := ""
	draft := func(_ context.Context, r *http.Request) error { r.Header.Set("Idempotency-Key", empty); return nil }
	create := &ordersapi.CreateOrderParams{XIdempotencyKey: &empty}
	order := must(f.Orders.CreateOrderWithResponse(t.Context(), nil, f.newOrder(1)))(t).JSON201.Data
	for _, e := range []*b2b.Error{
		failure(f.Orders.CreateOrderWithResponse(t.Context(), create, f.newOrder(1)))(
			t, contract.ValidationFailed, 400, false),
		failure(f.Orders.CreateOrderWithResponse(t.Context(), nil, f.newOrder(1), draft))(
			t, contract.ValidationFailed, 400, false),
		failure(f.Orders.ConfirmOrderWithResponse(t.Context(), order.ID, &ordersapi.ConfirmOrderParams{}))(
			t, contract.ValidationFailed, 400, false),
	} {
		if e.IdempotencyKey != "" {
			t.Errorf("%+v has a key", e)
		}
	}
	f.ordersAre(t, order.ID)
}

func TestAllAnswersLost(t *testing.T) {
	f := newFixture(t)
	f.orders.plans(slices.Repeat([]step{drop}, 100)...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	lost := failure(f.Orders.CreateOrderWithResponse(ctx, nil, f.newOrder(1)))(t, b2b.NoAnswer, 0, true)
	if key := f.orders.keys(t)[0]; lost.IdempotencyKey != key || key == "" {
		t.Errorf("the key is %q, that of the error %q", key, lost.IdempotencyKey)
	}
	f.orders.plans()
	report := must(f.Orders.GetIdempotencyKeyWithResponse(t.Context(), lost.IdempotencyKey))(t).JSON200.Data
	repeated := must(f.Orders.CreateOrderWithResponse(t.Context(),
		&ordersapi.CreateOrderParams{XIdempotencyKey: &lost.IdempotencyKey}, f.newOrder(1)))(t)
	if stands := report.Operations[0].OrderID; stands == nil || *stands != repeated.JSON201.Data.ID {
		t.Errorf("the key stands for %v", stands)
	}
	f.ordersAre(t, repeated.JSON201.Data.ID)
}

func TestWriteWithoutKeyIsSentOnce(t *testing.T) {
	f := newFixture(t)
	for _, test := range []struct {
		step
		code   contract.ErrorCode
		status int
	}{{drop, b2b.NoAnswer, 0}, {closed, b2b.NoAnswer, 0}, {refuse(503, "0"), "unavailable", 503}} {
		f.customers.plans(test.step)
		update := customersapi.CustomerUpdate{Name: new("B test")}
		e := failure(f.Customers.UpdateCustomerWithResponse(t.Context(), f.customer, nil, update))(
			t, test.code, test.status, false)
		if keys := f.customers.keys(t); len(keys) != 1 || keys[0] != "" || e.IdempotencyKey != "" {
			t.Errorf("%s: keys %q", test.name, keys)
		}
	}
}

func TestTryTimeout(t *testing.T) {
	f := newFixture(t, func(o *b2b.Options) { o.TryTimeout = 300 * time.Millisecond })
	f.orders.plans(hang, pass)
	order := must(f.Orders.CreateOrderWithResponse(t.Context(), nil, f.newOrder(1)))(t)
	f.ordersAre(t, order.JSON201.Data.ID)
	if keys := f.orders.keys(t); len(keys) < 2 || keys[0] != keys[1] {
		t.Errorf("keys %q", keys)
	}
}

func TestCanceledCall(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.orders.plans(step{name: "hang", done: cancel})
	e := failure(f.Orders.CreateOrderWithResponse(ctx, nil, f.newOrder(1)))(t, b2b.NoAnswer, 0, true)
	if !errors.Is(e, context.Canceled) {
		t.Error(e)
	}
	f.orders.one(t, 1)
}

func TestRefusal(t *testing.T) {
	f := newFixture(t)
	named := func(_ context.Context, r *http.Request) error { r.Header.Set("X-Correlation-Id", "req-1"); return nil }
	for _, refused := range []*b2b.Error{
		failure(f.Orders.CreateOrderWithResponse(t.Context(), nil, f.newOrder(101), named))(
			t, contract.InsufficientStock, 400, false),
		failure(f.CreateAndConfirmOrder(t.Context(), orchestratorapi.OrchestrationRequest{
			CustomerID: f.customer, Items: f.items(101), CorrelationID: new("req-1"),
		}))(t, contract.InsufficientStock, 400, false),
	} {
		if refused.CorrelationID != "req-1" || refused.IdempotencyKey == "" ||
			len(refused.Details) != 1 || refused.Details[0].Field != "/items/0/qty" {
			t.Errorf("%+v", refused)
		}
	}
	one := &ordersapi.CreateOrderParams{XIdempotencyKey: new(fmt.Sprint("one-", f.customer))}
	first := must(f.Orders.CreateOrderWithResponse(t.Context(), one, f.newOrder(1)))(t)
	failure(f.Orders.CreateOrderWithResponse(t.Context(), one, f.newOrder(2)))(
		t, contract.IdempotencyKeyReused, 422, false)
	f.ordersAre(t, first.JSON201.Data.ID)

	etag := must(f.Orders.GetProductWithResponse(t.Context(), f.product, nil))(t).HTTPResponse.Header.Get("ETag")
	unchanged := &ordersapi.GetProductParams{IfNoneMatch: &etag}
	failure(f.Orders.GetProductWithResponse(t.Context(), f.product, unchanged))(t, b2b.NotModified, 304, false)
	ifMatch := &ordersapi.UpdateProductParams{IfMatch: &etag}
	must(f.Orders.UpdateProductWithResponse(t.Context(), f.product, ifMatch,
		ordersapi.ProductUpdate{Stock: new(int64(7))}))(t)
	failure(f.Orders.UpdateProductWithResponse(t.Context(), f.product, ifMatch,
		ordersapi.ProductUpdate{Stock: new(int64(8))}))(t, contract.PreconditionFailed, 412, false)
}

func TestAnswersOfSomebodyElse(t *testing.T) {
	f := newFixture(t)
	for _, s := range []step{
		answer(200, "<html>"), answer(200, "{}"), answer(404, "<html>"),
		answer(302, "", "Location", "/products/2"),
	} {
		f.orders.plans(s)
		failure(f.Orders.GetProductWithResponse(t.Context(), f.product, nil))(t, b2b.UnexpectedAnswer, s.status, false)
	}
}

func TestPages(t *testing.T) {
	f := newFixture(t)
	prefix := fmt.Sprintf("PAGED-%d-", f.customer)
	var want, got []string
	for i := range 5 {
		want = append(want, fmt.Sprint(prefix, i))
		f.newProduct(t, want[i])
	}
	list := ordersapi.ListProductsParams{Search: &prefix, Limit: new(int32(2))}
	f.orders.plans(pass, drop)
	for product, err := range f.ListProducts(t.Context(), list) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, product.Sku)
	}
	if !slices.Equal(got, want) || len(f.orders.seen) != 4 || list.Cursor != nil {
		t.Errorf("%q in %d requests", got, len(f.orders.seen))
	}
	f.orders.plans()
	for range f.ListProducts(t.Context(), list) {
		break
	}
	if len(f.orders.seen) != 1 {
		t.Errorf("%d requests for one product", len(f.orders.seen))
	}
	for product, err := range f.ListProducts(t.Context(), ordersapi.ListProductsParams{Limit: new(int32(1000))}) {
		failure(product, err)(t, contract.ValidationFailed, 400, false)
	}
	for event, err := range f.ListProductHistory(t.Context(), f.product, ordersapi.ListProductHistoryParams{}) {
		if err != nil || event.SubjectID != f.product {
			t.Errorf("%+v %v", event, err)
		}
	}
}

func TestWhatIsNew(t *testing.T) {
	f := newFixture(t)
	placed := must(f.Orders.CreateOrderWithResponse(t.Context(), nil, f.newOrder(97)))(t)
	if total := placed.JSON201.Data.TotalCents; total != 96_999_993_889 {
		t.Errorf("the total is %d", total)
	}
	const big = 1<<53 - 1
	f.orders.plans(answer(200, strings.NewReplacer(
		fmt.Sprintf(`"id":%d,`, placed.JSON201.Data.ID), fmt.Sprintf(`"id":%d,"novel":{"a":[1]},`, big),
		`"CREATED"`, `"TELEPORTED"`, "96999993889", fmt.Sprint(big),
	).Replace(string(placed.Body))))
	order := must(f.Orders.GetOrderWithResponse(t.Context(), big, nil))(t).JSON200.Data
	if order.ID != big || order.TotalCents != big || order.Status != "TELEPORTED" ||
		f.orders.seen[0].URL.Path != "/orders/9007199254740991" {
		t.Errorf("%+v", order)
	}
	f.orders.plans(answer(418, `{"success": false, "error": "New.", "code": "novel", "novel": 1}`))
	failure(f.Orders.GetOrderWithResponse(t.Context(), big, nil))(t, "novel", 418, false)
}

func TestToken(t *testing.T) {
	asked := 0
	f := newFixture(t)
	f.Client = must(b2b.New(b2b.Options{Orders: f.orders.URL, Token: func(context.Context) (string, error) {
		asked++
		return fmt.Sprint("token-", asked, "\n"), nil
	}}))(t)
	f.orders.plans(refuse(503, "0"), answer(200, product))
	must(f.Orders.GetProductWithResponse(t.Context(), 2, nil))(t)
	first := f.orders.seen[0].Header.Get("Authorization")
	second := f.orders.seen[1].Header.Get("Authorization")
	if first != "Bearer token-1" || second != "Bearer token-2" {
		t.Errorf("%s, %s", first, second)
	}
	f.Client = must(b2b.New(b2b.Options{Orders: f.orders.URL, Token: b2b.StaticToken("nonsense")}))(t)
	failure(f.Orders.GetProductWithResponse(t.Context(), 2, nil))(t, contract.Unauthorized, 401, false)
	broken := errors.New("no token")
	noToken := func(context.Context) (string, error) { return "", broken }
	f.Client = must(b2b.New(b2b.Options{Orders: f.orders.URL, Token: noToken}))(t)
	e := failure(f.Orders.GetProductWithResponse(t.Context(), 2, nil))(t, b2b.NoAnswer, 0, true)
	if !errors.Is(e, broken) {
		t.Error(e)
	}
}

// TestAddresses expects New to refuse addresses that no request can reach. Otherwise a client would repeat
// its calls until the deadline.
func TestAddresses(t *testing.T) {
	for _, address := range []string{"localhost:3002", "orders.example.com", "/orders", "http://", "ftp://localhost"} {
		c, err := b2b.New(b2b.Options{Orders: address})
		if err == nil || !strings.Contains(err.Error(), strconv.Quote(address)) {
			t.Errorf("%q: %v %v", address, c, err)
		}
	}
}

// TestUnsetAddress calls services whose addresses are not in the Options. The calls must fail at once, and
// the error must name the service. The error must not be an *Error, which would suggest that the service may
// have placed an order.
func TestUnsetAddress(t *testing.T) {
	c, err := b2b.New(b2b.Options{Deadline: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = c.CreateAndConfirmOrder(t.Context(), orchestratorapi.OrchestrationRequest{CustomerID: 1})
	if err == nil || !strings.Contains(err.Error(), "orchestrator") || errors.As(err, new(*b2b.Error)) {
		t.Error(err)
	}
	for _, err = range c.ExportOrders(t.Context(), ordersapi.ExportOrdersParams{}) {
		if err == nil || !strings.Contains(err.Error(), "service orders") || errors.As(err, new(*b2b.Error)) {
			t.Error(err)
		}
	}
	if time.Since(began) > time.Second {
		t.Error("the calls were repeated")
	}
}

// TestTokenOfACustomer calls services that require a token, first without a token, then with a token from the
// command b2b token.
func TestTokenOfACustomer(t *testing.T) {
	env := []string{"AUTH_MODE=jwt", "JWT_SECRET=a-secret-of-the-test-that-is-long-enough",
		"SERVICE_TOKEN=token-of-the-test"}
	strict, stop := start(t.TempDir(), env...)
	defer stop()
	orchestrator := newProxy(t, strict[2])
	o := b2b.Options{Customers: strict[0], Orders: strict[1], Orchestrator: orchestrator.URL}
	stranger := must(b2b.New(o))(t)
	order := orchestratorapi.OrchestrationRequest{CustomerID: 1,
		Items: []contract.OrderItemRequest{{ProductID: new(int64(2)), Qty: 1}}}
	failure(stranger.CreateAndConfirmOrder(t.Context(), order))(t, contract.Unauthorized, 401, false)

	command := exec.Command(binary, "token", "--sub", "acme", "--scope", "orders:read orders:write", "--customer", "1")
	command.Dir, command.Env = t.TempDir(), env
	o.Token = b2b.StaticToken(strings.TrimSpace(string(must(command.Output())(t))))
	partner := must(b2b.New(o))(t)
	orchestrator.plans(drop, refuse(503, "0"), pass)
	placed := must(partner.CreateAndConfirmOrder(t.Context(), order))(t)
	orchestrator.one(t, 3)
	visible := map[int64]int{}
	for order, err := range partner.ListOrders(t.Context(), ordersapi.ListOrdersParams{}) {
		if err != nil || order.CustomerID != 1 {
			t.Fatalf("%+v %v", order, err)
		}
		visible[order.ID]++
	}
	if visible[placed.Order.ID] != 1 {
		t.Errorf("%v", visible)
	}
	order.CustomerID = 2
	failure(partner.CreateAndConfirmOrder(t.Context(), order))(t, contract.Forbidden, 403, false)
	failure(partner.Customers.GetCustomerWithResponse(t.Context(), 1, nil))(t, contract.Forbidden, 403, false)
}

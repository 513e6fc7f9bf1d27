package orders_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
	"example.com/b2b/v2/orders"
)

// TestLinearizable checks that the service is linearizable. Clients call two instances of the service at the
// same time, for a few scarce products. Some answers are lost, and some lost calls are repeated. Afterwards
// the test searches for an order of all calls that explains the answers: a simple model in memory, with
// stock, orders and keys, must give the same answers when it executes the calls in this order. Each call must
// have its place between its start and its answer.
//
// Each round has two shops, with different products and partners. All clients call for both shops, and both
// shops use the same keys.
func TestLinearizable(t *testing.T) {
	const rounds, clients, calls = 12, 8, 12 // more calls make the check much slower
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		s, second := serve(t, dbtest.Open(t, c)), dbtest.Open(t, c)
		other, err := orders.New(second, s.service.Config)
		if err != nil {
			t.Fatal(err)
		}
		handler := other.Handler(webtest.Options())
		spec := webtest.Spec(t, api.Document)
		instances := []string{s.base, webtest.Serve(t, handler, spec)}
		client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * clients}}
		t.Cleanup(client.CloseIdleConnections)
		seen := map[string]int{}
		var tokens, clerks [2]string
		for i := range tokens {
			tokens[i] = as(t, callers[i], "")[1]
			clerks[i] = as(t, auth.Principal{Subject: fmt.Sprint("clerk-", i)}, "")[1]
		}
		for n := range rounds {
			r := &round{
				t:         t,
				n:         n,
				instances: instances,
				client:    client,
				tokens:    tokens,
				clerks:    clerks,
				start:     time.Now(),
				processes: clients,
				shops: []*shop{
					{products: [2]int64{s.product(t, price0, opening), s.product(t, price1, opening)}},
					{partner: 1, products: [2]int64{s.product(t, price0, opening)}},
				},
			}
			r.run(clients, calls)
			r.check(seen)
			if t.Failed() {
				t.Fatalf("in round %d", n)
			}
		}
		for _, outcome := range []string{ // each outcome must occur in the random calls
			"create 201", "create 201 again", "create 400 insufficient_stock", "create 422 idempotency_key_reused",
			"create lost", "confirm 200", "confirm 400 order_not_confirmable", "cancel 200", "cancel 200 again",
			"adjust 201", "key 200", "peek 404 order_not_found",
		} {
			if seen[outcome] == 0 {
				t.Errorf("no call ended with %q: %v", outcome, seen)
			}
		}
		s.wantActors(t)
		wantHealthy(t, s.db)
	})
}

// wantActors checks that each order has an event of its creation, and that the actor of all events of an
// order is the partner of the order's customer.
func (s *system) wantActors(t *testing.T) {
	t.Helper()
	const byAnother = "subject = 'order' AND actor <> CASE customer_id WHEN ? THEN ? ELSE ? END"
	a, b := callers[0], callers[1]
	var created, foreign int64
	err := errors.Join(
		s.db.Table("events").Where("type = 'order.created'").Count(&created).Error,
		s.db.Table("events").Where(byAnother, a.Customer, a.Subject, b.Subject).Count(&foreign).Error,
	)
	if orders := s.count(t, "orders"); err != nil || created != orders || foreign != 0 {
		t.Errorf("%d of %d orders have an event of their creation, %d events are by another caller; %v",
			created, orders, foreign, err)
	}
}

// With these prices, the total of an order shows how many pieces of each product it has.
const price0, price1, opening = 1000, 1, 4

// input is a call. Each operation uses some of the fields.
type input struct {
	// op is one of create, confirm, cancel, adjust, product, order, peek and key. With peek, a partner reads
	// an order of the other partner.
	op       string
	partner  int // index of the partner in callers
	key      string
	products [2]int64 // the products of the shop
	// create: the pieces of each product; adjust: qty[at] is the change of the stock.
	qty     [2]int64
	swapped bool // create: the line of the second product comes first
	order   int64
	at      int // product and adjust: index of the product in products
	// byClerk says that a clerk calls, who may change products: for adjust, and for key with a key of adjust.
	byClerk bool
}

func (in input) writes() bool {
	return slices.Contains([]string{"create", "confirm", "cancel", "adjust"}, in.op)
}

func (in input) String() string {
	switch in.op {
	case "create":
		return fmt.Sprintf("create %v swapped=%t key=%q", in.qty, in.swapped, in.key)
	case "adjust":
		return fmt.Sprintf("adjust product %d by %d key=%q", in.products[in.at], in.qty[in.at], in.key)
	case "product":
		return fmt.Sprintf("product %d", in.products[in.at])
	}
	return fmt.Sprintf("%s order=%d key=%q", in.op, in.order, in.key)
}

func (in input) request() (method, path, body string) {
	switch in.op {
	case "create":
		var lines []contract.OrderItemRequest
		for i, qty := range in.qty {
			if qty > 0 {
				lines = append(lines, line(in.products[i], qty))
			}
		}
		if in.swapped {
			slices.Reverse(lines)
		}
		encoded, _ := json.Marshal(api.OrderRequest{CustomerID: callers[in.partner].Customer, Items: lines})
		return "POST", "/orders", string(encoded)
	case "adjust":
		path := fmt.Sprintf("/products/%d/stock-adjustments", in.products[in.at])
		return "POST", path, fmt.Sprintf(`{"delta":%d,"reason":"counted"}`, in.qty[in.at])
	case "product":
		return "GET", fmt.Sprintf("/products/%d", in.products[in.at]), ""
	case "order", "peek":
		return "GET", fmt.Sprintf("/orders/%d", in.order), ""
	case "key":
		return "GET", "/idempotency-keys/" + in.key, ""
	}
	return "POST", fmt.Sprintf("/orders/%d/%s", in.order, in.op), ""
}

// answer is the part of an answer that the model predicts.
type answer struct {
	lost     bool // no answer came, or a 503 or 504, so the call may have an effect or not
	status   int
	code     string
	short    string // text of the details of insufficient_stock
	replayed bool
	id       int64 // id of the order or adjustment
	order    contract.OrderStatus
	total    int64
	stock    int64 // stock of the product; for adjust, the new stock
}

func (a answer) outcome() string {
	if a.lost && a.status == 0 {
		return "lost"
	}
	outcome := strings.TrimSpace(fmt.Sprint(a.status, " ", a.code))
	if a.replayed {
		outcome += " again"
	}
	return outcome
}

// model is the state of the simple model of a shop. The method call returns a new state, and does not change
// the old state.
type model struct {
	stock  [2]int64
	orders map[int64]placedOrder
	keys   map[string]first
}

type placedOrder struct {
	status contract.OrderStatus
	qty    [2]int64
}

// first is the first request with a key, and its answer.
type first struct {
	in  input
	out answer
}

func (a answer) String() string {
	if a.lost {
		return a.outcome()
	}
	return fmt.Sprintf("%s %s id=%d %s total=%d stock=%d", a.outcome(), a.short, a.id, a.order, a.total, a.stock)
}

func (m model) equal(o model) bool {
	return m.stock == o.stock && maps.Equal(m.orders, o.orders) && maps.Equal(m.keys, o.keys)
}

func (m model) with(id int64, o placedOrder) model {
	m.orders = maps.Clone(m.orders)
	m.orders[id] = o
	return m
}

func (m model) show(status int, id int64) answer {
	o, found := m.orders[id]
	if !found {
		return answer{status: 404, code: "order_not_found"}
	}
	return answer{status: status, id: id, order: o.status, total: price0*o.qty[0] + price1*o.qty[1]}
}

// call executes a call in the model, and returns the answer and the new state. A new order or adjustment gets
// the id of the parameter, because in the service the database chooses the id.
func (m model) call(in input, id int64) (answer, model) {
	switch in.op {
	case "product":
		return answer{status: 200, stock: m.stock[in.at]}, m
	case "order":
		return m.show(200, in.order), m
	case "peek":
		return answer{status: 404, code: "order_not_found"}, m
	case "key":
		done, found := m.keys[in.key]
		switch {
		case !found:
			return answer{status: 404, code: "idempotency_key_unknown"}, m
		case done.in.op == "adjust":
			return answer{status: 200}, m
		}
		return answer{status: 200, id: done.out.id, order: m.orders[done.out.id].status}, m
	}
	if in.key == "" {
		return m.write(in, id)
	}
	if done, found := m.keys[in.key]; found {
		if done.in != in {
			return answer{status: 422, code: "idempotency_key_reused"}, m
		}
		done.out.replayed = true
		return done.out, m
	}
	out, next := m.write(in, id)
	if out.code == "" {
		next.keys = maps.Clone(next.keys)
		next.keys[in.key] = first{in, out}
	}
	return out, next
}

func (m model) write(in input, id int64) (answer, model) {
	if in.op == "create" || in.op == "adjust" {
		before, removed, short := m, in.qty, []string(nil)
		if in.op == "adjust" {
			removed[in.at] *= -1
		}
		for i, qty := range removed {
			if qty > m.stock[i] {
				const detail = "product %d: asked %d, available %d"
				short = append(short, fmt.Sprintf(detail, in.products[i], qty, m.stock[i]))
			}
			m.stock[i] -= qty
		}
		if short != nil {
			return answer{status: 400, code: "insufficient_stock", short: strings.Join(short, "; ")}, before
		}
		if in.op == "adjust" {
			return answer{status: 201, id: id, stock: m.stock[in.at]}, m
		}
		if _, found := m.orders[id]; found {
			return answer{code: "two orders with one id"}, before
		}
		m = m.with(id, placedOrder{contract.CREATED, in.qty})
		return m.show(201, id), m
	}
	o, found := m.orders[in.order]
	switch {
	case !found:
	case in.op == "confirm":
		if o.status == contract.CANCELED {
			return answer{status: 400, code: "order_not_confirmable"}, m
		}
		m = m.with(in.order, placedOrder{contract.CONFIRMED, o.qty})
	case o.status != contract.CANCELED:
		for i, qty := range o.qty {
			m.stock[i] += qty
		}
		m = m.with(in.order, placedOrder{contract.CANCELED, o.qty})
	}
	return m.show(200, in.order), m
}

var linear = porcupine.Model{
	Init: func() any {
		return model{stock: [2]int64{opening, opening}, orders: map[int64]placedOrder{}, keys: map[string]first{}}
	},
	Step: func(state, in, out any) (bool, any) {
		got := out.(answer)
		want, next := state.(model).call(in.(input), got.id)
		return got.lost || got == want, next
	},
	Equal:             func(a, b any) bool { return a.(model).equal(b.(model)) },
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%v → %v", in, out) },
	DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
}

// shop has one or two products. An order has products of one shop only, so the test can check each shop by
// itself.
type shop struct {
	partner  int // index of the partner in callers
	products [2]int64
	history  []porcupine.Operation
	orders   []int64 // ids of the orders in the answers so far
	keyed    []input // calls so far that have a key
}

// round is a part of the test with new products.
type round struct {
	t         *testing.T
	n         int
	instances []string
	client    *http.Client
	tokens    [2]string // headers Authorization of the partners
	clerks    [2]string // headers Authorization of the clerks, who may change products
	start     time.Time
	late      sync.WaitGroup // calls that run although their client has gone on

	mu        sync.Mutex // guards the fields below, and the fields of all shops
	shops     []*shop
	processes int
}

// settle finds out more about lost calls from the other calls with the same key. Without this knowledge the
// checker would have to try too many possibilities.
func (s *shop) settle() {
	// These are maps by key. In did: whether an answer shows the call that used the key. In not: the latest
	// time at which the service did not know the key. In ids: the id of the key's order or adjustment.
	did, not, ids := map[string]bool{}, map[string]int64{}, map[string]int64{}
	for _, op := range s.history {
		in, out := op.Input.(input), op.Output.(answer)
		switch {
		case out.lost || in.key == "":
		case in.op == "key" && out.status == 404:
			not[in.key] = max(not[in.key], op.Call)
		case out.id != 0:
			did[in.key] = did[in.key] || in.op != "key" && !out.replayed
			ids[in.key] = out.id
		}
	}
	// When did is true for a key, the lost calls with this key changed nothing.
	s.history = slices.DeleteFunc(s.history, func(op porcupine.Operation) bool {
		return op.Output.(answer).lost && did[op.Input.(input).key]
	})
	for i := range s.history {
		op := &s.history[i]
		if key, out := op.Input.(input).key, op.Output.(answer); out.lost {
			op.Call = max(op.Call, not[key])       // the call took effect after this time, if at all
			out.id = cmp.Or(ids[key], -int64(i)-1) // negative: the id is unknown
			op.Output = out
		}
	}
}

func (r *round) run(clients, calls int) {
	var wg sync.WaitGroup
	for process := range clients {
		wg.Go(func() {
			for range calls {
				shop := r.shops[rand.N(3)/2] // two of three calls are for the shop with two products
				in := r.next(shop)
				for r.record(&process, shop, in, true) && in.key != "" && rand.N(4) > 0 { // repeat a lost call
				}
			}
		})
	}
	wg.Wait()
	r.late.Wait()
	for _, shop := range r.shops { // read the final state
		look := input{op: "product", partner: shop.partner, products: shop.products}
		r.record(new(0), shop, look, false)
		if look.at = 1; shop.products[1] != 0 {
			r.record(new(0), shop, look, false)
		}
		look.at, look.op = 0, "order"
		for _, look.order = range shop.orders {
			r.record(new(0), shop, look, false)
		}
		look.order, look.op = 0, "key"
		for _, in := range shop.keyed {
			look.key, look.byClerk = in.key, in.byClerk
			r.record(new(0), shop, look, false)
		}
	}
}

func (r *round) next(s *shop) input {
	r.mu.Lock()
	defer r.mu.Unlock()
	in, both := input{partner: s.partner, products: s.products}, s.products[1] != 0
	if both {
		in.at = rand.N(2)
	}
	if len(s.keyed) > 0 && rand.N(6) == 0 { // reuse a key, perhaps for another request
		again := s.keyed[max(0, len(s.keyed)-1-rand.N(4))]
		switch {
		case rand.N(2) == 0:
		case again.order == 0:
			again.qty[again.at]++
			if again.op == "adjust" && again.qty[again.at] == 0 { // a delta of 0 is invalid
				again.qty[again.at] = 1
			}
		default:
			again.order = s.orders[rand.N(len(s.orders))]
		}
		return again
	}
	ops := []string{
		"create", "create", "create", "create", "confirm", "cancel", "cancel", "adjust",
		"product", "product", "order", "peek", "key",
	}
	in.op = ops[rand.N(len(ops))]
	if len(s.orders) == 0 && slices.Contains([]string{"confirm", "cancel", "order", "peek"}, in.op) {
		in.op = "create"
	}
	switch in.op {
	case "create":
		in.qty[in.at] = 1 + rand.Int64N(2)
		if both && rand.N(2) == 0 {
			in.qty[1-in.at], in.swapped = 1+rand.Int64N(2), rand.N(2) == 0
		}
	case "adjust":
		in.byClerk = true
		in.qty[in.at] = []int64{-2, -1, 1, 2}[rand.N(4)]
	case "confirm", "cancel", "order", "peek":
		// One of the last four orders, so that clients meet.
		in.order = s.orders[max(0, len(s.orders)-1-rand.N(4))]
	case "key":
		if len(s.keyed) == 0 {
			in.op = "product"
		} else {
			last := s.keyed[len(s.keyed)-1]
			in.key, in.byClerk = last.key, last.byClerk
		}
	}
	if in.op == "peek" {
		in.partner = 1 - s.partner
	}
	if in.op == "confirm" || in.writes() && rand.N(3) > 0 {
		in.key = fmt.Sprintf("%d-%d", r.n, len(s.keyed)) // both shops use the same keys
		s.keyed = append(s.keyed, in)
	}
	return in
}

// record makes a call, appends the call to the history, and reports whether the answer was lost.
func (r *round) record(process *int, s *shop, in input, losing bool) (lost bool) {
	began := time.Since(r.start).Nanoseconds()
	out := r.call(in, losing)
	ended := time.Since(r.start).Nanoseconds()
	r.mu.Lock()
	defer r.mu.Unlock()
	op := porcupine.Operation{ClientId: *process, Input: in, Output: out, Call: began, Return: ended}
	if out.lost {
		// The lost call may take effect at any later time, or never.
		op.Return = math.MaxInt64
		// The checker allows a process one call at a time. The lost call has no end, so the client goes on as
		// a new process.
		*process = r.processes
		r.processes++
	} else if in.op == "create" && out.id != 0 && !slices.Contains(s.orders, out.id) {
		s.orders = append(s.orders, out.id)
	}
	if !out.lost || in.writes() {
		s.history = append(s.history, op)
	}
	return out.lost
}

func (r *round) call(in input, losing bool) answer {
	ctx := ctx
	if losing && in.writes() {
		switch rand.N(24) {
		case 0: // the request gets lost
			return answer{lost: true}
		case 1: // the answer gets lost
			r.send(ctx, in)
			return answer{lost: true}
		case 2: // the client goes on before the request has ended
			r.late.Go(func() { r.send(ctx, in) })
			return answer{lost: true}
		case 3: // the client ends the request at a random time
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			defer cancel()
			defer time.AfterFunc(rand.N(5*time.Millisecond), cancel).Stop()
		}
	}
	return r.send(ctx, in)
}

func (r *round) send(ctx context.Context, in input) answer {
	method, path, body := in.request()
	url := r.instances[rand.N(len(r.instances))] + path
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		r.t.Error(err)
		return answer{lost: true}
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", r.tokens[in.partner])
	if in.byClerk {
		req.Header.Set("Authorization", r.clerks[in.partner])
	}
	if in.key != "" && in.writes() {
		req.Header.Set("X-Idempotency-Key", in.key)
	}
	var a struct {
		Code    string
		Details []struct{ Message string }
		Data    struct {
			ID                  int64
			Status              contract.OrderStatus
			TotalCents          int64 `json:"total_cents"`
			Stock, Level, Delta int64
			Operations          []api.KeyedOperation
		}
	}
	res, err := r.client.Do(req)
	if err == nil {
		defer res.Body.Close()
		var encoded []byte
		if encoded, err = io.ReadAll(res.Body); err == nil {
			err = json.Unmarshal(encoded, &a)
		}
	}
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			r.t.Errorf("%v: %v", in, err)
		}
		return answer{lost: true}
	}
	if res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusGatewayTimeout {
		return answer{lost: true, status: res.StatusCode} // the call may have an effect or not
	}
	d := a.Data
	out := answer{
		status: res.StatusCode, code: a.Code, replayed: res.Header.Get("Idempotency-Replayed") == "true",
		id: d.ID, order: d.Status, total: d.TotalCents, stock: d.Stock + d.Level,
	}
	if a.Code == "insufficient_stock" {
		var short []string
		for _, detail := range a.Details {
			short = append(short, detail.Message)
		}
		out.short = strings.Join(short, "; ")
	}
	switch {
	case in.op == "product":
		out.id = 0
	case len(d.Operations) == 1 && d.Operations[0].OrderID != nil && d.Operations[0].OrderStatus != nil:
		out.id, out.order = *d.Operations[0].OrderID, *d.Operations[0].OrderStatus
	}
	return out
}

// check searches for an order of the calls that explains all answers, and fails the test when there is none.
// It also counts the answers in seen.
func (r *round) check(seen map[string]int) {
	for _, shop := range r.shops {
		for _, op := range shop.history {
			seen[op.Input.(input).op+" "+op.Output.(answer).outcome()]++
		}
		shop.settle()
		result := porcupine.CheckOperationsTimeout(linear, shop.history, 20*time.Second)
		if result == porcupine.Ok {
			continue
		}
		r.t.Errorf("products %v: %s", shop.products, result)
		slices.SortFunc(shop.history, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
		for _, op := range shop.history {
			r.t.Logf("%3d %v-%v %s", op.ClientId, time.Duration(op.Call), time.Duration(op.Return),
				linear.DescribeOperation(op.Input, op.Output))
		}
		_, info := porcupine.CheckOperationsVerbose(linear, shop.history, 20*time.Second)
		file := filepath.Join(r.t.ArtifactDir(), "history.html") // kept with go test -artifacts
		if err := porcupine.VisualizePath(linear, info, file); err != nil {
			r.t.Error(err)
		}
		r.t.Logf("drawn in %s", file)
	}
}

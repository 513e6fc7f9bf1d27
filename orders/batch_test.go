package orders_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
	"example.com/b2b/v2/orders"
)

// inOneBatch queues the commands, in this order, while another batch keeps the service busy. Then the service
// executes them in one batch, or in several batches when some commands cannot share a batch. It returns the
// outcome of each command.
func (s *system) inOneBatch(t *testing.T, commands ...func() string) []string {
	t.Helper()
	open := s.gate(t)
	results := s.queued(t, commands...)
	if got := open(); got != "201" {
		t.Errorf("the order at the gate: %s", got)
	}
	return results()
}

// queued queues commands while the batch of gate keeps the service busy. It returns a function that waits for
// the outcomes of the commands.
func (s *system) queued(t *testing.T, commands ...func() string) (results func() []string) {
	outcomes := make([]chan string, len(commands))
	for i, command := range commands {
		outcomes[i] = make(chan string, 1)
		go func() { outcomes[i] <- command() }()
		s.wantLoad(t, 1, i+1)
	}
	return func() []string {
		all := make([]string, len(commands))
		for i, result := range outcomes {
			all[i] = <-result
		}
		return all
	}
}

// gate lets the service run only one batch at a time. It starts a batch that places an order, and keeps this
// batch in its transaction until the test calls open. The function open returns the outcome of the order.
func (s *system) gate(t *testing.T) (open func() string) {
	t.Helper()
	s.oneBatch.Do(func() { orders.OneBatch(s.service) })
	product, reached, opened := s.product(t, 1, 1), make(chan struct{}), make(chan struct{})
	reach := sync.OnceFunc(func() { close(reached) })
	// The callback stays registered: gorm cannot remove a callback while other statements run.
	name := fmt.Sprint("test:gate ", product)
	err := s.db.Callback().Query().After("gorm:query").Register(name, func(tx *gorm.DB) {
		if slices.Contains(tx.Statement.Vars, any(product)) {
			reach()
			<-opened
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	passed := make(chan string)
	go func() { passed <- outcomeOf(s.CreateOrder(ctx, nil, newOrder(line(product, 1)))) }()
	<-reached // the batch has begun, and takes no more commands
	s.wantLoad(t, 1, 0)
	return func() string {
		close(opened)
		return <-passed
	}
}

// wantLoad waits until the given number of batches run and the given number of commands wait.
func (s *system) wantLoad(t *testing.T, batches, waiting int) {
	t.Helper()
	var b, w int
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if b, w, _ = orders.Load(s.service); b == batches && w == waiting {
			return
		}
	}
	t.Fatalf("%d batches run and %d commands wait, want %d and %d", b, w, batches, waiting)
}

func newOrder(lines ...contract.OrderItemRequest) api.OrderRequest {
	return api.OrderRequest{CustomerID: 1, Items: lines}
}

func outcomeOf(res *http.Response, err error) string {
	got := answered(res, err)
	if got.err != nil {
		return got.err.Error()
	}
	return outcome(got.status, got.body)
}

// TestBatch executes commands in one batch. Some of them depend on each other, and some must be refused. Each
// outcome must be the same as if the commands ran one after the other.
func TestBatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		a, b := s.product(t, 100, 10), s.product(t, 10, 10)
		scarce, retired := s.product(t, 1, 3), s.product(t, 1, 9)
		s.updateProduct(t, retired, api.ProductUpdate{Active: new(false)})
		other := s.placed(t, line(a, 1), line(scarce, 2)) // leaves one piece of scarce
		canceled := s.placed(t, line(b, 1))
		s.cancel(t, canceled.ID, "")
		place := func(key string, n api.OrderRequest) func() string {
			params := &api.CreateOrderParams{}
			if key != "" {
				params.XIdempotencyKey = &key
			}
			return func() string { return outcomeOf(s.CreateOrder(ctx, params, n)) }
		}
		confirm := func() string {
			params := &api.ConfirmOrderParams{XIdempotencyKey: "confirm"}
			return outcomeOf(s.ConfirmOrder(ctx, canceled.ID, params))
		}
		cancel := func(id int64) func() string {
			return func() string { return outcomeOf(s.CancelOrder(ctx, id, nil, api.Cancellation{})) }
		}
		po1 := func(customer int64) api.OrderRequest {
			items := []contract.OrderItemRequest{line(b, 2)}
			return api.OrderRequest{CustomerID: customer, Items: items, ExternalRef: new("PO-1")}
		}
		// A command with the key or the external_ref of an earlier command is executed in the next batch.
		got := s.inOneBatch(
			t,
			place("", newOrder(line(scarce, 2))),
			place("first", newOrder(line(scarce, 1), line(a, 1))),
			place("late", newOrder(line(scarce, 1))),
			place("", newOrder(line(retired, 1))),
			place("", newOrder(line(999_999, 1))),
			confirm,
			cancel(other.ID),
			place("", newOrder(line(scarce, 2), line(b, 1))),
			cancel(999_999),
			place("", po1(1)),
			place("first", newOrder(line(scarce, 1), line(a, 1))),
			place("late", newOrder(line(scarce, 2))),
			place("", po1(1)),
			place("", po1(2)),
		)
		want := []string{
			"400 insufficient_stock", "201", "400 insufficient_stock", "400 product_inactive",
			"404 product_not_found", "400 order_not_confirmable", "200", "201", "404 order_not_found", "201",
			"201", "400 insufficient_stock", "409 external_ref_taken", "201",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		s.wantStock(t, a, 9)
		s.wantStock(t, b, 5)
		s.wantStock(t, scarce, 0)
		if res := s.place(t, "late", line(scarce, 1)); res.StatusCode() != 400 {
			t.Errorf("the key has the answer of a refusal: %s", res.Body)
		}
		wantHealthy(t, g)
	})
}

// TestBatchAnswers places 30 orders in one batch. Each caller must get the answer to its own order, and the
// history of the order must have the correlation id of that caller.
func TestBatchAnswers(t *testing.T) {
	const many = 30
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		// All statements must use one connection, because auto_increment_increment is set for one connection
		// only.
		c.MaxConns = 1
		g := dbtest.Open(t, c)
		// 3 as in a cluster of 3 servers, where each server uses every third id.
		for _, step := range []int64{1, 3} {
			if g.Name() == db.SQLite && step > 1 {
				continue
			}
			s := serve(t, g)
			if g.Name() != db.SQLite {
				s.exec(t, fmt.Sprint("SET SESSION auto_increment_increment = ", step))
			}
			var products []int64
			for i := range many {
				products = append(products, s.product(t, int64(i+1), 100))
			}
			bodies := make([][]byte, many)
			paramsOf := func(i int) *api.CreateOrderParams {
				return &api.CreateOrderParams{XIdempotencyKey: new(fmt.Sprint(step, "-", i))}
			}
			var commands []func() string
			for i, p := range products {
				commands = append(commands, func() string {
					n := newOrder(line(p, int64(i+1)), line(products[0], 1))
					n.Metadata = &contract.OrderMetadata{"i": fmt.Sprint(i)}
					correlated := func(_ context.Context, r *http.Request) error {
						r.Header.Set(correlation.Header, fmt.Sprint("c-", i))
						return nil
					}
					got := answered(s.CreateOrder(ctx, paramsOf(i), n, correlated))
					bodies[i] = got.body
					return outcome(got.status, got.body)
				})
			}
			wantCounts(t, counted(s.inOneBatch(t, commands...)), map[string]int{"201": many})
			var ids []int64
			for i, body := range bodies {
				var answer api.OrderResponse
				if err := json.Unmarshal(body, &answer); err != nil {
					t.Fatal(err)
				}
				created := answer.Data
				ids = append(ids, created.ID)
				read, err := s.GetOrderWithResponse(ctx, created.ID, nil)
				if err != nil || read.JSON200 == nil || !bytes.Equal(read.Body, body) {
					t.Errorf("order %d was answered with\n%s and is\n%s", i, body, read.Body)
				}
				if got := (*created.Metadata)["i"]; got != fmt.Sprint(i) ||
					created.Items[len(created.Items)-1].ProductID != products[i] {
					t.Errorf("caller %d got another order: %s", i, body)
				}
				n := newOrder(line(products[i], int64(i+1)), line(products[0], 1))
				n.Metadata = created.Metadata
				again := answered(s.CreateOrder(ctx, paramsOf(i), n))
				if !bytes.Equal(again.body, body) {
					t.Errorf("order %d was answered with\n%s and then\n%s", i, body, again.body)
				}
				history, err := s.ListOrderHistoryWithResponse(ctx, created.ID, nil)
				if err != nil || len(history.JSON200.Data) != 1 ||
					*history.JSON200.Data[0].CorrelationID != fmt.Sprint("c-", i) {
					t.Errorf("the history of order %d names another request: %s", i, history.Body)
				}
			}
			if last := ids[0] + (many-1)*step; !slices.IsSorted(ids) || ids[many-1] != last {
				t.Errorf("orders %v were not inserted by one statement, in the order of their requests", ids)
			}
			wantHealthy(t, g)
			s.clear(t)
			s.exec(t, "DELETE FROM customers")
		}
	})
}

// TestBatchCallerGone ends a request before its command runs. The batch must execute only the commands of the
// other callers.
func TestBatchCallerGone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 1, 10)
		gone, leave := context.WithCancel(ctx)
		body := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, p)
		request := httptest.NewRequestWithContext(gone, "POST", "/orders", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		// When the caller is a service, its command ends at once with the request.
		request.Header.Set("Authorization", "Bearer "+webtest.Token)
		open := s.gate(t)
		left, stayed := make(chan int), make(chan string)
		go func() {
			answer := httptest.NewRecorder()
			s.service.Handler(webtest.Options()).ServeHTTP(answer, request)
			left <- answer.Code
		}()
		s.wantLoad(t, 1, 1)
		go func() { stayed <- outcomeOf(s.CreateOrder(ctx, nil, newOrder(line(p, 2)))) }()
		s.wantLoad(t, 1, 2)
		leave()
		if code := <-left; code < 500 {
			t.Errorf("the canceled request was answered with %d", code)
		}
		open()
		if got := <-stayed; got != "201" {
			t.Error(got)
		}
		s.wantStock(t, p, 8)
	})
}

// TestBatchHeld locks a product in a transaction of the test. Orders without this product must not wait for
// orders with this product, neither in the same batch nor in a later batch.
func TestBatchHeld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			t.Skip("SQLite has a single writer and no row locks")
		}
		s := serve(t, g)
		held, free := s.product(t, 1, 100), s.product(t, 1, 100)
		place := func(product int64) func() string {
			return func() string { return outcomeOf(s.CreateOrder(ctx, nil, newOrder(line(product, 1)))) }
		}
		open := s.gate(t)
		results := make(chan []string)
		queued := s.queued(t, place(held), func() string {
			got := place(free)() // in the batch that also has the order of the locked product
			if again := place(free)(); again != got {
				t.Errorf("%s, then %s", got, again)
			}
			return got
		})
		tx := g.Begin()
		defer tx.Rollback()
		if err := tx.Exec("UPDATE products SET stock = stock WHERE id = ?", held).Error; err != nil {
			t.Fatal(err)
		}
		open()
		go func() { results <- queued() }()
		// Wait until the order of gate and the two orders of the free product are placed.
		deadline := time.Now().Add(time.Minute)
		for placed := int64(0); placed < 3; placed = s.count(t, "orders") {
			if time.Now().After(deadline) {
				t.Fatalf("%d orders are placed, want 3", placed)
			}
			time.Sleep(time.Millisecond)
		}
		select {
		case got := <-results:
			t.Errorf("the product was not held: %v", got)
		default:
		}
		// An order of the locked product alone, given by its sku, must also wait for the product.
		var sku string
		if err := g.Table("products").Select("sku").Where("id = ?", held).Scan(&sku).Error; err != nil {
			t.Fatal(err)
		}
		bySKU := make(chan string, 1)
		go func() {
			order := newOrder(contract.OrderItemRequest{Sku: &sku, Qty: 1})
			bySKU <- outcomeOf(s.CreateOrder(ctx, nil, order))
		}()
		deadline = time.Now().Add(time.Minute)
		for waiting := 0; waiting < 2 && len(bySKU) == 0; _, _, waiting = orders.Load(s.service) {
			if time.Now().After(deadline) {
				t.Fatalf("%d orders wait, want 2", waiting)
			}
			time.Sleep(time.Millisecond)
		}
		if err := tx.Rollback().Error; err != nil {
			t.Fatal(err)
		}
		if got := <-results; !slices.Equal(got, []string{"201", "201"}) {
			t.Error(got)
		}
		if got := <-bySKU; got != "201" {
			t.Errorf("by sku: %s", got)
		}
		s.wantStock(t, held, 98)
	})
}

// TestBatchOneBad runs batches with a command that fails with an error or a panic. The other commands of the
// batch must succeed.
func TestBatchOneBad(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		for name, breaks := range map[string]func(tx *gorm.DB){
			"error": func(tx *gorm.DB) { tx.AddError(errors.New("broken by the test")) },
			"panic": func(*gorm.DB) { panic("broken by the test") },
		} {
			t.Run(name, func(t *testing.T) {
				p := s.product(t, 1, 10)
				const bad = "poison"
				isBad := func(v any) bool { s, ok := v.(string); return ok && strings.Contains(s, bad) }
				err := g.Callback().Raw().Before("gorm:raw").Register("test:break", func(tx *gorm.DB) {
					if slices.ContainsFunc(tx.Statement.Vars, isBad) {
						breaks(tx)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				defer g.Callback().Raw().Remove("test:break")
				var commands []func() string
				for i := range 5 {
					key := fmt.Sprint(name, i)
					if i == 2 {
						key += bad
					}
					params := &api.CreateOrderParams{XIdempotencyKey: &key}
					commands = append(commands, func() string {
						return outcomeOf(s.CreateOrder(ctx, params, newOrder(line(p, 1))))
					})
				}
				want := []string{"201", "201", "500 internal", "201", "201"}
				if got := s.inOneBatch(t, commands...); !slices.Equal(got, want) {
					t.Errorf("%v, want %v", got, want)
				}
				s.wantStock(t, p, 6)
				wantHealthy(t, g)
			})
		}
	})
}

// TestBatchLostCommit loses the database's answer to the COMMIT of a batch. The orders may be placed already,
// and have no key. So the service must answer 503, and must not execute the batch again.
func TestBatchLostCommit(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("SQLite has no connection that could break")
		}
		var losing atomic.Bool
		c.Host, c.Port = commitLoser(t, net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), &losing)
		s := serve(t, dbtest.Open(t, c))
		p := s.product(t, 1, 10)
		open := s.gate(t)
		place := func() string { return outcomeOf(s.CreateOrder(ctx, nil, newOrder(line(p, 1)))) }
		results := s.queued(t, place, place, place)
		losing.Store(true)
		open() // the batch of gate ends first, and also loses the answer to its COMMIT
		want := []string{"503 unavailable", "503 unavailable", "503 unavailable"}
		if got := results(); !slices.Equal(got, want) {
			t.Error(got)
		}
		losing.Store(false)
		s.wantStock(t, p, 7)
		wantHealthy(t, s.db)
	})
}

// commitLoser runs a proxy for connections to MySQL, and returns its address. While losing is true, the proxy
// forwards each COMMIT to MySQL, but not MySQL's answer to the client.
func commitLoser(t *testing.T, address string, losing *atomic.Bool) (host string, port int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			var lost atomic.Bool
			pass := func(to, from net.Conn, is func(chunk []byte)) {
				defer to.Close()
				defer from.Close()
				for chunk := make([]byte, 1<<16); ; {
					n, err := from.Read(chunk)
					if err != nil || to == client && lost.Load() {
						return
					}
					is(chunk[:n])
					to.Write(chunk[:n])
				}
			}
			go pass(server, client, func(chunk []byte) {
				lost.Store(losing.Load() && bytes.HasSuffix(chunk, []byte("\x03COMMIT")))
			})
			go pass(client, server, func([]byte) {})
		}
	}()
	return "127.0.0.1", l.Addr().(*net.TCPAddr).Port
}

// TestBatchTwoInstances sends requests with the same key to two instances at the same time. Equal requests
// must get the same answer. When a key comes with two different requests, both instances must accept the same
// request, and answer the other request with 422 idempotency_key_reused.
func TestBatchTwoInstances(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		instances := []*api.ClientWithResponses{s.ClientWithResponses, s.another(t)}
		a, b := s.product(t, 1, 1000), s.product(t, 1, 1000)
		const keys = 40
		for name, products := range map[string][2]int64{"same": {a, a}, "other": {a, b}} {
			bodies := make([][4]string, keys)
			counts := atOnce(4*keys, func(i int) string {
				key, which := fmt.Sprint(name, i/4), i%2
				params := &api.CreateOrderParams{XIdempotencyKey: &key}
				got := answered(instances[i%4/2].CreateOrder(ctx, params, newOrder(line(products[which], 1))))
				bodies[i/4][i%4] = string(got.body)
				return outcome(got.status, got.body)
			})
			if name == "same" {
				wantCounts(t, counts, map[string]int{"201": 4 * keys})
			} else {
				wantCounts(t, counts, map[string]int{"201": 2 * keys, "422 idempotency_key_reused": 2 * keys})
			}
			for i, of := range bodies {
				if of[0] != of[2] || of[1] != of[3] {
					t.Errorf("key %s%d has several answers: %v", name, i, of)
				}
			}
		}
		if n := s.count(t, "orders"); n != 2*keys {
			t.Errorf("%d orders, want %d", n, 2*keys)
		}
		wantHealthy(t, g)
	})
}

func counted(outcomes []string) map[string]int {
	counts := map[string]int{}
	for _, o := range outcomes {
		counts[o]++
	}
	return counts
}

// TestHeldPlaces locks a product. Six orders from one network wait for the product, and take all places for
// waiting commands. An order from another network must still get a place. Then the last order of the first
// network must be refused, and the refusal must tell the calling service that a row is locked.
func TestHeldPlaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			return // SQLite has a single writer and no row locks
		}
		s := serve(t, g)
		config := s.service.Config
		config.MaxHeld = 1
		service, err := orders.New(g, config)
		if err != nil {
			t.Fatal(err)
		}
		base, _ := instance(t, service)
		held := s.product(t, 1, 100)
		tx := g.Begin()
		defer tx.Rollback()
		if err := tx.Exec("UPDATE products SET stock = stock WHERE id = ?", held).Error; err != nil {
			t.Fatal(err)
		}
		place := func(network string) <-chan string {
			result := make(chan string, 1)
			go func() {
				body := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, held)
				status, answer, header := webtest.Do(t, "POST", base+"/orders", body,
					"Content-Type", "application/json", "Authorization", "Bearer "+webtest.Token,
					correlation.Header, "req-1", auth.ActingForHeader, auth.Anonymous.ActingFor(),
					auth.NetworkHeader, network)
				result <- strings.TrimSpace(outcome(status, answer) + " " + header.Get(apperr.HeldHeader))
			}()
			return result
		}
		wait := func(n int) {
			for held := 0; held < n; _, _, held = orders.Load(service) {
				time.Sleep(time.Millisecond)
			}
		}
		var greedy []<-chan string
		for i := range 6 { // six commands may wait when MaxHeld is 1
			greedy = append(greedy, place("203.0.113.1"))
			wait(i + 1)
		}
		other := place("203.0.113.2")
		if got := <-greedy[5]; got != "503 unavailable true" {
			t.Errorf("the last of the greedy caller: %s", got)
		}
		if err := tx.Rollback().Error; err != nil {
			t.Fatal(err)
		}
		if got := <-other; got != "201" {
			t.Errorf("the other caller: %s", got)
		}
		for _, result := range greedy[:5] {
			<-result
		}
	})
}

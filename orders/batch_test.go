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

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/correlation"
	"example.com/b2b/internal/web/webtest"
	"example.com/b2b/openapi/contract"
	api "example.com/b2b/openapi/ordersapi"
	"example.com/b2b/orders"
)

// together lets changes wait, in this order, until one transaction can carry out all of them, or as many as
// may be in one. Each returns what came of it.
func (s *system) together(t *testing.T, changes ...func() string) []string {
	t.Helper()
	open := s.gate(t)
	results := s.queued(t, changes...)
	if got := open(); got != "201" {
		t.Errorf("the order at the gate: %s", got)
	}
	return results()
}

// queued starts changes behind a gate, one after the other. It returns a function that waits for what comes
// of them.
func (s *system) queued(t *testing.T, changes ...func() string) (results func() []string) {
	came := make([]chan string, len(changes))
	for i, change := range changes {
		came[i] = make(chan string, 1)
		go func() { came[i] <- change() }()
		s.wantLoad(t, 1, i+1)
	}
	return func() []string {
		all := make([]string, len(changes))
		for i, result := range came {
			all[i] = <-result
		}
		return all
	}
}

// gate keeps the one batch that may run in its transaction until open is called, which returns the outcome of
// the order in it.
func (s *system) gate(t *testing.T) (open func() string) {
	t.Helper()
	s.oneBatch.Do(func() { orders.OneBatch(s.service) })
	product, reached, opened := s.product(t, 1, 1), make(chan struct{}), make(chan struct{})
	reach := sync.OnceFunc(func() { close(reached) })
	// The callback stays registered: gorm lets no callback be removed while other statements run.
	err := s.db.Callback().Query().After("gorm:query").Register(fmt.Sprint("test:gate ", product), func(tx *gorm.DB) {
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
	<-reached // else the batch could still take further commands
	s.wantLoad(t, 1, 0)
	return func() string {
		close(opened)
		return <-passed
	}
}

// wantLoad waits until so many batches run, and so many commands wait.
func (s *system) wantLoad(t *testing.T, groups, waiting int) {
	t.Helper()
	var g, w int
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if g, w, _ = orders.Load(s.service); g == groups && w == waiting {
			return
		}
	}
	t.Fatalf("%d batches run and %d commands wait, want %d and %d", g, w, groups, waiting)
}

func newOrder(lines ...contract.NewOrderItem) api.NewOrder {
	return api.NewOrder{CustomerID: 1, Items: lines}
}

func outcomeOf(res *http.Response, err error) string {
	got := answered(res, err)
	if got.err != nil {
		return got.err.Error()
	}
	return outcome(got.status, got.body)
}

// TestTogether carries changes out in one transaction that have to do with each other, and some that come to
// nothing.
func TestTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		a, b, scarce, retired := s.product(t, 100, 10), s.product(t, 10, 10), s.product(t, 1, 3), s.product(t, 1, 9)
		s.UpdateProductWithResponse(ctx, retired, nil, api.ProductUpdate{Active: new(false)})
		other, canceledOne := s.placed(
			t, line(a, 1), line(scarce, 2),
		), s.placed(
			t, line(b, 1),
		) // one piece of the scarce is left
		s.cancel(t, canceledOne.ID, "")
		place := func(key string, n api.NewOrder) func() string {
			params := &api.CreateOrderParams{}
			if key != "" {
				params.XIdempotencyKey = &key
			}
			return func() string { return outcomeOf(s.CreateOrder(ctx, params, n)) }
		}
		got := s.together(
			t,
			place("", newOrder(line(scarce, 2))),
			place("first", newOrder(line(scarce, 1), line(a, 1))),
			place("late", newOrder(line(scarce, 1))),
			place("", newOrder(line(retired, 1))),
			place("", newOrder(line(999_999, 1))),
			func() string {
				return outcomeOf(
					s.ConfirmOrder(ctx, canceledOne.ID, &api.ConfirmOrderParams{XIdempotencyKey: "confirm"}),
				)
			},
			func() string { return outcomeOf(s.CancelOrder(ctx, other.ID, nil, api.Cancellation{})) },
			place("", newOrder(line(scarce, 2), line(b, 1))),
			func() string { return outcomeOf(s.CancelOrder(ctx, 999_999, nil, api.Cancellation{})) },
			place(
				"",
				api.NewOrder{CustomerID: 1, Items: []contract.NewOrderItem{line(b, 2)}, ExternalRef: new("PO-1")},
			),
			place(
				"first", newOrder(line(scarce, 1), line(a, 1)),
			), // in the next transaction, as are those of its kind
			place("late", newOrder(line(scarce, 2))),
			place(
				"",
				api.NewOrder{CustomerID: 1, Items: []contract.NewOrderItem{line(b, 2)}, ExternalRef: new("PO-1")},
			),
			place(
				"",
				api.NewOrder{CustomerID: 2, Items: []contract.NewOrderItem{line(b, 2)}, ExternalRef: new("PO-1")},
			),
		)
		want := []string{
			"400 insufficient_stock", "201", "400 insufficient_stock", "400 product_inactive", "404 product_not_found", "400 order_not_confirmable",
			"200", "201", "404 order_not_found", "201", "201", "400 insufficient_stock", "409 external_ref_taken", "201",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		s.wantStock(t, a, 9)
		s.wantStock(t, b, 5)
		s.wantStock(t, scarce, 0)
		if res := s.place(t, "late", line(scarce, 1)); res.StatusCode() != 400 {
			t.Errorf("a refusal was remembered: %s", res.Body)
		}
		wantHealthy(t, g)
	})
}

// TestTogetherAnswers gives each of many orders of one transaction the answer, and the history, that is its
// own.
func TestTogetherAnswers(t *testing.T) {
	const many = 30
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		c.MaxConns = 1 // so that what is set below is set
		g := dbtest.Open(t, c)
		for _, step := range []int64{1, 3} { // as where several servers share the ids
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
			var changes []func() string
			for i, p := range products {
				changes = append(changes, func() string {
					n := newOrder(line(p, int64(i+1)), line(products[0], 1))
					n.Metadata = &contract.OrderMetadata{"i": fmt.Sprint(i)}
					got := answered(
						s.CreateOrder(
							ctx,
							&api.CreateOrderParams{XIdempotencyKey: new(fmt.Sprint(step, "-", i))},
							n,
							func(_ context.Context, r *http.Request) error {
								r.Header.Set(correlation.Header, fmt.Sprint("c-", i))
								return nil
							},
						),
					)
					bodies[i] = got.body
					return outcome(got.status, got.body)
				})
			}
			wantCounts(t, counted(s.together(t, changes...)), map[string]int{"201": many})
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
					t.Errorf("order %d is another one: %s", i, body)
				}
				again := answered(
					s.CreateOrder(
						ctx,
						&api.CreateOrderParams{XIdempotencyKey: new(fmt.Sprint(step, "-", i))},
						api.NewOrder{
							CustomerID: 1, Items: []contract.NewOrderItem{line(products[i], int64(i+1)), line(products[0], 1)}, Metadata: created.Metadata},
					),
				)
				if !bytes.Equal(again.body, body) {
					t.Errorf("order %d was answered with\n%s and then\n%s", i, body, again.body)
				}
				history, err := s.ListOrderHistoryWithResponse(ctx, created.ID, nil)
				if err != nil || len(history.JSON200.Data) != 1 ||
					*history.JSON200.Data[0].CorrelationID != fmt.Sprint("c-", i) {
					t.Errorf("order %d came of another call: %s", i, history.Body)
				}
			}
			if last := ids[0] + (many-1)*step; !slices.IsSorted(ids) || ids[many-1] != last {
				t.Errorf("orders %v are not of one statement, in the order in which they came", ids)
			}
			wantHealthy(t, g)
			s.clear(t)
			s.exec(t, "DELETE FROM customers")
		}
	})
}

// TestTogetherGone leaves out of a transaction whose caller has gone before it began, and carries out the
// others.
func TestTogetherGone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 1, 10)
		gone, leave := context.WithCancel(ctx)
		request := httptest.NewRequestWithContext(
			gone, "POST", "/orders",
			strings.NewReader(fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, p)),
		)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+webtest.Token) // a service, which leaves at once
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
			t.Errorf("who has gone was answered with %d", code)
		}
		open()
		if got := <-stayed; got != "201" {
			t.Error(got)
		}
		s.wantStock(t, p, 8)
	})
}

// TestTogetherHeld lets somebody else hold a product. Who does not want it must not wait for those who do:
// neither behind the groups that they are in, nor in one with them.
func TestTogetherHeld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			return // one transaction at a time, whoever holds what
		}
		s := serve(t, g)
		held, free := s.product(t, 1, 100), s.product(t, 1, 100)
		place := func(product int64) func() string {
			return func() string { return outcomeOf(s.CreateOrder(ctx, nil, newOrder(line(product, 1)))) }
		}
		open := s.gate(t)
		results := make(chan []string)
		queued := s.queued(t, place(held), func() string {
			got := place(free)() // in one group with the first
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
		for placed := int64(0); placed < 3; placed = s.count(t, "orders") { // the one at the gate, and two that are free
			time.Sleep(time.Millisecond)
		}
		select {
		case got := <-results:
			t.Errorf("the product was not held: %v", got)
		default:
		}
		if err := tx.Rollback().Error; err != nil {
			t.Fatal(err)
		}
		if got := <-results; !slices.Equal(got, []string{"201", "201"}) {
			t.Error(got)
		}
		s.wantStock(t, held, 99)
	})
}

// TestTogetherOneBad lets one change break the transaction in which it is. The others must not notice.
func TestTogetherOneBad(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		for name, breaks := range map[string]func(tx *gorm.DB){
			"error": func(tx *gorm.DB) { tx.AddError(errors.New("this one breaks")) },
			"panic": func(*gorm.DB) { panic("this one breaks") },
		} {
			t.Run(name, func(t *testing.T) {
				p := s.product(t, 1, 10)
				const bad = "poison"
				err := g.Callback().Raw().Before("gorm:raw").Register("test:break", func(tx *gorm.DB) {
					if slices.ContainsFunc(
						tx.Statement.Vars,
						func(v any) bool { s, ok := v.(string); return ok && strings.Contains(s, bad) },
					) {
						breaks(tx)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				defer g.Callback().Raw().Remove("test:break")
				var changes []func() string
				for i := range 5 {
					key := fmt.Sprint(name, i)
					if i == 2 {
						key += bad
					}
					changes = append(changes, func() string {
						return outcomeOf(
							s.CreateOrder(ctx, &api.CreateOrderParams{XIdempotencyKey: &key}, newOrder(line(p, 1))),
						)
					})
				}
				if got, want := s.together(t, changes...), []string{"201", "201", "500 internal", "201", "201"}; !slices.Equal(
					got, want,
				) {
					t.Errorf("%v, want %v", got, want)
				}
				s.wantStock(t, p, 6)
				wantHealthy(t, g)
			})
		}
	})
}

// TestTogetherLostCommit loses the answer to the commit of orders without a key. They may be placed, so none
// is tried again.
func TestTogetherLostCommit(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			return // a file
		}
		var losing atomic.Bool
		c.Host, c.Port = commitLoser(t, net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), &losing)
		s := serve(t, dbtest.Open(t, c))
		p := s.product(t, 1, 10)
		open := s.gate(t)
		place := func() string { return outcomeOf(s.CreateOrder(ctx, nil, newOrder(line(p, 1)))) }
		results := s.queued(t, place, place, place)
		losing.Store(true)
		open() // its answer is lost, too
		if got := results(); !slices.Equal(got, []string{"503 unavailable", "503 unavailable", "503 unavailable"}) {
			t.Error(got)
		}
		losing.Store(false)
		s.wantStock(t, p, 7)
		wantHealthy(t, s.db)
	})
}

// commitLoser passes connections to MySQL on. While it is losing, a COMMIT gets through, but no answer to it.
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
			go pass(
				server, client,
				func(chunk []byte) { lost.Store(losing.Load() && bytes.HasSuffix(chunk, []byte("\x03COMMIT"))) },
			)
			go pass(client, server, func([]byte) {})
		}
	}()
	return "127.0.0.1", l.Addr().(*net.TCPAddr).Port
}

// TestTogetherElsewhere gives keys to two instances at once, for the same request and for others that meet at
// nothing else.
func TestTogetherElsewhere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		instances := []*api.ClientWithResponses{s.ClientWithResponses, s.another(t)}
		a, b := s.product(t, 1, 1000), s.product(t, 1, 1000)
		const keys = 40
		for name, products := range map[string][2]int64{"same": {a, a}, "other": {a, b}} {
			bodies := make([][4]string, keys)
			counts := atOnce(4*keys, func(i int) string {
				key, which := fmt.Sprint(name, i/4), i%2
				got := answered(
					instances[i%4/2].CreateOrder(
						ctx, &api.CreateOrderParams{XIdempotencyKey: &key},
						newOrder(line(products[which], 1)),
					),
				)
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

package orders_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// pair is an order of 2 pieces whose reservation has expired, and its product, which has 2 more pieces in
// stock.
type pair struct {
	*system
	*api.ClientWithResponses // client of an instance of the service
	t                        *testing.T
	product, order           int64
	confirmations            *atomic.Int64
}

// at returns the pair with the client of another instance of the service.
func (p *pair) at(instance *api.ClientWithResponses) *pair {
	seen := *p
	seen.ClientWithResponses = instance
	return &seen
}

// pairOperations lists operations on the order or the product of a pair. The function do returns the outcome.
var pairOperations = []struct {
	name string
	do   func(p *pair) string
}{
	{"confirm", func(p *pair) string {
		key := fmt.Sprint("confirmation-", p.confirmations.Add(1))
		return p.outcome(p.ConfirmOrder(ctx, p.order, &api.ConfirmOrderParams{XIdempotencyKey: key}))
	}},
	{"cancel", func(p *pair) string {
		return p.outcome(p.CancelOrder(ctx, p.order, nil, api.Cancellation{}))
	}},
	{"compensate", func(p *pair) string {
		cancellation := api.Cancellation{Cause: new(api.Compensation), Reason: new("words")}
		return p.outcome(p.CancelOrder(ctx, p.order, nil, cancellation, asService))
	}},
	{"expire", func(p *pair) string {
		n, err := p.service.ExpireReservations(ctx)
		if err != nil {
			p.t.Error(err)
		}
		return fmt.Sprint(n, " expired")
	}},
	{"add 5", func(p *pair) string {
		return p.outcome(p.AdjustStock(ctx, p.product, nil, api.StockAdjustmentRequest{Delta: 5, Reason: "came"}))
	}},
	{"take 2", func(p *pair) string {
		return p.outcome(p.AdjustStock(ctx, p.product, nil, api.StockAdjustmentRequest{Delta: -2, Reason: "went"}))
	}},
	{"set to 3", func(p *pair) string {
		return p.outcome(p.UpdateProduct(ctx, p.product, nil, api.ProductUpdate{Stock: new(int64(3))}))
	}},
	{"order 2", func(p *pair) string {
		n := api.OrderRequest{CustomerID: 2, Items: []contract.OrderItemRequest{line(p.product, 2)}}
		return p.outcome(p.CreateOrder(ctx, nil, n))
	}},
}

// asService adds the service token to a request.
func asService(_ context.Context, req *http.Request) error {
	req.Header.Set("Authorization", "Bearer "+webtest.Token)
	return nil
}

var changesOrders = []string{"confirm", "cancel", "compensate", "order 2"}

// TestPairs runs each two of pairOperations at the same time: in one instance, in two instances, behind a
// lock on the rows, and in one batch if both change orders. Each time, the outcomes must equal the outcomes
// of running one operation after the other, and the doctor must find no broken rule.
func TestPairs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		instances := []*api.ClientWithResponses{s.ClientWithResponses, s.another(t)}
		for i, a := range pairOperations {
			for _, b := range pairOperations[i:] {
				t.Run(a.name+" and "+b.name, func(t *testing.T) {
					serial := map[string]bool{}
					first := func(p *pair) (string, string) { ofA := a.do(p); return ofA, b.do(p) }
					second := func(p *pair) (string, string) { ofB := b.do(p); return a.do(p), ofB }
					serial[s.meet(t, first)] = true
					serial[s.meet(t, second)] = true
					want := func(how string, meet func(p *pair) (string, string)) {
						t.Helper()
						if got := s.meet(t, meet); !serial[got] {
							t.Errorf("%s: %s\none after the other: %v", how, got, serial)
						}
					}
					elsewhere := func(p *pair) string { return b.do(p.at(instances[1])) }
					for range 2 {
						want("at once", func(p *pair) (string, string) { return p.atOnce(a.do, b.do) })
						want("at once in two instances", func(p *pair) (string, string) {
							return p.atOnce(a.do, elsewhere)
						})
					}
					if slices.Contains(changesOrders, a.name) && slices.Contains(changesOrders, b.name) {
						want("in one batch", func(p *pair) (string, string) { return p.inOneBatch(a.do, b.do) })
						want("in one batch the other way", func(p *pair) (string, string) {
							ofB, ofA := p.inOneBatch(b.do, a.do)
							return ofA, ofB
						})
					}
					if g.Name() == db.SQLite || a.name == "expire" && b.name == "expire" {
						// Here no operation would wait: SQLite has a single writer, and a sweep for expired
						// orders skips the rows that another sweep has locked.
						return
					}
					want("queued", func(p *pair) (string, string) { return p.queued(a.do, elsewhere) })
					want("queued the other way", func(p *pair) (string, string) {
						ofB, ofA := p.queued(elsewhere, a.do)
						return ofA, ofB
					})
				})
			}
		}
	})
}

// meet creates a pair, runs two operations on the pair, and returns the outcomes, the order and the product
// as text.
func (s *system) meet(t *testing.T, run func(p *pair) (ofA, ofB string)) string {
	t.Helper()
	s.clear(t)
	p := &pair{
		system: s, ClientWithResponses: s.ClientWithResponses, t: t, product: s.product(t, 100, 4),
		confirmations: new(atomic.Int64),
	}
	p.order = s.placed(t, line(p.product, 2)).ID
	s.expire(t, p.order)
	ofA, ofB := run(p)
	wantHealthy(t, s.db)
	order, product := p.outcome(s.GetOrder(ctx, p.order, nil)), p.outcome(s.GetProduct(ctx, p.product, nil))
	return fmt.Sprint(ofA, ", ", ofB, ": ", order, ", ", product)
}

// outcome returns the status, the code and the state in an answer, without ids and times.
func (p *pair) outcome(res *http.Response, err error) string {
	got := answered(res, err)
	if got.err != nil || got.status >= 500 {
		p.t.Errorf("%v %d %s", got.err, got.status, got.body)
	}
	var body struct {
		Data struct {
			Status       string
			CancelReason string `json:"cancel_reason"`
			Stock, Level *int64
		}
	}
	if err := json.Unmarshal(got.body, &body); err != nil {
		p.t.Errorf("%v: %s", err, got.body)
	}
	said := outcome(got.status, got.body)
	if d := body.Data; d.Status != "" {
		said += " " + d.Status + " " + d.CancelReason
	} else if d.Stock != nil {
		said += fmt.Sprint(" stock ", *d.Stock)
	} else if d.Level != nil {
		said += fmt.Sprint(" level ", *d.Level)
	}
	return said
}

// atOnce starts two operations at the same moment.
func (p *pair) atOnce(a, b func(p *pair) string) (ofA, ofB string) {
	start, done := make(chan struct{}), make(chan string)
	go func() {
		<-start
		done <- b(p)
	}()
	close(start)
	ofA = a(p)
	return ofA, <-done
}

// inOneBatch runs two operations in one batch. Both must be operations that change orders.
func (p *pair) inOneBatch(first, second func(p *pair) string) (ofFirst, ofSecond string) {
	outcomes := p.system.inOneBatch(p.t, func() string { return first(p) }, func() string { return second(p) })
	return outcomes[0], outcomes[1]
}

// queued runs two operations behind a lock on the order and the product. It starts second when first waits
// for the lock or has an answer. When second waits, too, or has an answer, it releases the lock.
func (p *pair) queued(first, second func(p *pair) string) (ofFirst, ofSecond string) {
	p.t.Helper()
	tx := p.db.Begin()
	defer tx.Rollback()
	for _, lock := range []string{"SELECT id FROM orders FOR UPDATE", "SELECT id FROM products FOR UPDATE"} {
		var ids []int64
		if err := tx.Raw(lock).Scan(&ids).Error; err != nil || len(ids) != 1 {
			p.t.Fatal(ids, err)
		}
	}
	var results [2]chan string
	for i, operation := range []func(p *pair) string{first, second} {
		results[i] = make(chan string, 1)
		go func() { results[i] <- operation(p) }()
		p.wantWaiting(results[:i+1])
	}
	if err := tx.Rollback().Error; err != nil {
		p.t.Fatal(err)
	}
	return <-results[0], <-results[1]
}

// wantWaiting returns when each operation waits for a row or has an answer (a refusal may need no lock).
func (p *pair) wantWaiting(results []chan string) {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		waiting := dbtest.Waiting(p.t, p.db)
		for _, result := range results {
			waiting += len(result)
		}
		if waiting == len(results) {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%d of %d operations wait", waiting, len(results))
		}
	}
}

package orders_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/web/webtest"
	"example.com/b2b/openapi/contract"
	api "example.com/b2b/openapi/ordersapi"
)

// pair is an order of 2 pieces that nobody has confirmed in time, of a product with 2 pieces left.
type pair struct {
	*system
	*api.ClientWithResponses // an instance of the service
	t                        *testing.T
	product, order           int64
	confirmations            *atomic.Int64
}

// at is the pair as another instance of the service sees it.
func (p *pair) at(instance *api.ClientWithResponses) *pair {
	seen := *p
	seen.ClientWithResponses = instance
	return &seen
}

// pairOperations are all that may happen to the order and its product. Each returns what came of it. Those
// that change orders may be carried out together.
var pairOperations = []struct {
	name string
	do   func(p *pair) string
}{
	{"confirm", func(p *pair) string {
		return p.came(
			p.ConfirmOrder(
				ctx, p.order,
				&api.ConfirmOrderParams{XIdempotencyKey: fmt.Sprint("confirmation-", p.confirmations.Add(1))},
			),
		)
	}},
	{"cancel", func(p *pair) string { return p.came(p.CancelOrder(ctx, p.order, nil, api.Cancellation{})) }},
	{"compensate", func(p *pair) string {
		return p.came(
			p.CancelOrder(
				ctx, p.order, nil, api.Cancellation{Cause: new(api.Compensation), Reason: new("words")},
				asService,
			),
		)
	}},
	{"expire", func(p *pair) string {
		n, err := p.service.ExpireReservations(ctx)
		if err != nil {
			p.t.Error(err)
		}
		return fmt.Sprint(n, " expired")
	}},
	{"add 5", func(p *pair) string {
		return p.came(p.AdjustStock(ctx, p.product, nil, api.NewStockAdjustment{Delta: 5, Reason: "came"}))
	}},
	{"take 2", func(p *pair) string {
		return p.came(p.AdjustStock(ctx, p.product, nil, api.NewStockAdjustment{Delta: -2, Reason: "went"}))
	}},
	{"set to 3", func(p *pair) string {
		return p.came(p.UpdateProduct(ctx, p.product, nil, api.ProductUpdate{Stock: new(int64(3))}))
	}},
	{"order 2", func(p *pair) string {
		return p.came(
			p.CreateOrder(ctx, nil, api.NewOrder{CustomerID: 2, Items: []contract.NewOrderItem{line(p.product, 2)}}),
		)
	}},
}

// asService makes a call as another service of the system.
func asService(_ context.Context, req *http.Request) error {
	req.Header.Set("Authorization", "Bearer "+webtest.Token)
	return nil
}

var changesOrders = []string{"confirm", "cancel", "compensate", "order 2"}

// TestPairs lets every two operations meet on one order and its product, in every way in which they can: in
// two instances of the service, in one, and in one transaction. What comes of it must be what comes of one
// after the other, and the stock must add up.
func TestPairs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		instances := []*api.ClientWithResponses{s.ClientWithResponses, s.another(t)}
		for i, a := range pairOperations {
			for _, b := range pairOperations[i:] {
				t.Run(a.name+" and "+b.name, func(t *testing.T) {
					serial := map[string]bool{}
					first := func(p *pair) (string, string) { cameA := a.do(p); return cameA, b.do(p) }
					second := func(p *pair) (string, string) { cameB := b.do(p); return a.do(p), cameB }
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
						want(
							"at once in two instances",
							func(p *pair) (string, string) { return p.atOnce(a.do, elsewhere) },
						)
					}
					if slices.Contains(changesOrders, a.name) && slices.Contains(changesOrders, b.name) {
						want("together", func(p *pair) (string, string) { return p.together(a.do, b.do) })
						want("together the other way", func(p *pair) (string, string) {
							cameB, cameA := p.together(b.do, a.do)
							return cameA, cameB
						})
					}
					if g.Name() == db.SQLite || a.name == "expire" && b.name == "expire" {
						return // no two transactions at once; a sweep leaves held rows for the next one
					}
					want("queued", func(p *pair) (string, string) { return p.queued(a.do, elsewhere) })
					want("queued the other way", func(p *pair) (string, string) {
						cameB, cameA := p.queued(elsewhere, a.do)
						return cameA, cameB
					})
				})
			}
		}
	})
}

// meet makes a new pair, lets two operations meet on it, and returns what came of them and of the pair.
func (s *system) meet(t *testing.T, how func(p *pair) (cameA, cameB string)) string {
	t.Helper()
	s.clear(t)
	p := &pair{
		system: s, ClientWithResponses: s.ClientWithResponses, t: t, product: s.product(t, 100, 4),
		confirmations: new(atomic.Int64),
	}
	p.order = s.placed(t, line(p.product, 2)).ID
	s.expire(t, p.order)
	cameA, cameB := how(p)
	wantHealthy(t, s.db)
	return fmt.Sprint(
		cameA, ", ", cameB, ": ", p.came(s.GetOrder(ctx, p.order, nil)), ", ",
		p.came(s.GetProduct(ctx, p.product, nil)),
	)
}

// came says what came of a call, in what both serial orders have in common: no ids and no times.
func (p *pair) came(res *http.Response, err error) string {
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

// atOnce starts both at the same moment.
func (p *pair) atOnce(a, b func(p *pair) string) (cameA, cameB string) {
	start, done := make(chan struct{}), make(chan string)
	go func() {
		<-start
		done <- b(p)
	}()
	close(start)
	cameA = a(p)
	return cameA, <-done
}

// together carries both out in one transaction, where they can be: see system.together.
func (p *pair) together(first, second func(p *pair) string) (cameFirst, cameSecond string) {
	came := p.system.together(p.t, func() string { return first(p) }, func() string { return second(p) })
	return came[0], came[1]
}

// queued holds the order and the product until first, and behind it second, waits for one of them.
func (p *pair) queued(first, second func(p *pair) string) (cameFirst, cameSecond string) {
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

// wantWaiting returns when each operation either waits for a row or, as one that is refused without any lock,
// has an answer. No other statement of theirs than one that wants a row is as long under way: the server's
// list of what is running now serves.
func (p *pair) wantWaiting(results []chan string) {
	p.t.Helper()
	database := p.db.Migrator().CurrentDatabase()
	for deadline := time.Now().Add(time.Minute); ; {
		var running []struct{ DB, Info string }
		if err := p.db.Raw("SHOW FULL PROCESSLIST").Scan(&running).Error; err != nil {
			p.t.Fatal(err)
		}
		waiting := 0
		for _, r := range running {
			if r.DB == database &&
				(strings.HasSuffix(r.Info, " FOR UPDATE") || strings.HasPrefix(r.Info, "UPDATE ")) {
				waiting++
			}
		}
		for _, result := range results {
			waiting += len(result)
		}
		if waiting == len(results) {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("they do not wait: %+v", running)
		}
	}
}

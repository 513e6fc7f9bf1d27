package orders_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"
	"pgregory.net/rapid"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// books is a model of the Orders API in memory. It stores orders and products as the answers show them. Its
// clock is ahead of the real time by the field passed.
type books struct {
	by          auth.Principal // the caller
	passed      time.Duration
	products    []*api.Product
	adjustments []*api.StockAdjustment
	orders      []*api.Order
	keys        map[[3]string]*memory // stored answers, by caller, operation and idempotency key
	events      []event
}

// event is a row of the history.
type event struct {
	what     string // type of the event
	to       *int64 // id of the order or product
	customer int64  // customer of the order; 0 for an event of a product
	by       string
}

// memory is the stored answer to the first request with an idempotency key.
type memory struct {
	request string
	target  *int64
	body    []byte // body of the answer to the first request
	expires time.Time
}

// verdict is the answer that the model expects from the service.
type verdict struct {
	status  int
	code    string     // error code, or "" for a success
	details []string   // details of an error, each as field and beginning of the message
	replay  []byte     // the whole body, for a request that repeats a key
	view    func() any // returns the data of a success
	created *int64     // want stores the id of the new row here
	target  *int64     // id of the order or product that the key belongs to
}

// forNoPartner is the answer to a partner, who is bound to a customer, for an operation that changes
// products.
var forNoPartner = refused(403, "forbidden", "/header/Authorization ")

func refused(status int, code string, details ...string) verdict {
	return verdict{status: status, code: code, details: details}
}

func (b *books) now() contract.Time { return contract.Time{Time: time.Now().Add(b.passed)} }

func (b *books) shown(t contract.Time) contract.Time { return contract.Time{Time: t.Add(-b.passed)} }

func (b *books) product(id int64) *api.Product {
	return pick(b.products, func(p *api.Product) bool { return p.ID == id })
}

// order returns an order, or nil if the order does not exist or the caller may not see the order.
func (b *books) order(id int64) *api.Order {
	return pick(b.orders, func(o *api.Order) bool { return o.ID == id && b.by.ActsFor(o.CustomerID) })
}

func pick[T any](all []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i]
	}
	return nil
}

func (b *books) viewProduct(p *api.Product) any {
	v := *p
	v.CreatedAt, v.UpdatedAt = b.shown(p.CreatedAt), b.shown(p.UpdatedAt)
	return v
}

func (b *books) viewAdjustment(a *api.StockAdjustment) any {
	v := *a
	v.CreatedAt = b.shown(a.CreatedAt)
	if b.by.Customer != 0 {
		v.Actor = nil
	}
	return v
}

func (b *books) viewOrder(o *api.Order) any {
	v := *o
	v.CreatedAt, v.UpdatedAt, v.AllowedActions = b.shown(o.CreatedAt), b.shown(o.UpdatedAt), []api.OrderAction{}
	for _, t := range []**contract.Time{&v.ConfirmedAt, &v.CanceledAt} {
		if *t != nil {
			*t = new(b.shown(**t))
		}
	}
	switch {
	case o.Status == contract.CREATED:
		v.AllowedActions = []api.OrderAction{api.Confirm, api.Cancel}
		v.ReservationExpiresAt = &contract.Time{Time: v.CreatedAt.Add(reservation)}
	case o.Status == contract.CONFIRMED && b.now().Sub(o.ConfirmedAt.Time) <= window:
		v.AllowedActions = []api.OrderAction{api.Cancel}
		v.CancelableUntil = &contract.Time{Time: v.ConfirmedAt.Add(window)}
	}
	return v
}

// live returns the stored answer to the caller's key, or nil if the key is unknown or has expired.
func (b *books) live(operation, key string) *memory {
	if k := b.keys[[3]string{b.by.Subject, operation, key}]; k != nil && b.now().Before(k.expires) {
		return k
	}
	return nil
}

func (b *books) createProduct(n api.ProductRequest) verdict {
	if b.by.Customer != 0 {
		return forNoPartner
	}
	if pick(b.products, func(p *api.Product) bool { return p.Sku == n.Sku }) != nil {
		return refused(409, "sku_taken", "/sku ")
	}
	p := &api.Product{
		Sku: n.Sku, Name: n.Name, PriceCents: n.PriceCents, Active: n.Active == nil || *n.Active,
		CreatedAt: b.now(), UpdatedAt: b.now(),
	}
	b.products = append(b.products, p)
	b.moveStock(p, n.Stock, "created", "product.created")
	return verdict{status: 201, view: func() any { return b.viewProduct(p) }, created: &p.ID, target: &p.ID}
}

// moveStock changes the stock by an adjustment and records the event. The parameter what is the type of the
// event.
func (b *books) moveStock(p *api.Product, delta int64, reason, what string) *api.StockAdjustment {
	p.Stock, p.UpdatedAt = p.Stock+delta, b.now()
	b.events = append(b.events, event{what: what, to: &p.ID, by: b.by.Subject})
	a := &api.StockAdjustment{
		ProductID: p.ID, Delta: delta, Level: p.Stock, Reason: reason, Actor: new(b.by.Subject), CreatedAt: b.now(),
	}
	b.adjustments = append(b.adjustments, a)
	return a
}

func (b *books) updateProduct(id int64, matches func(view any) bool, u api.ProductUpdate) verdict {
	if b.by.Customer != 0 {
		return forNoPartner
	}
	p := b.product(id)
	if p == nil {
		return refused(404, "product_not_found")
	}
	if !matches(b.viewProduct(p)) {
		return refused(412, "precondition_failed")
	}
	before := *p
	if u.Name != nil {
		p.Name = *u.Name
	}
	if u.PriceCents != nil {
		p.PriceCents = *u.PriceCents
	}
	if u.Active != nil {
		p.Active = *u.Active
	}
	if *p != before {
		p.UpdatedAt = b.now()
		b.events = append(b.events, event{what: "product.updated", to: &p.ID, by: b.by.Subject})
	}
	if u.Stock != nil && *u.Stock != p.Stock {
		b.moveStock(p, *u.Stock-p.Stock, "level set", "stock.adjusted")
	}
	return verdict{status: 200, view: func() any { return b.viewProduct(p) }}
}

func (b *books) adjustStock(id int64, n api.StockAdjustmentRequest) verdict {
	if b.by.Customer != 0 {
		return forNoPartner
	}
	p := b.product(id)
	switch {
	case p == nil:
		return refused(404, "product_not_found")
	case p.Stock+n.Delta < 0:
		detail := fmt.Sprintf("/delta product %d: asked %d, available %d", id, -n.Delta, p.Stock)
		return refused(400, "insufficient_stock", detail)
	case n.Delta > 0 && p.Stock+n.Delta > 1_000_000_000:
		return refused(400, "validation_failed", "/delta ")
	}
	a := b.moveStock(p, n.Delta, n.Reason, "stock.adjusted")
	return verdict{status: 201, view: func() any { return b.viewAdjustment(a) }, created: &a.ID, target: &p.ID}
}

func (b *books) createOrder(n api.OrderRequest) verdict {
	earlier := pick(b.orders, func(o *api.Order) bool {
		return n.ExternalRef != nil && o.ExternalRef != nil && *o.ExternalRef == *n.ExternalRef &&
			o.CustomerID == n.CustomerID && o.Status != contract.CANCELED
	})
	if earlier != nil {
		return refused(409, "external_ref_taken", fmt.Sprintf("/external_ref belongs to order %d", earlier.ID))
	}
	o := &api.Order{
		OrderSummary: api.OrderSummary{
			CustomerID: n.CustomerID, ExternalRef: n.ExternalRef, Metadata: n.Metadata,
			Status: contract.CREATED, CreatedAt: b.now(), UpdatedAt: b.now(),
		},
	}
	first := map[int64]int{} // index of the first line of each product
	missing, inactive := refused(404, "product_not_found"), refused(400, "product_inactive")
	short := refused(400, "insufficient_stock")
	for i, l := range n.Items {
		named, field := func(p *api.Product) bool { return l.Sku != nil && p.Sku == *l.Sku }, "sku"
		if l.ProductID != nil {
			named, field = func(p *api.Product) bool { return p.ID == *l.ProductID }, "product_id"
		}
		p := pick(b.products, named)
		if p == nil {
			missing.details = append(missing.details, fmt.Sprintf("/items/%d/%s there is no product ", i, field))
			continue
		}
		if !p.Active {
			detail := fmt.Sprintf("/items/%d/%s product %d is not active", i, field, p.ID)
			inactive.details = append(inactive.details, detail)
		}
		item := pick(pointers(o.Items), func(item *contract.OrderItem) bool { return item.ProductID == p.ID })
		if item == nil {
			first[p.ID] = i
			o.Items = append(o.Items, contract.OrderItem{ProductID: p.ID})
			item = &o.Items[len(o.Items)-1]
		}
		item.Qty += l.Qty
	}
	slices.SortFunc(o.Items, func(x, y contract.OrderItem) int { return int(x.ProductID - y.ProductID) })
	for i, item := range o.Items {
		line := first[item.ProductID]
		p := b.product(item.ProductID)
		if p.Stock < item.Qty {
			const detail = "/items/%d/qty product %d: asked %d, available %d"
			short.details = append(short.details, fmt.Sprintf(detail, line, p.ID, item.Qty, p.Stock))
		}
		o.Items[i].Sku, o.Items[i].Name = p.Sku, p.Name
		o.Items[i].UnitPriceCents, o.Items[i].SubtotalCents = p.PriceCents, p.PriceCents*item.Qty
		o.TotalCents += p.PriceCents * item.Qty
	}
	if missing.details != nil {
		return missing
	}
	if inactive.details != nil {
		return inactive
	}
	if short.details != nil {
		return short
	}
	if expected := n.ExpectedTotalCents; expected != nil && *expected != o.TotalCents {
		changed := refused(409, "total_changed",
			fmt.Sprintf("/expected_total_cents is %d, and the total is %d", *expected, o.TotalCents))
		for i, l := range n.Items {
			p, field := pick(b.products, func(p *api.Product) bool { return l.Sku != nil && p.Sku == *l.Sku }), "sku"
			if l.ProductID != nil {
				p, field = b.product(*l.ProductID), "product_id"
			}
			const detail = "/items/%d/%s product %d: %d cents a piece"
			changed.details = append(changed.details, fmt.Sprintf(detail, i, field, p.ID, p.PriceCents))
		}
		return changed
	}
	for _, item := range o.Items {
		p := b.product(item.ProductID)
		p.Stock, p.UpdatedAt = p.Stock-item.Qty, b.now()
	}
	b.orders = append(b.orders, o)
	b.transitioned(o, "order.created", b.by)
	return verdict{status: 201, view: func() any { return b.viewOrder(o) }, created: &o.ID, target: &o.ID}
}

func (b *books) confirmOrder(id int64, matches func(view any) bool) verdict {
	o := b.order(id)
	switch {
	case o == nil:
		return refused(404, "order_not_found")
	case !matches(b.viewOrder(o)):
		return refused(412, "precondition_failed")
	case o.Status == contract.CANCELED:
		return refused(400, "order_not_confirmable")
	case o.Status == contract.CREATED:
		o.Status, o.ConfirmedAt, o.UpdatedAt = contract.CONFIRMED, new(b.now()), b.now()
		b.transitioned(o, "order.confirmed", b.by)
	}
	return verdict{status: 200, view: func() any { return b.viewOrder(o) }, target: &o.ID}
}

func (b *books) cancelOrder(id int64, matches func(view any) bool, c api.Cancellation) verdict {
	o := b.order(id)
	switch {
	case o == nil:
		return refused(404, "order_not_found")
	case !matches(b.viewOrder(o)):
		return refused(412, "precondition_failed")
	case o.Status == contract.CONFIRMED && b.now().Sub(o.ConfirmedAt.Time) > window:
		return refused(400, "cancel_window_closed")
	case o.Status != contract.CANCELED:
		b.cancel(o, api.Requested, c.Reason, b.by)
	}
	return verdict{status: 200, view: func() any { return b.viewOrder(o) }, target: &o.ID}
}

func (b *books) transitioned(o *api.Order, what string, by auth.Principal) {
	b.events = append(b.events, event{what, &o.ID, o.CustomerID, by.Subject})
}

func (b *books) cancel(o *api.Order, reason api.CancelReason, note *string, by auth.Principal) {
	b.transitioned(o, "order.canceled", by)
	o.Status, o.CanceledAt, o.UpdatedAt = contract.CANCELED, new(b.now()), b.now()
	o.CancelReason, o.CancelNote, o.CanceledBy = &reason, note, new(by.Subject)
	for _, item := range o.Items {
		p := b.product(item.ProductID)
		p.Stock, p.UpdatedAt = p.Stock+item.Qty, b.now()
	}
}

func (b *books) expireReservations() (n int) {
	for _, o := range b.orders {
		if o.Status == contract.CREATED && b.now().Sub(o.CreatedAt.Time) >= reservation {
			b.cancel(o, api.ReservationExpired, nil, auth.System)
			n++
		}
	}
	return n
}

func (b *books) purgeKeys() int {
	before := len(b.keys)
	for at, k := range b.keys {
		if !b.now().Before(k.expires) {
			b.forget(at)
		}
	}
	return before - len(b.keys)
}

// forget deletes the stored result of a key. With the result of createOrder, it also deletes the results of
// confirmOrder and cancelOrder for the same key and the same order.
func (b *books) forget(at [3]string) {
	if k := b.keys[at]; k != nil && at[1] == "createOrder" {
		for _, operation := range []string{"confirmOrder", "cancelOrder"} {
			at := [3]string{at[0], operation, at[2]}
			if changed := b.keys[at]; changed != nil && *changed.target == *k.target {
				delete(b.keys, at)
			}
		}
	}
	delete(b.keys, at)
}

func (b *books) viewKey(key string) any {
	r := api.KeyReport{IdempotencyKey: key}
	for _, operation := range keyedOperations {
		if k := b.live(operation, key); k != nil {
			done := api.KeyedOperation{
				Operation: api.KeyedOperationOperation(operation),
				ExpiresAt: b.shown(contract.Time{Time: k.expires}),
			}
			if operation == "adjustStock" || operation == "createProduct" {
				done.ProductID = k.target
			} else {
				done.OrderID, done.OrderStatus = k.target, &b.order(*k.target).Status
			}
			r.Operations = append(r.Operations, done)
		}
	}
	return r
}

var keyedOperations = []string{"adjustStock", "cancelOrder", "confirmOrder", "createOrder", "createProduct"}

func pointers[T any](all []T) []*T {
	p := make([]*T, len(all))
	for i := range all {
		p[i] = &all[i]
	}
	return p
}

// machine sends each request to the service and to the model, and compares the answers.
type machine struct {
	t *testing.T
	s *system
	books
	seen    map[string]string // representations of orders and products, by ETag
	tags    []string
	earlier []func(r *rapid.T)
}

// callers lists two partners, each bound to a customer, and a caller with access to all customers. They use
// the same keys, because one caller's keys must not affect another caller.
var callers = []auth.Principal{
	{Subject: "erp-of-1", Customer: 1},
	{Subject: "erp-of-2", Customer: 2},
	{Subject: "office"},
}

// acting runs a step as a random caller.
func (m *machine) acting(step func(*rapid.T)) func(*rapid.T) {
	return func(r *rapid.T) {
		m.by = rapid.SampledFrom(callers).Draw(r, "caller")
		step(r)
	}
}

// TestModel sends random sequences of requests to the service and to the model, and compares the answers. The
// flag -rapid.checks=1000 makes more sequences, and -rapid.steps=200 makes longer sequences.
func TestModel(t *testing.T) {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	// A failed sequence needs no file, because the log has the sequence and its seed.
	defaults := map[string]string{"rapid.checks": "40", "rapid.steps": "50", "rapid.nofailfile": "true"}
	for name, value := range defaults {
		if !given[name] {
			if err := flag.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		var m *machine
		tokens := map[string]string{}
		for _, p := range callers {
			tokens[p.Subject] = as(t, p, "")[1]
		}
		client := s.ClientInterface.(*api.Client)
		client.RequestEditors = append(client.RequestEditors, func(_ context.Context, req *http.Request) error {
			req.Header.Set("Authorization", tokens[m.by.Subject])
			return nil
		})
		rapid.Check(t, func(r *rapid.T) {
			s.clear(r)
			m = &machine{
				t: t, s: s, books: books{by: callers[2], keys: map[[3]string]*memory{}},
				seen: map[string]string{},
			}
			for _, sku := range skuPool[:2] {
				m.newProduct(r, nil, api.ProductRequest{Sku: sku, Name: "Thing", PriceCents: 100, Stock: 20})
			}
			steps := map[string]func(*rapid.T){
				"create product":          m.drawNewProduct,
				"update product":          m.drawProductUpdate,
				"adjust stock":            m.drawAdjustment,
				"create order":            m.drawNewOrder,
				"create another order":    m.drawNewOrder, // a second name makes a step twice as likely
				"confirm order":           m.drawConfirmation,
				"confirm another order":   m.drawConfirmation,
				"cancel order":            m.drawCancellation,
				"repeat":                  m.repeat,
				"repeat once more":        m.repeat,
				"get product":             m.getProduct,
				"get order":               m.getOrder,
				"get key":                 func(r *rapid.T) { m.getKey(r, drawKey(r)) },
				"list orders":             m.drawList,
				"list adjustments":        func(r *rapid.T) { m.wantAdjustments(r, m.drawProduct(r)) },
				"expire reservations":     m.expire,
				"purge keys":              m.purge,
				"let time pass":           m.letTimePass,
				"let some more time pass": m.letTimePass,
			}
			for name, step := range steps {
				steps[name] = m.acting(step)
			}
			r.Repeat(steps)
			m.wantAll(r)
		})
	})
}

// unknown is an id without an order or product.
const unknown = 1 << 50

var skuPool = []string{"A", "a", "B", "C"}

func drawKey(r *rapid.T) string { return rapid.SampledFrom([]string{"k", "l"}).Draw(r, "key") }

func drawKeyOrNone(r *rapid.T) *string {
	if oneIn(r, 4, "no key") {
		return nil
	}
	return new(drawKey(r))
}

func oneIn(r *rapid.T, n int, label string) bool {
	return rapid.SampledFrom(append(make([]bool, n-1), true)).Draw(r, label)
}

func (m *machine) drawProduct(r *rapid.T) int64 {
	var ids []int64
	for _, p := range m.products {
		ids = append(ids, p.ID)
	}
	return rapid.SampledFrom(append(slices.Repeat(ids, 5), unknown)).Draw(r, "product")
}

func (m *machine) drawOrder(r *rapid.T) int64 {
	if m.orders == nil {
		r.SkipNow()
	}
	var ids []int64
	for _, o := range m.orders {
		ids = append(ids, o.ID)
	}
	return rapid.SampledFrom(append(slices.Repeat(ids, 5), unknown)).Draw(r, "order")
}

// drawTag draws an ETag for the header If-Match or If-None-Match, or nil for no header. The function matches
// reports whether the header matches a representation.
func (m *machine) drawTag(r *rapid.T) (tag *string, matches func(view any) bool) {
	t := rapid.SampledFrom([]string{"", "", "", "*", `"other"`, "seen", "seen"}).Draw(r, "tag")
	if t == "seen" && m.tags != nil {
		t = m.tags[len(m.tags)-1-rapid.IntRange(0, len(m.tags)-1).Draw(r, "tags ago")]
	}
	if t == "" || t == "seen" {
		return nil, func(any) bool { return true }
	}
	return &t, func(view any) bool { return t == "*" || m.seen[t] == asJSON(view) }
}

// do sends a request, and stores the request for the step repeat.
func (m *machine) do(r *rapid.T, request func(r *rapid.T)) {
	r.Helper()
	by := m.by
	m.earlier = append(m.earlier, func(r *rapid.T) {
		m.by = by
		request(r)
	})
	request(r)
}

func (m *machine) repeat(r *rapid.T) {
	if m.earlier == nil {
		r.SkipNow()
	}
	m.earlier[len(m.earlier)-1-rapid.IntRange(0, len(m.earlier)-1).Draw(r, "requests ago")](r)
}

func (m *machine) newProduct(r *rapid.T, key *string, n api.ProductRequest) {
	effect := func() verdict { return m.createProduct(n) }
	m.keyed(r, "createProduct", key, n, effect, func() (*http.Response, error) {
		return m.s.CreateProduct(ctx, &api.CreateProductParams{XIdempotencyKey: key}, n)
	})
	// The first adjustment of a new product gets the product's id here, because the service chooses the id.
	for _, a := range m.adjustments {
		if a.ProductID == 0 {
			a.ProductID = m.products[len(m.products)-1].ID
		}
	}
}

func (m *machine) drawNewProduct(r *rapid.T) {
	n := api.ProductRequest{
		Sku: rapid.SampledFrom(skuPool).Draw(r, "sku"), Name: "Thing", PriceCents: drawPrice(r),
		Stock: drawLevel(r),
	}
	key := drawKeyOrNone(r)
	m.do(r, func(r *rapid.T) { m.newProduct(r, key, n) })
}

func drawPrice(r *rapid.T) int64 { return rapid.SampledFrom([]int64{100, 0, 250}).Draw(r, "price") }

func drawLevel(r *rapid.T) int64 {
	return rapid.SampledFrom([]int64{20, 5, 50, 0, 1_000_000_000}).Draw(r, "stock")
}

func (m *machine) drawProductUpdate(r *rapid.T) {
	id, u := m.drawProduct(r), api.ProductUpdate{}
	tag, matches := m.drawTag(r)
	switch rapid.SampledFrom([]string{"stock", "price", "both", "active", "name"}).Draw(r, "fields") {
	case "stock":
		u.Stock = new(drawLevel(r))
	case "price":
		u.PriceCents = new(drawPrice(r))
	case "both":
		u.Stock, u.PriceCents = new(drawLevel(r)), new(drawPrice(r))
	case "active":
		u.Active = new(!oneIn(r, 3, "inactive"))
	case "name":
		u.Name = new(rapid.SampledFrom([]string{"Thing", "Other thing"}).Draw(r, "name"))
	}
	m.do(r, func(r *rapid.T) {
		want := m.updateProduct(id, matches, u)
		m.want(r, want, answered(m.s.UpdateProduct(ctx, id, &api.UpdateProductParams{IfMatch: tag}, u)))
	})
}

// keyed sends a request with the key, or without a key if key is nil. It expects the answer of the function
// effect, or the stored answer when the key was used before.
func (m *machine) keyed(
	r *rapid.T, operation string, key *string, request any, effect func() verdict,
	call func() (*http.Response, error),
) {
	r.Helper()
	if key == nil {
		m.want(r, effect(), answered(call()))
		return
	}
	content := asJSON(request)
	first := m.live(operation, *key)
	switch {
	case first == nil:
		v, k := effect(), &memory{request: content, expires: m.now().Add(keyLifetime)}
		got := answered(call())
		m.want(r, v, got)
		if k.target, k.body = v.target, got.body; v.code == "" {
			m.forget([3]string{m.by.Subject, operation, *key})
			m.keys[[3]string{m.by.Subject, operation, *key}] = k
		}
	case first.request == content:
		m.want(r, verdict{replay: first.body}, answered(call()))
	default:
		m.want(r, refused(422, "idempotency_key_reused"), answered(call()))
	}
}

func (m *machine) drawAdjustment(r *rapid.T) {
	id, key := m.drawProduct(r), drawKeyOrNone(r)
	n := api.StockAdjustmentRequest{
		Delta:  rapid.SampledFrom([]int64{3, 9, -1, -4, -50, 1_000_000_000}).Draw(r, "delta"),
		Reason: rapid.SampledFrom([]string{"came", "went"}).Draw(r, "reason"),
	}
	m.do(r, func(r *rapid.T) {
		effect := func() verdict { return m.adjustStock(id, n) }
		m.keyed(r, "adjustStock", key, []any{id, n}, effect, func() (*http.Response, error) {
			return m.s.AdjustStock(ctx, id, &api.AdjustStockParams{XIdempotencyKey: key}, n)
		})
	})
}

func (m *machine) drawNewOrder(r *rapid.T) {
	key := drawKeyOrNone(r)
	// There is no customer 3.
	n := api.OrderRequest{CustomerID: rapid.SampledFrom([]int64{1, 2, 1, 2, 1, 2, 3}).Draw(r, "customer")}
	if ref := rapid.SampledFrom([]string{"", "", "PO-1", "po-1", "PO-2"}).Draw(r, "external_ref"); ref != "" {
		n.ExternalRef, n.Metadata = &ref, &contract.OrderMetadata{"for": ref}
	}
	for range rapid.IntRange(1, 3).Draw(r, "lines") {
		if oneIn(r, 3, "by sku") {
			sku := rapid.SampledFrom(skuPool).Draw(r, "sku")
			n.Items = append(n.Items, contract.OrderItemRequest{Sku: &sku, Qty: 1})
			continue
		}
		product := m.drawProduct(r)
		n.Items = append(n.Items, line(product, rapid.SampledFrom([]int64{1, 2, 3, 1, 15}).Draw(r, "qty")))
	}
	if oneIn(r, 4, "expects a total") {
		n.ExpectedTotalCents = new(int64(rapid.SampledFrom([]int{0, 100, 200, 300}).Draw(r, "total")))
	}
	m.do(r, func(r *rapid.T) {
		down := oneIn(r, 8, "customers down")
		call := func() (*http.Response, error) {
			if down {
				m.s.customersDown.Store(true)
				defer func() {
					m.s.customersDown.Store(false)
					// One successful lookup of a customer closes the circuit breaker of the Customers API
					// again.
					lookup := api.OrderRequest{
						CustomerID: cmp.Or(m.by.Customer, 1),
						Items:      []contract.OrderItemRequest{line(unknown, 1)},
					}
					want := refused(404, "product_not_found", "/items/0/product_id ")
					m.want(r, want, answered(m.s.CreateOrder(ctx, nil, lookup)))
				}()
			}
			return m.s.CreateOrder(ctx, &api.CreateOrderParams{XIdempotencyKey: key}, n)
		}
		// A repeated request gets the stored answer, and needs no lookup of the customer.
		var first *memory
		if key != nil {
			first = m.live("createOrder", *key)
		}
		if again := first != nil && first.request == asJSON(n); !m.by.ActsFor(n.CustomerID) {
			m.want(r, refused(403, "forbidden", "/customer_id "),
				answered(m.s.CreateOrder(ctx, &api.CreateOrderParams{XIdempotencyKey: key}, n)))
		} else if !again && down {
			m.want(r, refused(503, "customers_unavailable"), answered(call()))
		} else if !again && n.CustomerID == 3 {
			m.want(r, refused(404, "customer_not_found", "/customer_id "), answered(call()))
		} else {
			m.keyed(r, "createOrder", key, n, func() verdict { return m.createOrder(n) }, call)
		}
	})
}

func (m *machine) drawConfirmation(r *rapid.T) {
	id, key := m.drawOrder(r), drawKeyOrNone(r)
	tag, matches := m.drawTag(r)
	m.do(r, func(r *rapid.T) {
		params := &api.ConfirmOrderParams{IfMatch: tag}
		if key == nil {
			m.want(r, refused(400, "idempotency_key_required", "/header/X-Idempotency-Key "),
				answered(m.s.ConfirmOrder(ctx, id, params, withoutKey)))
			return
		}
		params.XIdempotencyKey = *key
		effect := func() verdict { return m.confirmOrder(id, matches) }
		m.keyed(r, "confirmOrder", key, id, effect, func() (*http.Response, error) {
			return m.s.ConfirmOrder(ctx, id, params)
		})
	})
}

func withoutKey(_ context.Context, req *http.Request) error {
	req.Header.Del("X-Idempotency-Key")
	return nil
}

func (m *machine) drawCancellation(r *rapid.T) {
	id, key := m.drawOrder(r), drawKeyOrNone(r)
	tag, matches := m.drawTag(r)
	var body api.Cancellation
	reasons := rapid.SampledFrom([]string{"", "Cliente solicitó cancelación", "other words"})
	if reason := reasons.Draw(r, "reason"); reason != "" {
		body.Reason = &reason
	}
	causes := rapid.SampledFrom([]api.CancelReason{"", "", api.Requested, api.Compensation})
	if cause := causes.Draw(r, "cause"); cause != "" {
		body.Cause = &cause
	}
	// A request without a cause is the same request as one with the cause requested.
	meant := body
	if meant.Cause == nil {
		meant.Cause = new(api.Requested)
	}
	m.do(r, func(r *rapid.T) {
		cancel := func() (*http.Response, error) {
			return m.s.CancelOrder(ctx, id, &api.CancelOrderParams{IfMatch: tag, XIdempotencyKey: key}, body)
		}
		if *meant.Cause == api.Compensation { // only services may send this cause
			m.want(r, refused(403, "forbidden", "/cause "), answered(cancel()))
			return
		}
		effect := func() verdict { return m.cancelOrder(id, matches, body) }
		m.keyed(r, "cancelOrder", key, []any{id, meant}, effect, cancel)
	})
}

// reading returns the expected answer to a GET. The parameter none is the header If-None-Match, and matches
// reports whether the header matches a representation.
func reading(found bool, code string, view func() any, none *string, matches func(view any) bool) verdict {
	switch {
	case !found:
		return refused(404, code)
	case none != nil && matches(view()):
		return verdict{status: 304}
	}
	return verdict{status: 200, view: view}
}

func (m *machine) getProduct(r *rapid.T) {
	id := m.drawProduct(r)
	tag, matches := m.drawTag(r)
	m.wantProduct(r, id, tag, matches)
}

func (m *machine) wantProduct(r *rapid.T, id int64, tag *string, matches func(view any) bool) {
	p := m.product(id)
	v := reading(p != nil, "product_not_found", func() any { return m.viewProduct(p) }, tag, matches)
	m.want(r, v, answered(m.s.GetProduct(ctx, id, &api.GetProductParams{IfNoneMatch: tag})))
}

func (m *machine) getOrder(r *rapid.T) {
	id := m.drawOrder(r)
	tag, matches := m.drawTag(r)
	m.wantOrder(r, id, tag, matches)
}

func (m *machine) wantOrder(r *rapid.T, id int64, tag *string, matches func(view any) bool) {
	o := m.order(id)
	v := reading(o != nil, "order_not_found", func() any { return m.viewOrder(o) }, tag, matches)
	m.want(r, v, answered(m.s.GetOrder(ctx, id, &api.GetOrderParams{IfNoneMatch: tag})))
}

func (m *machine) getKey(r *rapid.T, key string) {
	v := verdict{status: 200, view: func() any { return m.viewKey(key) }}
	if v.view().(api.KeyReport).Operations == nil {
		v = refused(404, "idempotency_key_unknown")
	}
	m.want(r, v, answered(m.s.GetIdempotencyKey(ctx, key)))
}

var statuses = []contract.OrderStatus{"", contract.CREATED, contract.CONFIRMED, contract.CANCELED}

func (m *machine) drawList(r *rapid.T) {
	status := rapid.SampledFrom(statuses).Draw(r, "status")
	m.wantList(r, status, rapid.SampledFrom([]int64{0, 1, 2, 3}).Draw(r, "customer"))
}

func (m *machine) wantList(r *rapid.T, status contract.OrderStatus, customer int64) {
	params := &api.ListOrdersParams{Limit: new(int32(4))}
	if status != "" {
		params.Status = &status
	}
	if customer != 0 {
		params.CustomerID = &customer
	}
	var want []any
	for _, o := range m.orders {
		if (status == "" || o.Status == status) && (customer == 0 || o.CustomerID == customer) &&
			m.by.ActsFor(o.CustomerID) {
			want = append(want, without("items", plain(m.viewOrder(o))))
		}
	}
	m.wantPages(r, "", want, func(cursor *int64) (*http.Response, error) {
		params.Cursor = cursor
		return m.s.ListOrders(ctx, params)
	})
}

// wantPages reads all pages of a list, and compares the rows with want. It ignores the field in the parameter
// field.
func (m *machine) wantPages(
	r *rapid.T, field string, want []any, page func(cursor *int64) (*http.Response, error),
) {
	r.Helper()
	var got []any
	for cursor := (*int64)(nil); ; {
		a := answered(page(cursor))
		var body struct {
			Data []any
			Meta struct{ NextCursor *int64 }
		}
		if err := json.Unmarshal(a.body, &body); err != nil || a.status != 200 {
			r.Fatalf("%d %s", a.status, a.body)
		}
		for _, row := range body.Data {
			got = append(got, without(field, row))
		}
		if cursor = body.Meta.NextCursor; cursor == nil {
			break
		}
	}
	if !slices.EqualFunc(got, want, alike) {
		r.Fatalf("listed %s\nwant   %s", asJSON(got), asJSON(want))
	}
}

func (m *machine) expire(r *rapid.T) {
	want := m.expireReservations()
	if got, err := m.s.service.ExpireReservations(ctx); err != nil || got != want {
		r.Fatalf("%d reservations expired, want %d; %v", got, want, err)
	}
}

func (m *machine) purge(r *rapid.T) {
	want := m.purgeKeys()
	if got, err := m.s.service.PurgeKeys(ctx); err != nil || got != want {
		r.Fatalf("%d keys purged, want %d; %v", got, want, err)
	}
}

// letTimePass makes all rows older. No sum of a few of the durations comes closer than a minute to the
// cancellation window, the reservation or the lifetime of a key. So the time that the test itself takes does
// not change an outcome.
func (m *machine) letTimePass(r *rapid.T) {
	durations := []time.Duration{4 * time.Minute, window + time.Minute, 13 * time.Hour, 25 * time.Hour}
	d := rapid.SampledFrom(durations).Draw(r, "time")
	m.passed += d
	var age []string
	for _, c := range []struct{ table, columns string }{
		{"products", "created_at updated_at"},
		{"stock_adjustments", "created_at"},
		{"idempotency_keys", "expires_at"},
	} {
		age = append(age, "UPDATE "+c.table+" SET "+m.s.earlier(d, c.columns))
	}
	m.s.atomically(r, age...)
	m.s.age(r, d)
}

// wantAll compares all products, orders, lists and keys of the service with the model. It also counts the
// rows, and runs the doctor.
func (m *machine) wantAll(r *rapid.T) {
	always := func(any) bool { return true }
	for _, p := range m.products {
		m.wantProduct(r, p.ID, nil, always)
		m.wantAdjustments(r, p.ID)
	}
	lines := 0
	for _, o := range m.orders {
		lines += len(o.Items)
	}
	for _, m.by = range callers {
		for _, o := range m.orders {
			m.wantOrder(r, o.ID, nil, always)
		}
		for _, status := range statuses {
			m.wantList(r, status, 0)
		}
		for _, key := range []string{"k", "l"} {
			m.getKey(r, key)
		}
	}
	m.wantHistory(r)
	for table, want := range map[string]int{
		"products": len(m.products), "stock_adjustments": len(m.adjustments), "orders": len(m.orders),
		"order_items": lines, "idempotency_keys": len(m.keys), "events": len(m.events),
	} {
		if got := m.s.count(m.t, table); got != int64(want) {
			r.Errorf("%d %s, want %d", got, table, want)
		}
	}
	wantHealthy(r, m.s.db)
}

// wantHistory compares the events of each order and product with the model, and also their sequence.
func (m *machine) wantHistory(r *rapid.T) {
	var rows []struct {
		Subject, Type, Actor  string
		SubjectID, CustomerID int64
	}
	err := m.s.db.Raw(`SELECT subject, subject_id, type, actor, COALESCE(customer_id, 0) AS customer_id
		FROM events ORDER BY id`).Scan(&rows).Error
	if err != nil {
		r.Fatal(err)
	}
	got, want := map[string][]string{}, map[string][]string{}
	for _, e := range rows {
		thing := fmt.Sprint(e.Subject, " ", e.SubjectID)
		got[thing] = append(got[thing], fmt.Sprintf("%s for %d by %s", e.Type, e.CustomerID, e.Actor))
	}
	for _, e := range m.events {
		subject := "product"
		if e.customer != 0 {
			subject = "order"
		}
		thing := fmt.Sprint(subject, " ", *e.to)
		want[thing] = append(want[thing], fmt.Sprintf("%s for %d by %s", e.what, e.customer, e.by))
	}
	if !reflect.DeepEqual(got, want) {
		r.Errorf("the history is %v\nwant %v", got, want)
	}
}

func (m *machine) wantAdjustments(r *rapid.T, id int64) {
	if m.product(id) == nil {
		m.want(r, refused(404, "product_not_found"), answered(m.s.ListStockAdjustments(ctx, id, nil)))
		return
	}
	var want []any
	for _, a := range slices.Backward(m.adjustments) {
		if a.ProductID == id {
			// The answer may not have had the id of the adjustment, so the model may not know the id.
			want = append(want, without("id", plain(m.viewAdjustment(a))))
		}
	}
	m.wantPages(r, "id", want, func(cursor *int64) (*http.Response, error) {
		params := &api.ListStockAdjustmentsParams{Limit: new(int32(4)), Cursor: cursor}
		return m.s.ListStockAdjustments(ctx, id, params)
	})
}

// reply is a whole answer, or the error of a call without an answer.
type reply struct {
	status int
	body   []byte
	header http.Header
	err    error
}

func answered(res *http.Response, err error) reply {
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, body, res.Header, err}
}

// want compares an answer with the model's verdict, and stores the id of a created row in the model.
func (m *machine) want(r *rapid.T, v verdict, got reply) {
	r.Helper()
	if got.err != nil {
		r.Fatal(got.err)
	}
	if replayed := got.header.Get("Idempotency-Replayed") == "true"; replayed != (v.replay != nil) ||
		replayed && !bytes.Equal(got.body, v.replay) {
		r.Fatalf("answered %d, replayed %v: %s\nwant the answer %q to be replayed",
			got.status, replayed, got.body, v.replay)
	} else if replayed {
		return
	}
	var body struct {
		Data    any
		Code    string
		Details []struct{ Field, Message string }
	}
	if err := json.Unmarshal(got.body, &body); err != nil && got.status != 304 {
		r.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	same := got.status == v.status && body.Code == v.code && len(body.Details) == len(v.details)
	for i := 0; same && i < len(v.details); i++ {
		same = strings.HasPrefix(body.Details[i].Field+" "+body.Details[i].Message, v.details[i])
	}
	if !same {
		r.Fatalf("answered %d %s\nwant %d %s %q", got.status, got.body, v.status, v.code, v.details)
	}
	if v.view == nil {
		return
	}
	if v.created != nil {
		data, _ := body.Data.(map[string]any)
		id, _ := data["id"].(float64)
		*v.created = int64(id)
	}
	if !alike(body.Data, plain(v.view())) {
		r.Fatalf("answered %d %s\nwant data %s", got.status, got.body, asJSON(v.view()))
	}
	if tag := got.header.Get("ETag"); tag != "" {
		m.seen[tag], m.tags = asJSON(v.view()), append(m.tags, tag)
	}
}

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// plain converts v to the types of decoded JSON.
func plain(v any) (p any) {
	if err := json.Unmarshal([]byte(asJSON(v)), &p); err != nil {
		panic(err)
	}
	return p
}

func without(field string, row any) any {
	delete(row.(map[string]any), field)
	return row
}

// alike compares decoded JSON. Times may differ by up to 2 minutes, which is less than any duration of
// letTimePass.
func alike(got, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		for k := range w {
			ok = ok && alike(g[k], w[k])
		}
		return ok && len(g) == len(w)
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(g, w, alike)
	case string:
		g, _ := got.(string)
		if at, err := time.Parse(time.RFC3339, w); err == nil {
			t, err := time.Parse(time.RFC3339, g)
			return err == nil && t.Sub(at).Abs() < 2*time.Minute
		}
		return g == w
	}
	return got == want
}

// clear deletes all rows except customers.
func (s *system) clear(t rapid.TB) {
	t.Helper()
	s.atomically(t, "DELETE FROM events", "DELETE FROM idempotency_keys", "DELETE FROM order_items",
		"DELETE FROM orders", "DELETE FROM stock_adjustments", "DELETE FROM products")
}

// atomically runs SQL statements in a transaction, without the service.
func (s *system) atomically(t rapid.TB, statements ...string) {
	t.Helper()
	err := s.db.Transaction(func(tx *gorm.DB) error {
		for _, statement := range statements {
			if err := tx.Exec(statement).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

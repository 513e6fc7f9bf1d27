package orders_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	api "example.com/b2b/v2/openapi/ordersapi"
	"example.com/b2b/v2/orders"
)

var ctx = context.Background()

// system is a service on a database, with a fake Customers API that knows the customers 1 and 2.
type system struct {
	*api.ClientWithResponses
	base              string
	db                *gorm.DB
	service           *orders.Service
	customersDown     atomic.Bool
	insteadOfCustomer atomic.Pointer[func(http.ResponseWriter)] // answers in place of the fake unless nil
	oneBatch          sync.Once                                 // used by the method gate
}

const window, reservation, keyLifetime = 10 * time.Minute, 24 * time.Hour, 24 * time.Hour

func serve(t *testing.T, g *gorm.DB) *system {
	t.Helper()
	s := &system{db: g}
	fake := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case s.insteadOfCustomer.Load() != nil:
			(*s.insteadOfCustomer.Load())(w)
		case s.customersDown.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"success":false,"error":"down","code":"unavailable"}`)
		case r.Header.Get("Authorization") != "Bearer "+webtest.Token || r.Header.Get(correlation.Header) == "":
			t.Errorf("%s without token or correlation id", r.URL)
		case r.URL.Path == "/internal/customers/1" || r.URL.Path == "/internal/customers/2":
			json.NewEncoder(w).Encode(customersapi.CustomerResponse{Success: true})
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"success":false,"error":"no","code":"customer_not_found"}`)
		}
	}))
	t.Cleanup(fake.Close)
	err := g.Exec(`INSERT INTO customers (id, name, email, created_at) VALUES
		(1, 'One', 'one@example.com', CURRENT_TIMESTAMP), (2, 'Two', 'two@example.com', CURRENT_TIMESTAMP)`).Error
	if err != nil {
		t.Fatal(err)
	}
	s.service, err = orders.New(g, orders.Config{
		Customers:          peer.Peer{Base: fake.URL, Token: webtest.Token, Timeout: time.Minute},
		CancellationWindow: window, Reservation: reservation, KeyLifetime: keyLifetime, MaxHeld: 50,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.base, s.ClientWithResponses = instance(t, s.service)
	return s
}

// instance serves a service and returns its address and a client.
func instance(t *testing.T, service *orders.Service) (base string, client *api.ClientWithResponses) {
	t.Helper()
	base = webtest.Serve(t, service.Handler(webtest.Options()), webtest.Spec(t, api.Document))
	doer := peer.Peer{Timeout: time.Minute}.Client("Orders API")
	client, err := api.NewClientWithResponses(base, api.WithHTTPClient(doer))
	if err != nil {
		t.Fatal(err)
	}
	return base, client
}

// another starts another instance of the service on the same database, and returns a client of that instance.
func (s *system) another(t *testing.T) *api.ClientWithResponses {
	t.Helper()
	service, err := orders.New(s.db, s.service.Config)
	if err != nil {
		t.Fatal(err)
	}
	_, client := instance(t, service)
	return client
}

// product creates a product with a new sku and returns the product's id.
func (s *system) product(t *testing.T, priceCents, stock int64) int64 {
	t.Helper()
	sku := fmt.Sprint("SKU-", skus.Add(1))
	n := api.ProductRequest{Sku: sku, Name: "Thing", PriceCents: priceCents, Stock: stock}
	res, err := s.CreateProductWithResponse(ctx, nil, n)
	if err != nil || res.JSON201 == nil {
		t.Fatalf("%v %s", err, res.Body)
	}
	return res.JSON201.Data.ID
}

var skus atomic.Int64

// updateProduct changes a product, and fails the test unless the change succeeds.
func (s *system) updateProduct(t *testing.T, product int64, change api.ProductUpdate) {
	t.Helper()
	res, err := s.UpdateProductWithResponse(ctx, product, nil, change)
	if err != nil || res.JSON200 == nil {
		t.Fatalf("%v %s", err, res.Body)
	}
}

// sku returns the sku of a product.
func (s *system) sku(t testing.TB, product int64) string {
	t.Helper()
	res, err := s.GetProductWithResponse(ctx, product, nil)
	if err != nil || res.JSON200 == nil {
		t.Fatalf("%v %s", err, res.Body)
	}
	return res.JSON200.Data.Sku
}

func (s *system) wantStock(t *testing.T, product, want int64) {
	t.Helper()
	res, err := s.GetProductWithResponse(ctx, product, nil)
	if err != nil || res.JSON200 == nil {
		t.Fatalf("%v %s", err, res.Body)
	}
	if got := res.JSON200.Data.Stock; got != want {
		t.Errorf("stock of product %d is %d, want %d", product, got, want)
	}
}

// line returns a line of a new order.
func line(product, qty int64) contract.OrderItemRequest {
	return contract.OrderItemRequest{ProductID: new(product), Qty: qty}
}

// place posts an order of customer 1, without a key if key is "".
func (s *system) place(t testing.TB, key string, lines ...contract.OrderItemRequest) *api.CreateOrderResponse {
	t.Helper()
	var params api.CreateOrderParams
	if key != "" {
		params.XIdempotencyKey = &key
	}
	res, err := s.CreateOrderWithResponse(ctx, &params, api.OrderRequest{CustomerID: 1, Items: lines})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func (s *system) placed(t testing.TB, lines ...contract.OrderItemRequest) api.Order {
	t.Helper()
	res := s.place(t, "", lines...)
	if res.JSON201 == nil {
		t.Fatalf("%s", res.Body)
	}
	return res.JSON201.Data
}

func (s *system) confirm(t testing.TB, id int64, key string) *api.ConfirmOrderResponse {
	t.Helper()
	res, err := s.ConfirmOrderWithResponse(ctx, id, &api.ConfirmOrderParams{XIdempotencyKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func (s *system) cancel(t testing.TB, id int64, key string) *api.CancelOrderResponse {
	t.Helper()
	var params api.CancelOrderParams
	if key != "" {
		params.XIdempotencyKey = &key
	}
	res, err := s.CancelOrderWithResponse(ctx, id, &params, api.Cancellation{})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// exec runs SQL without the service, for example to change times.
func (s *system) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if err := s.db.Exec(sql, args...).Error; err != nil {
		t.Fatal(err)
	}
}

func (s *system) count(t *testing.T, table string) (n int64) {
	t.Helper()
	if err := s.db.Table(table).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// atOnce calls f n times in parallel and counts the results.
func atOnce(n int, f func(i int) string) map[string]int {
	counts := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			got := f(i)
			mu.Lock()
			counts[got]++
			mu.Unlock()
		})
	}
	wg.Wait()
	return counts
}

// outcome returns the status of an answer, and the code of a refusal.
func outcome(status int, body []byte) string {
	var e struct{ Code string }
	_ = json.Unmarshal(body, &e)
	return strings.TrimSpace(fmt.Sprint(status, " ", e.Code))
}

func wantCounts(t *testing.T, got, want map[string]int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("answers %v, want %v", got, want)
	}
}

func TestCreateOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		a, b := s.product(t, 1500, 100), s.product(t, 250, 100)

		t.Run("created", func(t *testing.T) {
			res := s.place(t, "", line(b, 2), line(a, 3), line(b, 4))
			if res.JSON201 == nil {
				t.Fatalf("%s", res.Body)
			}
			o := res.JSON201.Data
			want := []contract.OrderItem{
				{ProductID: a, Sku: s.sku(t, a), Name: "Thing", Qty: 3, UnitPriceCents: 1500, SubtotalCents: 4500},
				{ProductID: b, Sku: s.sku(t, b), Name: "Thing", Qty: 6, UnitPriceCents: 250, SubtotalCents: 1500},
			}
			if !slices.Equal(o.Items, want) || o.TotalCents != 6000 || o.Status != contract.CREATED ||
				o.CustomerID != 1 {
				t.Errorf("%s", res.Body)
			}
			if !slices.Equal(o.AllowedActions, []api.OrderAction{api.Confirm, api.Cancel}) ||
				o.CancelableUntil != nil ||
				o.ConfirmedAt != nil ||
				o.CanceledAt != nil {
				t.Errorf("%s", res.Body)
			}
			s.wantStock(t, a, 97)
			s.wantStock(t, b, 94)
			read, _ := s.GetOrderWithResponse(ctx, o.ID, nil)
			if !bytes.Equal(read.Body[:len(res.Body)], res.Body) {
				t.Errorf("created %s, read %s", res.Body, read.Body)
			}
		})
		t.Run("keeps its price", func(t *testing.T) {
			o := s.placed(t, line(a, 1))
			s.updateProduct(t, a, api.ProductUpdate{PriceCents: new(int64(9999))})
			read, _ := s.GetOrderWithResponse(ctx, o.ID, nil)
			if read.JSON200.Data.TotalCents != 1500 {
				t.Errorf("%s", read.Body)
			}
		})
		t.Run("a hundred lines", func(t *testing.T) {
			var lines []contract.OrderItemRequest
			for range 100 {
				lines = append(lines, line(s.product(t, 1, 5), 5))
			}
			if o := s.placed(t, lines...); len(o.Items) != 100 || o.TotalCents != 500 {
				t.Errorf("%+v", o)
			}
		})

		before := s.count(t, "orders") + s.count(t, "order_items") + s.count(t, "idempotency_keys")
		stock, _ := s.GetProductWithResponse(ctx, b, nil)
		t.Run("insufficient_stock", func(t *testing.T) {
			little, none := s.product(t, 1, 3), s.product(t, 1, 0)
			res := s.place(t, "short", line(b, 1), line(little, 2), line(none, 1), line(little, 2))
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "insufficient_stock",
				"/items/1/qty", "/items/2/qty")
			if m := fmt.Sprintf("product %d: asked 4, available 3", little); !strings.Contains(string(res.Body), m) {
				t.Errorf("%s does not say %q", res.Body, m)
			}
			s.wantStock(t, little, 3)
		})
		t.Run("product_not_found", func(t *testing.T) {
			res := s.place(t, "missing", line(b, 1), line(77777, 1), line(88888, 1))
			webtest.WantError(t, res.StatusCode(), res.Body, 404, "product_not_found",
				"/items/1/product_id", "/items/2/product_id")
		})
		t.Run("customer_not_found", func(t *testing.T) {
			n := api.OrderRequest{CustomerID: 99, Items: []contract.OrderItemRequest{line(b, 1)}}
			res, _ := s.CreateOrderWithResponse(ctx, nil, n)
			webtest.WantError(t, res.StatusCode(), res.Body, 404, "customer_not_found", "/customer_id")
		})
		t.Run("customers_unavailable", func(t *testing.T) {
			s.customersDown.Store(true)
			defer s.customersDown.Store(false)
			res := s.place(t, "down", line(b, 1))
			webtest.WantError(t, res.StatusCode(), res.Body, 503, "customers_unavailable")
			if res.HTTPResponse.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
		// An answer of a gateway, or of another service at this address, must not count as an answer about a
		// customer.
		for body, status := range map[string]int{
			"<html>Back soon</html>": 200, `{"status":"maintenance"}`: 200, `{"success":false}`: 200, "": 204,
			`{"message":"no Route matched"}`: 404, `{"success":false,"error":"No.","code":"not_found"}`: 404,
		} {
			for _, contentType := range []string{"application/json", "text/html"} {
				t.Run(fmt.Sprintf("not the Customers API: %d %s as %s", status, body, contentType), func(t *testing.T) {
					s.insteadOfCustomer.Store(new(func(w http.ResponseWriter) {
						w.Header().Set("Content-Type", contentType)
						w.WriteHeader(status)
						io.WriteString(w, body)
					}))
					defer s.insteadOfCustomer.Store(nil)
					res := s.place(t, "elsewhere", line(b, 1))
					webtest.WantError(t, res.StatusCode(), res.Body, 503, "customers_unavailable")
				})
			}
		}
		t.Run("total above 2^53-1", func(t *testing.T) {
			var lines []contract.OrderItemRequest
			for range 10 {
				lines = append(lines, line(s.product(t, 1_000_000_000, 1_000_000_000), 1_000_000))
			}
			if res := s.place(t, "", lines[:9]...); res.JSON201 == nil ||
				res.JSON201.Data.TotalCents != 9_000_000_000_000_000 {
				t.Errorf("%s", res.Body)
			} else {
				s.cancel(t, res.JSON201.Data.ID, "")
				before++ // counts a row of orders, and on the next line 9 rows of order_items
				before += 9
			}
			res := s.place(t, "huge", lines...)
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "validation_failed", "/items")
			s.wantStock(t, *lines[0].ProductID, 1_000_000_000)
		})
		for name, bad := range map[string]struct {
			body   string
			code   string
			fields []string
		}{
			"missing fields": {`{}`, "validation_failed", []string{"/customer_id", "/items"}},
			"no lines":       {`{"customer_id":1,"items":[]}`, "validation_failed", []string{"/items"}},
			"101 lines": {
				`{"customer_id":1,"items":[` + strings.Repeat(`{"product_id":1,"qty":1},`, 100) + `{"product_id":1,"qty":1}]}`,
				"validation_failed", []string{"/items"}},
			"every field": {
				`{"customer_id":0,"items":[{"product_id":-1,"qty":0},{"qty":1000001},{"product_id":"1","qty":1.5,"x":1}],"y":1}`,
				"validation_failed", []string{"/customer_id", "/items/0/product_id", "/items/0/qty", "/items/1/product_id",
					"/items/1/qty", "/items/2/product_id", "/items/2/qty", "/items/2/x", "/y"}},
			"id abc": {`{"customer_id":"abc","items":[{"product_id":1,"qty":1}]}`,
				"validation_failed", []string{"/customer_id"}},
			"id 2^63": {`{"customer_id":9223372036854775808,"items":[{"product_id":9223372036854775808,"qty":1}]}`,
				"validation_failed", []string{"/customer_id", "/items/0/product_id"}},
			"id 2^53": {`{"customer_id":9007199254740992,"items":[{"product_id":1,"qty":1}]}`,
				"validation_failed", []string{"/customer_id"}},
			"items not a list": {`{"customer_id":1,"items":{"product_id":1,"qty":1}}`,
				"validation_failed", []string{"/items"}},
			"null": {`null`, "validation_failed", []string{"/body"}},
			"10.0 pieces": {`{"customer_id":1,"items":[{"product_id":1,"qty":10.0}]}`,
				"validation_failed", []string{"/items/0/qty"}},
			"malformed":    {`{"customer_id":1,`, "malformed_json", nil},
			"missing body": {``, "validation_failed", []string{"/body"}},
			"price of their own": {`{"customer_id":1,"items":[{"product_id":1,"qty":1,"unit_price_cents":1}]}`,
				"validation_failed", []string{"/items/0/unit_price_cents"}},
		} {
			t.Run(name, func(t *testing.T) {
				status, body, _ := webtest.Do(t, "POST", s.base+"/orders", bad.body,
					"Content-Type", "application/json", "X-Idempotency-Key", "bad")
				webtest.WantError(t, status, body, 400, bad.code, bad.fields...)
			})
		}
		t.Run("payload_too_large and unsupported_media_type", func(t *testing.T) {
			status, body, _ := webtest.Do(t, "POST", s.base+"/orders", strings.Repeat(" ", 2<<20),
				"Content-Type", "application/json")
			webtest.WantError(t, status, body, 413, "payload_too_large")
			status, body, _ = webtest.Do(t, "POST", s.base+"/orders", `{}`, "Content-Type", "text/xml")
			webtest.WantError(t, status, body, 415, "unsupported_media_type")
		})
		t.Run("nothing left behind", func(t *testing.T) {
			after := s.count(t, "orders") + s.count(t, "order_items") + s.count(t, "idempotency_keys")
			if after != before {
				t.Errorf("refusals left %d rows", after-before)
			}
			s.wantStock(t, b, stock.JSON200.Data.Stock)
		})
	})
}

func TestConfirmOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 100)
		t.Run("confirmed", func(t *testing.T) {
			o := s.placed(t, line(p, 1))
			res := s.confirm(t, o.ID, "c1")
			if res.JSON200 == nil {
				t.Fatalf("%s", res.Body)
			}
			d := res.JSON200.Data
			if d.Status != contract.CONFIRMED || d.ConfirmedAt == nil || d.ConfirmedAt.Before(o.CreatedAt.Time) ||
				len(d.Items) != 1 ||
				!d.CancelableUntil.Equal(d.ConfirmedAt.Add(window)) ||
				!slices.Equal(d.AllowedActions, []api.OrderAction{api.Cancel}) {
				t.Errorf("%s", res.Body)
			}
			again := s.confirm(t, o.ID, "another-key")
			if again.JSON200 == nil || !again.JSON200.Data.ConfirmedAt.Equal(d.ConfirmedAt.Time) {
				t.Errorf("%s", again.Body)
			}
		})
		t.Run("idempotency_key_required", func(t *testing.T) {
			o := s.placed(t, line(p, 1))
			status, body, _ := webtest.Do(t, "POST", fmt.Sprint(s.base, "/orders/", o.ID, "/confirm"), "")
			webtest.WantError(t, status, body, 400, "idempotency_key_required", "/header/X-Idempotency-Key")
		})
		t.Run("order_not_confirmable", func(t *testing.T) {
			o := s.placed(t, line(p, 1))
			s.cancel(t, o.ID, "")
			res := s.confirm(t, o.ID, "c2")
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "order_not_confirmable")
		})
		t.Run("order_not_found", func(t *testing.T) {
			res := s.confirm(t, 99999, "c3")
			webtest.WantError(t, res.StatusCode(), res.Body, 404, "order_not_found")
		})
		t.Run("idempotency_key_reused", func(t *testing.T) {
			res := s.confirm(t, s.placed(t, line(p, 1)).ID, "c1")
			webtest.WantError(t, res.StatusCode(), res.Body, 422, "idempotency_key_reused")
		})
		t.Run("id 0", func(t *testing.T) {
			status, body, _ := webtest.Do(t, "POST", s.base+"/orders/0/confirm", "", "X-Idempotency-Key", "k")
			webtest.WantError(t, status, body, 400, "validation_failed", "/path/id")
		})
	})
}

func TestCancelOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		a, b := s.product(t, 100, 10), s.product(t, 100, 10)
		t.Run("created", func(t *testing.T) {
			o := s.placed(t, line(a, 2), line(b, 3))
			for _, key := range []string{"", "", "x1", "x1", "x2"} {
				res := s.cancel(t, o.ID, key)
				if res.JSON200 == nil {
					t.Fatalf("%s", res.Body)
				}
				if d := res.JSON200.Data; d.Status != contract.CANCELED || d.CanceledAt == nil ||
					len(d.AllowedActions) != 0 ||
					d.CancelableUntil != nil ||
					len(d.Items) != 2 {
					t.Errorf("%s", res.Body)
				}
				s.wantStock(t, a, 10)
				s.wantStock(t, b, 10)
			}
		})
		t.Run("confirmed within the window", func(t *testing.T) {
			o := s.placed(t, line(a, 2))
			s.confirm(t, o.ID, "w1")
			s.exec(t, "UPDATE orders SET confirmed_at = ? WHERE id = ?", db.Now(g, -window+time.Minute), o.ID)
			if res := s.cancel(t, o.ID, ""); res.JSON200 == nil || res.JSON200.Data.ConfirmedAt == nil {
				t.Errorf("%s", res.Body)
			}
			s.wantStock(t, a, 10)
		})
		t.Run("cancel_window_closed", func(t *testing.T) {
			o := s.placed(t, line(a, 2))
			s.confirm(t, o.ID, "w2")
			s.exec(t, "UPDATE orders SET confirmed_at = ? WHERE id = ?", db.Now(g, -window-time.Second), o.ID)
			res := s.cancel(t, o.ID, "w3")
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "cancel_window_closed")
			s.wantStock(t, a, 8)
			read, _ := s.GetOrderWithResponse(ctx, o.ID, nil)
			if d := read.JSON200.Data; d.CancelableUntil != nil || len(d.AllowedActions) != 0 {
				t.Errorf("%s", read.Body)
			}
		})
		t.Run("order_not_found", func(t *testing.T) {
			res := s.cancel(t, 99999, "")
			webtest.WantError(t, res.StatusCode(), res.Body, 404, "order_not_found")
		})
		t.Run("idempotency_key_reused", func(t *testing.T) {
			res := s.cancel(t, s.placed(t, line(a, 1)).ID, "x1")
			webtest.WantError(t, res.StatusCode(), res.Body, 422, "idempotency_key_reused")
		})
		t.Run("more stock than an input may set", func(t *testing.T) {
			o := s.placed(t, line(b, 5))
			s.updateProduct(t, b, api.ProductUpdate{Stock: new(int64(1_000_000_000))})
			s.cancel(t, o.ID, "")
			s.wantStock(t, b, 1_000_000_005)
		})
	})
}

// TestNoCancellationWindow runs a service without a cancellation window. A CONFIRMED order must allow no
// cancellation, and the answer must show this.
func TestNoCancellationWindow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		config := orders.Config{Reservation: reservation, KeyLifetime: keyLifetime, MaxHeld: 50}
		service, err := orders.New(g, config)
		if err != nil {
			t.Fatal(err)
		}
		base, _ := instance(t, service)
		url := fmt.Sprint(base, "/orders/", s.placed(t, line(s.product(t, 100, 1), 1)).ID)
		confirmed := webtest.Data(t, "POST", url+"/confirm", nil, "X-Idempotency-Key", "no-window")
		for _, shown := range []map[string]any{confirmed, webtest.Data(t, "GET", url, nil)} {
			if fmt.Sprint(shown["allowed_actions"], shown["cancelable_until"]) != "[] <nil>" {
				t.Errorf("allowed %v until %v", shown["allowed_actions"], shown["cancelable_until"])
			}
		}
		status, body, _ := webtest.Do(t, "POST", url+"/cancel", "", "Content-Type", "application/json")
		webtest.WantError(t, status, body, 400, "cancel_window_closed")
	})
}

func TestListOrders(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		// Insert enough rows for the engine to choose among plans: 3 statuses, 2 customers, an order an hour.
		type row struct {
			ID, CustomerID, TotalCents int64
			Status                     string
			CreatedAt                  time.Time
			CancelReason               *string
			ConfirmedAt, CanceledAt    *time.Time
		}
		start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		var rows []row
		for i := range 1500 {
			at := start.Add(time.Duration(i) * time.Hour)
			r := row{ID: int64(i + 1), CustomerID: int64(i%2 + 1), CreatedAt: at, Status: "CREATED"}
			if i%3 > 0 {
				r.Status, r.ConfirmedAt = "CONFIRMED", &at
			}
			if i%3 > 1 {
				r.Status, r.CanceledAt, r.CancelReason = "CANCELED", &at, new("requested")
			}
			rows = append(rows, r)
		}
		if err := g.Table("orders").CreateInBatches(rows, 500).Error; err != nil {
			t.Fatal(err)
		}
		if g.Name() == db.MySQL {
			s.exec(t, "ANALYZE TABLE orders")
		}
		dbtest.NoFilesort(t, g)
		all := func(t *testing.T, p api.ListOrdersParams) (ids []int64) {
			t.Helper()
			p.Limit = new(int32(100))
			for {
				res, err := s.ListOrdersWithResponse(ctx, &p)
				if err != nil || res.JSON200 == nil {
					t.Fatalf("%v %s", err, res.Body)
				}
				if strings.Contains(string(res.Body), `"items"`) {
					t.Error("a list shows items")
				}
				for _, o := range res.JSON200.Data {
					ids = append(ids, o.ID)
				}
				if p.Cursor = res.JSON200.Meta.NextCursor; p.Cursor == nil {
					return ids
				}
			}
		}
		statuses := []*contract.OrderStatus{
			nil, new(contract.CREATED), new(contract.CONFIRMED), new(contract.CANCELED),
		}
		for _, status := range statuses {
			for _, customer := range []*int64{nil, new(int64(2))} {
				for _, bounds := range []struct{ from, to string }{
					{"", ""}, {"2024-01-10", ""}, {"", "2024-01-10"}, {"2024-01-10", "2024-01-10"},
					{"2024-01-10T05:00:00Z", "2024-01-12T07:00:00+02:00"}, {"2030-01-01", ""}, {"2024-02-29", "2024-02-29"},
					{"1970-01-01", "9999-12-31"}, {"1970-01-01T00:00:00+01:00", "9999-12-31T23:00:00-01:00"},
					{"1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"},
				} {
					p := api.ListOrdersParams{Status: status, CustomerID: customer}
					from, to := start, start.AddDate(1, 0, 0)
					if bounds.from != "" {
						p.From = &bounds.from
						from = parse(bounds.from)
					}
					if bounds.to != "" {
						p.To = &bounds.to
						if to = parse(bounds.to); len(bounds.to) == 10 {
							to = to.Add(24*time.Hour - time.Nanosecond)
						}
					}
					var want []int64
					for _, r := range rows {
						if (status == nil || r.Status == string(*status)) &&
							(customer == nil || r.CustomerID == *customer) &&
							!r.CreatedAt.Before(from) &&
							!r.CreatedAt.After(to) {
							want = append(want, r.ID)
						}
					}
					if got := all(t, p); !slices.Equal(got, want) {
						t.Errorf("%v %v %v: %d orders, want %d: %v %v",
							p.Status, p.CustomerID, bounds, len(got), len(want), got, want)
					}
				}
			}
		}
		for query, field := range map[string]string{
			"status=PAID": "/query/status", "status=created": "/query/status", "customer_id=0": "/query/customer_id",
			"from=yesterday": "/query/from", "from=2024-02-30": "/query/from", "to=2024-13-01": "/query/to",
			"to=2024-01-01T25:00:00Z": "/query/to", "to=2024-01-01T10:00:00": "/query/to",
			"limit=101": "/query/limit", "cursor=abc": "/query/cursor",
			"to=0000-01-01": "/query/to", "from=1969-12-31T23:59:59Z": "/query/from",
			"from=2024-01-01T00:00:00%2B24:00": "/query/from", "from=2024-01-01T00:00:00,5Z": "/query/from",
		} {
			t.Run(query, func(t *testing.T) {
				status, body, _ := webtest.Do(t, "GET", s.base+"/orders?"+query, "")
				webtest.WantError(t, status, body, 400, "validation_failed", field)
			})
		}
	})
}

func parse(s string) time.Time {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestGetOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		res, _ := s.GetOrderWithResponse(ctx, 1, nil)
		webtest.WantError(t, res.StatusCode(), res.Body, 404, "order_not_found")
		for _, id := range []string{"0", "-1", "abc", "9223372036854775808"} {
			for _, path := range []string{"/orders/", "/products/"} {
				status, body, _ := webtest.Do(t, "GET", s.base+path+id, "")
				webtest.WantError(t, status, body, 400, "validation_failed", "/path/id")
			}
		}
	})
}

func TestHealthAndReady(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		ready, err := s.GetReadyWithResponse(ctx)
		if err != nil || ready.JSON200 == nil || ready.JSON200.Service != "orders-api" {
			t.Errorf("%v %s", err, ready.Body)
		}
		db.Close(g)
		ready, _ = s.GetReadyWithResponse(ctx)
		webtest.WantError(t, ready.StatusCode(), ready.Body, 503, "unavailable")
		health, err := s.GetHealthWithResponse(ctx)
		if err != nil || health.JSON200 == nil || health.JSON200.Service != "orders-api" {
			t.Errorf("%v %s", err, health.Body)
		}
	})
}

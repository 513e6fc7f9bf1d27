package orders_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// order posts a new order, without a key if key is "".
func (s *system) order(t testing.TB, key string, n api.OrderRequest) *api.CreateOrderResponse {
	t.Helper()
	params := &api.CreateOrderParams{}
	if key != "" {
		params.XIdempotencyKey = &key
	}
	res, err := s.CreateOrderWithResponse(ctx, params, n)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// wantParams fails the test unless the first detail of a refusal has the parameters want.
func wantParams(t *testing.T, body []byte, want map[string]any) {
	t.Helper()
	var e struct {
		Details []struct{ Params map[string]any }
	}
	if err := json.Unmarshal(body, &e); err != nil || len(e.Details) == 0 ||
		fmt.Sprint(e.Details[0].Params) != fmt.Sprint(want) {
		t.Errorf("%s, want params %v", body, want)
	}
}

func TestExternalRef(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 1000)
		by := func(customer int64, ref string) api.OrderRequest {
			items := []contract.OrderItemRequest{line(p, 1)}
			return api.OrderRequest{CustomerID: customer, Items: items, ExternalRef: &ref}
		}
		wantTaken := func(t *testing.T, res *api.CreateOrderResponse, id int64) {
			t.Helper()
			webtest.WantError(t, res.StatusCode(), res.Body, 409, "external_ref_taken", "/external_ref")
			wantParams(t, res.Body, map[string]any{"rule": "unique", "order_id": id})
		}
		t.Run("taken", func(t *testing.T) {
			first := s.order(t, "first", by(1, "PO-1"))
			id := first.JSON201.Data.ID
			wantTaken(t, s.order(t, "", by(1, "PO-1")), id)
			wantTaken(t, s.order(t, "another", by(1, "PO-1")), id)
			s.confirm(t, id, "po-1")
			wantTaken(t, s.order(t, "", by(1, "PO-1")), id)
			for _, free := range []api.OrderRequest{by(2, "PO-1"), by(1, "po-1"), by(1, "PO-1 2"), by(1, "é")} {
				if res := s.order(t, "", free); res.JSON201 == nil ||
					*res.JSON201.Data.ExternalRef != *free.ExternalRef {
					t.Errorf("%s", res.Body)
				}
			}
			// The request has the key of an earlier order. So the answer is the stored answer, not
			// external_ref_taken.
			if again := s.order(t, "first", by(1, "PO-1")); !bytes.Equal(again.Body, first.Body) {
				t.Errorf("%s, then %s", first.Body, again.Body)
			}
			s.expireKeys(t, "first")
			// The order keeps its external_ref after its key has expired.
			wantTaken(t, s.order(t, "first", by(1, "PO-1")), id)
			s.wantStock(t, p, 995)
		})
		t.Run("free again", func(t *testing.T) {
			for _, end := range []func(id int64){
				func(id int64) { s.cancel(t, id, "") },
				func(id int64) {
					s.expire(t, id)
					if n, err := s.service.ExpireReservations(ctx); n != 1 || err != nil {
						t.Errorf("%d expired, %v", n, err)
					}
				},
				func(int64) {},
			} {
				res := s.order(t, "", by(1, "PO-2"))
				if res.JSON201 == nil {
					t.Fatalf("%s", res.Body)
				}
				end(res.JSON201.Data.ID)
			}
		})
		t.Run("external_ref_taken before insufficient_stock and product_inactive", func(t *testing.T) {
			scarce := s.product(t, 1, 1)
			n := api.OrderRequest{
				CustomerID: 1, Items: []contract.OrderItemRequest{line(scarce, 1)}, ExternalRef: new("PO-3"),
			}
			id := s.order(t, "", n).JSON201.Data.ID
			wantTaken(t, s.order(t, "", n), id) // no piece is left, but the external_ref is checked first
			s.updateProduct(t, scarce, api.ProductUpdate{Active: new(false)})
			wantTaken(t, s.order(t, "", n), id)
			n.ExternalRef = new("PO-4")
			res := s.order(t, "", n)
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "product_inactive", "/items/0/product_id")
		})
		t.Run("twenty at once", func(t *testing.T) {
			p := s.product(t, 1, 100)
			for _, keyed := range []bool{false, true} {
				ref := fmt.Sprint("RACE-", keyed)
				wantCounts(t, atOnce(20, func(i int) string {
					key := ""
					if keyed {
						key = fmt.Sprint("race-", i)
					}
					items := []contract.OrderItemRequest{line(p, 1)}
					n := api.OrderRequest{CustomerID: 2, Items: items, ExternalRef: &ref}
					res := s.order(t, key, n)
					return outcome(res.StatusCode(), res.Body)
				}), map[string]int{"201": 1, "409 external_ref_taken": 19})
			}
			s.wantStock(t, p, 98)
		})
		t.Run("filter", func(t *testing.T) {
			for query, want := range map[string]int{
				"?external_ref=PO-1":                 2,
				"?external_ref=PO-1&customer_id=1":   1,
				"?external_ref=PO-2":                 3,
				"?external_ref=PO-2&status=CANCELED": 2,
				"?external_ref=none":                 0,
			} {
				status, body, _ := webtest.Do(t, "GET", s.base+"/orders"+query, "")
				var list api.OrderListResponse
				if err := json.Unmarshal(body, &list); err != nil || status != 200 || len(list.Data) != want {
					t.Errorf("%s: %s, want %d", query, body, want)
				}
			}
			dbtest.WantIndex(t, g, "ix_orders_external_ref", func() {
				webtest.Do(t, "GET", s.base+"/orders?external_ref=PO-1", "")
			})
		})
		t.Run("bad", func(t *testing.T) {
			post := func(ref string) (int, []byte) {
				const order = `{"customer_id":1,"items":[{"product_id":%d,"qty":1}],"external_ref":%s}`
				status, body, _ := webtest.Do(t, "POST", s.base+"/orders", fmt.Sprintf(order, p, ref),
					"Content-Type", "application/json")
				return status, body
			}
			tooLong := `"` + strings.Repeat("x", 101) + `"`
			for _, bad := range []string{`""`, `" x"`, `"x "`, `"a\u0000b"`, `1`, tooLong} {
				status, body := post(bad)
				webtest.WantError(t, status, body, 400, "validation_failed", "/external_ref")
			}
			for _, good := range []string{`null`, `"` + strings.Repeat("é", 100) + `"`} {
				status, body := post(good)
				if status != 201 || !strings.Contains(string(body), `"external_ref":`+good) {
					t.Errorf("%d %s", status, body)
				}
			}
		})
		wantHealthy(t, g)
	})
}

func TestOrderMetadata(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 100)
		post := func(metadata string) (int, []byte) {
			const order = `{"customer_id":1,"items":[{"product_id":%d,"qty":1}],"metadata":%s}`
			status, body, _ := webtest.Do(t, "POST", s.base+"/orders", fmt.Sprintf(order, p, metadata),
				"Content-Type", "application/json")
			return status, body
		}
		texts := func(n int, name, value string) string {
			m := map[string]string{}
			for i := range n {
				m[fmt.Sprintf("%s%02d", name, i)] = value
			}
			encoded, _ := json.Marshal(m)
			return string(encoded)
		}
		for _, good := range []string{
			`null`, `{}`, `{"a":""}`,
			`{"z":"1","A":"<b>&\"'\\","ключ 😀":"значение \u007e 漢字","null":"null"}`,
			texts(20, strings.Repeat("é", 38), strings.Repeat("<😀", 250)),
		} {
			status, body := post(good)
			var answer struct{ Data map[string]any }
			var want any
			if err := json.Unmarshal(body, &answer); err != nil || json.Unmarshal([]byte(good), &want) != nil ||
				status != 201 ||
				fmt.Sprint(answer.Data["metadata"]) != fmt.Sprint(want) {
				t.Fatalf("%.200s: %d %.500s", good, status, body)
			}
			for _, path := range []string{fmt.Sprint("/orders/", answer.Data["id"]), "/orders?limit=100"} {
				_, read, _ := webtest.Do(t, "GET", s.base+path, "")
				shown, _ := json.Marshal(answer.Data["metadata"])
				if !strings.Contains(string(read), `"metadata":`+string(shown)) {
					t.Errorf("%s shows %.500s, want %s", path, read, shown)
				}
			}
		}
		long := strings.Repeat("x", 41)
		for bad, fields := range map[string][]string{
			texts(21, "n", "v"): {"/metadata"}, `[]`: {"/metadata"}, `"x"`: {"/metadata"},
			`{"a":1}`: {"/metadata/a"}, `{"a":null}`: {"/metadata/a"}, `{"a":{"b":"c"}}`: {"/metadata/a"},
			`{"a":"x","a":"y"}`: {"/metadata/a"}, `{"":"x"}`: {"/metadata/"}, `{" a":"x"}`: {"/metadata/ a"},
			`{"a":"line\nbreak"}`: {"/metadata/a"},
			`{"` + long + `":"` + strings.Repeat("x", 501) + `","b":"` + strings.Repeat("é", 501) + `"}`: {
				"/metadata/" + long, "/metadata/b"},
		} {
			status, body := post(bad)
			webtest.WantError(t, status, body, 400, "validation_failed", fields...)
		}
		s.wantStock(t, p, 95)
		wantHealthy(t, g)
	})
}

func TestLinesBySku(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		a, b := s.product(t, 100, 10), s.product(t, 200, 10)
		sku := func(id int64) *string {
			res, _ := s.GetProductWithResponse(ctx, id, nil)
			return &res.JSON200.Data.Sku
		}
		bySku := func(sku *string, qty int64) contract.OrderItemRequest {
			return contract.OrderItemRequest{Sku: sku, Qty: qty}
		}
		t.Run("one item for a product named by id and sku", func(t *testing.T) {
			o := s.placed(t, bySku(sku(b), 1), line(a, 1), bySku(sku(a), 2), line(b, 3))
			if len(o.Items) != 2 || o.Items[0].ProductID != a || o.Items[0].Qty != 3 || o.Items[1].Qty != 4 ||
				o.TotalCents != 1100 {
				t.Errorf("%+v", o)
			}
			s.wantStock(t, a, 7)
			s.wantStock(t, b, 6)
		})
		t.Run("product_not_found", func(t *testing.T) {
			lower := strings.ToLower(*sku(a))
			res := s.place(t, "", bySku(new("NONE"), 1), bySku(sku(a), 1), line(77777, 1), bySku(&lower, 1))
			webtest.WantError(t, res.StatusCode(), res.Body, 404, "product_not_found",
				"/items/0/sku", "/items/2/product_id", "/items/3/sku")
			wantParams(t, res.Body, map[string]any{"sku": "NONE"})
		})
		t.Run("insufficient_stock", func(t *testing.T) {
			res := s.place(t, "", line(b, 1), bySku(sku(a), 5), line(a, 3))
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "insufficient_stock", "/items/1/qty")
			want := map[string]any{"product_id": a, "sku": *sku(a), "requested": 8, "available": 7}
			wantParams(t, res.Body, want)
		})
		t.Run("product_inactive", func(t *testing.T) {
			kept := s.placed(t, line(a, 1))
			res, err := s.UpdateProductWithResponse(ctx, a, nil, api.ProductUpdate{Active: new(false)})
			if err != nil || res.JSON200 == nil || res.JSON200.Data.Active {
				t.Fatalf("%v %s", err, res.Body)
			}
			refused := s.place(t, "", line(a, 1), line(b, 1), bySku(sku(a), 100))
			webtest.WantError(t, refused.StatusCode(), refused.Body, 400, "product_inactive",
				"/items/0/product_id", "/items/2/sku")
			wantParams(t, refused.Body, map[string]any{"product_id": a, "sku": *sku(a)})
			if res := s.confirm(t, kept.ID, "kept"); res.JSON200 == nil {
				t.Errorf("%s", res.Body)
			}
			if res := s.cancel(t, kept.ID, ""); res.JSON200 == nil {
				t.Errorf("%s", res.Body)
			}
		})
		t.Run("exactly one", func(t *testing.T) {
			for item, field := range map[string]string{
				`{"qty":1}`:                          "/items/0/product_id",
				`{"product_id":1,"sku":"A","qty":1}`: "/items/0/sku",
			} {
				order := `{"customer_id":1,"items":[` + item + `]}`
				status, body, _ := webtest.Do(t, "POST", s.base+"/orders", order,
					"Content-Type", "application/json")
				webtest.WantError(t, status, body, 400, "validation_failed", field)
			}
		})
		wantHealthy(t, g)
	})
}

// TestKeysOfTheVersionBefore checks that the hash of a request without external_ref, metadata and skus is the
// hash of the earlier version that did not know these fields. Otherwise a repeated request would not get the
// answer that the earlier version has stored.
func TestKeysOfTheVersionBefore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		for range 4 {
			s.product(t, 1, 100)
		}
		post := func(path, body, key string) (int, []byte, string) {
			status, answer, header := webtest.Do(t, "POST", s.base+path, body,
				"Content-Type", "application/json", "X-Idempotency-Key", key)
			return status, answer, header.Get("Idempotency-Replayed")
		}
		for _, c := range []struct{ path, key, hashed, other string }{
			{"/orders", "order", `{"customer_id":1,"items":[{"product_id":2,"qty":3},{"product_id":4,"qty":5}]}`,
				`{"items":[{"qty":3,"product_id":2},{"product_id":4,"qty":5}],"customer_id":1,"external_ref":null,"metadata":null}`},
			{"/products/2/stock-adjustments", "stock", `[2,{"delta":40,"reason":"came"}]`, `{"reason":"came","delta":40}`},
		} {
			_, first, _ := post(c.path, c.other, c.key)
			hash := sha256.Sum256([]byte(c.hashed))
			s.exec(t, "UPDATE idempotency_keys SET request_hash = ? WHERE idempotency_key = ?", hash[:], c.key)
			_, again, replayed := post(c.path, c.other, c.key)
			if replayed != "true" || !bytes.Equal(again, first) {
				t.Errorf("%s, then %s", first, again)
			}
		}
		const another = `{"customer_id":1,"items":[{"product_id":2,"qty":3},{"product_id":4,"qty":5}],` +
			`"external_ref":"PO"}`
		status, body, _ := post("/orders", another, "order")
		webtest.WantError(t, status, body, 422, "idempotency_key_reused")
	})
}

func TestProductFiltersAndKeys(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		key := "product-1"
		n := api.ProductRequest{Sku: "LAP-1", Name: "Laptop", PriceCents: 1, Stock: 2}
		first, err := s.CreateProductWithResponse(ctx, &api.CreateProductParams{XIdempotencyKey: &key}, n)
		if err != nil || first.JSON201 == nil || !first.JSON201.Data.Active {
			t.Fatalf("%v %s", err, first.Body)
		}
		id := first.JSON201.Data.ID
		s.updateProduct(t, id, api.ProductUpdate{Name: new("Other"), Active: new(false)})
		again, _ := s.CreateProductWithResponse(ctx, &api.CreateProductParams{XIdempotencyKey: &key}, n)
		if !bytes.Equal(again.Body, first.Body) || again.HTTPResponse.Header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s, then %s", first.Body, again.Body)
		}
		n.Name = "Other"
		reused, _ := s.CreateProductWithResponse(ctx, &api.CreateProductParams{XIdempotencyKey: &key}, n)
		webtest.WantError(t, reused.StatusCode(), reused.Body, 422, "idempotency_key_reused")
		report, _ := s.GetIdempotencyKeyWithResponse(ctx, key)
		if done := report.JSON200.Data.Operations; len(done) != 1 || done[0].Operation != api.CreateProduct ||
			*done[0].ProductID != id ||
			done[0].OrderID != nil {
			t.Errorf("%s", report.Body)
		}
		taken, _ := s.CreateProductWithResponse(ctx, nil, n)
		webtest.WantError(t, taken.StatusCode(), taken.Body, 409, "sku_taken", "/sku")
		wantParams(t, taken.Body, map[string]any{"rule": "unique", "product_id": id})
		events := describe(s.history(t, fmt.Sprint("/products/", id)))
		if !strings.HasPrefix(events, "product.created") || strings.Count(events, "product.updated") != 1 {
			t.Errorf("%s", events)
		}
		for i := range 30 {
			n := api.ProductRequest{Sku: fmt.Sprint("lap-", i), Name: "Laptop", Active: new(i > 0)}
			s.CreateProductWithResponse(ctx, nil, n)
		}
		list := func(query string) []string {
			status, body, _ := webtest.Do(t, "GET", s.base+"/products?"+query, "")
			var list api.ProductListResponse
			if err := json.Unmarshal(body, &list); err != nil || status != 200 {
				t.Errorf("%s: %d %s", query, status, body)
			}
			var all []string
			for _, p := range list.Data {
				all = append(all, p.Sku)
			}
			return all
		}
		for query, want := range map[string]int{
			"sku=LAP-1": 1, "sku=lap-1": 1, "sku=LAP": 0, "active=false": 2, "active=true&limit=100": 29,
			"active=false&sku=LAP-1": 1, "active=true&sku=LAP-1": 0, "search=LAP-1&active=false": 1,
		} {
			if got := list(query); len(got) != want {
				t.Errorf("%s: %v, want %d", query, got, want)
			}
		}
		for query, index := range map[string]string{"sku=LAP-1": "sku", "active=false": "ix_products_active"} {
			dbtest.WantIndex(t, g, index, func() { list(query) })
		}
		for _, bad := range []string{"active=1x", "active=yes", "sku=%20x"} {
			status, body, _ := webtest.Do(t, "GET", s.base+"/products?"+bad, "")
			webtest.WantError(t, status, body, 400, "validation_failed", "/query/"+bad[:strings.Index(bad, "=")])
		}
		wantHealthy(t, g)
	})
}

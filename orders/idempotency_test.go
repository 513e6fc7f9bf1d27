package orders_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// expireKeys sets the expiry of the idempotency keys that match an SQL pattern to a second ago.
func (s *system) expireKeys(t *testing.T, pattern string) {
	t.Helper()
	const expire = "UPDATE idempotency_keys SET expires_at = ? WHERE idempotency_key LIKE ?"
	s.exec(t, expire, db.Now(s.db, -time.Second), pattern)
}

// TestReplaysOf200 repeats requests to which version 2.0.0 has stored the answers. The stored answers lack
// sku and name of the lines, canceled_by of the order, and actor of the adjustment. The replayed answers must
// have these fields, with null for the actor, even while the Customers API is down.
func TestReplaysOf200(t *testing.T) {
	younger := regexp.MustCompile(`"sku":"[^"]*","name":"[^"]*",|"canceled_by":null,|"actor":"anonymous",`)
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		items := []contract.OrderItemRequest{line(s.product(t, 1, 100), 1), line(s.product(t, 1, 100), 2)}
		answers := func() (all [][]byte) {
			path := fmt.Sprintf("%s/products/%d/stock-adjustments", s.base, *items[0].ProductID)
			_, adjusted, _ := webtest.Do(t, "POST", path,
				`{"delta":1,"reason":"found"}`, "Content-Type", "application/json", "X-Idempotency-Key", "key")
			created := s.place(t, "key", items...)
			id := created.JSON201.Data.ID
			return [][]byte{adjusted, created.Body, s.confirm(t, id, "key").Body, s.cancel(t, id, "key").Body}
		}
		first := answers()
		var stored []struct{ Operation, ResponseBody string }
		if err := g.Table("idempotency_keys").Where("idempotency_key = 'key'").Find(&stored).Error; err != nil {
			t.Fatal(err)
		}
		for _, row := range stored {
			s.exec(t, "UPDATE idempotency_keys SET response_body = ? WHERE idempotency_key = 'key' AND operation = ?",
				younger.ReplaceAllString(row.ResponseBody, ""), row.Operation)
		}
		first[0] = bytes.Replace(first[0], []byte(`"actor":"anonymous"`), []byte(`"actor":null`), 1)
		check := func(when string) {
			for i, got := range answers() {
				if !bytes.Equal(got, first[i]) || i > 0 && bytes.Count(got, []byte(`"sku"`)) != 2 {
					t.Errorf("%s: %s, want %s", when, got, first[i])
				}
			}
		}
		check("with the customer")
		s.customersDown.Store(true)
		check("without the Customers API")
	})
}

// TestKeyByQuery looks up keys with special characters. Every key must be found, in the query and in the
// path.
func TestKeyByQuery(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 1, 100)
		for _, key := range webtest.OddKeys {
			query := &api.FindIdempotencyKeyParams{Key: key}
			unknown, _ := s.FindIdempotencyKeyWithResponse(ctx, query)
			webtest.WantError(t, unknown.StatusCode(), unknown.Body, 404, "idempotency_key_unknown")
			id := s.place(t, key, line(p, 1)).JSON201.Data.ID
			found, _ := s.FindIdempotencyKeyWithResponse(ctx, query)
			if found.JSON200 == nil || *found.JSON200.Data.Operations[0].OrderID != id {
				t.Errorf("%s: %s", key, found.Body)
			}
			byPath, _ := s.GetIdempotencyKeyWithResponse(ctx, key)
			if !bytes.Equal(found.Body, byPath.Body) {
				t.Errorf("%s: %s by query, %s by path", key, found.Body, byPath.Body)
			}
		}
		for _, query := range []string{"", "?key=", "?key=..", "?key=a%20b", "?key=" + strings.Repeat("k", 256)} {
			status, body, _ := webtest.Do(t, "GET", s.base+"/idempotency-keys"+query, "")
			webtest.WantError(t, status, body, 400, "validation_failed", "/query/key")
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 100)
		post := func(body string, headers ...string) (int, []byte, string) {
			t.Helper()
			headers = append([]string{"Content-Type", "application/json"}, headers...)
			status, answer, header := webtest.Do(t, "POST", s.base+"/orders", body, headers...)
			return status, answer, header.Get("Idempotency-Replayed")
		}
		body := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, p)

		t.Run("replayed byte for byte", func(t *testing.T) {
			_, first, replayed := post(body, "X-Idempotency-Key", "same")
			if replayed != "" {
				t.Error("the first answer is no replay")
			}
			for _, spelling := range []string{"X-Idempotency-Key", "Idempotency-Key", "x-idempotency-key"} {
				sameWithSpaces := strings.ReplaceAll(body, ":", " : ")
				status, again, replayed := post(sameWithSpaces, spelling, "same")
				if status != 201 || replayed != "true" || !bytes.Equal(first, again) {
					t.Errorf("%s: %d %q %s, first %s", spelling, status, replayed, again, first)
				}
			}
			s.wantStock(t, p, 99)
		})
		t.Run("one key, quoted and not", func(t *testing.T) {
			before := s.count(t, "orders")
			for _, key := range []struct{ quoted, path, plain string }{
				{`"q"`, "q", "q"},
				{`"q\"\\r"`, `q%22%5Cr`, `q"\r`},
			} {
				_, first, _ := post(body, "Idempotency-Key", key.quoted)
				for _, again := range [][]string{
					{"X-Idempotency-Key", key.plain},
					{"Idempotency-Key", key.quoted, "X-Idempotency-Key", key.plain},
				} {
					status, answer, replayed := post(body, again...)
					if status != 201 || replayed != "true" || !bytes.Equal(first, answer) {
						t.Errorf("%q: %d %q %s, first %s", again, status, replayed, answer, first)
					}
				}
				report := webtest.Data(t, "GET", s.base+"/idempotency-keys/"+key.path, nil)
				if report["idempotency_key"] != key.plain {
					t.Errorf("%s: %v", key.path, report)
				}
			}
			if n := s.count(t, "orders") - before; n != 2 {
				t.Errorf("%d orders", n)
			}
			status, answer, _ := post(body, "Idempotency-Key", `"q"`, "X-Idempotency-Key", "r")
			webtest.WantError(t, status, answer, 400, "validation_failed", "/header/X-Idempotency-Key")
			s.wantStock(t, p, 97)
		})
		t.Run("even when the order or the customer has changed since", func(t *testing.T) {
			first := s.place(t, "changed", line(p, 1))
			s.cancel(t, first.JSON201.Data.ID, "")
			again := s.place(t, "changed", line(p, 1))
			if !bytes.Equal(first.Body, again.Body) {
				t.Errorf("%s, then %s", first.Body, again.Body)
			}
			s.customersDown.Store(true)
			defer s.customersDown.Store(false)
			again = s.place(t, "changed", line(p, 1))
			if !bytes.Equal(first.Body, again.Body) {
				t.Errorf("%s, then %s", first.Body, again.Body)
			}
		})
		t.Run("idempotency_key_reused", func(t *testing.T) {
			s.place(t, "mine", line(p, 1))
			for _, res := range []*api.CreateOrderResponse{
				s.place(t, "mine", line(p, 2)),
				s.place(t, "mine", line(p, 1), line(p, 1)),
			} {
				webtest.WantError(t, res.StatusCode(), res.Body, 422, "idempotency_key_reused")
			}
			n := api.OrderRequest{CustomerID: 2, Items: []contract.OrderItemRequest{line(p, 1)}}
			res, _ := s.CreateOrderWithResponse(ctx, &api.CreateOrderParams{XIdempotencyKey: new("mine")}, n)
			webtest.WantError(t, res.StatusCode(), res.Body, 422, "idempotency_key_reused")
		})
		t.Run("belongs to one operation", func(t *testing.T) {
			o := s.place(t, "every", line(p, 1)).JSON201.Data
			confirmed := s.confirm(t, o.ID, "every")
			again := s.confirm(t, o.ID, "every")
			if confirmed.JSON200 == nil || again.HTTPResponse.Header.Get("Idempotency-Replayed") != "true" ||
				!bytes.Equal(confirmed.Body, again.Body) {
				t.Errorf("%s, then %s", confirmed.Body, again.Body)
			}
			if res := s.cancel(t, o.ID, "every"); res.JSON200 == nil {
				t.Errorf("%s", res.Body)
			}
			again = s.confirm(t, o.ID, "every") // the stored answer, which still says CONFIRMED
			if !bytes.Equal(confirmed.Body, again.Body) {
				t.Errorf("%s, then %s", confirmed.Body, again.Body)
			}
		})
		t.Run("free again after a refusal", func(t *testing.T) {
			scarce := s.product(t, 1, 0)
			res := s.place(t, "refused", line(scarce, 1))
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "insufficient_stock", "/items/0/qty")
			s.updateProduct(t, scarce, api.ProductUpdate{Stock: new(int64(1))})
			if res = s.place(t, "refused", line(scarce, 1)); res.JSON201 == nil {
				t.Errorf("%s", res.Body)
			}
			s.wantStock(t, scarce, 0)
		})
		t.Run("form", func(t *testing.T) {
			for _, bad := range []string{strings.Repeat("k", 256), "two words", "é"} {
				status, answer, _ := post(body, "X-Idempotency-Key", bad)
				webtest.WantError(t, status, answer, 400, "validation_failed", "/header/X-Idempotency-Key")
			}
			status, answer, _ := post(body, "X-Idempotency-Key", "one", "Idempotency-Key", "other")
			webtest.WantError(t, status, answer, 400, "validation_failed", "/header/X-Idempotency-Key")
			for _, good := range []string{strings.Repeat("k", 255), `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~`, "A", "a"} {
				if status, answer, replayed := post(body, "X-Idempotency-Key", good); status != 201 ||
					replayed != "" {
					t.Errorf("%q: %d %s", good, status, answer)
				}
			}
		})
		t.Run("expired is as good as new", func(t *testing.T) {
			first := s.place(t, "old", line(p, 1))
			s.expireKeys(t, "old")
			second := s.place(t, "old", line(p, 2)) // another request may use the expired key
			if second.JSON201 == nil || second.JSON201.Data.ID == first.JSON201.Data.ID {
				t.Fatalf("%s", second.Body)
			}
			if again := s.place(t, "old", line(p, 2)); !bytes.Equal(again.Body, second.Body) {
				t.Errorf("%s, then %s", second.Body, again.Body)
			}
		})
		for _, how := range []string{"used again", "purged"} {
			t.Run("an order's key forgets what followed, "+how, func(t *testing.T) {
				key := "key-" + how[:4]
				first := s.place(t, key, line(p, 1)).JSON201.Data
				s.confirm(t, first.ID, key)
				s.cancel(t, first.ID, key)
				s.exec(t, `UPDATE idempotency_keys SET expires_at = ?
					WHERE operation = 'createOrder' AND idempotency_key = ?`,
					db.Now(g, -time.Second), key)
				if how == "purged" {
					if n, err := s.service.PurgeKeys(ctx); err != nil || n != 3 {
						t.Errorf("%d purged, %v", n, err)
					}
				}
				second := s.place(t, key, line(p, 1)).JSON201.Data
				if res := s.confirm(t, second.ID, key); second.ID == first.ID || res.JSON200 == nil {
					t.Errorf("order %d after %d: %s", second.ID, first.ID, res.Body)
				}
			})
		}
		t.Run("the key of another order keeps what it did", func(t *testing.T) {
			first := s.place(t, "pair-a", line(p, 1)).JSON201.Data
			second := s.place(t, "pair-b", line(p, 1)).JSON201.Data
			confirmed := s.confirm(t, first.ID, "pair-b")
			s.exec(t, `UPDATE idempotency_keys SET expires_at = ?
				WHERE operation = 'createOrder' AND idempotency_key IN ('pair-a', 'pair-b')`, db.Now(g, -time.Second))
			if n, err := s.service.PurgeKeys(ctx); err != nil || n != 2 {
				t.Errorf("%d purged, %v", n, err)
			}
			again := s.confirm(t, first.ID, "pair-b")
			if !bytes.Equal(again.Body, confirmed.Body) ||
				again.HTTPResponse.Header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("order %d beside %d: %s", first.ID, second.ID, again.Body)
			}
		})
		t.Run("lives as long as it should", func(t *testing.T) {
			s.place(t, "age", line(p, 1))
			var n int64
			earliest, latest := db.Now(g, keyLifetime-time.Minute), db.Now(g, keyLifetime)
			g.Table("idempotency_keys").
				Where("idempotency_key = 'age' AND expires_at > ? AND expires_at <= ?", earliest, latest).
				Count(&n)
			if n != 1 {
				t.Error("the key does not expire after KeyLifetime")
			}
		})
		t.Run("purged", func(t *testing.T) {
			s.place(t, "kept", line(p, 1))
			for i := range 3 {
				s.place(t, fmt.Sprint("purge-", i), line(p, 1))
			}
			s.expireKeys(t, "purge-%")
			if n, err := s.service.PurgeKeys(ctx); err != nil || n != 3 {
				t.Errorf("%d purged, %v", n, err)
			}
			again := s.place(t, "kept", line(p, 1))
			if again.HTTPResponse.Header.Get("Idempotency-Replayed") != "true" {
				t.Error("a key that had not expired was purged")
			}
		})
	})
}

func TestConcurrent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		placeOutcome := func(key string, lines ...contract.OrderItemRequest) string {
			res := s.place(t, key, lines...)
			return outcome(res.StatusCode(), res.Body)
		}
		t.Run("40 orders with lines in opposite order", func(t *testing.T) {
			a, b := s.product(t, 1, 1000), s.product(t, 1, 1000)
			wantCounts(t, atOnce(40, func(i int) string {
				if i%2 == 0 {
					return placeOutcome("", line(a, 1), line(b, 2))
				}
				return placeOutcome("", line(b, 2), line(a, 1))
			}), map[string]int{"201": 40})
			s.wantStock(t, a, 960)
			s.wantStock(t, b, 920)
		})
		t.Run("50 orders on a stock of 10", func(t *testing.T) {
			p := s.product(t, 1, 10)
			counts := atOnce(50, func(i int) string { return placeOutcome(fmt.Sprint("stock-", i), line(p, 1)) })
			wantCounts(t, counts, map[string]int{"201": 10, "400 insufficient_stock": 40})
			s.wantStock(t, p, 0)
		})
		t.Run("20 orders with one key", func(t *testing.T) {
			p := s.product(t, 1, 100)
			bodies := atOnce(20, func(int) string { return string(s.place(t, "one-key", line(p, 1)).Body) })
			if len(bodies) != 1 {
				t.Errorf("%d different answers: %v", len(bodies), bodies)
			}
			s.wantStock(t, p, 99)
		})
		t.Run("20 refused orders with one key", func(t *testing.T) {
			p := s.product(t, 1, 0)
			counts := atOnce(20, func(int) string { return placeOutcome("refused-key", line(p, 1)) })
			wantCounts(t, counts, map[string]int{"400 insufficient_stock": 20})
		})
		t.Run("20 orders with one key and two bodies", func(t *testing.T) {
			p := s.product(t, 1, 100)
			counts := atOnce(20, func(i int) string { return placeOutcome("two-bodies", line(p, int64(i%2+1))) })
			wantCounts(t, counts, map[string]int{"201": 10, "422 idempotency_key_reused": 10})
		})
		t.Run("20 orders with one expired key", func(t *testing.T) {
			p := s.product(t, 1, 100)
			s.place(t, "expired-key", line(p, 1))
			s.expireKeys(t, "expired-key")
			bodies := atOnce(20, func(int) string { return string(s.place(t, "expired-key", line(p, 1)).Body) })
			if len(bodies) != 1 {
				t.Errorf("%d different answers: %v", len(bodies), bodies)
			}
			s.wantStock(t, p, 98)
		})
		t.Run("20 confirms with one key", func(t *testing.T) {
			o := s.placed(t, line(s.product(t, 1, 1), 1))
			bodies := atOnce(20, func(int) string { return string(s.confirm(t, o.ID, "confirm-key").Body) })
			if len(bodies) != 1 {
				t.Errorf("%d different answers: %v", len(bodies), bodies)
			}
		})
		t.Run("confirm against cancel", func(t *testing.T) {
			p := s.product(t, 1, 20)
			var ids []int64
			for range 20 {
				ids = append(ids, s.placed(t, line(p, 1)).ID)
			}
			counts := atOnce(80, func(i int) string {
				id := ids[i/4]
				if i%2 == 0 {
					res := s.confirm(t, id, fmt.Sprint("k", i))
					return "confirm " + outcome(res.StatusCode(), res.Body)
				}
				res := s.cancel(t, id, "")
				return "cancel " + outcome(res.StatusCode(), res.Body)
			})
			if counts["cancel 200"] != 40 ||
				counts["confirm 200"]+counts["confirm 400 order_not_confirmable"] != 40 {
				t.Errorf("%v", counts)
			}
			s.wantStock(t, p, 20)
		})
		t.Run("orders against stock and price changes", func(t *testing.T) {
			p := s.product(t, 1, 1000)
			counts := atOnce(60, func(i int) string {
				if i%3 == 0 {
					change := api.ProductUpdate{PriceCents: new(int64(i + 1))}
					res, err := s.UpdateProductWithResponse(ctx, p, nil, change)
					if err != nil {
						return err.Error()
					}
					return outcome(res.StatusCode(), res.Body)
				}
				return placeOutcome("", line(p, 1))
			})
			wantCounts(t, counts, map[string]int{"200": 20, "201": 40})
			s.wantStock(t, p, 960)
		})
	})
}

package orders_test

import (
	"bytes"
	"fmt"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/ordersapi"
)

func (s *system) adjust(t testing.TB, product, delta int64, reason, key string) *api.AdjustStockResponse {
	t.Helper()
	var params api.AdjustStockParams
	if key != "" {
		params.XIdempotencyKey = &key
	}
	n := api.StockAdjustmentRequest{Delta: delta, Reason: reason}
	res, err := s.AdjustStockWithResponse(ctx, product, &params, n)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// adjustments lists all stock adjustments of a product, newest first, as "delta level reason".
func (s *system) adjustments(t *testing.T, product int64) (all []string) {
	t.Helper()
	params := api.ListStockAdjustmentsParams{Limit: new(int32(2))}
	for {
		res, err := s.ListStockAdjustmentsWithResponse(ctx, product, &params)
		if err != nil || res.JSON200 == nil {
			t.Fatalf("%v %s", err, res.Body)
		}
		for _, a := range res.JSON200.Data {
			all = append(all, fmt.Sprint(a.Delta, " ", a.Level, " ", a.Reason))
		}
		if params.Cursor = res.JSON200.Meta.NextCursor; params.Cursor == nil {
			return all
		}
	}
}

func TestAdjustStock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		dbtest.NoFilesort(t, g)
		p := s.product(t, 100, 10)
		t.Run("every change is written down", func(t *testing.T) {
			res := s.adjust(t, p, 40, "delivery 4711", "")
			if res.JSON201 == nil || res.JSON201.Data.ProductID != p || res.JSON201.Data.Delta != 40 ||
				res.JSON201.Data.Level != 50 ||
				res.JSON201.Data.CreatedAt.IsZero() {
				t.Fatalf("%s", res.Body)
			}
			s.placed(t, line(p, 5)) // an order is not an adjustment
			s.adjust(t, p, -2, "broken", "")
			s.updateProduct(t, p, api.ProductUpdate{Stock: new(int64(20))})
			s.updateProduct(t, p, api.ProductUpdate{Stock: new(int64(20)), PriceCents: new(int64(7))})
			want := "[-23 20 level set -2 43 broken 40 50 delivery 4711 10 10 created]"
			if got := fmt.Sprint(s.adjustments(t, p)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			s.wantStock(t, p, 20)
		})
		t.Run("insufficient_stock", func(t *testing.T) {
			res := s.adjust(t, p, -21, "too many", "short")
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "insufficient_stock", "/delta")
			s.wantStock(t, p, 20)
			// The key is still free, because the first request with the key was refused.
			if res := s.adjust(t, p, -20, "all", "short"); res.JSON201 == nil {
				t.Errorf("%s", res.Body)
			}
			s.wantStock(t, p, 0)
		})
		t.Run("above the highest level", func(t *testing.T) {
			s.adjust(t, p, 1, "one", "")
			res := s.adjust(t, p, 1_000_000_000, "too many", "")
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "validation_failed", "/delta")
			s.wantStock(t, p, 1)
		})
		t.Run("one key, one change", func(t *testing.T) {
			first := s.adjust(t, p, 5, "once", "adjust-key")
			again := s.adjust(t, p, 5, "once", "adjust-key")
			if again.HTTPResponse.Header.Get("Idempotency-Replayed") != "true" ||
				!bytes.Equal(first.Body, again.Body) {
				t.Errorf("%s, then %s", first.Body, again.Body)
			}
			s.wantStock(t, p, 6)
			for _, other := range []*api.AdjustStockResponse{
				s.adjust(t, p, 6, "once", "adjust-key"),
				s.adjust(t, p, 5, "twice", "adjust-key"),
				s.adjust(t, s.product(t, 1, 1), 5, "once", "adjust-key"),
			} {
				webtest.WantError(t, other.StatusCode(), other.Body, 422, "idempotency_key_reused")
			}
		})
		t.Run("an expired key is used again by many", func(t *testing.T) {
			p := s.product(t, 1, 100)
			instances := []*api.ClientWithResponses{s.ClientWithResponses, s.another(t)}
			for round := range int64(5) {
				if s.adjust(t, p, 1, "first", "reused").JSON201 == nil {
					t.Fatal("the key is not free")
				}
				s.expireKeys(t, "reused")
				counts := atOnce(20, func(i int) string {
					params := &api.AdjustStockParams{XIdempotencyKey: new("reused")}
					change := api.StockAdjustmentRequest{Delta: 10, Reason: "second"}
					got := answered(instances[i%2].AdjustStock(ctx, p, params, change))
					return fmt.Sprint(got.status, " ", string(got.body))
				})
				if len(counts) != 1 {
					t.Errorf("different answers: %v", counts)
				}
				s.wantStock(t, p, 100+11*(round+1))
				s.expireKeys(t, "reused")
			}
		})
		t.Run("against orders that sell", func(t *testing.T) {
			p := s.product(t, 1, 100)
			wantCounts(t, atOnce(60, func(i int) string {
				if i%3 == 0 {
					res := s.adjust(t, p, 40, "arrived", "")
					return outcome(res.StatusCode(), res.Body)
				}
				res := s.place(t, "", line(p, 1))
				return outcome(res.StatusCode(), res.Body)
			}), map[string]int{"201": 60})
			s.wantStock(t, p, 100+20*40-40)
		})
		t.Run("product_not_found", func(t *testing.T) {
			res := s.adjust(t, 99999, 1, "x", "")
			webtest.WantError(t, res.StatusCode(), res.Body, 404, "product_not_found")
			list, _ := s.ListStockAdjustmentsWithResponse(ctx, 99999, nil)
			webtest.WantError(t, list.StatusCode(), list.Body, 404, "product_not_found")
		})
		t.Run("bad fields", func(t *testing.T) {
			for body, fields := range map[string][]string{
				`{}`:                                   {"/delta", "/reason"},
				`{"delta":0,"reason":" "}`:             {"/delta", "/reason"},
				`{"delta":1000000001,"reason":"x"}`:    {"/delta"},
				`{"delta":1.5,"reason":"x","level":3}`: {"/delta", "/level"},
			} {
				url := fmt.Sprint(s.base, "/products/", p, "/stock-adjustments")
				status, answer, _ := webtest.Do(t, "POST", url, body, "Content-Type", "application/json")
				webtest.WantError(t, status, answer, 400, "validation_failed", fields...)
			}
		})
	})
}

func TestETag(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 10)
		read := func() *api.GetProductResponse {
			t.Helper()
			res, err := s.GetProductWithResponse(ctx, p, nil)
			if err != nil || res.JSON200 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			return res
		}
		tag := read().HTTPResponse.Header.Get("ETag")

		t.Run("not modified", func(t *testing.T) {
			for _, seen := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
				res, err := s.GetProductWithResponse(ctx, p, &api.GetProductParams{IfNoneMatch: &seen})
				if err != nil || res.StatusCode() != 304 || len(res.Body) != 0 ||
					res.HTTPResponse.Header.Get("ETag") != tag {
					t.Errorf("%s: %v %d %s", seen, err, res.StatusCode(), res.Body)
				}
			}
			res, _ := s.GetProductWithResponse(ctx, p, &api.GetProductParams{IfNoneMatch: new(`"other"`)})
			if res.JSON200 == nil {
				t.Errorf("%s", res.Body)
			}
		})
		t.Run("an order changes the product's", func(t *testing.T) {
			s.placed(t, line(p, 1))
			stale := tag
			change := api.ProductUpdate{Stock: new(int64(50))}
			res, _ := s.UpdateProductWithResponse(ctx, p, &api.UpdateProductParams{IfMatch: &stale}, change)
			webtest.WantError(t, res.StatusCode(), res.Body, 412, "precondition_failed")
			s.wantStock(t, p, 9)
			fresh := read().HTTPResponse.Header.Get("ETag")
			// A proxy that compresses an answer turns its ETag into a weak ETag.
			weak := "W/" + fresh
			res, _ = s.UpdateProductWithResponse(ctx, p, &api.UpdateProductParams{IfMatch: &weak}, change)
			if res.JSON200 == nil || res.HTTPResponse.Header.Get("ETag") != read().HTTPResponse.Header.Get("ETag") ||
				res.HTTPResponse.Header.Get("ETag") == fresh {
				t.Errorf("%s %v", res.Body, res.HTTPResponse.Header)
			}
		})
		t.Run("of two with one tag one wins", func(t *testing.T) {
			seen := read().HTTPResponse.Header.Get("ETag")
			wantCounts(t, atOnce(8, func(i int) string {
				change := api.ProductUpdate{Stock: new(int64(100 + i))}
				res, err := s.UpdateProductWithResponse(ctx, p, &api.UpdateProductParams{IfMatch: &seen}, change)
				if err != nil {
					return err.Error()
				}
				return outcome(res.StatusCode(), res.Body)
			}), map[string]int{"200": 1, "412 precondition_failed": 7})
		})
		t.Run("order", func(t *testing.T) {
			o := s.placed(t, line(p, 1))
			res, _ := s.GetOrderWithResponse(ctx, o.ID, nil)
			seen := res.HTTPResponse.Header.Get("ETag")
			again, _ := s.GetOrderWithResponse(ctx, o.ID, &api.GetOrderParams{IfNoneMatch: &seen})
			if again.StatusCode() != 304 {
				t.Errorf("%d %s", again.StatusCode(), again.Body)
			}
			confirm := func(key string) *api.ConfirmOrderResponse {
				params := &api.ConfirmOrderParams{XIdempotencyKey: key, IfMatch: &seen}
				res, _ := s.ConfirmOrderWithResponse(ctx, o.ID, params)
				return res
			}
			confirmed := confirm("etag-1")
			if confirmed.JSON200 == nil {
				t.Errorf("%s", confirmed.Body)
			}
			ifSeen := &api.CancelOrderParams{IfMatch: &seen}
			canceled, _ := s.CancelOrderWithResponse(ctx, o.ID, ifSeen, api.Cancellation{})
			webtest.WantError(t, canceled.StatusCode(), canceled.Body, 412, "precondition_failed")
			refused := confirm("etag-2")
			webtest.WantError(t, refused.StatusCode(), refused.Body, 412, "precondition_failed")
			replayed := confirm("etag-1")
			if !bytes.Equal(replayed.Body, confirmed.Body) {
				t.Errorf("a repeat got %s", replayed.Body)
			}
		})
	})
}

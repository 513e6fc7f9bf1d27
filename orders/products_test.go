package orders_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/ordersapi"
)

func TestCreateProduct(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		t.Run("created", func(t *testing.T) {
			n := api.ProductRequest{Sku: "A b-1", Name: "Größe 😀", PriceCents: 1_000_000_000, Stock: 0}
			res, err := s.CreateProductWithResponse(ctx, nil, n)
			if err != nil || res.JSON201 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			read, _ := s.GetProductWithResponse(ctx, res.JSON201.Data.ID, nil)
			if !bytes.Equal(read.Body, res.Body) {
				t.Errorf("created %s, read %s", res.Body, read.Body)
			}
		})
		t.Run("sku_taken", func(t *testing.T) {
			p := api.ProductRequest{Sku: "TAKEN", Name: "A"}
			s.CreateProductWithResponse(ctx, nil, p)
			res, _ := s.CreateProductWithResponse(ctx, nil, p)
			webtest.WantError(t, res.StatusCode(), res.Body, 409, "sku_taken", "/sku")
		})
		t.Run("twenty at once", func(t *testing.T) {
			wantCounts(t, atOnce(20, func(int) string {
				res, err := s.CreateProductWithResponse(ctx, nil, api.ProductRequest{Sku: "RACE", Name: "A"})
				if err != nil {
					return err.Error()
				}
				return outcome(res.StatusCode(), res.Body)
			}), map[string]int{"201": 1, "409 sku_taken": 19})
		})
		t.Run("bad fields", func(t *testing.T) {
			for body, fields := range map[string][]string{
				`{}`: {"/sku", "/name", "/price_cents", "/stock"},
				`{"sku":" X","name":"\t","price_cents":-1,"stock":1000000001}`: {
					"/sku", "/name", "/price_cents", "/stock"},
				`{"sku":"","name":"N","price_cents":1000000001,"stock":-1}`: {"/sku", "/price_cents", "/stock"},
				`{"sku":"` + strings.Repeat("x", 101) + `","name":"N","price_cents":1.5,"stock":"3"}`: {
					"/sku", "/price_cents", "/stock"},
				`{"sku":"X","name":"` + strings.Repeat("x", 256) + `","price_cents":1,"stock":1,"id":4}`: {
					"/name", "/id"},
			} {
				status, answer, _ := webtest.Do(t, "POST", s.base+"/products", body,
					"Content-Type", "application/json")
				webtest.WantError(t, status, answer, 400, "validation_failed", fields...)
			}
			status, answer, _ := webtest.Do(t, "POST", s.base+"/products", "", "Content-Type", "application/json")
			webtest.WantError(t, status, answer, 400, "validation_failed", "/body")
		})
	})
}

func TestListProducts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		dbtest.NoFilesort(t, g)
		for i, name := range []string{"50% Off", "a_b", "It's", "Straße"} {
			n := api.ProductRequest{Sku: fmt.Sprint("List-", i), Name: name}
			if res, _ := s.CreateProductWithResponse(ctx, nil, n); res.JSON201 == nil {
				t.Fatalf("%s", res.Body)
			}
		}
		for search, want := range map[string]string{
			"%": "50% Off", "_": "a_b", "'": "It's", "STRASSE": "Straße", "straße": "Straße", "STRAẞE": "Straße",
			"LIST-2": "It's", "off": "50% Off", "strasze": "",
		} {
			res, err := s.ListProductsWithResponse(ctx, &api.ListProductsParams{Search: &search})
			if err != nil || res.JSON200 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			var got []string
			for _, p := range res.JSON200.Data {
				got = append(got, p.Name)
			}
			if strings.Join(got, "|") != want {
				t.Errorf("search %q: %q, want %q", search, got, want)
			}
		}
		first, _ := s.ListProductsWithResponse(ctx, &api.ListProductsParams{Limit: new(int32(3))})
		second := &api.ListProductsParams{Limit: new(int32(3)), Cursor: first.JSON200.Meta.NextCursor}
		rest, _ := s.ListProductsWithResponse(ctx, second)
		if len(first.JSON200.Data) != 3 || len(rest.JSON200.Data) != 1 || rest.JSON200.Meta.NextCursor != nil {
			t.Errorf("%s %s", first.Body, rest.Body)
		}
		status, body, _ := webtest.Do(t, "GET", s.base+"/products?limit=0&cursor=x", "")
		webtest.WantError(t, status, body, 400, "validation_failed", "/query/limit", "/query/cursor")
	})
}

// TestMarksCountInSkus creates two products whose skus differ in a mark only. A sku must name its product, and
// a search must find both.
func TestMarksCountInSkus(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		var ids []int64
		for _, sku := range []string{"CAFÉ", "CAFE"} {
			res, err := s.CreateProductWithResponse(ctx, nil, api.ProductRequest{Sku: sku, Name: sku})
			if err != nil || res.JSON201 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			ids = append(ids, res.JSON201.Data.ID)
		}
		for query, want := range map[string][]int64{
			"sku=CAFÉ": ids[:1], "sku=CAFE": ids[1:], "sku=cafe": nil, "search=cafe": ids, "search=café": ids,
		} {
			if got := listed(t, s.base+"/products?"+query+"&"); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", query, got, want)
			}
		}
	})
}

func TestUpdateProduct(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		id := s.product(t, 100, 5)
		for _, step := range []struct {
			update       api.ProductUpdate
			price, stock int64
		}{
			{api.ProductUpdate{PriceCents: new(int64(0))}, 0, 5},
			{api.ProductUpdate{Stock: new(int64(9))}, 0, 9},
			{api.ProductUpdate{PriceCents: new(int64(7)), Stock: new(int64(0))}, 7, 0},
			// An update without a change must not be 404.
			{api.ProductUpdate{PriceCents: new(int64(7))}, 7, 0},
		} {
			res, err := s.UpdateProductWithResponse(ctx, id, nil, step.update)
			if err != nil || res.JSON200 == nil {
				t.Fatalf("%v %s", err, res.Body)
			}
			read, _ := s.GetProductWithResponse(ctx, id, nil)
			if d := read.JSON200.Data; !bytes.Equal(read.Body, res.Body) || d.PriceCents != step.price ||
				d.Stock != step.stock {
				t.Errorf("answered %s, read %s", res.Body, read.Body)
			}
		}
		for body, fields := range map[string][]string{
			`{}`: {"/body"}, `{"price_cents":-1,"stock":-1}`: {"/price_cents", "/stock"},
			`{"sku":"N","stock":1}`: {"/sku"}, `{"name":" ","active":1}`: {"/name", "/active"},
			`{"stock":null}`: {"/body"}, `{"stock":1e2}`: {"/stock"},
		} {
			status, answer, _ := webtest.Do(t, "PATCH", fmt.Sprint(s.base, "/products/", id), body,
				"Content-Type", "application/json")
			webtest.WantError(t, status, answer, 400, "validation_failed", fields...)
		}
		res, _ := s.UpdateProductWithResponse(ctx, 99999, nil, api.ProductUpdate{Stock: new(int64(1))})
		webtest.WantError(t, res.StatusCode(), res.Body, 404, "product_not_found")
		read, _ := s.GetProductWithResponse(ctx, 99999, nil)
		webtest.WantError(t, read.StatusCode(), read.Body, 404, "product_not_found")
	})
}

// TestHeldSKU inserts a sku in an open transaction. 24 creations with the same sku must wait for the end of
// this transaction. A creation with another sku must succeed meanwhile, although only eight transactions may
// run at once.
func TestHeldSKU(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if g.Name() == db.SQLite {
			return // SQLite has a single writer and no row locks
		}
		s := serve(t, g)
		s.product(t, 1, 1)
		tx := g.Begin()
		defer tx.Rollback()
		err := tx.Exec(`INSERT INTO products (sku, name, price_cents, stock, created_at)
			VALUES ('HELD', 'n', 1, 1, UTC_TIMESTAMP(3))`).Error
		if err != nil {
			t.Fatal(err)
		}
		held := api.ProductRequest{Sku: "HELD", Name: "n"}
		var calls sync.WaitGroup
		for range 24 { // at most eight transactions run at once
			calls.Go(func() {
				if _, err := s.CreateProductWithResponse(ctx, nil, held); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(300 * time.Millisecond) // until the calls wait
		begun := time.Now()
		s.product(t, 1, 1)
		if took := time.Since(begun); took > 1500*time.Millisecond {
			t.Errorf("another creation took %s", took)
		}
		if err := tx.Rollback().Error; err != nil {
			t.Fatal(err)
		}
		calls.Wait()
	})
}

package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/ordersapi"
)

// BenchmarkGet measures the cost of package web for a read.
func BenchmarkGet(b *testing.B) {
	e := engine(b, cheaplyLogged(), func(context.Context) error { return nil })
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("GET", "/customers/1", nil)
		r.Header.Set("Authorization", "Bearer "+webtest.Token)
		w := httptest.NewRecorder()
		if e.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}

// BenchmarkPost measures the cost of package web for a request that places an order.
func BenchmarkPost(b *testing.B) {
	o := cheaplyLogged()
	o.Document = ordersapi.Document
	e := web.New(o)
	e.POST("/orders", func(c *gin.Context) { c.Data(http.StatusCreated, "application/json", []byte("{}")) })
	const order = `{"customer_id":1,"items":[{"product_id":1,"qty":2},` +
		`{"product_id":2,"qty":3},{"product_id":3,"qty":4}]}`
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/orders", strings.NewReader(order))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(web.IdempotencyHeader, "a-key-of-the-usual-length-0123456789")
		w := httptest.NewRecorder()
		if e.ServeHTTP(w, r); w.Code != http.StatusCreated {
			b.Fatal(w.Code, w.Body)
		}
	}
}

// cheaplyLogged returns options with a plain log. The usual log of tests costs more: it is searched for
// secrets.
func cheaplyLogged() web.Options {
	o := webtest.Options()
	o.Limits = web.Limits{InFlight: 200}
	o.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	return o
}

package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"example.com/b2b/internal/web/webtest"
)

// BenchmarkGet shows what package web adds to a read.
func BenchmarkGet(b *testing.B) {
	e := engine(b, webtest.Options(), func(context.Context) error { return nil })
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

// BenchmarkPost shows what package web adds to an order: its body is read, validated and bound.
func BenchmarkPost(b *testing.B) {
	e := things(b, webtest.Options(), bind)
	b.ReportAllocs()
	for b.Loop() {
		w := post(e, "/things", `{"name":"x","items":[{"product_id":1,"qty":1},{"product_id":2,"qty":1},{"product_id":3,"qty":1}]}`)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}

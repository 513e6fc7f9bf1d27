package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/config"
	"example.com/b2b/internal/web/webtest"
)

// BenchmarkOrders shows what orders cost that parallel clients place, with a key each: on every engine, over HTTP, the clients included.
func BenchmarkOrders(b *testing.B) {
	dbtest.Each(b, func(b *testing.B, g *gorm.DB) {
		if _, err := db.Seed(b.Context(), g); err != nil {
			b.Fatal(err)
		}
		if err := g.Exec("UPDATE products SET stock = 1000000000").Error; err != nil {
			b.Fatal(err)
		}
		var c config.Settings
		c.ServiceTokens, c.RequestTimeout, c.KeyLifetime, c.Reservation = []string{webtest.Token}, time.Minute, time.Hour, time.Hour
		at := map[string]string{}
		for _, s := range table(&c) {
			handler, _, err := s.build(g, webtest.Options())
			if err != nil {
				b.Fatal(err)
			}
			served := httptest.NewServer(handler)
			defer served.Close()
			*s.base, at[s.name] = served.URL, served.URL
		}
		b.Run("create", func(b *testing.B) { place(b, at["orders"]+"/orders") })
		b.Run("orchestrate", func(b *testing.B) { place(b, at["orchestrator"]+"/orchestrator/create-and-confirm-order") })
	})
}

var placed atomic.Int64

func place(b *testing.B, url string) {
	const clients = 32
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	b.SetParallelism(clients) // for each CPU
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := placed.Add(1)
			key := fmt.Sprint("bench-", n)
			body := fmt.Sprintf(`{"customer_id":%d,"items":[{"product_id":%d,"qty":1},{"product_id":%d,"qty":1},{"product_id":%d,"qty":1}]`, n%5+1, n%10+1, (n+3)%10+1, (n+6)%10+1)
			if strings.HasSuffix(url, "/orders") {
				body += "}"
			} else {
				body += fmt.Sprintf(`,"idempotency_key":%q}`, key)
			}
			r, err := http.NewRequest("POST", url, strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+webtest.Token)
			if strings.HasSuffix(url, "/orders") {
				r.Header.Set("X-Idempotency-Key", key)
			}
			res, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			answer, _ := io.ReadAll(res.Body)
			if res.Body.Close(); res.StatusCode != http.StatusCreated {
				b.Errorf("%d %s", res.StatusCode, answer)
				return
			}
		}
	})
}

package live_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/test/live"
)

// TestHalfClosed closes the client's half of the connection after each request. Every request must get its
// answer.
func TestHalfClosed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		base := live.Serve(g, webtest.Options(), func(h http.Handler) string {
			s := httptest.NewServer(h)
			t.Cleanup(s.Close)
			return s.URL
		})
		const orchestration = `{"customer_id":1,"items":[{"product_id":5,"qty":1}],"idempotency_key":"half-%d"}`
		for _, c := range []struct {
			service, method, path, contentType, body string
			status                                   int
		}{
			{"customers", "POST", "/customers", "application/json", `{"name":"x","email":"half%d@example.com"}`, 201},
			{"customers", "GET", "/customers?search=acme", "", "", 200},
			{"customers", "GET", "/customers/export?format=csv", "", "", 200},
			{"orders", "POST", "/orders", "application/json", `{"customer_id":1,"items":[{"product_id":5,"qty":1}]}`, 201},
			{"orders", "POST", "/products/import", "text/csv", "sku,name,price_cents,stock\nH-%d,x,1,1\n", 200},
			{"orders", "PATCH", "/products/1", "application/json", `{"price_cents":1%d}`, 200},
			{"orders", "GET", "/orders/1", "", "", 200},
			{"orchestrator", "POST", "/orchestrator/create-and-confirm-order", "application/json", orchestration, 201},
			{"orchestrator", "GET", "/orchestrator/create-and-confirm-order/half-0", "", "", 200},
		} {
			for i := range 10 { // repeat, because the server may see the half-closed connection early or late
				body := strings.Replace(c.body, "%d", fmt.Sprint(i), 1)
				conn, err := net.Dial("tcp", strings.TrimPrefix(base[c.service], "http://"))
				if err != nil {
					t.Fatal(err)
				}
				const request = "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
				fmt.Fprintf(conn, request, c.method, c.path, c.contentType, len(body), body)
				if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
				res, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatalf("%s %s: %v", c.method, c.path, err)
				}
				if res.StatusCode != c.status || res.Header.Get(correlation.Header) == "" {
					t.Errorf("%s %s: %d", c.method, c.path, res.StatusCode)
				}
				conn.Close()
			}
		}
	})
}

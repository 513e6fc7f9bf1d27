package system_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// TestGreedyPartner lets a partner use as much of a service as the limits allow, in several ways. Meanwhile
// each call of another partner must succeed at the first try.
func TestGreedyPartner(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if err := g.Exec("UPDATE products SET stock = 1000000 WHERE id = 2").Error; err != nil {
			t.Fatal(err)
		}
		p := start(t, append(guarded(c), append(anyPorts, "LOG_LEVEL=warn")...))
		greedy, good := newPartner(t, "greedy", 0).token, newPartner(t, "good", 0).token

		t.Run("230 connections with orders", func(t *testing.T) {
			hoard(t, p, greedy, "POST", "/orders", `{"customer_id":1,"items":[{"product_id":2,"qty":1}]}`, func() {
				hundredGoodCalls(t, p, good, 8, "orders")
			})
		})
		t.Run("230 connections with searches", func(t *testing.T) {
			hoard(t, p, greedy, "GET", "/products?search=not+there", "", func() {
				hundredGoodCalls(t, p, good, 2, "orders", "search")
			})
		})
		t.Run("uploads of a byte now and then", func(t *testing.T) {
			const head = "POST /products/import HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n"
			slow := open(t, p, 200, greedy, head, "sku,name\n")
			stop := make(chan struct{})
			var sending sync.WaitGroup
			sending.Go(func() {
				for tick := time.NewTicker(500 * time.Millisecond); ; {
					select {
					case <-stop:
						return
					case <-tick.C:
						for _, c := range slow {
							_, _ = io.WriteString(c, "x")
						}
					}
				}
			})
			hundredGoodCalls(t, p, good, 8, "orders", "import")
			got, until := map[int]int{}, time.Now().Add(30*time.Second)
			for _, c := range slow {
				_ = c.SetReadDeadline(until)
				if res, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
					got[res.StatusCode]++
				} else {
					// No answer: a client that still sends after a refusal may get a TCP reset.
					got[0]++
				}
			}
			close(stop)
			sending.Wait()
			if got[http.StatusRequestTimeout] != 8 || got[http.StatusTooManyRequests] == 0 ||
				got[http.StatusRequestTimeout]+got[http.StatusTooManyRequests]+got[0] != 200 {
				t.Errorf("the uploads got %v", got)
			}
		})
		t.Run("exports that are not read", func(t *testing.T) {
			const insert = "INSERT INTO products (sku, name, price_cents, stock, created_at) VALUES "
			name := strings.Repeat("n", 200)
			for first := 0; first < 30_000; first += 1000 { // a file of 10 MB: more than the buffers of a connection
				var rows []string
				for i := range 1000 {
					rows = append(rows, fmt.Sprintf("('MANY-%d','%s',1,1,CURRENT_TIMESTAMP)", first+i, name))
				}
				if err := g.Exec(insert + strings.Join(rows, ",")).Error; err != nil {
					t.Fatal(err)
				}
			}
			deaf := open(t, p, 200, greedy, "GET /products/export?format=ndjson HTTP/1.1\r\n", "")
			hundredGoodCalls(t, p, good, 8, "orders", "export")
			for _, c := range deaf {
				c.Close()
			}
		})
		if t.Failed() {
			p.stop()
			for line := range strings.Lines(p.log.String()) {
				if !strings.Contains(line, `"status":4`) {
					t.Log(line)
				}
			}
		}
	})
}

// open sends a request, which may be incomplete, on each of n connections, and reads no answer from them.
func open(t *testing.T, p *process, n int, token, head, body string) (all []net.Conn) {
	t.Helper()
	for range n {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.orders, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.(*net.TCPConn).SetReadBuffer(4096)
		fmt.Fprintf(c, "%sHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n%s", head, token, body)
		all = append(all, c)
	}
	return all
}

// hoard repeats a call on 230 connections until the function meanwhile has returned. Some of the calls, but
// not all, must get 429.
func hoard(t *testing.T, p *process, token, method, path, body string, meanwhile func()) {
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 230}}
	defer client.CloseIdleConnections()
	var ended atomic.Bool
	var made atomic.Int64
	var all sync.WaitGroup
	got := make([]map[int]int, 230)
	for i := range got {
		got[i] = map[int]int{}
		all.Go(func() {
			for !ended.Load() {
				// Status 0 stands for no answer: the service may close an idle connection to accept another
				// caller.
				key := fmt.Sprintf("greedy-%d", made.Add(1))
				status, _, _ := send(client, method, p.orders+path, body, token, key)
				if got[i][status]++; status == http.StatusTooManyRequests {
					time.Sleep(500 * time.Millisecond) // half of the second that Retry-After tells to wait
				}
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); made.Load() < 400 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if n := made.Load(); n < 400 {
		t.Errorf("the greedy partner has made only %d calls", n)
	}
	meanwhile()
	ended.Store(true)
	all.Wait()
	sum := map[int]int{}
	for _, answers := range got {
		for status, n := range answers {
			sum[status] += n
		}
	}
	if sum[http.StatusTooManyRequests] == 0 || sum[http.StatusTooManyRequests] == int(made.Load()) {
		t.Errorf("the greedy partner did not reach its limits: %v", sum)
	}
	t.Logf("the greedy partner got %v", sum)
}

// hundredGoodCalls makes a hundred calls of the given kinds, with a number of clients. Each call must succeed
// at the first try.
func hundredGoodCalls(t *testing.T, p *process, token string, clients int, kinds ...string) {
	t.Helper()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	var made atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for n := made.Add(1); n <= 100; n = made.Add(1) {
				method, path, body := "GET", "/orders/1", ""
				switch kind := kinds[int(n)%len(kinds)]; {
				case kind == "orders" && n%3 > 0:
					method, path, body = "POST", "/orders", `{"customer_id":1,"items":[{"product_id":2,"qty":1}]}`
				case kind == "search":
					path = "/products?search=laptop"
				case kind == "import" && n%10 == 1:
					method, path, body = "POST", "/products/import", "sku,name,price_cents,stock\nGOOD-1,Good,1,1\n"
				case kind == "export" && n%10 == 1:
					path = "/products/export?format=csv&sku=LAPTOP-HP-2024"
				}
				key := fmt.Sprintf("%s-%d", t.Name(), n)
				status, answer := goodCall(t, client, method, p.orders+path, body, token, key)
				if status/100 != 2 {
					t.Errorf("%s %s: %d %s", method, path, status, answer)
				}
			}
		})
	}
	all.Wait()
}

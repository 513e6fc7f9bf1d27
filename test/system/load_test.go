package system_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/auth"
)

const (
	goodClients   = 100
	goodCalls     = 8                      // of each
	goodPause     = 500 * time.Millisecond // from one to the next of a client: together 200 a second
	hostileCalls  = 10_000
	hostileRate   = 2000 // a second: attackers have a machine of their own
	hostileAtOnce = 50
	retries       = 3 // of a good call that is answered with 503, with its key
)

// TestHostileLoad sends hostile requests beside those of good clients, under limits. Each good call succeeds,
// and is never limited. The log says what it cost them: with -v.
func TestHostileLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("load")
	}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if err := g.Exec("UPDATE products SET stock = 1000000 WHERE id = 2").Error; err != nil {
			t.Fatal(err)
		}
		// The doctor is not asked: nobody has told the history of that stock.
		p := start(
			t,
			append(guarded(c), append(anyPorts, "RATE_LIMIT_RPS=50", "RATE_LIMIT_BURST=100", "LOG_LEVEL=warn")...),
		)
		before, _ := goodLoad(t, p, 1)
		var during []time.Duration
		var repeated int64
		answers := hostileLoad(t, p, func() { during, repeated = goodLoad(t, p, 2) })
		for _, status := range []int{400, 401, 404, 413, 415, 429} { // else it was not hostile enough
			if answers[status] == 0 {
				t.Errorf("no hostile call got %d: %v", status, answers)
			}
		}
		if answers[500] > 0 {
			t.Errorf("hostile calls got 500: %v", answers)
		}
		if t.Failed() {
			p.stop()
			for line := range strings.Lines(p.log.String()) {
				if strings.Contains(line, `"ERROR"`) {
					t.Log(line)
				}
			}
		}
		t.Logf(
			"p50 %s, p99 %s of %d good calls alone; p50 %s, p99 %s beside hostile calls, %d of them repeated: %v",
			at50(before), at99(before), len(before), at50(during), at99(during), repeated, answers,
		)
	})
}

func at50(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2].Round(100_000) }
func at99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100].Round(100_000) }

// goodLoad lets every good client place orders and look at them, and returns how long each call took, in
// ascending order, and how many were repeated.
func goodLoad(t *testing.T, p *process, round int) (took []time.Duration, repeated int64) {
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: goodClients}}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var again atomic.Int64
	var clients sync.WaitGroup
	for n := range goodClients {
		by := newPartner(t, fmt.Sprintf("good-%d", n), 1)
		clients.Go(func() {
			next := time.NewTicker(goodPause)
			defer next.Stop()
			time.Sleep(goodPause * time.Duration(n) / goodClients) // not all at the same moment
			for i := range goodCalls {
				<-next.C
				key := fmt.Sprintf("%d-%d", round, i)
				method, url, body := "POST", p.orders+"/orders", `{"customer_id":1,"items":[{"product_id":2,"qty":1}]}`
				switch i % 4 {
				case 1:
					method, url, body = "GET", p.orders+"/orders/1", ""
				case 2:
					method, url, body = "GET", p.orders+"/orders?limit=10", ""
				case 3:
					method, url = "POST", p.orchestrator+"/orchestrator/create-and-confirm-order"
					body = fmt.Sprintf(`{"idempotency_key":%q,%s`, "whole-"+key, body[1:])
				}
				began := time.Now()
				status, answer := 0, []byte(nil)
				for tries := 0; tries == 0 || status == http.StatusServiceUnavailable && tries <= retries; tries++ {
					status, answer = goodCall(t, client, method, url, body, by.token, key)
					again.Add(int64(min(tries, 1)))
				}
				if status != http.StatusOK && status != http.StatusCreated {
					t.Errorf("%s %s: %d %s", method, url, status, answer)
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	slices.Sort(took)
	return took, again.Load()
}

func goodCall(t *testing.T, client *http.Client, method, url, body, token, key string) (int, []byte) {
	status, answer, err := send(client, method, url, body, token, key)
	if err != nil {
		t.Error(err)
	}
	return status, answer
}

func send(client *http.Client, method, url, body, token, key string) (int, []byte, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if strings.HasSuffix(url, "/import") {
		req.Header.Set("Content-Type", "text/csv")
	}
	if strings.HasSuffix(url, "/orders") && method == "POST" {
		req.Header.Set("X-Idempotency-Key", key) // all clients use the same
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	return res.StatusCode, answer, nil
}

// hostileLoad makes hostile calls beside what is called meanwhile, and counts the answers by status, 0 for
// none.
func hostileLoad(t *testing.T, p *process, meanwhile func()) map[int]int {
	impostor, err := auth.Tokens{
		Secret: strings.Repeat("another secret ", 3),
	}.Issue(
		auth.Principal{Subject: "good-1", Scope: auth.Admin}, time.Hour,
	)
	if err != nil {
		t.Fatal(err)
	}
	greedy := newPartner(t, "greedy", 2).token // which is valid
	calls := []struct{ method, url, token, contentType, body string }{
		{"GET", p.orders + "/orders", "", "", ""},
		{"GET", p.orders + "/orders/1", impostor, "", ""},
		{"GET", p.customers + "/internal/customers/1", greedy, "", ""},
		{"GET", p.orders + "/orders/1", greedy, "", ""},
		{"GET", p.orders + "/orders?limit=100000", greedy, "", ""},
		{"GET", p.orders + "/" + strings.Repeat("../", 100) + "etc/passwd", "", "", ""},
		{"POST", p.orders + "/orders", greedy, "application/json", strings.Repeat(`{"a":`, 10_000)},
		{"POST", p.orders + "/orders", greedy, "application/json", `{"customer_id":2,"customer_id":1,"items":[]}`},
		{"POST", p.orders + "/orders", greedy, "text/xml", "<order/>"},
		{"POST", p.orders + "/orders", greedy, "application/json", strings.Repeat(" ", 1<<20+1)},
		{
			"POST", p.orchestrator + "/orchestrator/create-and-confirm-order", greedy, "application/json",
			`{"customer_id":1,"items":[{"product_id":2,"qty":1}],"idempotency_key":"1-3"}`,
		},
		{"TRACE", p.customers + "/customers", greedy, "", ""},
		{"GET", p.customers + "/customers?search=%25", greedy, "", ""},
	}
	for range hostileAtOnce { // and some that never say all
		c, err := net.Dial("tcp", strings.TrimPrefix(p.orders, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(
			c,
			"POST /orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+greedy+"\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
		)
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: hostileAtOnce}}
	defer client.CloseIdleConnections()
	answers := map[int]int{}
	var mu sync.Mutex
	var made atomic.Int64
	pace := rate.NewLimiter(hostileRate, hostileAtOnce)
	var all sync.WaitGroup
	for range hostileAtOnce {
		all.Go(func() {
			for n := made.Add(1); n <= hostileCalls; n = made.Add(1) {
				_ = pace.Wait(t.Context())
				call := calls[int(n)%len(calls)]
				req, err := http.NewRequest(call.method, call.url, bytes.NewReader([]byte(call.body)))
				if err != nil {
					t.Error(err)
					return
				}
				if call.token != "" {
					req.Header.Set("Authorization", "Bearer "+call.token)
				}
				req.Header.Set("Content-Type", call.contentType)
				status := 0
				if res, err := client.Do(req); err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
					status = res.StatusCode
				}
				mu.Lock()
				answers[status]++
				mu.Unlock()
			}
		})
	}
	meanwhile()
	all.Wait()
	return answers
}

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

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
)

const (
	goodClients   = 100
	goodCalls     = 8                      // calls of each client
	goodPause     = 500 * time.Millisecond // between two calls of a client: all clients make 200 calls a second
	hostileCalls  = 10_000
	hostileRate   = 2000 // calls a second; few, because the clients share a machine with b2b
	hostileAtOnce = 50
	retries       = 3 // repetitions of a good call after 503, with the same key
)

// TestHostileLoad sends hostile requests at the same time as the requests of good clients, with rate limits.
// Each good call must succeed, and must never be limited. With -v, the log has the times of the good calls.
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
		// The doctor does not run, because the stock was changed without an event.
		env := append(guarded(c), anyPorts...)
		p := start(t, append(env, "RATE_LIMIT_RPS=50", "RATE_LIMIT_BURST=100", "LOG_LEVEL=warn"))
		before, _ := goodLoad(t, p, 1)
		var during []time.Duration
		var repeated int64
		answers := hostileLoad(t, p, func() { during, repeated = goodLoad(t, p, 2) })
		for _, status := range []int{400, 401, 404, 413, 415, 429} {
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
		t.Logf("%d good calls alone: p50 %s, p99 %s", len(before), at50(before), at99(before))
		t.Logf("beside hostile calls: p50 %s, p99 %s, %d repeated", at50(during), at99(during), repeated)
		t.Logf("hostile calls by status: %v", answers)
	})
}

func at50(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2].Round(100_000) }
func at99(sorted []time.Duration) time.Duration { return sorted[len(sorted)*99/100].Round(100_000) }

// goodLoad lets every good client place and read orders. It returns the times of the calls in ascending
// order, and the number of repeated calls.
func goodLoad(t *testing.T, p *process, round int) (times []time.Duration, repeated int64) {
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
			time.Sleep(goodPause * time.Duration(n) / goodClients) // the clients begin at different moments
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
				times = append(times, time.Since(began))
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	slices.Sort(times)
	return times, again.Load()
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
		req.Header.Set("X-Idempotency-Key", key) // the clients share keys, but each has its own token
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	return res.StatusCode, answer, nil
}

// hostileLoad makes hostile calls, and runs the function meanwhile at the same time. It counts the answers to
// the hostile calls by status; status 0 stands for no answer.
func hostileLoad(t *testing.T, p *process, meanwhile func()) map[int]int {
	others := auth.Tokens{Secrets: []string{strings.Repeat("another secret ", 3)}}
	impostor, err := others.Issue(auth.Principal{Subject: "good-1", Scope: auth.Admin}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	greedy := newPartner(t, "greedy", 2).token // a valid token
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
	const unfinished = "POST /orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n" +
		"Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
	for range hostileAtOnce {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.orders, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, unfinished, greedy)
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

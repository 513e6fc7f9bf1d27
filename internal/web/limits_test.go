package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/customersapi/server"
)

// ListCustomers calls get, and returns an empty page.
func (b behind) ListCustomers(
	ctx context.Context, _ server.ListCustomersRequestObject,
) (server.ListCustomersResponseObject, error) {
	if err := b.get(ctx); err != nil {
		return nil, err
	}
	return server.ListCustomers200JSONResponse{
		Body: api.CustomerListResponse{Success: true, Data: []api.Customer{}},
	}, nil
}

func nothing(context.Context) error { return nil }

// ask sends a GET from an address to an engine.
func ask(e http.Handler, path, from string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.RemoteAddr = from
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func token(t testing.TB, subject string) string {
	t.Helper()
	tokens := auth.Tokens{Secrets: []string{webtest.Secret}}
	text, err := tokens.Issue(auth.Principal{Subject: subject, Scope: "customers:read"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

// TestRateLimit empties a caller's bucket of three tokens, and then calls as the same or another caller. Only
// the same caller must be refused.
func TestRateLimit(t *testing.T) {
	limited := func(t *testing.T, proxies ...string) http.Handler {
		o := webtest.Options()
		o.Limits = web.Limits{Rate: 1, Burst: 3, Proxies: proxies}
		return engine(t, o, nothing)
	}
	const addressA, addressB = "192.0.2.1:1", "198.51.100.1:1"
	tokenA, tokenB := []string{"Authorization", token(t, "a")}, []string{"Authorization", token(t, "b")}
	guessX, guessY := []string{"Authorization", "Bearer x"}, []string{"Authorization", "Bearer y"}
	service := []string{"Authorization", "Bearer " + webtest.Token}
	callerA := auth.Principal{Subject: "a", Scope: "customers:read"}
	serviceForA := append(slices.Clone(service), auth.ActingForHeader, callerA.ActingFor())
	forwarded := func(address string) []string { return []string{"X-Forwarded-For", address} }
	proxy := []string{"192.0.2.1"}
	for name, c := range map[string]struct {
		from    [2]string // the address that empties the bucket, and the address of the next call
		headers [2][]string
		proxies []string
		status  int
	}{
		"anonymous":                                {status: 429},
		"anonymous, another port":                  {from: [2]string{addressA, "192.0.2.1:2"}, status: 429},
		"anonymous, another address":               {from: [2]string{addressA, addressB}, status: 200},
		"anonymous, the same network":              {from: [2]string{"[2001:db8::1]:1", "[2001:db8::2:2]:1"}, status: 429},
		"anonymous, another network":               {from: [2]string{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1"}, status: 200},
		"one token":                                {from: [2]string{addressA, addressB}, headers: [2][]string{tokenA, tokenA}, status: 429},
		"another token":                            {headers: [2][]string{tokenA, tokenB}, status: 200},
		"a token, then none":                       {headers: [2][]string{tokenA}, status: 200},
		"none, then a token":                       {headers: [2][]string{nil, tokenA}, status: 200},
		"guessed tokens":                           {headers: [2][]string{guessX, guessY}, status: 429},
		"a guessed token, then none":               {headers: [2][]string{guessX}, status: 429},
		"guessed, from another address":            {from: [2]string{addressA, addressB}, headers: [2][]string{guessX, guessX}, status: 401},
		"a service":                                {headers: [2][]string{service, service}, status: 200},
		"a service for a caller who has none left": {headers: [2][]string{tokenA, serviceForA}, status: 200},
		"X-Forwarded-For of anybody": {
			headers: [2][]string{forwarded("203.0.113.1"), forwarded("203.0.113.2")}, status: 429},
		"X-Forwarded-For of a proxy": {proxies: []string{"192.0.2.0/24"},
			headers: [2][]string{forwarded("203.0.113.1"), forwarded("203.0.113.2")}, status: 200},
		"X-Forwarded-For with ports": {proxies: proxy,
			headers: [2][]string{forwarded("203.0.113.1:1111"), forwarded("203.0.113.2:1111")}, status: 200},
		"X-Forwarded-For with another port": {proxies: proxy, status: 429,
			headers: [2][]string{forwarded("203.0.113.1:1111"), forwarded("9.9.9.9, 203.0.113.1:2222")}},
		"X-Forwarded-For with and without a port": {proxies: proxy,
			headers: [2][]string{forwarded("203.0.113.1:1111"), forwarded("203.0.113.1")}, status: 429},
		"X-Forwarded-For with IPv6 and a port": {proxies: proxy, status: 200,
			headers: [2][]string{forwarded("[2001:db8::1]:443"), forwarded("[2001:db8:0:1::1]:443")}},
		"X-Forwarded-For with IPv6 of one network, in all spellings": {proxies: proxy,
			headers: [2][]string{forwarded("[2001:db8::1]:443"), forwarded(`"[2001:DB8:0:0::2]"`)}, status: 429},
		"X-Forwarded-For with IPv4 as IPv6": {proxies: proxy,
			headers: [2][]string{forwarded("[::ffff:203.0.113.1]:1"), forwarded("203.0.113.1")}, status: 429},
		"X-Forwarded-For with a port behind two proxies": {proxies: []string{"192.0.2.1", "10.0.0.0/8"}, status: 200,
			headers: [2][]string{forwarded("203.0.113.1:1, 10.0.0.1:5"), forwarded("203.0.113.2:1, 10.0.0.1:5")}},
		"X-Forwarded-For with a port, of anybody": {
			headers: [2][]string{forwarded("203.0.113.1:1"), forwarded("203.0.113.2:1")}, status: 429},
		"X-Real-IP": {proxies: proxy,
			headers: [2][]string{{"X-Real-IP", "9.9.9.1"}, {"X-Real-IP", "9.9.9.2"}}, status: 429},
		"X-Forwarded-For in two lines, the caller's first": {proxies: proxy, status: 429, headers: [2][]string{
			append(forwarded("9.9.9.1"), forwarded("203.0.113.1")...),
			append(forwarded("9.9.9.2"), forwarded("203.0.113.1")...),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := limited(t, c.proxies...)
			for i, from := range c.from {
				if from == "" {
					c.from[i] = addressA
				}
			}
			for range 4 {
				ask(e, "/customers/1", c.from[0], c.headers[0]...)
			}
			if w := ask(e, "/customers/1", c.from[1], c.headers[1]...); w.Code != c.status {
				t.Errorf("%d %s, want %d", w.Code, w.Body, c.status)
			}
		})
	}
	t.Run("public operations and pages", func(t *testing.T) {
		e := limited(t)
		for range 10 {
			for _, path := range []string{"/health", "/docs", "/openapi.json"} {
				if w := ask(e, path, addressA); w.Code != 200 || w.Header().Get("RateLimit") != "" {
					t.Errorf("%s: %d %v", path, w.Code, w.Header())
				}
			}
		}
	})
	t.Run("off", func(t *testing.T) {
		e := engine(t, webtest.Options(), nothing)
		for range 10 {
			if w := ask(e, "/customers/1", addressA); w.Code != 200 || w.Header().Get("RateLimit") != "" ||
				w.Header().Get("RateLimit-Policy") != "" {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		}
	})
}

// TestRateLimitHeaders empties a bucket of 100 tokens, which fills again in 100 seconds. The RateLimit
// headers of each answer must show the state of the bucket.
func TestRateLimitHeaders(t *testing.T) {
	o := webtest.Options()
	o.Limits = web.Limits{Rate: 1, Burst: 100} // two calls within a second get no new token
	base := serve(t, o, nothing)
	left, status, header := 100, 0, http.Header{}
	var body []byte
	for status != 429 {
		status, body, header = webtest.Do(t, "GET", base+"/customers/1", "")
		var r, after int
		if _, err := fmt.Sscanf(header.Get("RateLimit"), `"caller";r=%d;t=%d`, &r, &after); err != nil ||
			r >= left && r > 0 || after < 1 || after > 100 {
			t.Fatalf("RateLimit %q after %d were left: %v", header.Get("RateLimit"), left, err)
		}
		left = r
		if p := header.Get("RateLimit-Policy"); p != `"caller";q=100;w=100` {
			t.Fatalf("RateLimit-Policy %q", p)
		}
	}
	webtest.WantError(t, status, body, 429, "rate_limited")
	if header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q, the next token comes in a second", header.Get("Retry-After"))
	}
}

// TestManyCallers makes calls of as many callers as an engine has buckets. The engine must still have the
// bucket of the first caller. Then it makes calls of as many new callers. Now the engine must have dropped
// the bucket of the first caller, so that the memory does not grow with the number of callers.
func TestManyCallers(t *testing.T) {
	const burst, used = 1000, 500
	o := webtest.Options()
	o.Limits = web.Limits{Rate: 1, Burst: burst}
	e := engine(t, o, nothing)
	left := func() (r int) {
		limit := ask(e, "/customers/x", "10.0.0.1:1").Header().Get("RateLimit")
		if _, err := fmt.Sscanf(limit, `"caller";r=%d;`, &r); err != nil {
			t.Fatalf("RateLimit %q: %v", limit, err)
		}
		return r
	}
	others := func(network byte, n int) {
		for i := range n {
			ask(e, "/customers/x", fmt.Sprintf("10.%d.%d.%d:1", network, i>>8, i&255))
		}
	}
	for range used {
		left()
	}
	others(1, web.MaxCallers-1)
	if n := left(); n >= burst-1 {
		t.Errorf("the bucket was dropped for %d callers: %d calls are left", web.MaxCallers, n)
	}
	others(2, web.MaxCallers)
	if n := left(); n != burst-1 {
		t.Errorf("the bucket was kept beside %d others: %d calls are left", web.MaxCallers, n)
	}
}

// crowd sends n concurrent requests for a path, each from another address. The channel gets the answers.
func crowd(e http.Handler, path string, n int) <-chan *httptest.ResponseRecorder {
	answers := make(chan *httptest.ResponseRecorder, n)
	for i := range n {
		go func() { answers <- ask(e, path, fmt.Sprintf("10.0.%d.%d:1", i>>8, i&255)) }()
	}
	return answers
}

// TestRequestsInFlight sends more requests than may be in flight. The answer to each request too many must be
// 503 unavailable. Health checks must succeed.
func TestRequestsInFlight(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	o := webtest.Options()
	o.Limits = web.Limits{InFlight: 3}
	e := engine(t, o, func(context.Context) error {
		entered <- struct{}{}
		<-leave
		return nil
	})
	atWork := crowd(e, "/customers/1", 3)
	for range 3 {
		<-entered
	}
	for range 3 {
		w := ask(e, "/customers/1", "198.51.100.1:1")
		webtest.WantError(t, w.Code, w.Body.Bytes(), 503, "unavailable")
		if w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if w := ask(e, "/health", "198.51.100.1:1"); w.Code != 200 {
			t.Errorf("/health: %d", w.Code)
		}
	}
	close(leave)
	for range 3 {
		if w := <-atWork; w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	again := crowd(e, "/customers/1", 1)
	<-entered
	if w := <-again; w.Code != 200 {
		t.Errorf("then %d %s", w.Code, w.Body)
	}
}

// TestSearches sends 300 concurrent searches. Two searches may run at once, and 32 may wait; the others must
// get 503. Meanwhile, reads and lists without a search must be served.
func TestSearches(t *testing.T) {
	var atWork, most atomic.Int32
	leave := make(chan struct{})
	var entered sync.WaitGroup
	entered.Add(2)
	o := webtest.Options()
	o.Limits = web.Limits{InFlight: 200, Searches: 2}
	e := engine(t, o, func(ctx context.Context) error {
		if ctx.Value(searching{}) == nil {
			return nil
		}
		if n := atWork.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer atWork.Add(-1)
		select {
		case <-leave:
		default:
			entered.Done()
			<-leave
		}
		return nil
	})
	searches := make(chan int, 300)
	for i := range 300 {
		go func() {
			r := httptest.NewRequest("GET", "/customers?search=a", nil)
			r.RemoteAddr = fmt.Sprintf("10.0.%d.%d:1", i>>8, i&255)
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), searching{}, true)))
			searches <- w.Code
		}()
	}
	entered.Wait()
	got := map[int]int{}
	for range 300 - 2 - 2*16 { // the searches that may neither run nor wait
		got[<-searches]++
	}
	for _, path := range []string{"/customers/1", "/customers", "/customers?search="} {
		if w := ask(e, path, "192.0.2.1:1"); w.Code != 200 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	close(leave)
	for range 2 + 2*16 {
		got[<-searches]++
	}
	if got[503] != 300-34 || got[200] != 34 || most.Load() > 2 {
		t.Errorf("answers %v, %d concurrent searches", got, most.Load())
	}
}

type searching struct{}

// TestSearchGivesUp lets searches wait in the queue until their deadline. The answers must be 504, and the
// places in the queue must be free again. Later searches must succeed, and must leave their places free, too.
func TestSearchGivesUp(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	o := webtest.Options()
	o.Limits = web.Limits{Searches: 1}
	e := engine(t, o, func(ctx context.Context) error {
		entered <- struct{}{}
		<-leave
		return nil
	})
	first := make(chan *httptest.ResponseRecorder)
	// The address of the first search sends no other search. A second search of this address could get 429,
	// because no caller may take the last place in the queue when the caller has a place already.
	go func() { first <- ask(e, "/customers?search=a", "192.0.2.1:1") }()
	<-entered
	for range 3 {
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
		waiting := crowd(withContext(ctx, e), "/customers?search=a", 16)
		for range 16 {
			if w := <-waiting; w.Code != 504 { // not 503, because the queue has a place for each search
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		stop()
	}
	close(leave)
	<-first
	for range 20 {
		next := crowd(e, "/customers?search=a", 1)
		<-entered
		if w := <-next; w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func withContext(ctx context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r.WithContext(ctx)) })
}

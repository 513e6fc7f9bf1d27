package live_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/formats"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/documents"
	"example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/ordersapi"
	"example.com/b2b/v2/test/live"
)

// start returns, for each of the options, the handlers of all services, in the order of documents.All. All
// handlers use the same new database with the sample data.
func start(f *testing.F, options ...web.Options) (handlers [][]http.Handler) {
	ctx := context.Background()
	g, err := db.Open(ctx, db.Config{Driver: db.SQLite, Path: filepath.Join(f.TempDir(), "b2b.db")})
	if err == nil {
		f.Cleanup(func() { db.Close(g) })
		if _, err = db.Migrate(ctx, g); err == nil {
			_, err = db.Seed(ctx, g)
		}
	}
	if err != nil {
		f.Fatal(err)
	}
	for _, o := range options {
		var all []http.Handler
		live.Serve(g, o, func(h http.Handler) string {
			all = append(all, h)
			s := httptest.NewServer(h)
			f.Cleanup(s.Close)
			return s.URL
		})
		handlers = append(handlers, all)
	}
	return handlers
}

// FuzzRequests sends requests of any bytes to all services. Each answer must keep the contract, and no answer
// may have a status of 500 or higher. On services that do not know the tokens of the requests, only public
// paths may succeed.
func FuzzRequests(f *testing.F) {
	lenient := webtest.Options()
	// The log of webtest would panic, because paths may contain the service token.
	lenient.Log = slog.New(slog.DiscardHandler)
	guarded := lenient
	guarded.Open = false
	guarded.Tokens = auth.Tokens{Secrets: []string{"another secret"}, Service: []string{"another token"}}
	handlers := start(f, lenient, guarded)
	open, closed := handlers[0], handlers[1]
	if len(open) != len(documents.All) {
		f.Fatalf("live.Serve starts %d services, there are %d documents", len(open), len(documents.All))
	}
	acme := auth.Principal{Subject: "acme", Customer: 1, Scope: auth.Admin}
	token, err := webtest.Options().Tokens.Issue(acme, 24*time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	const request = "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nX-Idempotency-Key: order/1+a\r\n" +
		"If-Match: *\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
	values := strings.NewReplacer("{id}", "1", "{key}", "order%2F1+a", "{idempotency_key}", "order-2024-001")
	var contracts []webtest.Breaks
	for service, d := range documents.All {
		spec := webtest.Spec(f, d.Content)
		contracts = append(contracts, webtest.Contract(f, spec))
		for path, item := range spec.Paths.Map() {
			for method, operation := range item.Operations() {
				bodies := map[string][]byte{}
				if operation.RequestBody == nil {
					bodies["application/json"] = nil
				} else {
					for media, content := range operation.RequestBody.Value.Content {
						bodies[media], _ = json.Marshal(content.Example)
						if file, ok := content.Example.(string); ok {
							bodies[media] = []byte(file)
						}
					}
				}
				query := []string{}
				for _, p := range operation.Parameters {
					if p.Value.In == "query" {
						query = append(query, fmt.Sprintf("%s=%v", p.Value.Name, p.Value.Example))
					}
				}
				target := values.Replace(path) + "?" + strings.Join(query, "&")
				for media, body := range bodies {
					for _, bearer := range []string{token, webtest.Token} {
						raw := fmt.Appendf(nil, request, method, target, media, bearer, len(body), body)
						f.Add(byte(service), raw)
					}
				}
			}
		}
	}
	for _, hostile := range []string{
		"GET /orders?limit=1&limit=2 HTTP/1.1\r\n\r\n",
		"GET /orders?cursor=9223372036854775808&from=2024-13-01&to=%ff HTTP/1.1\r\n\r\n",
		"GET /orders?search=%00;&%zz HTTP/1.1\r\n\r\n", "GET /orders/1/../2 HTTP/1.1\r\n\r\n",
		"GET //evil.example/orders HTTP/1.1\r\n\r\n", "GET http://evil.example/orders/1 HTTP/1.1\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\n\r\n", "GET /orders/%31%2f HTTP/1.1\r\n\r\n",
		"GET /idempotency-keys/%2e%2e HTTP/1.1\r\n\r\n",
		"HEAD /orders/1 HTTP/1.1\r\nIf-None-Match: W/\"a\", \"b,c\"\r\n\r\n",
		"GET /docs/..%2f..%2fgo.mod HTTP/1.1\r\n\r\n", "CONNECT /orders HTTP/1.1\r\n\r\n",
		"POST /orders HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"5\r\n{\"a\":\r\n3\r\n[[[\r\n0\r\n\r\n",
		"POST /orders HTTP/1.1\r\nContent-Type: application/json; charset=utf-16\r\n" +
			"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
		"POST /orders/1/cancel HTTP/1.1\r\nOrigin: null\r\nX-Idempotency-Key: a\r\nX-Idempotency-Key: b\r\n" +
			"X-Correlation-Id: {\"x\"}\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n" +
			"{\"reason\":\"\\ud800\\u0\"}",
	} {
		f.Add(byte(1), []byte(hostile))
	}
	public := []string{"/health", "/ready", "/docs", "/openapi.json", "/openapi.yaml", "/"}
	f.Fuzz(func(t *testing.T, service byte, raw []byte) {
		n := int(service) % len(documents.All)
		send := func(to []http.Handler) (*http.Request, *httptest.ResponseRecorder) {
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
			if err != nil {
				t.Skip()
			}
			rec := httptest.NewRecorder()
			to[n].ServeHTTP(rec, r)
			r.URL.Scheme, r.URL.Host = "", "" // the checks of the contract expect a URL without a host
			if err := contracts[n](r, rec); err != nil || rec.Code >= 500 ||
				!formats.IsCorrelationID(rec.Header().Get(correlation.Header)) {
				t.Errorf("%q answered %d %v against the contract: %v\n%s", raw, rec.Code, rec.Header(), err, rec.Body)
			}
			if strings.Contains(rec.Body.String(), `"validation_failed"`) &&
				!strings.Contains(rec.Body.String(), `"details"`) {
				// Only web.FailBinding answers validation_failed without details.
				t.Errorf("%q was valid, and was refused by the generated code", raw)
			}
			return r, rec
		}
		send(open)
		r, rec := send(closed)
		if rec.Code < 300 && !slices.Contains(public, r.URL.Path) && !strings.HasPrefix(r.URL.Path, "/docs/") {
			t.Errorf("%q answered %d without a known token: %s", raw, rec.Code, rec.Body)
		}
	})
}

// FuzzKeys orchestrates an order with each key. A valid key must get 201, and the paths that report on keys
// must find the key. Any other key must get 400.
func FuzzKeys(f *testing.F) {
	for _, key := range []string{
		"order-2024-001", "a/b", "a%2Fb", "%", "%zz", "a+b", "...", "..", ".", "./x", "?a=b#c", ";", "~",
		`"\\{}`, "a b", "é", "", "\x00", strings.Repeat("/", 255), strings.Repeat("x", 256),
	} {
		f.Add(key)
	}
	handlers := map[string]http.Handler{} // by the names of the services
	for i, handler := range start(f, webtest.Options())[0] {
		handlers[documents.All[i].Service] = handler
	}
	call := func(t *testing.T, to http.Handler, r *http.Request, err error) (int, string) {
		if err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		to.ServeHTTP(rec, r)
		return rec.Code, rec.Body.String()
	}
	f.Fuzz(func(t *testing.T, key string) {
		if !utf8.ValidString(key) {
			t.Skip() // no JSON text has this key, because JSON is valid UTF-8
		}
		order := orchestratorapi.OrchestrationRequest{
			CustomerID: 1, Items: []contract.OrderItemRequest{{ProductID: new(contract.ID(2)), Qty: 1}},
			IdempotencyKey: key,
		}
		plenty := ordersapi.ProductUpdate{Stock: new(int64(1000))}
		request, err := ordersapi.NewUpdateProductRequest("/", 2, nil, plenty)
		call(t, handlers["orders"], request, err)
		request, err = orchestratorapi.NewCreateAndConfirmOrderRequest("/", order)
		status, body := call(t, handlers["orchestrator"], request, err)
		if valid := formats.All["idempotency-key"].Valid(key) && len(key) <= 255; !valid || status != 201 {
			if valid || status != 400 {
				t.Errorf("%q: %d %s", key, status, body)
			}
			return
		}
		request, err = orchestratorapi.NewGetOrchestrationRequest("/", key)
		if status, again := call(t, handlers["orchestrator"], request, err); status != 200 {
			t.Errorf("%q at the orchestrator: %d %s", key, status, again)
		}
		request, err = ordersapi.NewGetIdempotencyKeyRequest("/", key)
		status, body = call(t, handlers["orders"], request, err)
		var report ordersapi.KeyReportResponse
		if err := json.Unmarshal([]byte(body), &report); err != nil || status != 200 ||
			report.Data.IdempotencyKey != key || len(report.Data.Operations) != 2 {
			t.Errorf("%q: %d %s", key, status, body)
		}
	})
}

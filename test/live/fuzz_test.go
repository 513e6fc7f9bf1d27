package live_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/b2b/db"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/formats"
	"example.com/b2b/internal/web"
	"example.com/b2b/internal/web/webtest"
	"example.com/b2b/openapi/customersapi"
	"example.com/b2b/openapi/orchestratorapi"
	"example.com/b2b/openapi/ordersapi"
	"example.com/b2b/test/live"
)

// documents are those of the services, in the order in which live.Serve starts them.
var documents = [][]byte{customersapi.Document, ordersapi.Document, orchestratorapi.Document}

// FuzzRequests sends what looks like HTTP to all services. Each answer keeps the contract and is never a fault; without a token of the
// deployment's nothing is done or shown but what is public.
func FuzzRequests(f *testing.F) {
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
	serve := func(o web.Options) (handlers []http.Handler) {
		live.Serve(g, o, func(h http.Handler) string {
			handlers = append(handlers, h)
			s := httptest.NewServer(h)
			f.Cleanup(s.Close)
			return s.URL
		})
		return handlers
	}
	open := serve(webtest.Options())
	o := webtest.Options()
	o.Open, o.Tokens = false, auth.Tokens{Secret: "another secret", Service: []string{"another token"}}
	closed := serve(o)

	token, err := webtest.Options().Tokens.Issue(auth.Principal{Subject: "acme", Customer: 1, Scope: auth.Admin}, 24*time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	var contracts []webtest.Breaks
	for service, document := range documents {
		spec := webtest.Spec(f, document)
		contracts = append(contracts, webtest.Contract(f, spec))
		for path, item := range spec.Paths.Map() {
			for method, operation := range item.Operations() {
				body := []byte{}
				if operation.RequestBody != nil {
					body, _ = json.Marshal(operation.RequestBody.Value.Content.Get("application/json").Example)
				}
				query := []string{}
				for _, p := range operation.Parameters {
					if p.Value.In == "query" {
						query = append(query, fmt.Sprintf("%s=%v", p.Value.Name, p.Value.Example))
					}
				}
				target := strings.NewReplacer("{id}", "1", "{key}", "order%2F1+a", "{idempotency_key}", "order-2024-001").Replace(path) + "?" + strings.Join(query, "&")
				for _, bearer := range []string{token, webtest.Token} {
					f.Add(byte(service), fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Idempotency-Key: order/1+a\r\nIf-Match: *\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
						method, target, bearer, len(body), body))
				}
			}
		}
	}
	for _, hostile := range []string{
		"GET /orders?limit=1&limit=2 HTTP/1.1\r\n\r\n", "GET /orders?cursor=9223372036854775808&from=2024-13-01&to=%ff HTTP/1.1\r\n\r\n", "GET /orders?search=%00;&%zz HTTP/1.1\r\n\r\n",
		"GET /orders/1/../2 HTTP/1.1\r\n\r\n", "GET //evil.example/orders HTTP/1.1\r\n\r\n", "GET http://evil.example/orders/1 HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n", "GET /orders/%31%2f HTTP/1.1\r\n\r\n",
		"GET /idempotency-keys/%2e%2e HTTP/1.1\r\n\r\n", "HEAD /orders/1 HTTP/1.1\r\nIf-None-Match: W/\"a\", \"b,c\"\r\n\r\n", "GET /docs/..%2f..%2fgo.mod HTTP/1.1\r\n\r\n", "CONNECT /orders HTTP/1.1\r\n\r\n",
		"POST /orders HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n3\r\n[[[\r\n0\r\n\r\n",
		"POST /orders HTTP/1.1\r\nContent-Type: application/json; charset=utf-16\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
		"POST /orders/1/cancel HTTP/1.1\r\nOrigin: null\r\nX-Idempotency-Key: a\r\nX-Idempotency-Key: b\r\nX-Correlation-Id: {\"x\"}\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{\"reason\":\"\\ud800\\u0\"}",
	} {
		f.Add(byte(1), []byte(hostile))
	}
	public := []string{"/health", "/ready", "/docs", "/openapi.json", "/openapi.yaml", "/"}
	f.Fuzz(func(t *testing.T, service byte, raw []byte) {
		n := int(service) % len(documents)
		send := func(to []http.Handler) (*http.Request, *httptest.ResponseRecorder) {
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
			if err != nil {
				t.Skip()
			}
			rec := httptest.NewRecorder()
			to[n].ServeHTTP(rec, r)
			r.URL.Scheme, r.URL.Host = "", "" // the document names no host
			if err := contracts[n](r, rec); err != nil || rec.Code >= 500 || !formats.IsCorrelationID(rec.Header().Get(web.CorrelationHeader)) {
				t.Errorf("%q answered %d %v against the contract: %v\n%s", raw, rec.Code, rec.Header(), err, rec.Body)
			}
			return r, rec
		}
		send(open)
		r, rec := send(closed)
		if rec.Code < 300 && !slices.Contains(public, r.URL.Path) && !strings.HasPrefix(r.URL.Path, "/docs/") {
			t.Errorf("%q answered %d to nobody in particular: %s", raw, rec.Code, rec.Body)
		}
	})
}

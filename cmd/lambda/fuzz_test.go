package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"example.com/b2b/v2/internal/function"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/orchestrator"
)

// withoutCustomers returns a function that sends an event to the orchestrator. The services that the
// orchestrator calls have no customers.
func withoutCustomers(f *testing.F) func(t *testing.T, raw json.RawMessage) (answer, error) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"success":false,"error":"There is none.","code":"customer_not_found"}`)
	}))
	f.Cleanup(server.Close)
	p := peer.Peer{Base: server.URL, Token: webtest.Token, Timeout: time.Minute}
	service, err := orchestrator.New(p, p)
	if err != nil {
		f.Fatal(err)
	}
	handle := function.OfEvents(service.Engine(webtest.Options()), "/b2b")
	return func(t *testing.T, raw json.RawMessage) (a answer, err error) {
		response, err := handle(t.Context(), raw)
		if err != nil {
			return a, err
		}
		encoded, err := json.Marshal(response)
		if err == nil {
			err = json.Unmarshal(encoded, &a)
		}
		if err != nil || a.IsBase64Encoded && a.StatusCode != http.StatusOK {
			t.Errorf("%s answered %s: %v", raw, encoded, err)
		}
		return a, nil
	}
}

// FuzzGateway sends any request in the event of each kind of gateway. The function must answer without a
// fault, and every error must have the envelope of the contract.
func FuzzGateway(f *testing.F) {
	ask := withoutCustomers(f)
	names := []string{"rest_v1", "http_v2", "alb", "alb_multi_value"}
	for kind := range names {
		f.Add(byte(kind), "POST", endpoint, "", "X-Correlation-Id", "req-12345", sampleOrder)
		f.Add(byte(kind), "GET", endpoint+"/order%2F1", "a=b&a=c", "If-None-Match", "*", "")
	}
	for kind, path := range []string{
		"/50%", "//evil.example/", "/\x00", " /", "", "?", "/docs/..%2f", "http://evil.example/health", "/é", "*",
		"/b2b", "/b2b/health", "/b2b?", "/v1/b2b//",
	} {
		f.Add(byte(kind), "GET", path, "%zz&;", "Host", "evil.example\r\nX: y", "\xff")
	}
	f.Fuzz(func(t *testing.T, kind byte, method, path, query, header, value, body string) {
		if _, err := http.NewRequest(method, "/", nil); err != nil || method == "" {
			t.Skip() // no caller can send a request with this method
		}
		r := request{
			method: method, path: path, body: body,
			headers: map[string]string{"content-type": "application/json", header: value},
			base64:  kind&4 != 0,
		}
		event := kinds[names[kind&3]](r)
		values, _ := url.ParseQuery(query)
		single := map[string]string{}
		for name := range values {
			single[name] = values.Get(name)
		}
		for name, parameters := range map[string]any{
			"rawQueryString":                  query,
			"queryStringParameters":           single,
			"multiValueQueryStringParameters": values,
		} {
			if _, exists := event[name]; exists {
				event[name] = parameters
			}
		}
		raw, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		a, err := ask(t, raw)
		if err != nil || a.StatusCode < 200 || a.StatusCode >= 500 {
			t.Fatalf("%s: %+v %v", raw, a, err)
		}
		var e contract.ErrorBody
		if a.StatusCode >= 400 && method != "HEAD" &&
			(json.Unmarshal([]byte(a.Body), &e) != nil || e.Success || e.Code == "" || e.CorrelationID == nil) {
			t.Errorf("%s: %+v", raw, a)
		}
	})
}

// FuzzEvent sends any bytes as an event. The function must answer the event, or refuse it as an event of
// another kind.
func FuzzEvent(f *testing.F) {
	ask := withoutCustomers(f)
	for _, kind := range kinds {
		raw, _ := json.Marshal(kind(order(sampleOrder)))
		f.Add(raw)
	}
	for _, raw := range []string{
		``, `null`, `[]`, `{"version":"2.0","requestContext":{"http":{}}}`, `{"httpMethod":"GET"}`,
		`{"httpMethod":"GET","requestContext":{"elb":{}}}`, `{"httpMethod":"GET","path":1}`,
		`{"httpMethod":" ","path":"/"}`, `{"httpMethod":"POST","path":"/","body":"?","isBase64Encoded":true}`,
		`{"httpMethod":"GET","path":"/","headers":{"":"\n"}}`,
		`{"version":"2.0","rawPath":"%","requestContext":{"http":{"method":"\u0000"}}}`,
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := ask(t, raw)
		if err == nil && (a.StatusCode < 200 || a.StatusCode >= 500 || a.StatusCode == http.StatusCreated) {
			t.Errorf("%s: %+v", raw, a)
		}
	})
}

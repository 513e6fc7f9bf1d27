package function

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// TestSeveralValues sends a header with two values, and answers with a header with two values, in the event
// of each kind of gateway. Both headers must arrive with both values. The handler must also get the caller's
// address, which is at a different place in the events of each gateway.
func TestSeveralValues(t *testing.T) {
	handle := OfEvents(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Vary"] = []string{"Accept", "Origin"}
		fmt.Fprintf(w, "%q from %s", r.Header.Values("X-Many"), r.RemoteAddr)
	}), "")
	const many = `"multiValueHeaders": {"x-many": ["a", "b"], "x-forwarded-for": ["203.0.113.9, 192.0.2.1"]}`
	const several, together = `["a" "b"] from 192.0.2.1:0`, `["a,b"] from 192.0.2.1:0`
	const inHeaders, inMulti = `"headers":{"Vary":"Accept,Origin"}`, `"multiValueHeaders":{"Vary":["Accept","Origin"]}`
	for name, c := range map[string]struct{ event, body, headers string }{
		"http_v2": {`{"version": "2.0", "rawPath": "/", "headers": {"x-many": "a,b"},
			"requestContext": {"http": {"method": "GET", "path": "/", "sourceIp": "192.0.2.1"}}}`, together, inHeaders},
		"rest_v1": {`{"httpMethod": "GET", "path": "/", "headers": {"x-many": "b"}, ` + many + `,
			"requestContext": {"identity": {"sourceIp": "192.0.2.1"}}}`, several, inMulti},
		"alb": {`{"httpMethod": "GET", "path": "/", "requestContext": {"elb": {}},
			"headers": {"x-many": "a,b", "x-forwarded-for": "203.0.113.9, 192.0.2.1"}}`, together, inHeaders},
		"alb_multi_value": {`{"httpMethod": "GET", "path": "/", "requestContext": {"elb": {}}, ` + many + `}`,
			several, inMulti},
	} {
		answer, err := handle(t.Context(), json.RawMessage(c.event))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		encoded, _ := json.Marshal(answer)
		var got struct {
			Body              string
			Headers           map[string]string
			MultiValueHeaders http.Header
		}
		if err := json.Unmarshal(encoded, &got); err != nil || got.Body != c.body {
			t.Errorf("%s: body %s, want %s", name, got.Body, c.body)
		}
		vary := map[string]any{}
		if c.headers == inHeaders {
			vary["headers"] = map[string]string{"Vary": got.Headers["Vary"]}
		} else {
			vary["multiValueHeaders"] = map[string][]string{"Vary": got.MultiValueHeaders["Vary"]}
		}
		if text, _ := json.Marshal(vary); string(text) != "{"+c.headers+"}" {
			t.Errorf("%s: %s, want %s", name, text, c.headers)
		}
	}
}

// TestPlainAnswers sends events with Accept-Encoding. The engine must not get the header from a REST API,
// because a REST API would pass on a compressed answer in base64.
func TestPlainAnswers(t *testing.T) {
	handle := OfEvents(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q of %s", r.Header.Get("Accept-Encoding"), r.Host)
	}), "")
	const (
		rest    = `{"httpMethod": "GET", "path": "/", `
		http2   = `{"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": "GET", "path": "/"}}, `
		elb     = `{"httpMethod": "GET", "path": "/", "requestContext": {"elb": {}}, `
		headers = `"headers": {"accept-encoding": "gzip", "host": "b2b.example"}`
		multi   = `"multiValueHeaders": {"accept-encoding": ["gzip"], "host": ["b2b.example"]}`
	)
	for event, want := range map[string]string{
		rest + headers + "}":                `"" of b2b.example`,
		rest + headers + ", " + multi + "}": `"" of b2b.example`,
		elb + headers + "}":                 `"gzip" of b2b.example`,
		elb + multi + "}":                   `"gzip" of b2b.example`,
		http2 + headers + "}":               `"gzip" of b2b.example`,
	} {
		answer, err := handle(t.Context(), json.RawMessage(event))
		encoded, _ := json.Marshal(answer)
		var got struct{ Body string }
		if json.Unmarshal(encoded, &got) != nil || err != nil || got.Body != want {
			t.Errorf("%s: %s, want %s; %v", event, got.Body, want, err)
		}
	}
}

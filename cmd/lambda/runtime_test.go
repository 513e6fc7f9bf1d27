package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"example.com/b2b/v2/internal/function/functiontest"
)

// TestInitError expects that a function that cannot start names the missing variable in its answer to an
// invocation.
func TestInitError(t *testing.T) {
	for _, name := range []string{"CUSTOMERS_API_BASE", "SERVICE_TOKEN"} {
		g := start(t, without(environment("http://localhost:1"), name)...)
		if r := g.Invoke(t, kinds["http_v2"](order(sampleOrder))); !r.Failed ||
			!strings.Contains(string(r.Body), name) {
			t.Errorf("failed %t: %s", r.Failed, r.Body)
		}
	}
}

func without(variables []string, name string) (rest []string) {
	for _, v := range variables {
		if !strings.HasPrefix(v, name+"=") {
			rest = append(rest, v)
		}
	}
	return rest
}

// TestSecretsOfManager starts a function whose secrets are in Secrets Manager. Then it starts a function
// whose ARN names a missing key of a secret: this function must fail, and name the variable.
func TestSecretsOfManager(t *testing.T) {
	p := newPeers(t)
	variables, arns := functiontest.Secrets(t, map[string]string{"token": token, "jwt": `{"key": "` + secret + `"}`})
	plain := without(without(environment(p.URL), "SERVICE_TOKEN"), "JWT_SECRET")
	variables = slices.Concat(plain, variables, []string{
		"SERVICE_TOKEN_ARN=" + arns["token"], "JWT_SECRET_ARN=" + arns["jwt"] + ":key::"})
	g := start(t, variables...)
	expectSampleAnswer(t, g.send(t, "http_v2", order(sampleOrder)))
	for _, call := range p.take() {
		if !strings.Contains(call, "Bearer "+token) {
			t.Errorf("called %s", call)
		}
	}
	g = start(t, append(variables, "JWT_SECRET_ARN="+arns["jwt"]+":other::")...)
	if r := g.Invoke(t, kinds["http_v2"](order(sampleOrder))); !r.Failed ||
		!strings.Contains(string(r.Body), "JWT_SECRET_ARN") {
		t.Errorf("failed %t: %s", r.Failed, r.Body)
	}
}

// TestOddEvents sends bodies and headers that are not text, and a body that fills Lambda's limit of 6 MB. The
// function must answer or refuse each event, and must then still work.
func TestOddEvents(t *testing.T) {
	g := start(t, environment(newPeers(t).URL)...)
	garbage := string([]byte{0, 0xff, 0xfe, 0x80, '{', 0xc3, 0x28, 0x1f, 0x8b})
	for kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			binary := order(garbage)
			binary.base64 = true
			g.send(t, kind, binary).expectError(t, http.StatusBadRequest, "malformed_json")

			text := order(garbage) // json.Marshal turns the bytes into U+FFFD, as a gateway does
			g.send(t, kind, text).expectError(t, http.StatusBadRequest, "malformed_json")

			raw, err := json.Marshal(kinds[kind](order("garbage here")))
			if err != nil {
				t.Fatal(err)
			}
			event := bytes.ReplaceAll(raw, []byte("garbage here"), []byte{0xff, 0xfe, 0x80})
			var a answer
			r := g.Invoke(t, json.RawMessage(event))
			if err := json.Unmarshal(r.Body, &a); err != nil || a.StatusCode != http.StatusBadRequest {
				t.Errorf("invalid UTF-8: failed %t: %s", r.Failed, r.Body)
			}

			odd := order(sampleOrder)
			odd.headers["x-odd"], odd.headers["x-correlation-id"] = garbage, garbage
			expectSampleAnswer(t, g.send(t, kind, odd))

			const envelope = 2048
			large := order(`{"customer_id": 1, "reference": "` + strings.Repeat("x", 6<<20-envelope) + `"}`)
			g.send(t, kind, large).expectError(t, http.StatusRequestEntityTooLarge, "payload_too_large")
			expectSampleAnswer(t, g.send(t, kind, order(sampleOrder)))
		})
	}
}

// TestCorrelation follows the request id of a gateway, which is in the access log of the gateway. When the
// caller sends no correlation id, the request id must become the correlation id. The log of the function must
// always have the request id.
func TestCorrelation(t *testing.T) {
	p := newPeers(t)
	for _, kind := range []string{"http_v2", "rest_v1"} {
		g := start(t, environment(p.URL)...)
		event := func(headers map[string]string, body string) object {
			r := order(body)
			maps.Copy(r.headers, headers)
			e := kinds[kind](r)
			context := maps.Clone(e["requestContext"].(object))
			context["requestId"] = "JKJaXmPLvHcESHA="
			e["requestContext"] = context
			return e
		}
		anonymous := strings.Replace(sampleOrder, `, "correlation_id": "req-12345"`, "", 1)
		for _, c := range []struct {
			event object
			want  string
		}{
			{event(nil, anonymous), "JKJaXmPLvHcESHA="},
			{event(nil, sampleOrder), "req-12345"},
			{event(map[string]string{"X-Correlation-Id": "of-the-caller"}, anonymous), "of-the-caller"},
		} {
			p.take()
			var a answer
			r := g.Invoke(t, c.event)
			if json.Unmarshal(r.Body, &a) != nil || !strings.Contains(a.Body, `"correlationId":"`+c.want+`"`) {
				t.Errorf("%s: %s, want %s", kind, r.Body, c.want)
			}
			for _, call := range p.take() {
				if !strings.Contains(call, " "+c.want) {
					t.Errorf("%s: called %s without %s", kind, call, c.want)
				}
			}
		}
		g.End()
		lines := 0
		for line := range strings.Lines(g.Log()) {
			if strings.Contains(line, `"msg":"request"`) {
				lines++
				if !strings.Contains(line, `"gateway_id":"JKJaXmPLvHcESHA="`) {
					t.Errorf("%s: %s", kind, line)
				}
			}
		}
		if lines != 3 {
			t.Errorf("%s: %d lines:\n%s", kind, lines, g.Log())
		}
	}
}

// TestSpansBeforeTheAnswer checks that the collector of traces has the spans of a request when the answer to
// the request arrives. Later, Lambda may have frozen the function.
func TestSpansBeforeTheAnswer(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	var mu sync.Mutex
	var names []string
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var request collector.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err != nil || proto.Unmarshal(body, &request) != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					if hex.EncodeToString(span.TraceId) == trace {
						names = append(names, span.Name)
					}
				}
			}
		}
	}))
	defer endpoint.Close()
	p := newPeers(t)
	g := start(t, append(environment(p.URL), "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint.URL)...)
	traced := order(sampleOrder)
	traced.headers["traceparent"] = "00-" + trace + "-00f067aa0ba902b7-01"
	const want = "[GET Customers API POST Orders API POST Orders API createAndConfirmOrder]"
	var got string
	for range 10 { // repeat, because on a busy machine sending may take longer than flushTime
		expectSampleAnswer(t, g.send(t, "http_v2", traced))
		mu.Lock()
		got, names = fmt.Sprint(names), nil
		mu.Unlock()
		if got == want {
			break
		}
	}
	if got != want {
		t.Errorf("an answer came after the spans %s, want %s", got, want)
	}
	for _, header := range p.traces() {
		if !strings.HasPrefix(header, "00-"+trace+"-") || strings.Contains(header, "00f067aa0ba902b7") {
			t.Errorf("a call with traceparent %q", header)
		}
	}
	g.End()
	endpoint.Close()

	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter,
		r *http.Request) {
		<-r.Context().Done()
	}))
	defer silent.CloseClientConnections()
	g = start(t, append(environment(p.URL), "OTEL_EXPORTER_OTLP_ENDPOINT="+silent.URL)...)
	expectSampleAnswer(t, g.send(t, "http_v2", traced)) // the answer does not wait for a silent collector
}

// TestManyInvocations sends 10,000 events. After the first thousand, the memory of the function may grow by
// at most a quarter, to at most 128 MiB.
func TestManyInvocations(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("this machine has no /proc")
	}
	g := start(t, environment(newPeers(t).URL)...)
	names := []string{"rest_v1", "http_v2", "alb", "alb_multi_value"}
	events := make([]object, len(names))
	for i, kind := range names {
		events[i] = kinds[kind](order(sampleOrder))
	}
	var early int
	for i := range 10_000 {
		r := g.Invoke(t, events[i%len(events)])
		if r.Failed || !bytes.Contains(r.Body, []byte("CONFIRMED")) {
			t.Fatalf("invocation %d: %s", i, r.Body)
		}
		if i == 1000 {
			early = g.Bytes(t)
		}
	}
	late := g.Bytes(t)
	t.Logf("resident: %d MB after 1000 invocations, %d MB after 10 000", early>>20, late>>20)
	if late > early+early/4 || late > 128<<20 {
		t.Errorf("%d MB after 1000 invocations, %d MB after 10 000", early>>20, late>>20)
	}
}

package system_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
)

// TestTraces places and confirms an order in the trace of its caller. The collector of OpenTelemetry must get
// one trace, from the orchestrator through the Customers API and the Orders API to the SQL statements. It
// must also get the spans of the batches, with links to the spans of their requests.
func TestTraces(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if _, err := db.Seed(t.Context(), dbtest.Open(t, c)); err != nil {
			t.Fatal(err)
		}
		received := &traces{}
		endpoint := httptest.NewServer(received)
		defer endpoint.Close()
		exported := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + endpoint.URL}
		p := start(t, slices.Concat(environment(c), anyPorts, exported))
		const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
		const order = `{"customer_id":1,"items":[{"product_id":2,"qty":1}],"idempotency_key":"traced"}`
		status, body, _ := webtest.Do(t, "POST", p.orchestrator+"/orchestrator/create-and-confirm-order", order,
			"Content-Type", "application/json", "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
		if status != http.StatusCreated {
			t.Fatalf("%d %s", status, body)
		}
		webtest.Do(t, "GET", p.orders+"/orders/1", "", "traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
		p.stop() // sends the last spans
		if !strings.Contains(p.log.String(), `"trace_id":"`+trace+`"`) {
			t.Errorf("the log does not have the trace: %s", p.log)
		}
		var names []string
		byID := map[string]*spans.Span{}
		for _, s := range received.all {
			byID[string(s.SpanId)] = s
			if hex.EncodeToString(s.TraceId) == trace {
				names = append(names, s.Name)
			}
		}
		for _, want := range []string{"createAndConfirmOrder", "POST Orders API", "createOrder", "confirmOrder",
			"GET Customers API", "getInternalCustomer", "getOrder", "SELECT orders"} {
			if !slices.Contains(names, want) {
				t.Errorf("the trace lacks %s: %v", want, names)
			}
		}
		// The request of the order must be linked with its batch, and the batch must have the COMMIT.
		created := find(received.all, func(s *spans.Span) bool { return s.Name == "createOrder" })
		if created == nil || len(created.Links) != 1 {
			t.Fatalf("createOrder is linked with no batch: %v", created)
		}
		batch := byID[string(created.Links[0].SpanId)]
		if batch == nil || batch.Name != "batch of orders" || len(batch.Links) != 1 ||
			string(batch.Links[0].SpanId) != string(created.SpanId) {
			t.Fatalf("createOrder's batch is %v", batch)
		}
		for _, name := range []string{"INSERT orders", "COMMIT"} {
			inBatch := func(s *spans.Span) bool {
				return s.Name == name && string(s.ParentSpanId) == string(batch.SpanId)
			}
			if find(received.all, inBatch) == nil {
				t.Errorf("the batch has no %s", name)
			}
		}
	})
}

// TestNoCollector names a collector that does not answer: b2b must work and stop as usual.
func TestNoCollector(t *testing.T) {
	c := db.Config{Driver: db.SQLite, Path: t.TempDir() + "/b2b.db"}
	p := start(t, slices.Concat(environment(c), anyPorts,
		[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:" + freePort(t)}))
	if status, _, _ := webtest.Do(t, "GET", p.orders+"/orders", ""); status != http.StatusOK {
		t.Errorf("a list: %d", status)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}

// traces is a small collector of OpenTelemetry, which keeps all spans.
type traces struct {
	mu  sync.Mutex
	all []*spans.Span
}

func (t *traces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &request); err != nil || r.URL.Path != "/v1/traces" {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, process := range request.ResourceSpans {
		for _, scope := range process.ScopeSpans {
			t.all = append(t.all, scope.Spans...)
		}
	}
}

func find(all []*spans.Span, wanted func(*spans.Span) bool) *spans.Span {
	if i := slices.IndexFunc(all, wanted); i >= 0 {
		return all[i]
	}
	return nil
}

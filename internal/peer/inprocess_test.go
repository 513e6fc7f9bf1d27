package peer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/openapi/customersapi"
)

func inProcess(h http.HandlerFunc) *InProcessTransport {
	return NewInProcessTransport(h, slog.New(slog.DiscardHandler))
}

// TestInProcessAnswers compares calls through the in-process transport with the same calls over HTTP.
func TestInProcessAnswers(t *testing.T) {
	tokens := auth.Tokens{Service: []string{"secret"}}
	e := web.New(web.Options{
		Document: customersapi.Document, Tokens: tokens, Open: true, Log: slog.New(slog.DiscardHandler),
		Timeout: time.Minute,
	})
	e.GET("/internal/customers/:id", func(c *gin.Context) {
		r := c.Request
		c.JSON(http.StatusOK, []any{
			c.Param("id"), auth.From(c), correlation.ID(c), r.URL.String(), r.RequestURI, r.Host, r.Method,
			r.ContentLength,
		})
	})
	e.POST("/customers", func(c *gin.Context) {
		got, _ := io.ReadAll(c.Request.Body)
		c.Header("Idempotency-Replayed", "true")
		c.Data(http.StatusCreated, "application/json", got)
	})
	s := httptest.NewServer(e)
	defer s.Close()
	caller := auth.Principal{Subject: "somebody", Customer: 7, Scope: "customers:read customers:write"}
	ctx := auth.With(correlation.With(t.Context(), "req-1"), caller)
	for _, call := range []struct{ method, path, body, contentType string }{
		{"GET", "/internal/customers/1", "", ""},
		{"GET", "/internal/customers/0?x=a%20b", "", ""},
		{"GET", "/internal/customers/a%2Fb", "", ""},
		{"GET", "/nowhere", "", ""},
		{"PUT", "/internal/customers/1", "", ""},
		{"POST", "/customers", `{"name":"a","email":"a@example.com"}`, "application/json"},
		{"POST", "/customers", `{"name":"","email":1}`, "application/json"},
		{"POST", "/customers", `{"name"`, "application/json"},
		{"POST", "/customers", `{}`, "text/plain"},
		{"POST", "/customers", ``, ""},
		{"POST", "/customers", strings.Repeat(" ", 2<<20), "application/json"},
	} {
		var answers []string
		for _, p := range []Peer{{InProcess: NewInProcessTransport(e, slog.New(slog.DiscardHandler))}, {}} {
			p.Token, p.Timeout = "secret", time.Minute
			var content io.Reader
			if call.body != "" {
				content = strings.NewReader(call.body)
			}
			req, err := http.NewRequestWithContext(ctx, call.method, s.URL+call.path, content)
			if err != nil {
				t.Fatal(err)
			}
			if call.contentType != "" {
				req.Header.Set("Content-Type", call.contentType)
			}
			res, err := p.Client("peer").Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			for _, ofConnection := range []string{"Date", "Content-Length", "Connection"} {
				res.Header.Del(ofConnection)
			}
			var lines strings.Builder
			for _, name := range slices.Sorted(maps.Keys(res.Header)) {
				lines.WriteString(name + ": " + strings.Join(res.Header[name], ", ") + "\n")
			}
			answers = append(answers, res.Status+"\n"+lines.String()+string(body))
		}
		if answers[0] != answers[1] {
			t.Errorf("%s %s is answered with\n%s\nwant\n%s", call.method, call.path, answers[0], answers[1])
		}
	}
}

// TestInProcessContext checks that the cancellation of the caller's context reaches the handler, and that no
// value of the caller's context does.
func TestInProcessContext(t *testing.T) {
	type key struct{}
	ended := make(chan error)
	n := inProcess(func(_ http.ResponseWriter, r *http.Request) {
		if r.Context().Value(key{}) != nil {
			t.Error("a value of the caller's context")
		}
		<-r.Context().Done()
		ended <- r.Context().Err()
	})
	ctx, leave := context.WithCancel(context.WithValue(t.Context(), key{}, true))
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://peer/", nil)
	go leave()
	if _, err := n.RoundTrip(req); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller has %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler's context has %v", err)
	}
	var after context.Context
	n = inProcess(func(_ http.ResponseWriter, r *http.Request) { after = r.Context() })
	req, _ = http.NewRequest("GET", "http://peer/", nil)
	if _, err := n.RoundTrip(req); err != nil {
		t.Error(err)
	}
	<-after.Done() // the handler's context ends with the call
}

// TestInProcessDrain runs a handler that ignores its context. The caller leaves the call. Drain must wait for
// the handler, and new calls must be refused.
func TestInProcessDrain(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	n := inProcess(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			close(entered)
			<-release
		}
	})
	ctx, leave := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://peer/", nil)
	go func() { <-entered; leave() }()
	if _, err := n.RoundTrip(req); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	drained := make(chan error, 1)
	go func() { drained <- n.Drain(t.Context()) }()
	over, stop := context.WithCancel(t.Context())
	stop()
	for { // waits until new calls are refused
		req, _ := http.NewRequestWithContext(over, "GET", "http://peer/other", nil)
		if _, err := n.RoundTrip(req); errors.Is(err, errNotServing) {
			break
		}
	}
	if err := n.Drain(over); !errors.Is(err, context.Canceled) || len(drained) > 0 {
		t.Errorf("drained with a call in flight: %v", err)
	}
	close(release)
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

// TestInProcessDrainEnds ends Drain by its context while a call is in progress. The transport must still
// refuse new calls.
func TestInProcessDrainEnds(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	n := inProcess(func(http.ResponseWriter, *http.Request) { close(entered); <-release })
	defer close(release)
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://peer/", nil)
		_, _ = n.RoundTrip(req)
	}()
	<-entered
	over, stop := context.WithCancel(t.Context())
	stop()
	if err := n.Drain(over); !errors.Is(err, context.Canceled) {
		t.Errorf("drained with a call in progress: %v", err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://peer/other", nil)
	if _, err := n.RoundTrip(req); !errors.Is(err, errNotServing) {
		t.Errorf("a call after Drain: %v", err)
	}
}

// TestInProcessPanic calls a handler that panics. The caller must get io.ErrUnexpectedEOF, as from a broken
// connection.
func TestInProcessPanic(t *testing.T) {
	for _, p := range []any{http.ErrAbortHandler, "any"} {
		n := inProcess(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK); panic(p) })
		req, _ := http.NewRequest("GET", "http://peer/", nil)
		if _, err := n.RoundTrip(req); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v: %v", p, err)
		}
		if err := n.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestCallerArrives calls a service for a caller with a token, and for a caller without a token, over HTTP
// and within the process. The service must know the caller, and how long the caller still waits.
func TestCallerArrives(t *testing.T) {
	var got auth.Principal
	var left time.Duration
	e := web.New(web.Options{
		Document: customersapi.Document, Tokens: auth.Tokens{Service: []string{"secret"}}, Open: true,
		Log: slog.New(slog.DiscardHandler), Timeout: time.Minute,
	})
	e.GET("/internal/customers/:id", func(c *gin.Context) {
		got = auth.From(c.Request.Context())
		deadline, _ := c.Request.Context().Deadline()
		left = time.Until(deadline)
	})
	s := httptest.NewServer(e)
	defer s.Close()
	for _, caller := range []auth.Principal{
		{Subject: "somebody", Customer: 7, Scope: "customers:read"},
		{Subject: auth.Anonymous.Subject, Network: "2001:db8::/64"},
	} {
		for _, p := range []Peer{{InProcess: NewInProcessTransport(e, slog.New(slog.DiscardHandler))}, {}} {
			p.Token, p.Timeout = "secret", 10*time.Second
			ctx := auth.With(correlation.With(t.Context(), "req-1"), caller)
			req, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/internal/customers/1", nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := p.Client("peer").Do(req)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(res, err)
			}
			want := caller
			want.ByService = true
			if got != want || left > p.Timeout+time.Second || left < p.Timeout/2 {
				t.Errorf("%+v calls, and waits for %s", got, left)
			}
		}
	}
}

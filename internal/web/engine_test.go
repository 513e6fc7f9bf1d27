package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/peer"
	httpserver "example.com/b2b/v2/internal/server"
	"example.com/b2b/v2/internal/timing"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/customersapi/server"
)

// behind is a service whose operations call functions of the test.
type behind struct {
	server.StrictServerInterface
	get func(ctx context.Context) error
	// file writes an export, or the answer to an import. When file is nil, the export or the answer has one
	// line, and get is called.
	file func(ctx context.Context, w *bufio.Writer) error
}

func (b behind) GetCustomer(
	ctx context.Context, r server.GetCustomerRequestObject,
) (server.GetCustomerResponseObject, error) {
	if err := b.get(ctx); err != nil {
		return nil, err
	}
	return server.GetCustomer200JSONResponse{Body: api.CustomerResponse{Success: true,
		Data: api.Customer{ID: r.ID, Name: "N", Email: "n@example.com"}}}, nil
}

func (behind) GetHealth(context.Context, server.GetHealthRequestObject) (server.GetHealthResponseObject, error) {
	health := contract.Health{Status: "ok", Service: "test", Version: "dev"}
	return server.GetHealth200JSONResponse{Body: health}, nil
}

// serve serves an engine whose operations call get, and returns its address.
func serve(t *testing.T, o web.Options, get func(ctx context.Context) error) string {
	t.Helper()
	spec := webtest.Spec(t, api.Document)
	return webtest.Serve(t, engine(t, o, get), spec)
}

func engine(t testing.TB, o web.Options, get func(ctx context.Context) error) http.Handler {
	t.Helper()
	return behind{get: get}.engine(o)
}

func (b behind) engine(o web.Options) http.Handler {
	o.Document = api.Document
	e := web.New(o)
	middlewares := []server.StrictMiddlewareFunc{web.CopyContext[server.StrictHandlerFunc]}
	strict := server.StrictGinServerOptions{HandlerErrorFunc: web.Fail}
	server.RegisterHandlers(e, server.NewStrictHandlerWithOptions(b, middlewares, strict))
	return e
}

func TestFault(t *testing.T) {
	for name, fault := range map[string]struct {
		get    func(ctx context.Context) error
		status int
		code   string
	}{
		"panic":   {func(context.Context) error { panic("secret") }, 500, "internal"},
		"defect":  {func(context.Context) error { return net.UnknownNetworkError("secret") }, 500, "internal"},
		"refusal": {func(context.Context) error { return apperr.CustomerNotFound.New(1) }, 404, "customer_not_found"},
		"passing": {func(context.Context) error { return apperr.Unavailable.Because(net.UnknownNetworkError("secret")) }, 503, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			o := webtest.Options()
			o.Log = webtest.Log(&log)
			status, body, header := webtest.Do(t, "GET", serve(t, o, fault.get)+"/customers/1", "")
			webtest.WantError(t, status, body, fault.status, fault.code)
			if bytes.Contains(body, []byte("secret")) {
				t.Errorf("the caller sees %s", body)
			}
			if fault.status >= 500 &&
				(!strings.Contains(log.String(), "secret") || strings.Count(log.String(), "\n") != 1) {
				t.Errorf("the log has %s", &log)
			}
			if (header.Get("Retry-After") != "") != (fault.status == 503) {
				t.Errorf("Retry-After: %q", header.Get("Retry-After"))
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	o := webtest.Options()
	o.Timeout = time.Millisecond
	base := serve(t, o, func(ctx context.Context) error {
		<-ctx.Done() // the request's own deadline reaches the handler
		return ctx.Err()
	})
	status, body, header := webtest.Do(t, "GET", base+"/customers/1", "")
	webtest.WantError(t, status, body, 504, "timeout")
	if header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// TestTimeLeft sends timing.LeftHeader, by which another service says how long it will wait. When the service
// waits for less time than Options.Timeout, the work must end when the service stops waiting. The header must
// have no effect when the caller is no service.
func TestTimeLeft(t *testing.T) {
	const timeout = 30 * time.Second
	var left time.Duration
	o := webtest.Options()
	o.Timeout = timeout
	base := serve(t, o, func(ctx context.Context) error {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return nil
	})
	const service = "Bearer " + webtest.Token
	for _, c := range []struct {
		authorization, left string
		most                time.Duration
	}{
		{service, "5000", 5*time.Second + 100*time.Millisecond},
		{service, "90000", timeout},
		{service, "", timeout}, // a service of an earlier version sends no time
		{service, "-5", timeout},
		{"", "5000", timeout},
	} {
		status, body, _ := webtest.Do(t, "GET", base+"/customers/1", "",
			"Authorization", c.authorization, timing.LeftHeader, c.left)
		if status != 200 || left > c.most || left < c.most-4*time.Second {
			t.Errorf("%q with %q: %d %s, %s left", c.authorization, c.left, status, body, left)
		}
	}
}

// heldError is the error of a row that another transaction holds.
type heldError struct{}

func (heldError) Error() string     { return "held" }
func (heldError) Held() bool        { return true }
func (heldError) Unavailable() bool { return true }

// TestRowHeld lets requests fail, some of them because of a held row. Only an answer about a held row to
// another service must have the header apperr.HeldHeader.
func TestRowHeld(t *testing.T) {
	var failure error
	base := serve(t, webtest.Options(), func(context.Context) error { return failure })
	const service = "Bearer " + webtest.Token
	for _, c := range []struct {
		failure             error
		authorization, mark string
	}{
		{fmt.Errorf("a command: %w", heldError{}), service, "true"},
		{apperr.Unavailable.Because(heldError{}), service, "true"},
		{apperr.Unavailable.New(), service, ""},
		{heldError{}, "", ""},
	} {
		failure = c.failure
		status, body, header := webtest.Do(t, "GET", base+"/customers/1", "", "Authorization", c.authorization)
		webtest.WantError(t, status, body, 503, "unavailable")
		if got := header.Get(apperr.HeldHeader); got != c.mark {
			t.Errorf("%v for %q: %q", c.failure, c.authorization, got)
		}
	}
}

func TestCorrelationID(t *testing.T) {
	var log bytes.Buffer
	o := webtest.Options()
	o.Log = webtest.Log(&log)
	var inHandler string
	base := serve(t, o, func(ctx context.Context) error {
		inHandler = correlation.ID(ctx)
		return nil
	})
	for sent, kept := range map[string]bool{
		"req-12345": true, "a/b+c=d@e.f:g_h": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "two words": false, `"quoted"`: false, "é": false,
	} {
		log.Reset()
		_, _, header := webtest.Do(t, "GET", base+"/customers/1", "", correlation.Header, sent)
		got := header.Get(correlation.Header)
		if (got == sent) != kept || got == "" {
			t.Errorf("sent %q, got %q", sent, got)
		}
		var line struct {
			CorrelationID string `json:"correlation_id"`
		}
		if err := json.Unmarshal(log.Bytes(), &line); err != nil || line.CorrelationID != got || inHandler != got {
			t.Errorf("header %q, handler %q, log %s", got, inHandler, &log)
		}
	}
	t.Run("passed on to a peer", func(t *testing.T) {
		behind := serve(t, webtest.Options(), func(ctx context.Context) error {
			inHandler = correlation.ID(ctx)
			return nil
		})
		client := peer.Peer{Token: webtest.Token, Timeout: time.Minute}.Client("peer")
		front := serve(t, webtest.Options(), func(ctx context.Context) error {
			req, _ := http.NewRequestWithContext(ctx, "GET", behind+"/customers/1", nil)
			res, err := client.Do(req)
			if err == nil {
				res.Body.Close()
			}
			return err
		})
		webtest.Do(t, "GET", front+"/customers/1", "", correlation.Header, "hop-1")
		if inHandler != "hop-1" {
			t.Errorf("the peer saw %q", inHandler)
		}
	})
}

// TestServeDrains stops a server with a request in flight. Serve must return after the answer.
func TestServeDrains(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	e := engine(t, webtest.Options(), func(context.Context) error {
		close(entered)
		<-leave
		return nil
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() {
		s := httpserver.Server{Listeners: []net.Listener{l}, Handler: e, Log: webtest.Options().Log}
		served <- s.Serve(ctx, context.Background())
	}()
	answered := make(chan int)
	go func() {
		status, _, _ := webtest.Do(t, "GET", "http://"+l.Addr().String()+"/customers/1", "")
		answered <- status
	}()
	<-entered
	stop()
	for { // until the listener is closed
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break
		}
		c.Close()
	}
	select {
	case err := <-served:
		t.Fatalf("Serve returned with a request in flight: %v", err)
	default:
	}
	close(leave)
	if status := <-answered; status != 200 {
		t.Errorf("the request in flight got %d", status)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

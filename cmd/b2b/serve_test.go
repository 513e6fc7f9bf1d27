package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/server"
	"example.com/b2b/v2/internal/web/webtest"
)

// TestInProcessPeer checks that the orchestrator calls a service of its own process without a connection: no
// service listens at the configured addresses.
func TestInProcessPeer(t *testing.T) {
	var c config.Settings
	c.ServiceTokens, c.RequestTimeout = []string{"token"}, time.Minute
	c.CustomersBase, c.OrdersBase = "http://127.0.0.1:1", "http://127.0.0.1:1"
	services := table(&c)
	services[0].inProcess = peer.NewInProcessTransport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"success":false,"error":"No.","code":"customer_not_found"}`)
	}), slog.New(slog.DiscardHandler))
	handler, _, err := services[len(services)-1].build(nil, webtest.Options())
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(
		"POST", "/orchestrator/create-and-confirm-order",
		strings.NewReader(`{"customer_id":1,"items":[{"product_id":2,"qty":3}],"idempotency_key":"key-1"}`),
	)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	webtest.WantError(t, w.Code, w.Body.Bytes(), http.StatusNotFound, "customer_not_found", "/customer_id")
}

// TestOneDrain checks that all services share one deadline when they stop. Each of three services has a
// request in flight; all services end at the deadline.
func TestOneDrain(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	deadline, pass := context.WithCancel(context.Background())
	entered, leave := make(chan struct{}), make(chan struct{})
	defer close(leave)
	var services []*service
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			entered <- struct{}{}
			<-leave
		})
		server := server.Server{Listeners: []net.Listener{l}, Log: slog.New(slog.DiscardHandler), Handler: handler}
		services = append(services, &service{server: server})
	}
	ended := make(chan error)
	go func() { ended <- runUntil(ctx, deadline, services) }()
	for _, s := range services {
		go func() {
			if res, err := http.Get("http://" + s.server.Listeners[0].Addr().String()); err == nil {
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		}()
		<-entered
	}
	stop()
	for { // wait until the last service, which stops first, refuses connections
		c, err := net.Dial("tcp", services[2].server.Listeners[0].Addr().String())
		if err != nil {
			break
		}
		c.Close()
	}
	select {
	case err := <-ended:
		t.Fatalf("ended with requests in flight: %v", err)
	default:
	}
	pass()
	if err := <-ended; err == nil {
		t.Error("no error for the requests that were cut")
	}
}

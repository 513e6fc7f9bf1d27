package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"example.com/b2b/internal/web"
)

// TestOneDrain holds a request in flight in each of three services: all of them end together when the one deadline is over.
func TestOneDrain(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	drained, over := context.WithCancel(context.Background())
	entered, leave := make(chan struct{}), make(chan struct{})
	defer close(leave)
	var services []*service
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		services = append(services, &service{server: web.Server{Listeners: []net.Listener{l}, Log: slog.New(slog.DiscardHandler), Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			entered <- struct{}{}
			<-leave
		})}})
	}
	ended := make(chan error)
	go func() { ended <- runUntil(ctx, drained, services) }()
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
	for { // until the service in front takes no connection any more
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
	over()
	if err := <-ended; err == nil {
		t.Error("no error for the requests that were cut")
	}
}

package webtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"

	"example.com/b2b/v2/internal/server"
)

// Run runs a server until the test ends, and returns its address.
func Run(t testing.TB, s server.Server) string {
	t.Helper()
	listeners, err := server.Listen("127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	s.Listeners, s.Log = listeners, Options().Log
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx, ctx) }()
	t.Cleanup(func() { stop(); <-served })
	return listeners[0].Addr().String()
}

// Connect opens a connection from a local address, and sends a text. It skips the test on a machine without
// the address, because not every machine has each loopback address.
func Connect(t testing.TB, from, to, sends string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", to)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Skipf("no address %s here", from)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprint(c, sends)
	return c
}

// Answer reads an answer, and returns the status and the body. The connection is idle afterwards.
func Answer(t testing.TB, c net.Conn) (int, string) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

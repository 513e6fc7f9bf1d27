package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/server"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/customersapi"
)

// TestListen connects by IPv4 and by IPv6 to the port on which a server listens. A second server must not get
// the same port.
func TestListen(t *testing.T) {
	for address, reached := range map[string][]string{
		server.Loopback: {"127.0.0.1", "::1"},
		"127.0.0.1":     {"127.0.0.1"},
		"0.0.0.0":       {"127.0.0.1", "::1"},
	} {
		all, err := server.Listen(address, 0)
		if err != nil {
			t.Fatal(err)
		}
		port := all[0].Addr().(*net.TCPAddr).Port
		for _, host := range reached {
			if l, err := net.Listen("tcp6", "[::1]:0"); err != nil && host == "::1" {
				t.Log("no IPv6 here")
				continue
			} else if err == nil {
				l.Close()
			}
			c, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
			if err != nil {
				t.Errorf("%s at %s: %v", address, host, err)
				continue
			}
			c.Close()
		}
		if _, err := server.Listen(address, port); err == nil {
			t.Errorf("%s: one port twice", address)
		}
		for _, l := range all {
			l.Close()
		}
	}
}

// closed waits until the server closes a connection. The test fails when the server sends a byte, or leaves
// the connection open.
func closed(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// isOpen checks that an idle connection still gets an answer.
func isOpen(t *testing.T, c net.Conn) {
	t.Helper()
	fmt.Fprint(c, get)
	if status, body := webtest.Answer(t, c); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

const get = "GET /customers/1 HTTP/1.1\r\nHost: x\r\n\r\n"

// engine answers GET /customers/{id} after handle returns. handle may be nil.
func engine(handle func(ctx context.Context)) http.Handler {
	o := webtest.Options()
	o.Document = customersapi.Document
	e := web.New(o)
	e.GET("/customers/:id", func(c *gin.Context) {
		if handle != nil {
			handle(c)
		}
	})
	e.POST("/customers", func(*gin.Context) {})
	return e
}

// TestSlowHeader opens connections that send nothing, or a part of a header, or nothing after a first
// request. The server must close all of them.
func TestSlowHeader(t *testing.T) {
	const timeout = 30 * time.Millisecond
	at := webtest.Run(t, server.Server{Handler: engine(nil), HeaderTimeout: timeout, IdleTimeout: timeout})
	silent := webtest.Connect(t, "127.0.0.1", at, "")
	slow := webtest.Connect(t, "127.0.0.1", at, "GET /customers/1 HTTP/1.1\r\nX-A: ")
	idle := webtest.Connect(t, "127.0.0.1", at, get)
	webtest.Answer(t, idle)
	for _, c := range []net.Conn{silent, slow, idle} {
		closed(t, c)
	}
}

// TestServerTimes checks the default limits of a connection.
func TestServerTimes(t *testing.T) {
	h := server.Server{Timeout: 300 * time.Second, Log: webtest.Options().Log}.HTTP()
	if h.ReadHeaderTimeout != 5*time.Second || h.IdleTimeout != 30*time.Second || h.MaxHeaderBytes != 16<<10 ||
		h.ReadTimeout > 30*time.Second || h.WriteTimeout <= 310*time.Second {
		t.Errorf("%+v", h)
	}
}

// TestHeaderFlood sends headers of 12 KB, which must be answered, and headers of 21 KB, which must get the
// status 431.
func TestHeaderFlood(t *testing.T) {
	at := webtest.Run(t, server.Server{Handler: engine(nil)})
	for name, part := range map[string]string{"one": "x", "many": "\r\nX-A: x"} {
		for size, status := range map[int]string{
			12 << 10: "200 OK",
			21 << 10: "431 Request Header Fields Too Large",
		} {
			header := "GET /customers/1 HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat(part, size/len(part))
			c := webtest.Connect(t, "127.0.0.1", at, header)
			if size < 16<<10 {
				fmt.Fprint(c, "\r\n\r\n") // the server refuses a longer header before its end
			}
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil || strings.TrimSpace(line) != "HTTP/1.1 "+status {
				t.Errorf("%s, %d bytes: %s %v", name, size, line, err)
			}
		}
	}
}

// TestConnections opens more connections than the limits allow. The server must close connections without a
// request in flight to make room, and must keep the connections with a request in flight.
func TestConnections(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	handler := func() http.Handler {
		return engine(func(ctx context.Context) {
			if correlation.ID(ctx) == "held" {
				entered <- struct{}{}
				<-leave
			}
		})
	}
	const held = "GET /customers/1 HTTP/1.1\r\nHost: x\r\nX-Correlation-Id: held\r\n\r\n"
	const half = "GET /customers/1 HTTP/1.1\r\nHost:"
	const halfBody = "POST /customers HTTP/1.1\r\nHost: x\r\n" +
		"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
	idle := func(t *testing.T, from, at string) net.Conn {
		c := webtest.Connect(t, from, at, get)
		webtest.Answer(t, c)
		return c
	}
	t.Run("in all", func(t *testing.T) {
		at := webtest.Run(t, server.Server{Handler: handler(), Max: 3})
		atWork := webtest.Connect(t, "127.0.0.1", at, held)
		<-entered
		oldest, older := idle(t, "127.0.0.1", at), idle(t, "127.0.0.1", at)
		newest := idle(t, "127.0.0.1", at)
		closed(t, oldest)
		isOpen(t, older)
		isOpen(t, newest)
		leave <- struct{}{}
		if status, _ := webtest.Answer(t, atWork); status != 200 {
			t.Errorf("at work: %d", status)
		}
	})
	t.Run("unfinished requests", func(t *testing.T) {
		at := webtest.Run(t, server.Server{Handler: handler(), Max: 4})
		var slow []net.Conn
		for _, sends := range []string{"", half, halfBody, ""} {
			slow = append(slow, webtest.Connect(t, "127.0.0.1", at, sends))
		}
		for range 4 {
			idle(t, "127.0.0.1", at)
		}
		for _, c := range slow {
			if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error(err)
			}
		}
	})
	t.Run("the address with most connections makes room", func(t *testing.T) {
		at := webtest.Run(t, server.Server{Handler: handler(), Max: 4})
		alone := idle(t, "127.0.0.2", at) // the oldest of all connections
		crowd := idle(t, "127.0.0.1", at)
		idle(t, "127.0.0.1", at)
		idle(t, "127.0.0.1", at)
		idle(t, "127.0.0.3", at)
		closed(t, crowd)
		isOpen(t, alone)
	})
	t.Run("closed by the caller", func(t *testing.T) {
		at := webtest.Run(t, server.Server{Handler: handler(), PerAddress: 10})
		kept := idle(t, "127.0.0.1", at)
		for range 30 {
			const last = "GET /customers/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
			c := webtest.Connect(t, "127.0.0.1", at, last)
			webtest.Answer(t, c)
			closed(t, c)
		}
		isOpen(t, kept)
	})
	t.Run("of one address", func(t *testing.T) {
		at := webtest.Run(t, server.Server{Handler: handler(), PerAddress: 2, Max: 3})
		other := idle(t, "127.0.0.2", at)
		first, second := idle(t, "127.0.0.1", at), idle(t, "127.0.0.1", at)
		third := idle(t, "127.0.0.1", at)
		closed(t, first)
		isOpen(t, second)
		isOpen(t, third)
		isOpen(t, other)
		for _, c := range []net.Conn{second, third} {
			fmt.Fprint(c, held)
			<-entered
		}
		// Each connection of the address has a request in flight.
		refused := webtest.Connect(t, "127.0.0.1", at, "")
		closed(t, refused)
		isOpen(t, other)
		for _, c := range []net.Conn{second, third} {
			leave <- struct{}{}
			if status, _ := webtest.Answer(t, c); status != 200 {
				t.Errorf("at work: %d", status)
			}
		}
		isOpen(t, second)
	})
}

package web_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/b2b/internal/web"
	"example.com/b2b/internal/web/webtest"
)

// TestListen reaches what listens on loopback by both kinds of address, on one port.
func TestListen(t *testing.T) {
	for address, reached := range map[string][]string{web.Loopback: {"127.0.0.1", "::1"}, "127.0.0.1": {"127.0.0.1"}, "0.0.0.0": {"127.0.0.1", "::1"}} {
		all, err := web.Listen(address, 0)
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
		if _, err := web.Listen(address, port); err == nil {
			t.Errorf("%s: one port twice", address)
		}
		for _, l := range all {
			l.Close()
		}
	}
}

// run runs a server until the test ends.
func run(t *testing.T, s web.Server) string {
	t.Helper()
	listeners, err := web.Listen("127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	s.Listeners, s.Log = listeners, webtest.Options().Log
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx, ctx) }()
	t.Cleanup(func() { stop(); <-served })
	return listeners[0].Addr().String()
}

// connect opens a connection from an address of this machine, and sends what it is given.
func connect(t *testing.T, from, to, sends string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", to)
	if err != nil {
		t.Skipf("no address %s here: %v", from, err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprint(c, sends)
	return c
}

// answer reads an answer, which leaves the connection idle.
func answer(t *testing.T, c net.Conn) (int, string) {
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

// closed waits until the server closes a connection. It fails when the server sends something.
func closed(t *testing.T, c net.Conn) {
	t.Helper()
	if n, err := c.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// isOpen asks once more on an idle connection.
func isOpen(t *testing.T, c net.Conn) {
	t.Helper()
	fmt.Fprint(c, get)
	if status, body := answer(t, c); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

const get = "GET /customers/1 HTTP/1.1\r\nHost: x\r\n\r\n"

// TestSlowHeader feeds a header slowly, and opens connections that say nothing.
func TestSlowHeader(t *testing.T) {
	at := run(
		t,
		web.Server{
			Handler: engine(t, webtest.Options(), nothing), HeaderTimeout: 30 * time.Millisecond,
			IdleTimeout: 30 * time.Millisecond,
		},
	)
	silent, slow := connect(t, "127.0.0.1", at, ""), connect(t, "127.0.0.1", at, "GET /customers/1 HTTP/1.1\r\nX-A: ")
	idle := connect(t, "127.0.0.1", at, get)
	answer(t, idle)
	for _, c := range []net.Conn{silent, slow, idle} {
		closed(t, c)
	}
}

// TestServerTimes has what a connection gets when nobody says otherwise.
func TestServerTimes(t *testing.T) {
	h := web.Server{Timeout: 300 * time.Second, Log: webtest.Options().Log}.HTTP()
	if h.ReadHeaderTimeout != 5*time.Second || h.IdleTimeout != 30*time.Second || h.MaxHeaderBytes != 16<<10 ||
		h.ReadTimeout > 30*time.Second ||
		h.WriteTimeout <= 310*time.Second {
		t.Errorf("%+v", h)
	}
}

// TestHeaderFlood sends headers without end.
func TestHeaderFlood(t *testing.T) {
	at := run(t, web.Server{Handler: engine(t, webtest.Options(), nothing)})
	for name, part := range map[string]string{"one": "x", "many": "\r\nX-A: x"} {
		for size, status := range map[int]string{12 << 10: "200 OK", 21 << 10: "431 Request Header Fields Too Large"} {
			c := connect(
				t, "127.0.0.1", at,
				"GET /customers/1 HTTP/1.1\r\nHost: x\r\nX-A: "+strings.Repeat(part, size/len(part)),
			)
			if size < 16<<10 {
				fmt.Fprint(c, "\r\n\r\n") // else it waits for no more
			}
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil || strings.TrimSpace(line) != "HTTP/1.1 "+status {
				t.Errorf("%s, %d bytes: %s %v", name, size, line, err)
			}
		}
	}
}

// TestConnections opens more connections than there may be: those that wait make room, and those at work do
// not.
func TestConnections(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	handler := func(t *testing.T) http.Handler {
		return engine(t, webtest.Options(), func(ctx context.Context) error {
			if web.CorrelationID(ctx) == "held" {
				entered <- struct{}{}
				<-leave
			}
			return nil
		})
	}
	const held = "GET /customers/1 HTTP/1.1\r\nHost: x\r\nX-Correlation-Id: held\r\n\r\n"
	const half = "GET /customers/1 HTTP/1.1\r\nHost:"
	const halfBody = "POST /customers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
	idle := func(t *testing.T, from, at string) net.Conn {
		c := connect(t, from, at, get)
		answer(t, c)
		return c
	}
	t.Run("in all", func(t *testing.T) {
		at := run(t, web.Server{Handler: handler(t), Max: 3})
		atWork := connect(t, "127.0.0.1", at, held)
		<-entered
		oldest, older := idle(t, "127.0.0.1", at), idle(t, "127.0.0.1", at)
		newest := idle(t, "127.0.0.1", at)
		closed(t, oldest)
		isOpen(t, older)
		isOpen(t, newest)
		leave <- struct{}{}
		if status, _ := answer(t, atWork); status != 200 {
			t.Errorf("at work: %d", status)
		}
	})
	t.Run("unfinished requests", func(t *testing.T) {
		at := run(t, web.Server{Handler: handler(t), Max: 4})
		var slow []net.Conn
		for _, sends := range []string{"", half, halfBody, ""} {
			slow = append(slow, connect(t, "127.0.0.1", at, sends))
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
	t.Run("whoever has most makes room", func(t *testing.T) {
		at := run(t, web.Server{Handler: handler(t), Max: 4})
		alone := idle(t, "127.0.0.2", at) // the oldest of all
		crowd := idle(t, "127.0.0.1", at)
		idle(t, "127.0.0.1", at)
		idle(t, "127.0.0.1", at)
		idle(t, "127.0.0.3", at)
		closed(t, crowd)
		isOpen(t, alone)
	})
	t.Run("closed by the caller", func(t *testing.T) {
		at := run(t, web.Server{Handler: handler(t), PerAddress: 10})
		kept := idle(t, "127.0.0.1", at)
		for range 30 {
			c := connect(t, "127.0.0.1", at, "GET /customers/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			answer(t, c)
			closed(t, c)
		}
		isOpen(t, kept)
	})
	t.Run("of one address", func(t *testing.T) {
		at := run(t, web.Server{Handler: handler(t), PerAddress: 2})
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
		refused := connect(t, "127.0.0.1", at, "") // all of its connections are at work
		closed(t, refused)
		isOpen(t, other)
		for _, c := range []net.Conn{second, third} {
			leave <- struct{}{}
			if status, _ := answer(t, c); status != 200 {
				t.Errorf("at work: %d", status)
			}
		}
		isOpen(t, second)
	})
}

// TestRefusedBeforeContinue has a caller wait with the body for 100 Continue: it is refused by the header
// alone.
func TestRefusedBeforeContinue(t *testing.T) {
	at := run(t, web.Server{Handler: things(t, webtest.Options(), succeed)})
	for name, c := range map[string]struct {
		headers, code string
		status        int
	}{
		"too large":                       {"Content-Type: application/json\r\nContent-Length: 1048577", "payload_too_large", 413},
		"far too large":                   {"Content-Type: application/json\r\nContent-Length: 9223372036854775807", "payload_too_large", 413},
		"no type":                         {"Content-Length: 12", "unsupported_media_type", 415},
		"another type":                    {"Content-Type: text/plain\r\nContent-Length: 12", "unsupported_media_type", 415},
		"another type, of unknown length": {"Content-Type: text/plain\r\nTransfer-Encoding: chunked", "unsupported_media_type", 415},
		"compressed":                      {"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 12", "unsupported_media_type", 415},
		"not a valid token":               {"Authorization: Bearer x\r\nContent-Type: application/json\r\nContent-Length: 12", "unauthorized", 401},
	} {
		t.Run(name, func(t *testing.T) {
			conn := connect(
				t, "127.0.0.1", at,
				"POST "+map[bool]string{true: "/secrets", false: "/things"}[c.status == 401]+" HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"+c.headers+"\r\n\r\n",
			)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != c.status || !bytes.Contains(body, []byte(c.code)) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
		})
	}
	conn := connect(
		t, "127.0.0.1", at,
		"POST /things HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n",
	)
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q %v", line, err)
	}
}

// TestContentType sends a body under headers that make it something else than one JSON text.
func TestContentType(t *testing.T) {
	e := things(t, webtest.Options(), succeed)
	for _, c := range []struct {
		status  int
		headers http.Header
	}{
		{200, http.Header{"Content-Type": {"application/json"}}},
		{200, http.Header{"Content-Type": {"Application/JSON; charset=UTF-8"}}},
		{415, nil},
		{415, http.Header{"Content-Type": {"text/plain"}}},
		{415, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}},
		{415, http.Header{"Content-Type": {"application/json; charset=utf-16"}}},
		{415, http.Header{"Content-Type": {"application/json", "application/json"}}},
		{415, http.Header{"Content-Type": {"application/json", "text/plain"}}},
		{415, http.Header{"Content-Type": {"application/json, text/plain"}}},
		{415, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}},
		{415, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"identity"}}},
	} {
		for _, length := range []int64{12, -1} {
			r := httptest.NewRequest("POST", "/things", strings.NewReader(`{"name":"x"}`))
			r.ContentLength = length
			for name, lines := range c.headers {
				r.Header[name] = lines
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			if w.Code != c.status || w.Code == 415 && !strings.Contains(w.Body.String(), `"unsupported_media_type"`) {
				t.Errorf("%v, length %d: %d %s", c.headers, length, w.Code, w.Body)
			}
		}
	}
}

package web_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/auth"
	httpserver "example.com/b2b/v2/internal/server"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/eventsapi"
	"example.com/b2b/v2/openapi/ordersapi"
)

// unread is the answer to a caller who reads nothing until the channel read is closed.
type unread struct {
	*httptest.ResponseRecorder
	written chan<- struct{}
	read    <-chan struct{}
}

func (w unread) Write(p []byte) (int, error) {
	w.written <- struct{}{}
	<-w.read
	return w.ResponseRecorder.Write(p)
}

// TestLargeAnswerKeepsSlot sends requests for all slots, and reads no answer. A large answer must keep the
// slot of its request until the answer is written, because the answer is in memory until then. A small answer
// must keep no slot. No answer may keep the slot for searches.
func TestLargeAnswerKeepsSlot(t *testing.T) {
	for size, status := range map[int]int{64 << 10: 200, 64<<10 + 1: 503} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			o := webtest.Options()
			o.Document, o.Limits = ordersapi.Document, web.Limits{InFlight: 3, Searches: 1}
			e := web.New(o)
			e.GET("/orders", func(c *gin.Context) {
				c.Data(http.StatusOK, "application/json", []byte(strings.Repeat(" ", size)))
			})
			written, read, ended := make(chan struct{}), make(chan struct{}), make(chan struct{}, 3)
			for i := range 3 {
				go func() {
					r := httptest.NewRequest("GET", "/orders?updated_since=2024-01-01", nil)
					r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", i)
					e.ServeHTTP(unread{httptest.NewRecorder(), written, read}, r)
					ended <- struct{}{}
				}()
			}
			for range 3 { // each of the requests must get the only slot for searches before it writes
				select {
				case <-written:
				case <-time.After(10 * time.Second):
					t.Fatal("an answer keeps the slot of a search")
				}
			}
			if w := ask(e, "/orders", "198.51.100.1:1"); w.Code != status {
				t.Errorf("%d while three answers of %d bytes are not read, want %d", w.Code, size, status)
			}
			close(read)
			for range 3 {
				<-ended
			}
			if w := ask(e, "/orders", "198.51.100.1:1"); w.Code != 200 {
				t.Errorf("then %d", w.Code)
			}
		})
	}
}

// TestLargeBodies sends the beginnings of two large bodies of a caller, who may send no more than two large
// bodies at once. A third large body of this caller must be refused. A small body of this caller, and a large
// body of another caller, must be accepted.
func TestLargeBodies(t *testing.T) {
	o := webtest.Options()
	o.Document, o.Limits = ordersapi.Document, web.Limits{InFlight: 40} // so 4 large bodies may come at once
	e := web.New(o)
	e.POST("/orders", func(c *gin.Context) { c.Data(http.StatusCreated, "application/json", []byte("{}")) })
	at := webtest.Run(t, httpserver.Server{Timeout: o.Timeout, Handler: e})
	const order = `{"customer_id":1,"items":[{"product_id":1,"qty":2}]%s}`
	send := func(t *testing.T, subject, headers, body string) net.Conn {
		p := auth.Principal{Subject: subject, Scope: "orders:write"}
		issued, err := o.Tokens.Issue(p, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return webtest.Connect(t, "127.0.0.1", at, "POST /orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+
			issued+"\r\nContent-Type: application/json\r\n"+headers+"\r\n\r\n"+body)
	}
	whole := func(t *testing.T, subject string, size int) *http.Response {
		body := fmt.Sprintf(order, strings.Repeat(" ", size-len(order)+len("%s")))
		c := send(t, subject, fmt.Sprint("Content-Length: ", len(body)), body)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	const large = 64<<10 + 1
	for name, begin := range map[string]func(t *testing.T) net.Conn{
		"of known length": func(t *testing.T) net.Conn {
			return send(t, "greedy", fmt.Sprint("Content-Length: ", large), "{")
		},
		"chunked": func(t *testing.T) net.Conn {
			chunk := fmt.Sprintf("%x\r\n%s\r\n", large, strings.Repeat(" ", large))
			return send(t, "greedy", "Transfer-Encoding: chunked", chunk)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var open []net.Conn
			var refused *http.Response
			// Try again with a longer pause if the third body came before both open bodies had their slots.
			for pause := 20 * time.Millisecond; refused == nil; pause *= 2 {
				for _, c := range open {
					c.Close()
				}
				open = []net.Conn{begin(t), begin(t)}
				time.Sleep(pause)
				if res := whole(t, "greedy", large); res.StatusCode != 201 || pause > 4*time.Second {
					refused = res
				}
			}
			body, _ := io.ReadAll(refused.Body)
			webtest.WantError(t, refused.StatusCode, body, 429, "rate_limited")
			if refused.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if res := whole(t, "greedy", large-1); res.StatusCode != 201 {
				t.Errorf("a small body: %d", res.StatusCode)
			}
			if res := whole(t, "other", large); res.StatusCode != 201 {
				t.Errorf("a large body of another caller: %d", res.StatusCode)
			}
			for _, c := range open {
				c.Close()
			}
			for began := time.Now(); whole(t, "greedy", large).StatusCode != 201; {
				if time.Since(began) > 10*time.Second {
					t.Fatal("the places are not free again")
				}
			}
		})
	}
}

// pipes is a listener whose connections have no buffer: a write waits until the other side reads.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestEndOfFileInTime reads a file, but not its last bytes, which net/http sends after the handler has ended.
// The connection must be closed after the time limit for the transfer.
func TestEndOfFileInTime(t *testing.T) {
	o := webtest.Options()
	o.BodyTimeout = 100 * time.Millisecond
	e := behind{get: nothing, file: func(_ context.Context, w *bufio.Writer) error {
		_, err := w.WriteString("a file\n")
		return err
	}}.engine(o)
	closed := make(chan struct{})
	s := http.Server{Handler: e, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}}
	listener := make(pipes)
	served := make(chan error)
	go func() { served <- s.Serve(listener) }()
	defer func() { s.Close(); <-served }()
	client, server := net.Pipe()
	defer client.Close()
	listener <- server
	fmt.Fprint(client, "GET /customers/export?format=csv HTTP/1.1\r\nHost: x\r\n\r\n")
	lines := bufio.NewReaderSize(client, 16) // reads at most 16 bytes ahead
	for line := ""; line != "a file\n"; {
		var err error
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the end of the file waits for its reader for ever")
	}
}

// TestReadersTakeTurns lets two readers of events read many rows. The limit allows a single search, so the
// second reader must wait for the first.
func TestReadersTakeTurns(t *testing.T) {
	o := webtest.Options()
	o.Document, o.Limits = eventsapi.Document, web.Limits{Searches: 1, Readers: 10}
	e := web.New(o)
	entered, leave := make(chan struct{}, 2), make(chan struct{})
	e.GET("/events", func(c *gin.Context) {
		_ = web.Search(c, func() error {
			entered <- struct{}{}
			<-leave
			return nil
		})
	})
	ended := make(chan struct{})
	for i := range 2 {
		go func() {
			ask(e, "/events", fmt.Sprintf("192.0.2.%d:1", i))
			ended <- struct{}{}
		}()
	}
	<-entered
	select {
	case <-entered:
		t.Error("two readers at once")
	case <-time.After(100 * time.Millisecond):
	}
	close(leave)
	<-ended
	<-ended
}

// TestListsCountAsSearches holds the only slot for searches. A list that may read many rows to find few rows
// must wait for the slot. Any other list must not wait.
func TestListsCountAsSearches(t *testing.T) {
	for query, waits := range map[string]bool{
		"/orders?updated_since=2024-01-01": true, "/orders?confirmed_from=2024-01-01": true,
		"/orders?confirmed_to=2024-01-01": true, "/products?search=x": true, "/products?stock_below=1": true,
		"/orders/export?updated_since=2024-01-01": true, "/orders?updated_since=": false,
		"/orders?from=2024-01-01&status=CREATED": false, "/orders": false, "/products?active=true": false,
	} {
		t.Run(query, func(t *testing.T) {
			o := webtest.Options()
			o.Document, o.Limits = ordersapi.Document, web.Limits{InFlight: 10, Searches: 1}
			e := web.New(o)
			entered, leave := make(chan struct{}, 2), make(chan struct{})
			hold := func(*gin.Context) {
				entered <- struct{}{}
				<-leave
			}
			for _, path := range []string{"/orders", "/products", "/orders/export", "/orders/summary"} {
				e.GET(path, hold)
			}
			ended := make(chan struct{})
			send := func(path, from string) {
				ask(e, path, from)
				ended <- struct{}{}
			}
			go send("/orders/summary?from=2024-01-01&to=2024-01-02", "192.0.2.1:1")
			<-entered
			go send(query, "192.0.2.2:1")
			select {
			case <-entered:
				if waits {
					t.Error("does not count as a search")
				}
			case <-time.After(100 * time.Millisecond):
				if !waits {
					t.Error("counts as a search")
				}
			}
			close(leave)
			<-ended
			<-ended
		})
	}
}

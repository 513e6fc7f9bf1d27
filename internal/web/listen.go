package web

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Loopback is the address that only this machine reaches, by IPv4 and IPv6.
const Loopback = "localhost"

// Listen listens at an IP address or Loopback; 0.0.0.0 and :: are all addresses of this machine, of both
// kinds. Port 0 is a free one.
func Listen(address string, port int) ([]net.Listener, error) {
	if address != Loopback {
		l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		return []net.Listener{l}, err
	}
	for {
		v4, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, err
		}
		v6, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(v4.Addr().(*net.TCPAddr).Port)))
		switch {
		case err == nil: // some programs try ::1 first
			return []net.Listener{v4, v6}, nil
		case !errors.Is(err, syscall.EADDRINUSE): // a machine without IPv6
			return []net.Listener{v4}, nil
		}
		_ = v4.Close()
		if port != 0 {
			return nil, err
		}
	}
}

// Server answers on its listeners. What a connection may take is bounded: a header of 16 KB (and 4 KB, which net/http adds), and time.
type Server struct {
	Listeners []net.Listener
	Handler   http.Handler
	Near      *InProcessTransport // by which other services of this process call Handler; nil when none does
	Log       *slog.Logger

	Timeout       time.Duration // of Options: a body's and a request's are held there
	HeaderTimeout time.Duration // how long a caller may take to send the header; 0 is five seconds
	IdleTimeout   time.Duration // how long a connection may wait for another request; 0 is 30 seconds

	// Max and PerAddress bound the connections, all of them and those of one address (of one /64 of IPv6); 0
	// is no bound. One more takes the place of one that is not at work: the one that has waited longest, of
	// whoever has most.
	Max, PerAddress int
}

const maxHeader = 16 << 10 // bytes

// Serve answers until ctx ends, and returns once the requests in flight are answered, or with an error when
// drained ends.
func (s Server) Serve(ctx, drained context.Context) error {
	h := s.HTTP()
	failed := make(chan error, len(s.Listeners))
	for _, l := range s.Listeners {
		go func() { failed <- h.Serve(l) }()
	}
	select {
	case err := <-failed:
		return errors.Join(err, h.Close())
	case <-ctx.Done():
	}
	err := errors.Join(h.Shutdown(drained), s.Near.drain(drained))
	if err != nil {
		err = errors.Join(err, h.Close())
	}
	return err
}

// HTTP is the server that Serve runs.
func (s Server) HTTP() *http.Server {
	all := &connections{Server: s, open: map[net.Conn]*connection{}, of: map[string]int{}}
	return &http.Server{
		Handler:           s.Handler,
		MaxHeaderBytes:    maxHeader,
		ReadHeaderTimeout: cmp.Or(s.HeaderTimeout, 5*time.Second),
		ReadTimeout:       20 * time.Second,        // of a body that the engine does not read
		WriteTimeout:      s.Timeout + time.Minute, // it includes the time for the body, and some for the answer
		IdleTimeout:       cmp.Or(s.IdleTimeout, 30*time.Second),
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		ConnContext:       all.admit,
		ConnState:         all.changed,
	}
}

// connections are a server's open ones. Those at work are left alone; of all others any may be closed to let
// a new caller in: whoever keeps connections open, or feeds them slowly, keeps nobody out.
type connections struct {
	Server
	mu   sync.Mutex
	open map[net.Conn]*connection
	of   map[string]int // how many by their origin
}

type connection struct {
	net.Conn
	all    *connections
	origin string
	atWork bool
	since  time.Time // when it last came, began or ended
}

type connectionKey struct{}

// admit lets a connection in, in the place of another when there are too many.
func (a *connections) admit(ctx context.Context, conn net.Conn) context.Context {
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	c := &connection{Conn: conn, all: a, origin: network(host), since: time.Now()}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of[c.origin] >= cmp.Or(a.PerAddress, math.MaxInt) {
		a.makeRoom(conn, c.origin)
	}
	if len(a.open) >= cmp.Or(a.Max, math.MaxInt) {
		a.makeRoom(conn, "")
	}
	a.open[conn] = c
	a.of[c.origin]++
	return context.WithValue(ctx, connectionKey{}, c)
}

// makeRoom closes a connection of that origin that is not at work, or of the one that has most; the new one
// when there is none.
func (a *connections) makeRoom(conn net.Conn, origin string) {
	var last *connection
	for _, c := range a.open {
		if c.atWork || origin != "" && c.origin != origin {
			continue
		}
		if last == nil || a.of[c.origin] > a.of[last.origin] || a.of[c.origin] == a.of[last.origin] && c.since.Before(last.since) {
			last = c
		}
	}
	if last != nil {
		conn = last.Conn
		a.forget(conn)
	}
	_ = conn.Close()
}

func (a *connections) forget(conn net.Conn) {
	c := a.open[conn]
	if c == nil {
		return
	}
	delete(a.open, conn)
	if a.of[c.origin]--; a.of[c.origin] == 0 {
		delete(a.of, c.origin)
	}
}

func (a *connections) changed(conn net.Conn, state http.ConnState) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch c := a.open[conn]; {
	case state == http.StateClosed || state == http.StateHijacked:
		a.forget(conn)
	case c != nil && state == http.StateActive: // the first byte of a request
		c.since = time.Now()
	}
}

// work keeps the connection of ctx, if it is of a Server, from being closed until done.
func work(ctx context.Context) (done func()) {
	c, ok := ctx.Value(connectionKey{}).(*connection)
	if !ok {
		return func() {}
	}
	c.set(true)
	return func() { c.set(false) }
}

func (c *connection) set(atWork bool) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.atWork, c.since = atWork, time.Now()
}

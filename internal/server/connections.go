package server

import (
	"cmp"
	"context"
	"math"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// connections are the open connections of a server. To make room for a new caller, the server may close a
// connection that is not busy. So idle and slow connections keep no caller out.
type connections struct {
	max, perNetwork int

	mu        sync.Mutex
	open      map[net.Conn]*connection
	byNetwork map[string]int
}

type connection struct {
	net.Conn
	all     *connections
	network string
	busy    bool
	// since is the last time at which the connection was opened, got the first byte of a request, or became
	// busy or idle.
	since time.Time
}

// newConnections returns an empty set. The parameter max bounds the number of connections, and perNetwork the
// number in each network; 0 sets no bound.
func newConnections(max, perNetwork int) *connections {
	return &connections{
		max: cmp.Or(max, math.MaxInt), perNetwork: cmp.Or(perNetwork, math.MaxInt),
		open: map[net.Conn]*connection{}, byNetwork: map[string]int{},
	}
}

type contextKey struct{}

// admit adds a connection. When a bound is reached, it first closes a connection: see makeRoom.
func (a *connections) admit(ctx context.Context, conn net.Conn) context.Context {
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	c := &connection{Conn: conn, all: a, network: Network(host), since: time.Now()}
	a.mu.Lock()
	defer a.mu.Unlock()
	refused := a.byNetwork[c.network] >= a.perNetwork &&
		!a.makeRoom(c, func(other *connection) bool { return other.network == c.network })
	if !refused && len(a.open) >= a.max {
		a.makeRoom(c, func(*connection) bool { return true })
	}
	a.open[conn] = c
	a.byNetwork[c.network]++
	return context.WithValue(ctx, contextKey{}, c)
}

// makeRoom closes one connection that is not busy and that the function mayGo accepts; goesBefore chooses
// among them. When there is no such connection, makeRoom closes the added connection, and returns false.
func (a *connections) makeRoom(added *connection, mayGo func(*connection) bool) bool {
	var next *connection
	for _, c := range a.open {
		if !c.busy && mayGo(c) && (next == nil || a.goesBefore(c, next)) {
			next = c
		}
	}
	if next == nil {
		_ = added.Close()
		return false
	}
	a.remove(next.Conn)
	_ = next.Close()
	return true
}

// goesBefore reports whether makeRoom closes c rather than the connection other. Connections of the network
// with the most connections go first, and among these the longest idle connection.
func (a *connections) goesBefore(c, other *connection) bool {
	if more := a.byNetwork[c.network] - a.byNetwork[other.network]; more != 0 {
		return more > 0
	}
	return c.since.Before(other.since)
}

func (a *connections) remove(conn net.Conn) {
	c := a.open[conn]
	if c == nil {
		return
	}
	delete(a.open, conn)
	a.byNetwork[c.network]--
	if a.byNetwork[c.network] == 0 {
		delete(a.byNetwork, c.network)
	}
}

// changed is called by net/http when the state of a connection changes. It removes closed connections, and
// records the time of a request's first byte.
func (a *connections) changed(conn net.Conn, state http.ConnState) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch state {
	case http.StateClosed, http.StateHijacked:
		a.remove(conn)
	case http.StateActive: // the first byte of a request
		if c := a.open[conn]; c != nil {
			c.since = time.Now()
		}
	}
}

// Busy marks the connection of a request as busy until done() is called. The server does not close a busy
// connection to make room for a new caller. ctx is the request's context. Busy does nothing when the request
// has not come over a connection of a Server.
func Busy(ctx context.Context) (done func()) {
	c, ok := ctx.Value(contextKey{}).(*connection)
	if !ok {
		return func() {}
	}
	c.setBusy(true)
	return func() { c.setBusy(false) }
}

func (c *connection) setBusy(busy bool) {
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.busy, c.since = busy, time.Now()
}

// SetWriteBuffer sets the size of the kernel's send buffer for the TCP connection in ctx.
func SetWriteBuffer(ctx context.Context, bytes int) {
	if c, ok := ctx.Value(contextKey{}).(*connection); ok {
		if tcp, isTCP := c.Conn.(*net.TCPConn); isTCP {
			_ = tcp.SetWriteBuffer(bytes)
		}
	}
}

// Network returns the network of an address: the address itself for IPv4, and the /64 for IPv6, because a
// caller usually has all addresses of a /64. All callers in a network count as a single caller.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err == nil && a.Is6() && !a.Is4In6() {
		prefix, _ := a.WithZone("").Prefix(64)
		return prefix.String()
	}
	return address
}

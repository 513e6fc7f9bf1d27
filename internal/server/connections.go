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

// connections are the open connections of a server. A busy connection stays; any other may be closed for a
// new caller, so connections that stay open, or send slowly, keep nobody out.
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
	since   time.Time // of the last change: opened, first byte of a request, busy, idle
}

// newConnections bounds connections; 0 is no bound.
func newConnections(max, perNetwork int) *connections {
	return &connections{
		max: cmp.Or(max, math.MaxInt), perNetwork: cmp.Or(perNetwork, math.MaxInt),
		open: map[net.Conn]*connection{}, byNetwork: map[string]int{},
	}
}

type contextKey struct{}

// admit adds a connection, in the place of another connection when there are too many.
func (a *connections) admit(ctx context.Context, conn net.Conn) context.Context {
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	c := &connection{Conn: conn, all: a, network: Network(host), since: time.Now()}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byNetwork[c.network] >= a.perNetwork {
		a.makeRoom(c, func(other *connection) bool { return other.network == c.network })
	}
	if len(a.open) >= a.max {
		a.makeRoom(c, func(*connection) bool { return true })
	}
	a.open[conn] = c
	a.byNetwork[c.network]++
	return context.WithValue(ctx, contextKey{}, c)
}

// makeRoom closes the connection that is next to go, or the new connection when all of them are busy.
func (a *connections) makeRoom(added *connection, mayGo func(*connection) bool) {
	var next *connection
	for _, c := range a.open {
		if !c.busy && mayGo(c) && (next == nil || a.goesBefore(c, next)) {
			next = c
		}
	}
	if next == nil {
		_ = added.Close()
		return
	}
	a.remove(next.Conn)
	_ = next.Close()
}

// goesBefore orders idle connections: the network with the most connections first, then the longest idle.
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

// changed follows the states of a connection for net/http.
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

// Busy keeps the connection of a request's context open until done, also when a new connection wants its
// place. Without a connection of a Server it does nothing.
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

// SetWriteBuffer sets the size of the kernel's send buffer for the connection of ctx, on TCP.
func SetWriteBuffer(ctx context.Context, bytes int) {
	if c, ok := ctx.Value(contextKey{}).(*connection); ok {
		if tcp, isTCP := c.Conn.(*net.TCPConn); isTCP {
			_ = tcp.SetWriteBuffer(bytes)
		}
	}
}

// Network returns the network of an address, for counting its callers as a single caller: an IPv4 address, or
// the /64 of an IPv6 address, because its holder has all addresses of it.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err == nil && a.Is6() && !a.Is4In6() {
		prefix, _ := a.WithZone("").Prefix(64)
		return prefix.String()
	}
	return address
}

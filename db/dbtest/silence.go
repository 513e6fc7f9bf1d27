package dbtest

import (
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"example.com/b2b/v2/db"
)

// Silence is a proxy between a pool and its database server. After a call of Fall, no bytes pass.
type Silence struct {
	listener net.Listener
	server   string

	mu     sync.Mutex
	silent bool
	broken chan struct{} // closed when the open connections fall silent
	open   []net.Conn
}

// Between puts a Silence before c's server until the test ends, and returns c with the Silence's address.
func Between(t testing.TB, c db.Config) (db.Config, *Silence) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	s := &Silence{listener: l, server: address, broken: make(chan struct{})}
	go s.accept()
	t.Cleanup(func() {
		l.Close()
		s.Fall()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, conn := range s.open {
			conn.Close()
		}
	})
	c.Host, c.Port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	return c, s
}

// Fall makes all connections silent, as if the server's host had vanished. It closes no connection. A new
// connection is accepted, but gets no answer.
func (s *Silence) Fall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.silent {
		s.silent = true
		close(s.broken)
	}
}

// End lets new connections work again. Connections made before End stay silent.
func (s *Silence) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent, s.broken = false, make(chan struct{})
}

func (s *Silence) accept() {
	for {
		client, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open = append(s.open, client)
		silent, broken := s.silent, s.broken
		s.mu.Unlock()
		if silent {
			continue
		}
		server, err := net.Dial("tcp", s.server)
		if err != nil {
			client.Close()
			continue
		}
		s.mu.Lock()
		s.open = append(s.open, server)
		s.mu.Unlock()
		go pass(server, client, broken)
		go pass(client, server, broken)
	}
}

// pass copies bytes in one direction between two connections, and closes the destination when either
// connection fails. After the channel broken is closed, pass discards the bytes, and closes nothing.
func pass(to, from net.Conn, broken chan struct{}) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-broken:
			_, _ = io.Copy(io.Discard, from)
			return
		default:
		}
		if _, wrote := to.Write(buffer[:n]); err != nil || wrote != nil {
			to.Close()
			return
		}
	}
}

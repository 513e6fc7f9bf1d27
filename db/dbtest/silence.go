package dbtest

import (
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"example.com/b2b/db"
)

// Silence stands between a pool and its database server. It passes on what connections carry, until it falls
// silent.
type Silence struct {
	listener net.Listener
	server   string

	mu     sync.Mutex
	silent bool
	broken chan struct{} // closed when connections made before are silent for good
	open   []net.Conn
}

// Between returns c with the address of a Silence in front of its server, which ends with the test.
func Between(t testing.TB, c db.Config) (db.Config, *Silence) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &Silence{listener: l, server: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), broken: make(chan struct{})}
	go s.accept()
	t.Cleanup(func() {
		l.Close()
		s.Fall()
		for _, conn := range s.open {
			conn.Close()
		}
	})
	c.Host, c.Port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	return c, s
}

// Fall takes connections from now on, and answers on none, new or old. It closes none, as a host that has
// vanished would not.
func (s *Silence) Fall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.silent {
		s.silent = true
		close(s.broken)
	}
}

// End passes on what new connections carry. The ones made before get no answer for ever.
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

// pass copies from one connection to the other, and closes that one at the end, until broken is closed.
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

package dbtest

import (
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"example.com/b2b/db"
)

// Silence is a TCP proxy between a connection pool and its database server. It can simulate a vanished
// server.
type Silence struct {
	listener net.Listener
	server   string

	mu     sync.Mutex
	silent bool
	broken chan struct{} // closed by Fall; replaced by End, for new connections
	open   []net.Conn
}

// Between starts a Silence in front of the server of c, until the end of the test. It returns c with the
// address of the Silence.
func Between(t testing.TB, c db.Config) (db.Config, *Silence) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &Silence{listener: l, broken: make(chan struct{}),
		server: net.JoinHostPort(c.Host, strconv.Itoa(c.Port))}
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

// Fall stops to forward data on all connections, and accepts new connections without an answer. Like a
// vanished host, it closes no connection.
func (s *Silence) Fall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.silent {
		s.silent = true
		close(s.broken)
	}
}

// End forwards data again, on new connections only. Older connections never get an answer.
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
		go forward(server, client, broken)
		go forward(client, server, broken)
	}
}

// forward copies data between connections. At the end of the data it closes the connection to. After broken
// is closed, it discards the data.
func forward(to, from net.Conn, broken chan struct{}) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-broken:
			_, _ = io.Copy(io.Discard, from)
			return
		default:
		}
		if _, writeErr := to.Write(buffer[:n]); err != nil || writeErr != nil {
			to.Close()
			return
		}
	}
}

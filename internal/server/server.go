// Package server serves HTTP on listeners: it bounds connections, makes room for new callers among idle
// connections, and drains.
package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server answers requests on its listeners. A header has at most 16 KB, and net/http adds 4 KB.
type Server struct {
	Listeners []net.Listener
	Handler   http.Handler
	Log       *slog.Logger

	// Drain waits for work of Handler without a connection, such as calls within the process; nil for none.
	Drain func(ctx context.Context) error

	Timeout       time.Duration // of a request; Handler enforces it, and the time for a body
	HeaderTimeout time.Duration // for the whole header; 0 is five seconds
	IdleTimeout   time.Duration // between two requests of a connection; 0 is 30 seconds

	// Max and PerAddress bound the connections: all of them, and the connections of one network (see
	// Network). 0 is no bound. A new connection takes the place of the longest idle connection of the network
	// with the most connections. See Busy.
	Max, PerAddress int
}

const maxHeader = 16 << 10 // bytes

// Serve answers until ctx ends, and returns once the requests in flight are answered, or with an error when
// drained ends before.
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
	err := h.Shutdown(drained)
	if s.Drain != nil {
		err = errors.Join(err, s.Drain(drained))
	}
	if err != nil {
		return errors.Join(err, h.Close())
	}
	return nil
}

// HTTP returns the server that Serve runs.
func (s Server) HTTP() *http.Server {
	connections := newConnections(s.Max, s.PerAddress)
	return &http.Server{
		Handler:           s.Handler,
		MaxHeaderBytes:    maxHeader,
		ReadHeaderTimeout: cmp.Or(s.HeaderTimeout, 5*time.Second),
		ReadTimeout:       20 * time.Second,        // of a body without a reader
		WriteTimeout:      s.Timeout + time.Minute, // includes the time for the body, and some for the answer
		IdleTimeout:       cmp.Or(s.IdleTimeout, 30*time.Second),
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		ConnContext:       connections.admit,
		ConnState:         connections.changed,
	}
}

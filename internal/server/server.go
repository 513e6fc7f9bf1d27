// Package server serves HTTP on listeners. It bounds the number of connections, closes idle connections to
// make room for new callers, and drains before it stops.
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

// Server answers requests on its listeners. A header may have 16 KB, and net/http allows 4 KB more.
type Server struct {
	Listeners []net.Listener
	Handler   http.Handler
	Log       *slog.Logger

	// Drain waits for the calls that reach Handler without a network connection, such as calls from another
	// service in this process. It is nil when there are no such calls.
	Drain func(ctx context.Context) error

	Timeout       time.Duration // limit of a request; Handler enforces it, and limits the body
	HeaderTimeout time.Duration // time to receive the whole header; 0 means five seconds
	IdleTimeout   time.Duration // time between two requests of a connection; 0 means 30 seconds

	// Max bounds all connections, and PerAddress the connections of a network (see Network); 0 sets no bound.
	// At a bound, a new connection replaces the longest idle connection of the network with the most
	// connections. A busy connection is not replaced: see Busy.
	Max, PerAddress int
}

const maxHeader = 16 << 10 // most bytes of a request's header

// Serve answers requests until ctx ends, and then waits for the requests in progress. It returns an error
// when a listener fails, or when the context drained ends before the last answer.
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
		ReadTimeout:       20 * time.Second,        // limit for a body that Handler does not read
		WriteTimeout:      s.Timeout + time.Minute, // another minute, to receive the body and send the answer
		IdleTimeout:       cmp.Or(s.IdleTimeout, 30*time.Second),
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
		ConnContext:       connections.admit,
		ConnState:         connections.changed,
	}
}

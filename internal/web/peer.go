package web

import (
	"net/http"
	"time"
)

// Peer says where another service is, and how it is called.
type Peer struct {
	Base    string // address, without a slash at the end
	Token   string // the service token
	Timeout time.Duration
}

// Client returns the HTTP client for calls of the peer with this name: see NewPeerClient.
func (p Peer) Client(name string) *http.Client { return NewPeerClient(name, p.Token, p.Timeout) }

package web

import (
	"net/http"
	"time"
)

// NewPeerClient returns the HTTP client with which one service calls another: it presents the service token, passes the
// correlation id on, and gives each call at most timeout, answer included.
func NewPeerClient(token string, timeout time.Duration) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = t.MaxIdleConns // one peer gets all the calls
	return &http.Client{Timeout: timeout, Transport: peerTransport{t, token}}
}

type peerTransport struct {
	http.RoundTripper
	token string
}

func (p peerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+p.token)
	if id := CorrelationID(req.Context()); id != "" {
		req.Header.Set(CorrelationHeader, id)
	}
	return p.RoundTripper.RoundTrip(req)
}

package deliver

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// TestRebinding sends to a name that CheckURL accepts, and that has a forbidden address when the connection
// is made. The server at the forbidden address must get nothing.
func TestRebinding(t *testing.T) {
	var reached atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer target.Close()
	_, port, _ := net.SplitHostPort(target.Listener.Addr().String())
	url := "http://rebound.example:" + port
	for _, address := range [][]byte{{127, 0, 0, 1}, {169, 254, 169, 254}, {10, 0, 0, 1}} {
		for _, allowed := range []bool{false, true} {
			if allowed && address[0] != 127 {
				continue
			}
			c := Config{AllowPrivate: allowed}
			s := New(c)
			d := c.dialer()
			d.Resolver = &net.Resolver{PreferGo: true, Dial: nameServer(t, address)}
			s.direct = c.transport(d)
			if err := s.CheckURL(url); err != nil {
				t.Fatal(err)
			}
			m := Message{URL: url, ID: "evt_1", Body: []byte("{}"), Secrets: []Secret{NewSecret(HMAC)}}
			a := s.Send(t.Context(), m)
			if allowed {
				if a.Status != 200 || reached.Swap(0) != 1 {
					t.Errorf("the name server does not work: %+v", a)
				}
			} else if a.Failure != "The address of the host is not public." || reached.Load() > 0 {
				t.Errorf("%v: %+v, %d requests", address, a, reached.Load())
			}
		}
	}
}

// nameServer starts a DNS server that gives every name the address. It returns a Dial function with which a
// resolver reaches this server.
func nameServer(t *testing.T, address []byte) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		for {
			query := make([]byte, 512)
			n, from, err := server.ReadFrom(query)
			if err != nil {
				return
			}
			end := 12 // the header has 12 bytes; then come the name with its empty label, type and class
			for query[end] != 0 {
				end += int(query[end]) + 1
			}
			end += 5
			isA := query[end-3] == 1
			answer := append([]byte{}, query[:min(end, n)]...)
			copy(answer[2:], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}) // no error; 1 question, 0 answers
			if isA {
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				answer = append(answer, address...)
			}
			_, _ = server.WriteTo(answer, from)
		}
	}()
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.LocalAddr().String())
	}
}

package deliver_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"example.com/b2b/v2/events/deliver"
)

// secret is the secret of the specification's examples.
const secret = deliver.Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

func message(url string, secrets ...deliver.Secret) deliver.Message {
	return deliver.Message{URL: url, ID: "evt_1", Body: []byte(`{"type":"order.created"}`), Secrets: secrets}
}

// open may send to private addresses, such as the addresses of test servers.
var open = deliver.New(deliver.Config{AllowPrivate: true})

// TestSend sends a message, and checks the request that arrives.
func TestSend(t *testing.T) {
	ed := deliver.NewSecret(deliver.Ed25519)
	var got *http.Request
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(context.Background())
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, "Thanks,\n\x00\x1bä€"+string([]byte{0xff})+strings.Repeat("é", 1000))
	}))
	defer s.Close()
	a := open.Send(t.Context(), message(s.URL+"/hook?x=1", secret, ed))
	if !a.Delivered() || a.Status != 202 || a.Failure != "" || a.Took <= 0 {
		t.Errorf("%+v", a)
	}
	if len(a.Answer) > 500 || !strings.HasPrefix(a.Answer, "Thanks,   ä€éé") || !strings.HasSuffix(a.Answer, "é") {
		t.Errorf("answer %q", a.Answer)
	}
	if got.Method != "POST" || got.URL.String() != "/hook?x=1" || string(body) != `{"type":"order.created"}` ||
		got.Header.Get("Content-Type") != "application/json" || got.Header.Get("webhook-id") != "evt_1" ||
		!strings.HasPrefix(got.UserAgent(), "b2b-webhooks/") {
		t.Errorf("%s %s %v %s", got.Method, got.URL, got.Header, body)
	}
	check, err := standardwebhooks.NewWebhook(string(secret))
	if err != nil {
		t.Fatal(err)
	}
	if err := check.Verify(body, got.Header); err != nil {
		t.Error(err)
	}
	if err := check.Verify(append(body, ' '), got.Header); err == nil {
		t.Error("a changed body is accepted")
	}
	hmac, v1a, _ := strings.Cut(got.Header.Get("webhook-signature"), " ")
	signature, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(v1a, "v1a,"))
	key, found := strings.CutPrefix(*ed.PublicKey(), "whpk_")
	public, failed := base64.StdEncoding.DecodeString(key)
	signed := "evt_1." + got.Header.Get("webhook-timestamp") + "." + string(body)
	if err != nil || failed != nil || !found || !strings.HasPrefix(hmac, "v1,") ||
		!ed25519.Verify(public, []byte(signed), signature) {
		t.Errorf("signature %q", got.Header.Get("webhook-signature"))
	}
}

// TestRefusedAnswers sends to endpoints that refuse the message, and to endpoints whose answer is too large
// or never ends. The attempt must have the status of the answer, and the wait of the header Retry-After. The
// sender must not follow a redirect, and must read only the beginning of an answer without an end. Then the
// test sends to endpoints that cannot answer. Each of these attempts must have a failure.
func TestRefusedAnswers(t *testing.T) {
	var followed atomic.Bool
	var written atomic.Int64 // bytes of the answer without an end
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/followed", http.StatusTemporaryRedirect)
		case "/followed":
			followed.Store(true)
		case "/busy":
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(503)
		case "/later":
			w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(429)
		case "/never":
			w.Header().Set("Retry-After", "99999999999")
			w.WriteHeader(503)
		case "/before":
			w.Header().Set("Retry-After", "-5")
			w.WriteHeader(429)
		case "/gone":
			w.WriteHeader(410)
		case "/held": // sends the status of the answer, but no body
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/headers":
			w.Header().Set("X-Large", strings.Repeat("x", 20<<10))
		case "/endless":
			for written.Load() < 64<<20 {
				n, err := io.WriteString(w, strings.Repeat("x", 1<<10))
				if written.Add(int64(n)); err != nil {
					return
				}
			}
		}
	}))
	defer s.Close()
	for path, want := range map[string]struct {
		status int
		wait   time.Duration
	}{
		"/moved": {307, 0}, "/busy": {503, 2 * time.Minute}, "/later": {429, time.Hour}, "/before": {429, 0},
		"/never": {503, math.MaxInt32 * time.Second}, "/gone": {410, 0}, "/headers": {0, 0}, "/endless": {200, 0},
	} {
		a := open.Send(t.Context(), message(s.URL+path, secret))
		if a.Status != want.status || a.Gone() != (path == "/gone") || (a.Failure == "") != (want.status != 0) ||
			a.RetryAfter > want.wait || a.RetryAfter < want.wait-2*time.Second {
			t.Errorf("%s: %+v", path, a)
		}
	}
	if followed.Load() {
		t.Error("a redirect was followed")
	}
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if a := open.Send(short, message(s.URL+"/held", secret)); !a.Delivered() || a.Status != 200 {
		t.Errorf("a held body: %+v", a)
	}
	s.Close() // Close waits for the handlers
	if n := written.Load(); n >= 8<<20 {
		t.Errorf("%d bytes of the answer without an end were taken", n)
	}
	if a := open.Send(t.Context(), message(s.URL, secret)); a.Failure != "The connection failed." || a.Status != 0 {
		t.Errorf("%+v", a)
	}
	a := open.Send(t.Context(), message("http://name.invalid", secret))
	if a.Failure != "The name of the host has no address." {
		t.Errorf("%+v", a)
	}
	if a := open.Send(t.Context(), message(s.URL, "whsec_not base64")); a.Failure == "" {
		t.Errorf("%+v", a)
	}
}

// TestNoAnswer sends to an endpoint that takes the message and never answers. The attempt must end by itself,
// with the failure that there was no answer in time.
func TestNoAnswer(t *testing.T) {
	leave := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-leave }))
	defer s.Close()
	defer close(leave)
	sender := deliver.New(deliver.Config{AllowPrivate: true})
	sender.SetTimeout(50 * time.Millisecond)
	sent := make(chan deliver.Attempt, 1)
	go func() { sent <- sender.Send(t.Context(), message(s.URL, secret)) }()
	select {
	case a := <-sent:
		if a.Failure != "There was no answer in time." || a.Status != 0 {
			t.Errorf("%+v", a)
		}
	case <-time.After(30 * time.Second):
		t.Error("the attempt has no end")
	}
}

// TestOddAnswers sends to servers whose answers net/http accepts, though no server should send them. The
// servers leave the connection open, so a sender that reads beyond the answer would wait for ever. Each
// attempt must end, with the status of the answer, or with a failure for a status below 100.
func TestOddAnswers(t *testing.T) {
	for answer, status := range map[string]int{
		"101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other": 101,
		"101 Switching Protocols": 101,
		"000 None":                0,
		"099 Below":               0,
		"999 Above":               999,
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", answer)
			}
			<-t.Context().Done()
		}()
		sent := make(chan deliver.Attempt, 1)
		go func() { sent <- open.Send(t.Context(), message("http://"+l.Addr().String(), secret)) }()
		select {
		case a := <-sent:
			if a.Status != status || (a.Failure == "") != (status != 0) {
				t.Errorf("%q: %+v", answer, a)
			}
		case <-time.After(3 * deliver.Timeout):
			t.Errorf("%q: the attempt has no end", answer)
		}
	}
}

// forbidden are addresses to which nothing may be sent, in the spellings of attackers.
var forbidden = []string{
	"127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", // loopback and "this network"
	"10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", // private
	"169.254.169.254", "169.254.170.2", // metadata of AWS and its containers, link-local
	"100.64.0.1", "100.100.100.200", // shared by a provider's customers; metadata of Alibaba
	"168.63.129.16", "192.0.0.192", // metadata of Azure and Oracle
	"198.18.0.1", "192.0.2.1", "203.0.113.7", // benchmarks, documentation
	"224.0.0.1", "255.255.255.255", "240.0.0.1", // multicast, broadcast, reserved
	"[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]",
	"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", // IPv4 in IPv6
	"[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::a00:1]", // NAT64
	"[2002:7f00:1::]", "[2001:0:7f00:1::]", "[2001:db8::1]", // 6to4, Teredo, documentation
	"[fe80::1%25lo]",
	"localhost", "LOCALHOST.", "a.localhost",
	"2130706433", "0x7f000001", "0177.0.0.1", "127.1", // numbers that some resolvers read as addresses
}

// TestForbiddenAddresses sends to addresses that are not public. No connection may reach them.
func TestForbiddenAddresses(t *testing.T) {
	s := deliver.New(deliver.Config{})
	var reached atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer target.Close()
	_, port, _ := net.SplitHostPort(target.Listener.Addr().String())
	for _, host := range forbidden {
		at := "http://" + host + ":" + port
		a := s.Send(t.Context(), message(at, secret))
		if a.Status != 0 || a.Failure == "" || a.Took > 4*time.Second {
			t.Errorf("%s: %+v", host, a)
		}
		if s.CheckURL(at) == nil {
			t.Errorf("an endpoint may have the URL %s", at)
		}
	}
	if reached.Load() > 0 {
		t.Errorf("%d requests have reached this machine", reached.Load())
	}
	if a := open.Send(t.Context(), message(target.URL, secret)); a.Status != 200 {
		t.Errorf("allowed: %+v", a)
	}
}

// TestPublicAddresses checks that CheckURL accepts public addresses.
func TestPublicAddresses(t *testing.T) {
	s := deliver.New(deliver.Config{OnlyHTTPS: true})
	for _, host := range []string{
		"8.8.8.8", "93.184.215.14", "172.32.0.1", "100.128.0.1", "168.63.129.17", "[2606:4700::1111]",
		"[2a00:1450:4001:81b::200e]", "erp.acme.example", "erp.acme.example:8443", "1and1.example", "4.acme.0xyz",
	} {
		if err := s.CheckURL("https://" + host + "/hook"); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// TestCheckURL checks that CheckURL and Send refuse URLs that no endpoint may have in production.
func TestCheckURL(t *testing.T) {
	s := deliver.New(deliver.Config{OnlyHTTPS: true})
	for _, u := range []string{
		"http://erp.acme.example", "ftp://erp.acme.example", "file:///etc/passwd", "gopher://erp.acme.example/_x",
		"https://", "https:///path", "https://user@erp.acme.example", "https://user:password@erp.acme.example",
		"https://erp.acme.example/#fragment", "https://erp.acme.example:port", "//erp.acme.example", "erp.acme.example",
		"https://127.0.0.1", "https://[::1]", "https://localhost:8443", "javascript:alert(1)",
	} {
		if err := s.CheckURL(u); err == nil {
			t.Errorf("%s is allowed", u)
		}
		if a := s.Send(t.Context(), message(u, secret)); a.Status != 0 || a.Failure == "" {
			t.Errorf("%s: %+v", u, a)
		}
	}
}

// TestHTTPS sends to a server with a certificate of an authority that only Config.Roots contains. A sender
// without these roots must fail, and so must an attempt at a server with a maximum of TLS 1.1.
func TestHTTPS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if a := open.Send(t.Context(), message(s.URL, secret)); a.Failure != "The certificate of the host is not valid." {
		t.Errorf("%+v", a)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	known := deliver.New(deliver.Config{AllowPrivate: true, OnlyHTTPS: true, Roots: roots})
	if a := known.Send(t.Context(), message(s.URL, secret)); a.Status != 200 {
		t.Errorf("%+v", a)
	}
	old := httptest.NewUnstartedServer(s.Config.Handler)
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.Config.ErrorLog = s.Config.ErrorLog
	old.StartTLS()
	defer old.Close()
	if a := known.Send(t.Context(), message(old.URL, secret)); a.Status != 0 {
		t.Errorf("TLS 1.1: %+v", a)
	}
}

// TestProxy checks that the proxy of the environment is used only when the configuration says so.
func TestProxy(t *testing.T) {
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Store(r.RequestURI)
	}))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL) // a process reads the variable once, so no other test may use a proxy
	to := &url.URL{Scheme: "http", Host: "erp.acme.example", Path: "/hook"}
	a := deliver.New(deliver.Config{}).Send(t.Context(), message(to.String(), secret))
	if a.Status != 0 || asked.Load() != nil {
		t.Errorf("%+v, the proxy got %v", a, asked.Load())
	}
	proxied := deliver.New(deliver.Config{UseProxy: true})
	if a := proxied.Send(t.Context(), message(to.String(), secret)); a.Status != 200 || asked.Load() != to.String() {
		t.Errorf("%+v, the proxy got %v", a, asked.Load())
	}
	if a := proxied.Send(t.Context(), message("http://169.254.169.254/", secret)); a.Status != 0 {
		t.Errorf("%+v", a)
	}
}

// TestSecretsAreHidden writes secrets to logs, messages and JSON. No text may show a secret.
func TestSecretsAreHidden(t *testing.T) {
	for _, s := range []deliver.Secret{secret, deliver.NewSecret(deliver.HMAC), deliver.NewSecret(deliver.Ed25519)} {
		var b bytes.Buffer
		for _, h := range []slog.Handler{slog.NewJSONHandler(&b, nil), slog.NewTextHandler(&b, nil)} {
			slog.New(h).Info("secret", "s", s)
		}
		if err := json.NewEncoder(&b).Encode(struct{ S deliver.Secret }{s}); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%v %s %q %x %#v %+v", s, s, s, s, s, s)
		if strings.Contains(b.String(), string(s)) || strings.Contains(b.String(), fmt.Sprintf("%x", string(s))) ||
			strings.Contains(b.String(), "whs") {
			t.Errorf("%s shows %s", b.String(), string(s))
		}
	}
	if secret.PublicKey() != nil {
		t.Error("a secret of HMAC has a public key")
	}
}

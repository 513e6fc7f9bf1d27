// Package deliver sends webhooks by the specification Standard Webhooks (https://www.standardwebhooks.com).
// It signs a message and sends the message once. It never connects to an address that its configuration
// forbids, and uses no database.
package deliver

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"example.com/b2b/v2/internal/buildinfo"
)

// Config says to which addresses a Sender sends, and how.
type Config struct {
	AllowPrivate bool           // allow addresses that are not public
	OnlyHTTPS    bool           // allow only addresses with https://
	UseProxy     bool           // obey HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment
	Roots        *x509.CertPool // authorities of accepted certificates; nil for the authorities of the system
}

// Timeout limits an attempt, from the look-up of the name until the answer has arrived.
const Timeout = 10 * time.Second

const (
	connectTimeout = 5 * time.Second
	maxRead        = 16 << 10 // number of bytes read of an answer; a longer answer ends the connection
	maxAnswer      = 500      // largest number of bytes of Attempt.Answer
	maxIdle        = 200      // largest number of idle connections, to all endpoints together
)

// Sender sends messages. Several goroutines may call Send.
type Sender struct {
	config  Config
	timeout time.Duration // Timeout, except in tests
	direct  *http.Transport
	proxied *http.Transport                       // checks no address, because it connects to the proxy only
	proxy   func(*http.Request) (*url.URL, error) // the proxy for a request; nil, or a nil URL, for none
}

// New returns a Sender.
func New(c Config) *Sender {
	s := &Sender{config: c, timeout: Timeout, direct: c.transport(c.dialer())}
	if c.UseProxy {
		s.proxy = http.ProxyFromEnvironment
		s.proxied = c.transport(&net.Dialer{Timeout: connectTimeout})
		s.proxied.Proxy = s.proxy
	}
	return s
}

func (c Config) transport(d *net.Dialer) *http.Transport {
	return &http.Transport{
		DialContext:            d.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    connectTimeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // a small compressed answer could become a large one
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: maxRead,
	}
}

// Message is a message to an endpoint.
type Message struct {
	URL     string
	ID      string   // stays the same when the message is sent again
	Body    []byte   // JSON
	Secrets []Secret // the message gets a signature by each secret
}

// Attempt is the result of sending a message once.
type Attempt struct {
	Began      time.Time // start of the attempt, on the program's clock
	Took       time.Duration
	Status     int           // HTTP status of the answer; 0 without an answer
	Answer     string        // the first bytes of the answer, as UTF-8 without control characters
	Failure    string        // for people, why there was no answer; "" with an answer
	RetryAfter time.Duration // the wait that the answer asks for; 0 for none
}

// Delivered reports whether the endpoint has accepted the message.
func (a Attempt) Delivered() bool { return a.Status >= 200 && a.Status < 300 }

// Gone reports whether the endpoint has answered 410: it wants no more messages.
func (a Attempt) Gone() bool { return a.Status == http.StatusGone }

// Send sends a message once. It follows no redirect.
func (s *Sender) Send(ctx context.Context, m Message) Attempt {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	a := Attempt{Began: time.Now()}
	err := s.send(ctx, m, &a)
	a.Took = time.Since(a.Began)
	if err != nil {
		a.Status, a.Answer, a.Failure = 0, "", failure(err)
	}
	return a
}

func (s *Sender) send(ctx context.Context, m Message, a *Attempt) error {
	if err := s.CheckURL(m.URL); err != nil {
		return refusal{err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return err
	}
	signatures := make([]string, len(m.Secrets))
	for i, secret := range m.Secrets {
		if signatures[i], err = secret.sign(m.ID, a.Began, m.Body); err != nil {
			return err
		}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "b2b-webhooks/"+buildinfo.Version())
	r.Header.Set(standardwebhooks.HeaderWebhookID, m.ID)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, stamp(a.Began))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	transport := s.direct
	if s.proxy != nil {
		if proxy, err := s.proxy(r); err != nil {
			return err
		} else if proxy != nil {
			transport = s.proxied
		}
	}
	// Do not use a Client, which would follow redirects.
	res, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var body []byte
	switch {
	case res.StatusCode < 100:
		return errNoStatus
	case res.StatusCode == http.StatusSwitchingProtocols:
		// After a 101, net/http returns the open connection as the body. A read of this body would not end
		// with ctx.
	default:
		body, _ = io.ReadAll(io.LimitReader(res.Body, maxRead)) // ignores an error: only the status decides
	}
	a.Status, a.Answer, a.RetryAfter = res.StatusCode, readable(body), retryAfter(res.Header, a.Began)
	return nil
}

// errNoStatus is the error of an answer whose status is below 100, which net/http accepts.
var errNoStatus = errors.New("the answer has no status of HTTP")

// stamp returns a time in the form of the header webhook-timestamp.
func stamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// refusal wraps an error of CheckURL, so that failure can tell it from an error of the network.
type refusal struct{ error }

// failure returns the reason of a failure, for the owner of the endpoint. The reason contains no address: an
// owner must not learn the addresses of names of this network.
func failure(err error) string {
	var forbidden refusal
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.As(err, &forbidden):
		return "The URL is not allowed: it " + forbidden.Error() + "."
	case errors.Is(err, errPrivate):
		return "The address of the host is not public."
	case errors.As(err, &name):
		return "The name of the host has no address."
	case errors.As(err, &certificate):
		return "The certificate of the host is not valid."
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "There was no answer in time."
	case errors.Is(err, context.Canceled):
		return "The sender has stopped."
	}
	return "The connection failed."
}

// readable returns the first bytes of an answer, at most maxAnswer, as a text for logs and pages.
func readable(body []byte) string {
	if len(body) > maxAnswer {
		body = body[:maxAnswer]
		for len(body) > 0 && !utf8.RuneStart(body[len(body)-1]) {
			// The last character may be cut. The loop removes its later bytes, and ToValidUTF8 removes its
			// first byte.
			body = body[:len(body)-1]
		}
	}
	text := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(body), ""))
	return strings.TrimSpace(text)
}

// retryAfter returns the wait of the header Retry-After, which has seconds or a date. It returns 0 when the
// header is missing or malformed, or when its time is over.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	seconds, err := strconv.ParseInt(value, 10, 32)
	if err == nil || errors.Is(err, strconv.ErrRange) { // after ErrRange, seconds is the nearest limit
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

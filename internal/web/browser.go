package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/rs/cors"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/docs"
)

// Browsers says which pages may call the service, and by which host names. The zero value allows no page of
// another origin, and allows every host name.
type Browsers struct {
	Origins []string // origins of pages that may call, such as https://shop.example.com
	// Siblings are ports. A page from one of these ports may call the service when the page and the service
	// have the same loopback host, such as localhost.
	Siblings []string
	Hosts    []string // host names of the service
	Local    bool     // only this machine can reach the service
	// Guessable says that a service token or a secret that signs tokens is publicly known, such as a default
	// value. So any page may have a valid token.
	Guessable bool
}

// guardBrowsers answers CORS preflights, and refuses requests from pages of other origins. GET and HEAD pass,
// because a browser hides their answers from a page of another origin. guardBrowsers also refuses unknown
// host names: see knowHost. Error: 403 forbidden.
func guardBrowsers(b Browsers) gin.HandlerFunc {
	crossOrigin, forPages := http.NewCrossOriginProtection(), b.cors()
	return func(c *gin.Context) {
		if !b.knowHost(c.Request) {
			Fail(c, apperr.Forbidden.New().With("/header/Host", apperr.Params{"rule": "known_host"},
				"is not a name of this service; those that are stand in ALLOWED_HOSTS"))
			return
		}
		forPages.HandlerFunc(c.Writer, c.Request)
		if c.Request.Method == http.MethodOptions && c.GetHeader("Access-Control-Request-Method") != "" {
			c.Abort() // a preflight, already answered
			return
		}
		if !b.trust(c.Request) && crossOrigin.Check(c.Request) != nil {
			Fail(c, apperr.Forbidden.New().With("/header/Origin", apperr.Params{"rule": "known_origin"},
				"is another site's; those whose pages may call stand in CORS_ALLOWED_ORIGINS"))
		}
	}
}

func (b Browsers) cors() *cors.Cors {
	return cors.New(cors.Options{
		AllowOriginVaryRequestFunc: func(r *http.Request, _ string) (bool, []string) {
			return b.trust(r), nil
		},
		AllowedMethods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type", IdempotencyHeader, draftKeyHeader,
			correlation.Header, "If-Match", "If-None-Match", "Last-Event-ID",
			"traceparent", "tracestate"}, // W3C Trace Context: some pages send both with each call
		ExposedHeaders: []string{correlation.Header, "Idempotency-Replayed", "ETag", "Age", "Retry-After", "Link",
			"Allow", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", "Deprecation", "Sunset",
			"Content-Disposition", "X-Event-Position"},
		MaxAge: 600, // seconds for which a browser remembers the answer to a preflight
	})
}

// trust reports whether the calling page is of an allowed origin. It returns false for a request without
// Origin.
func (b Browsers) trust(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	if slices.Contains(b.Origins, origin) {
		return true
	}
	page, err := url.Parse(origin)
	return err == nil && page.Scheme == "http" && slices.Contains(b.Siblings, page.Port()) &&
		isLoopback(page.Hostname()) && page.Hostname() == hostname(r.Host)
}

// knowHost reports whether the Host of a request is a name in Hosts, localhost, or an IP address. Another
// name may be an attack by DNS rebinding: a site gives its own name the address of this machine, so that its
// pages have the same origin as the service. /health and /ready pass, because load balancers may use any
// name. Without Hosts, every name passes unless the service is Local.
//
// The pages of an attacker have no token, so a request with a token passes. But on a developer's machine the
// token may be a public default, which an attacker knows. There a request with a token passes only when its
// host name has no dot, like the names of services in a compose file. No site has such a name.
func (b Browsers) knowHost(r *http.Request) bool {
	anyName := len(b.Hosts) == 0 && !b.Local
	isProbe := r.URL.Path == "/health" || r.URL.Path == "/ready"
	if anyName || isProbe {
		return true
	}
	host := strings.ToLower(hostname(r.Host))
	if _, token := auth.SplitAuthorization(r.Header.Get("Authorization")); token != "" {
		pageHasToken := (b.Local || b.Guessable) && strings.Contains(host, ".")
		if !pageHasToken {
			return true
		}
	}
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost" || slices.Contains(b.Hosts, host)
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

var (
	noSniff    = []string{"nosniff"}
	noStore    = []string{"no-store"}
	noReferrer = []string{"no-referrer"}
	sameOrigin = []string{"same-origin"}
	dataPolicy = []string{"default-src 'none'; frame-ancestors 'none'"}
)

// securityHeaders sets headers that restrict browsers. The parameter policy is the Content-Security-Policy of
// pages. Answers of operations may load nothing, and browsers must not store them. No answer may show in a
// frame. Pages of other origins may not load an answer as a script or an image
// (Cross-Origin-Resource-Policy), but may read an answer by CORS.
func securityHeaders(policy string) gin.HandlerFunc {
	pagePolicy := []string{policy}
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h["X-Content-Type-Options"] = noSniff
		h["Referrer-Policy"] = noReferrer
		h["Cross-Origin-Resource-Policy"] = sameOrigin
		if callOf(c).operation == nil {
			h["Content-Security-Policy"] = pagePolicy
		} else {
			h["Content-Security-Policy"], h["Cache-Control"] = dataPolicy, noStore
		}
	}
}

// pagePolicy returns the Content-Security-Policy of pages. A page may load files of the service, and call the
// service, its siblings and the linked services (others). The host of another service may differ in the
// browser, so any host with the same port is allowed. Swagger UI needs inline styles and data: images.
func pagePolicy(b Browsers, others []docs.Linked) string {
	connect := []string{"'self'"}
	for _, other := range others {
		base, err := url.Parse(other.Base)
		if err != nil {
			continue
		}
		connect = append(connect, base.Scheme+"://"+base.Host)
		if base.Port() != "" { // docs.ForBrowser may put another host before this port
			connect = append(connect, base.Scheme+"://*:"+base.Port())
		}
	}
	for _, port := range b.Siblings {
		connect = append(connect, "http://localhost:"+port, "http://127.0.0.1:"+port)
	}
	return "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"connect-src " + strings.Join(connect, " ") +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

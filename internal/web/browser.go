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

	"example.com/b2b/internal/apperr"
)

// Browsers says which pages may call the service, and by which names. The zero value lets no page of another
// origin call, and takes every name.
type Browsers struct {
	Origins  []string // such as https://shop.example.com, whose pages may call
	Siblings []string // ports: pages of localhost at these ports may call, when they call localhost, too
	Hosts    []string // names of the service; with some, or when it is Local, it refuses all others but localhost and IP addresses
	Local    bool     // only this machine can reach the service
}

// browserGuard holds a service's engine to its Browsers.
type browserGuard struct {
	Browsers
	cors        *cors.Cors
	crossOrigin *http.CrossOriginProtection
	ofPage      []string // Content-Security-Policy
}

func newBrowserGuard(b Browsers) *browserGuard {
	g := &browserGuard{Browsers: b, crossOrigin: http.NewCrossOriginProtection()}
	g.cors = cors.New(cors.Options{
		AllowOriginVaryRequestFunc: func(r *http.Request, _ string) (bool, []string) { return g.trusts(r), nil },
		AllowedMethods:             []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type", IdempotencyHeader, draftKeyHeader, CorrelationHeader, "If-Match", "If-None-Match",
			"traceparent", "tracestate"}, // of W3C Trace Context, which the pages of others may send with every call
		ExposedHeaders: []string{CorrelationHeader, "Idempotency-Replayed", "ETag", "Retry-After", "Link", "Allow", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", "Deprecation", "Sunset"},
		MaxAge:         600, // seconds
	})
	return g
}

// check refuses what a page of another site makes a browser send, and what comes under a name that is not the
// service's.
func (g *browserGuard) check(c *gin.Context) {
	if !g.isOurs(c.Request) {
		Fail(c, apperr.Forbidden.New().With("/header/Host", apperr.Params{"rule": "known_host"}, "is not a name of this service; those that are stand in ALLOWED_HOSTS"))
		return
	}
	g.cors.HandlerFunc(c.Writer, c.Request)
	if c.Request.Method == http.MethodOptions && c.GetHeader("Access-Control-Request-Method") != "" {
		c.Abort() // a preflight, and answered
		return
	}
	if !g.trusts(c.Request) && g.crossOrigin.Check(c.Request) != nil {
		Fail(c, apperr.Forbidden.New().With("/header/Origin", apperr.Params{"rule": "known_origin"}, "is another site's; those whose pages may call stand in CORS_ALLOWED_ORIGINS"))
	}
}

// trusts reports whether the page that calls, if it is one, may.
func (g *browserGuard) trusts(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	if slices.Contains(g.Origins, origin) {
		return true
	}
	page, err := url.Parse(origin)
	return err == nil && page.Scheme == "http" && slices.Contains(g.Siblings, page.Port()) &&
		isLoopback(page.Hostname()) && page.Hostname() == hostname(r.Host)
}

// isOurs reports whether a request names the service by one of its names. A site whose name leads to this
// machine, for its pages to be of the service's origin (DNS rebinding), knows no token: whoever sends one is
// judged by that. Load balancers ask for /health and /ready by whatever name.
func (g *browserGuard) isOurs(r *http.Request) bool {
	if len(g.Hosts) == 0 && !g.Local || r.Header.Get("Authorization") != "" || r.URL.Path == "/health" || r.URL.Path == "/ready" {
		return true
	}
	host := strings.ToLower(hostname(r.Host))
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost" || slices.Contains(g.Hosts, host)
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
	ofData     = []string{"default-src 'none'; frame-ancestors 'none'"}
)

// securityHeaders tells browsers what they may do with an answer: show pages in no frame and run no script in
// them but Swagger UI's, and take data for nothing but data, and keep none. A caller that wants to keep some
// has its ETag. Nothing may be loaded into pages of other origins as a script or an image
// (Cross-Origin-Resource-Policy); what CORS lets a page ask for is not concerned.
func (v *validator) securityHeaders(c *gin.Context) {
	h := c.Writer.Header()
	h["X-Content-Type-Options"], h["Referrer-Policy"], h["Cross-Origin-Resource-Policy"] = noSniff, noReferrer, sameOrigin
	if v.operation(c).Route == nil {
		h["Content-Security-Policy"] = v.browser.ofPage
	} else {
		h["Content-Security-Policy"], h["Cache-Control"] = ofData, noStore
	}
}

// allowPages lets pages load their own files, with styles in Swagger UI's elements and images in its style
// sheet, and call the service, its siblings, and the services to which they link, by whatever name the
// browser knows this machine.
func (g *browserGuard) allowPages(others []Documented) {
	connect := []string{"'self'"}
	for _, other := range others {
		base, err := url.Parse(other.Base)
		if err != nil {
			continue
		}
		connect = append(connect, base.Scheme+"://"+base.Host)
		if base.Port() != "" { // see ForBrowser
			connect = append(connect, base.Scheme+"://*:"+base.Port())
		}
	}
	for _, port := range g.Siblings {
		connect = append(connect, "http://localhost:"+port, "http://127.0.0.1:"+port)
	}
	g.ofPage = []string{"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src " +
		strings.Join(connect, " ") + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
}

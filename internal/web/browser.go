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
	"example.com/b2b/internal/correlation"
	"example.com/b2b/internal/docs"
)

// Browsers name the pages that may call the service, and the service's names. The zero value lets no page of
// another origin call, and takes every name.
type Browsers struct {
	Origins  []string // of pages that may call, such as https://shop.example.com
	Siblings []string // ports of localhost: their pages may call localhost, too
	Hosts    []string // names of the service
	Local    bool     // only this machine can reach the service
}

// guardBrowsers answers preflights, and refuses calls of pages of other sites. With Hosts, or when the
// service is Local, it also refuses all other names but localhost and IP addresses.
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
			c.Abort() // a preflight, answered by now
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
			correlation.Header, "If-Match", "If-None-Match",
			"traceparent", "tracestate"}, // W3C Trace Context: some pages send it with every call
		ExposedHeaders: []string{correlation.Header, "Idempotency-Replayed", "ETag", "Retry-After", "Link",
			"Allow", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", "Deprecation", "Sunset"},
		MaxAge: 600, // seconds
	})
}

// trust reports whether the calling page may call; false for a caller without a page.
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

// knowHost reports whether a request has a name of the service. A site with a name for this machine's
// address, so that its pages have the service's origin (DNS rebinding), has no token; a request with a token
// is judged by the token. Load balancers ask for /health and /ready by any name.
func (b Browsers) knowHost(r *http.Request) bool {
	anyName := len(b.Hosts) == 0 && !b.Local
	isProbe := r.URL.Path == "/health" || r.URL.Path == "/ready"
	if anyName || isProbe || r.Header.Get("Authorization") != "" {
		return true
	}
	host := strings.ToLower(hostname(r.Host))
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

// securityHeaders restrict browsers. Pages get the policy and show in no frame. Data is nothing but data, and
// is not kept: callers may keep data by its ETag. Pages of other origins may not load anything as a script or
// an image (Cross-Origin-Resource-Policy); calls by CORS may still read.
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

// pagePolicy returns the Content-Security-Policy of pages. They load their own files, with styles in Swagger
// UI's elements and images in its style sheet, run no other script, and call the service, its siblings, and
// the linked services, by any name of this machine.
func pagePolicy(b Browsers, others []docs.Linked) string {
	connect := []string{"'self'"}
	for _, other := range others {
		base, err := url.Parse(other.Base)
		if err != nil {
			continue
		}
		connect = append(connect, base.Scheme+"://"+base.Host)
		if base.Port() != "" { // see docs.ForBrowser
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

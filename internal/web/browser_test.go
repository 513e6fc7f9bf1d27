package web_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
)

// send sends a request for a host to an engine, with the headers of a browser.
func send(e http.Handler, method, host, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://"+host+path, strings.NewReader(`{"name":"x"}`))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func guarded(t *testing.T) http.Handler {
	o := webtest.Options()
	o.Browsers = web.Browsers{Origins: []string{"https://shop.example"}, Siblings: []string{"3000", "3002"}}
	return things(t, o, succeed)
}

// TestCrossOriginForm posts forms from pages of this and of other sites. A page that may not call must get
// 403 forbidden.
func TestCrossOriginForm(t *testing.T) {
	e := guarded(t)
	for name, c := range map[string]struct {
		host, origin, site string
		status             int
	}{
		"no browser":                    {"localhost:3001", "", "", 200},
		"the same page":                 {"localhost:3001", "http://localhost:3001", "same-origin", 200},
		"the same page, an old browser": {"localhost:3001", "http://localhost:3001", "", 200},
		"behind TLS":                    {"api.example", "https://api.example", "", 200},
		"typed by hand":                 {"localhost:3001", "", "none", 200},
		"another site":                  {"localhost:3001", "https://evil.example", "cross-site", 403},
		"another site, an old browser":  {"localhost:3001", "https://evil.example", "", 403},
		"another site, no Origin":       {"localhost:3001", "", "cross-site", 403},
		"a sandbox":                     {"localhost:3001", "null", "cross-site", 403},
		"a configured site":             {"localhost:3001", "https://shop.example", "cross-site", 200},
		"the site without TLS":          {"localhost:3001", "http://shop.example", "cross-site", 403},
		"a site below it":               {"localhost:3001", "https://x.shop.example", "cross-site", 403},
		"a sibling":                     {"localhost:3001", "http://localhost:3000", "same-site", 200},
		"a sibling, by address":         {"127.0.0.1:3001", "http://127.0.0.1:3000", "same-site", 200},
		"a sibling, by IPv6":            {"[::1]:3001", "http://[::1]:3000", "same-site", 200},
		"a sibling, by another name":    {"localhost:3001", "http://127.0.0.1:3000", "cross-site", 403},
		"another program of this host":  {"localhost:3001", "http://localhost:8080", "same-site", 403},
		"a sibling's port elsewhere":    {"localhost:3001", "http://evil.example:3000", "cross-site", 403},
		"the same host, not local":      {"evil.example:3001", "http://evil.example:3000", "same-site", 403},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			if c.origin != "" {
				headers = append(headers, "Origin", c.origin)
			}
			if c.site != "" {
				headers = append(headers, "Sec-Fetch-Site", c.site)
			}
			w := send(e, "POST", c.host, "/things", headers...)
			if c.status == 403 {
				webtest.WantError(t, w.Code, w.Body.Bytes(), 403, "forbidden", "/header/Origin")
			} else if w.Code != c.status {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" &&
				(c.status != 200 || got != c.origin) {
				t.Errorf("a page of %s may read it: %q", c.origin, got)
			}
		})
	}
}

// TestCORS sends a browser's preflight request and the request itself for a page of another site.
func TestCORS(t *testing.T) {
	e := guarded(t)
	preflight := []string{
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers",
		"authorization,content-type,traceparent,tracestate,x-idempotency-key",
	}
	for origin, allowed := range map[string]bool{
		"https://shop.example":  true,
		"http://localhost:3000": true,
		"https://evil.example":  false,
		"null":                  false,
		"http://localhost:8080": false,
	} {
		w := send(e, "OPTIONS", "localhost:3001", "/things", append(preflight, "Origin", origin)...)
		h := w.Header()
		if w.Code != 204 || (h.Get("Access-Control-Allow-Origin") == origin) != allowed ||
			(h.Get("Access-Control-Allow-Methods") == "POST") != allowed ||
			strings.Contains(h.Get("Access-Control-Allow-Headers"), "x-idempotency-key") != allowed ||
			!strings.Contains(h.Get("Vary"), "Origin") || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("preflight from %s: %d %v", origin, w.Code, h)
		}
		w = send(e, "GET", "localhost:3001", "/things/a", "Origin", origin)
		exposed := w.Header().Get("Access-Control-Expose-Headers")
		if w.Code != 200 || (w.Header().Get("Access-Control-Allow-Origin") == origin) != allowed ||
			w.Header().Get("Vary") != "Origin" {
			t.Errorf("GET from %s: %d %v", origin, w.Code, w.Header())
		}
		for _, name := range []string{
			"X-Correlation-Id", "Idempotency-Replayed", "ETag", "Retry-After", "Allow", "RateLimit", "RateLimit-Policy",
			"Content-Disposition",
		} {
			if regexp.MustCompile(`(?i)(^|, )`+name+`(,|$)`).MatchString(exposed) != allowed {
				t.Errorf("from %s: exposes %q", origin, exposed)
			}
		}
	}
	if w := send(e, "GET", "localhost:3001", "/things/a"); w.Header().Get("Vary") != "Origin" ||
		w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without Origin: %v", w.Header())
	}
	w := send(e, "OPTIONS", "localhost:3001", "/things", "Origin", "https://shop.example",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-acting-for")
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a page may send X-Acting-For: %v", w.Header())
	}
	// A page must be able to read a refusal as it reads a success.
	if w := send(e, "GET", "localhost:3001", "/nowhere", "Origin", "https://shop.example"); w.Code != 404 ||
		w.Header().Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("404: %d %v", w.Code, w.Header())
	}
	if w := send(e, "OPTIONS", "localhost:3001", "/things"); w.Code != 405 || w.Header().Get("Allow") == "" {
		t.Errorf("OPTIONS that is no preflight: %d %v", w.Code, w.Header())
	}
}

// TestHost sends requests with foreign names in Host, as a page can do by DNS rebinding. A request with a
// token must pass with any name. Only when a page may know the token, a request with a token must pass only
// with a name without a dot, which no site has.
func TestHost(t *testing.T) {
	none, named := web.Browsers{}, web.Browsers{Hosts: []string{"api.example"}}
	guessable := web.Browsers{Hosts: []string{"api.example"}, Guessable: true}
	local, localNamed := web.Browsers{Local: true}, web.Browsers{Local: true, Hosts: []string{"api.example"}}
	for host, allows := range map[string]map[*web.Browsers]bool{
		"localhost:3001":         {&none: true, &guessable: true, &named: true, &local: true, &localNamed: true},
		"LOCALHOST":              {&none: true, &guessable: true, &named: true, &local: true, &localNamed: true},
		"127.0.0.1:3001":         {&none: true, &guessable: true, &named: true, &local: true, &localNamed: true},
		"[::1]:3001":             {&none: true, &guessable: true, &named: true, &local: true, &localNamed: true},
		"[::1]":                  {&none: true, &guessable: true, &named: true, &local: true, &localNamed: true},
		"10.0.0.7":               {&none: true, &guessable: true, &named: true, &local: true, &localNamed: true},
		"api.example":            {&none: true, &guessable: true, &named: true, &local: false, &localNamed: true},
		"API.example:80":         {&none: true, &guessable: true, &named: true, &local: false, &localNamed: true},
		"orders-api:3002":        {&none: true, &guessable: false, &named: false, &local: false, &localNamed: false},
		"evil.example:3001":      {&none: true, &guessable: false, &named: false, &local: false, &localNamed: false},
		"localhost.evil.example": {&none: true, &guessable: false, &named: false, &local: false, &localNamed: false},
		"127.0.0.1.evil.example": {&none: true, &guessable: false, &named: false, &local: false, &localNamed: false},
	} {
		for b, allowed := range allows {
			o := webtest.Options()
			o.Browsers = *b
			e := things(t, o, succeed)
			for _, path := range []string{"/things", "/docs", "/openapi.json", "/nowhere"} {
				w := send(e, "GET", host, path)
				if refused := w.Code == 403; refused == allowed {
					t.Errorf("%s%s with %+v: %d", host, path, *b, w.Code)
				} else if refused {
					webtest.WantError(t, w.Code, w.Body.Bytes(), 403, "forbidden", "/header/Host")
				}
			}
			for _, scheme := range []string{"Bearer", "Bearer  ", "bearer "} { // these headers have no token
				if w := send(e, "GET", host, "/things", "Authorization", scheme); (w.Code == 403) == allowed {
					t.Errorf("%s with %+v and %q: %d", host, *b, scheme, w.Code)
				}
			}
			withToken := [2]int{200, 401} // statuses for the service token, and for a made-up token
			if !allowed && b != &named && !strings.HasPrefix(host, "orders-api") {
				withToken = [2]int{403, 403}
			}
			w := send(e, "POST", host, "/secrets", "Authorization", "Bearer "+webtest.Token)
			if w.Code != withToken[0] {
				t.Errorf("%s with %+v and the service token: %d", host, *b, w.Code)
			}
			w = send(e, "GET", host, "/scoped", "Authorization", "Bearer made-up")
			if w.Code != withToken[1] {
				t.Errorf("%s with %+v and an invalid token: %d", host, *b, w.Code)
			}
			// Health checks of load balancers may use any name.
			if w := send(e, "GET", host, "/health"); w.Code != 404 { // the constant document has no /health
				t.Errorf("%s/health: %d", host, w.Code)
			}
		}
	}
}

// TestSecurityHeaders checks the security headers of pages, data and errors.
func TestSecurityHeaders(t *testing.T) {
	e := guarded(t)
	for path, isPage := range map[string]bool{
		"/docs": true, "/docs/swagger-ui.css": true, "/nowhere": true,
		"/things": false, "/things?limit=0": false, "/scoped": false,
	} {
		authorization := "Bearer " + webtest.Token
		if path == "/scoped" {
			authorization = "Bearer x"
		}
		h := send(e, "GET", "localhost:3001", path, "Authorization", authorization).Header()
		policy := h.Get("Content-Security-Policy")
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" ||
			h.Get("Cross-Origin-Resource-Policy") != "same-origin" ||
			!strings.Contains(policy, "frame-ancestors 'none'") ||
			!strings.Contains(policy, "default-src 'none'") ||
			strings.Contains(policy, "unsafe-eval") || strings.Contains(policy, "*") {
			t.Errorf("%s: %v", path, h)
		}
		if !isPage && (h.Get("Cache-Control") != "no-store" || strings.Contains(policy, "self")) {
			t.Errorf("%s: %v", path, h)
		}
	}
	page := send(e, "GET", "localhost:3001", "/docs")
	scripts := regexp.MustCompile(`(?s)script-src ([^;]*)`).
		FindStringSubmatch(page.Header().Get("Content-Security-Policy"))
	inline := strings.Count(page.Body.String(), "<script>")
	if scripts == nil || scripts[1] != "'self'" || inline > 0 {
		t.Errorf("%d scripts in the page, allowed are %s", inline, scripts)
	}
}

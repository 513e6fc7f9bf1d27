package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/v2/cmd/options"
	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/web/webtest"
)

// TestEveryOperationIsGuarded compares, for every operation of every service, the callers that the document
// allows with the callers that the service accepts.
func TestEveryOperationIsGuarded(t *testing.T) {
	var required []string // scopes of all documents
	for _, mode := range []string{config.OnlyJWT, config.Open} {
		everyOperation(t, mode, func(t *testing.T, o operation) {
			required = append(required, o.checkSecurity(t, mode == config.Open)...)
		})
	}
	for _, scope := range auth.Scopes {
		if !slices.Contains(required, scope) && scope != auth.Admin {
			t.Errorf("no operation requires the scope %s", scope)
		}
	}
}

// operation is an operation of a service's document, with the address of the running service.
type operation struct {
	*openapi3.Operation
	auth.Tokens        // makes tokens that the service accepts
	base, method, path string
	item               *openapi3.PathItem
}

// url returns the address of the operation, with 1 for each parameter of the path.
func (o operation) url() string { return o.base + inPath.ReplaceAllString(o.path, "1") }

// everyOperation runs fn for each operation of each service's document, while all services run on an empty
// database.
func everyOperation(t *testing.T, mode string, fn func(t *testing.T, o operation)) {
	t.Helper()
	g, err := db.Open(t.Context(), db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "b2b.db")})
	if err == nil {
		_, err = db.Migrate(t.Context(), g)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(g) })
	var c config.Settings
	c.AuthMode, c.JWTSecrets, c.ServiceTokens = mode, []string{webtest.Secret}, []string{webtest.Token}
	c.RequestTimeout = time.Minute
	o, err := options.Options(t.Context(), &c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range table(&c) {
		handler, _, err := s.build(g, o)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		*s.base = server.URL
		_, document, _ := webtest.Do(t, "GET", *s.base+"/openapi.json", "")
		for path, item := range webtest.Spec(t, document).Paths.Map() {
			for method, described := range item.Operations() {
				op := operation{described, options.Tokens(&c), *s.base, method, path, item}
				t.Run(mode+" "+s.name+" "+method+path, func(t *testing.T) { fn(t, op) })
			}
		}
	}
}

// call sends a request with a bearer token, or without a token for "".
func (o operation) call(t *testing.T, token string) (int, string, http.Header) {
	t.Helper()
	if token != "" {
		token = "Bearer " + token
	}
	status, body, header := webtest.Do(t, o.method, o.url(), "", "Authorization", token)
	return status, string(body), header
}

// token returns a token with the scopes.
func (o operation) token(t *testing.T, scopes ...string) string {
	t.Helper()
	token, err := o.Issue(auth.Principal{Subject: "partner", Scope: strings.Join(scopes, " ")}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// checkSecurity calls the operation as different callers, and compares the answers with the `security` of the
// document. It returns the scopes that the operation requires. If the parameter open is true, the services
// accept calls without a token.
func (o operation) checkSecurity(t *testing.T, open bool) (scopes []string) {
	want := func(caller string, allowed bool, token string, refusal int, says string) {
		t.Helper()
		status, body, header := o.call(t, token)
		switch refused := status == http.StatusUnauthorized || status == http.StatusForbidden; {
		case refused == allowed, !allowed && status != refusal, !strings.Contains(body, says):
			t.Errorf("%s: %d %s", caller, status, body)
		case status == http.StatusUnauthorized && !strings.HasPrefix(header.Get("WWW-Authenticate"), "Bearer"):
			t.Errorf("%s: no challenge", caller)
		}
	}
	if o.Security == nil {
		t.Fatal("the document has no security")
	}
	if public := o.path == "/health" || o.path == "/ready"; public || len(*o.Security) == 0 {
		if len(*o.Security) > 0 || !public {
			t.Errorf("public, and security is %v", *o.Security)
		}
		want("no token", true, "", 0, "")
		return nil
	}
	want("a made-up token", false, "made-up", 401, "unauthorized")
	want("the service", true, webtest.Token, 0, "")
	anonymous := false
	for _, requirement := range *o.Security {
		ofToken, byToken := requirement["bearerAuth"]
		_, byService := requirement["serviceToken"]
		switch {
		case open && len(requirement) == 0:
			anonymous = true
		case len(requirement) != 1 || byToken == byService || byToken && len(ofToken) == 0:
			t.Errorf("security is %v", requirement)
		case byService != strings.HasPrefix(o.path, "/internal/"):
			t.Errorf("/internal needs the service token, all other paths need a token: security is %v", requirement)
		case byService:
			want("every scope", false, o.token(t, auth.Admin), 403, "is not the service token")
		}
		scopes = append(scopes, ofToken...)
	}
	want("no token", anonymous, "", 401, "")
	if anonymous != (open && len(scopes) > 0) {
		t.Errorf("without a token: %v", anonymous)
	}
	for _, scope := range scopes {
		if !slices.Contains(auth.Scopes, scope) {
			t.Errorf("there is no scope %s", scope)
		}
		reads := o.method == http.MethodGet || o.path == "/orders/quote" // POST /orders/quote changes nothing
		if scope != auth.Admin && strings.HasSuffix(scope, ":read") != reads {
			t.Errorf("the scope %s is for %s", scope, o.method)
		}
		var others []string
		for _, other := range auth.Scopes {
			if other != scope && other != auth.Admin {
				others = append(others, other)
			}
		}
		want("the other scopes", false, o.token(t, others...), 403, "lacks the scope "+scope)
	}
	if len(scopes) > 0 {
		want("the required scopes", true, o.token(t, scopes...), 0, "")
		want("every scope", true, o.token(t, auth.Admin), 0, "")
	}
	return scopes
}

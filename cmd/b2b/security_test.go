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

	"example.com/b2b/cmd/wiring"
	"example.com/b2b/db"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/config"
	"example.com/b2b/internal/web/webtest"
)

// TestEveryOperationIsGuarded asks every operation of every service's document for what only those may have
// whom the document names.
func TestEveryOperationIsGuarded(t *testing.T) {
	var asked []string // all scopes of all documents
	for _, mode := range []string{config.OnlyJWT, config.Open} {
		everyOperation(
			t,
			mode,
			func(t *testing.T, tokens auth.Tokens, base, method, path string, _ *openapi3.PathItem, described *openapi3.Operation) {
				a := asker{tokens, method, base + inPath.ReplaceAllString(path, "1")}
				asked = append(asked, a.holds(t, path, described, mode == config.Open)...)
			},
		)
	}
	for _, scope := range auth.Scopes {
		if !slices.Contains(asked, scope) && scope != auth.Admin {
			t.Errorf("no operation asks for the scope %s", scope)
		}
	}
}

// everyOperation runs fn for each operation of each service's document, while all services run on an empty
// database.
func everyOperation(
	t *testing.T, mode string,
	fn func(t *testing.T, tokens auth.Tokens, base, method, path string, item *openapi3.PathItem, described *openapi3.Operation),
) {
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
	c.AuthMode, c.JWTSecret, c.ServiceTokens = mode, webtest.Secret, []string{webtest.Token}
	c.RequestTimeout = time.Minute
	o, err := wiring.Options(t.Context(), &c, slog.New(slog.DiscardHandler))
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
				t.Run(mode+" "+s.name+" "+method+path, func(t *testing.T) {
					fn(t, wiring.Tokens(&c), *s.base, method, path, item, described)
				})
			}
		}
	}
}

// asker asks for one operation.
type asker struct {
	auth.Tokens
	method, url string
}

// as returns the status and the body that the bearer of a token gets; nobody's is "".
func (a asker) as(t *testing.T, token string) (int, string, http.Header) {
	t.Helper()
	if token != "" {
		token = "Bearer " + token
	}
	status, body, header := webtest.Do(t, a.method, a.url, "", "Authorization", token)
	return status, string(body), header
}

// with returns a token with the scopes.
func (a asker) with(t *testing.T, scopes ...string) string {
	t.Helper()
	token, err := a.Issue(auth.Principal{Subject: "partner", Scope: strings.Join(scopes, " ")}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// holds compares what the document says of who may call with who may. It returns the scopes that the
// operation asks for.
func (a asker) holds(t *testing.T, path string, described *openapi3.Operation, open bool) (scopes []string) {
	want := func(who string, allowed bool, token string, refusal int, says string) {
		t.Helper()
		status, body, header := a.as(t, token)
		switch refused := status == http.StatusUnauthorized || status == http.StatusForbidden; {
		case refused == allowed, !allowed && status != refusal, !strings.Contains(body, says):
			t.Errorf("%s: %d %s", who, status, body)
		case status == http.StatusUnauthorized && !strings.HasPrefix(header.Get("WWW-Authenticate"), "Bearer"):
			t.Errorf("%s: no challenge", who)
		}
	}
	if described.Security == nil {
		t.Fatal("the document does not say who may call")
	}
	if public := path == "/health" || path == "/ready"; public || len(*described.Security) == 0 {
		if len(*described.Security) > 0 || !public {
			t.Errorf("public, and security is %v", *described.Security)
		}
		want("nobody", true, "", 0, "")
		return nil
	}
	want("who makes up a token", false, "made-up", 401, "unauthorized")
	want("the service", true, webtest.Token, 0, "")
	anybody := false
	for _, needed := range *described.Security {
		of, byToken := needed["bearerAuth"]
		_, byService := needed["serviceToken"]
		switch {
		case open && len(needed) == 0:
			anybody = true
		case len(needed) != 1 || byToken == byService || byToken && len(of) == 0:
			t.Errorf("security is %v", needed)
		case byService != strings.HasPrefix(path, "/internal/"):
			t.Errorf("the service token leads to /internal, and nothing else does: security is %v", needed)
		case byService:
			want("who has every scope", false, a.with(t, auth.Admin), 403, "is not the service token")
		}
		scopes = append(scopes, of...)
	}
	want("nobody", anybody, "", 401, "")
	if anybody != (open && len(scopes) > 0) {
		t.Errorf("without a token: %v", anybody)
	}
	for _, scope := range scopes {
		if !slices.Contains(auth.Scopes, scope) {
			t.Errorf("there is no scope %s", scope)
		}
		reads := a.method == http.MethodGet || path == "/orders/quote" // which is a POST because an order is its body
		if scope != auth.Admin && strings.HasSuffix(scope, ":read") != reads {
			t.Errorf("the scope %s is for %s", scope, a.method)
		}
		others := slices.DeleteFunc(
			slices.Clone(auth.Scopes), func(s string) bool { return s == scope || s == auth.Admin },
		)
		want("who has the other scopes", false, a.with(t, others...), 403, "lacks the scope "+scope)
	}
	if len(scopes) > 0 {
		want("who has the scope", true, a.with(t, scopes...), 0, "")
		want("who has every scope", true, a.with(t, auth.Admin), 0, "")
	}
	return scopes
}

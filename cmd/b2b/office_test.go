package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/auth"
)

// TestOffice checks that the link of b2b office leads to the back office, and has a token of a clerk in its
// fragment only.
func TestOffice(t *testing.T) {
	secret := "a-secret-of-32-bytes-for-this-test"
	t.Setenv("JWT_SECRET", secret)
	for _, c := range []struct{ args, base, subject, scope string }{
		{"office", "http://localhost:3000", "office", clerkScopes},
		{"office --sub maria --scope orders:read --ttl 1h --base https://b2b.example/shop/",
			"https://b2b.example/shop", "maria", "orders:read"},
	} {
		var out strings.Builder
		if err := run(t.Context(), strings.Fields(c.args), &out); err != nil {
			t.Fatal(err)
		}
		link, err := url.Parse(strings.TrimSpace(out.String()))
		if err != nil {
			t.Fatal(err)
		}
		token, found := strings.CutPrefix(link.Fragment, "token=")
		link.Fragment = ""
		if !found || link.String() != c.base+"/office" {
			t.Errorf("%s: %s", c.args, out.String())
		}
		bearer := http.Header{"Authorization": {"Bearer " + token}}
		caller, err := auth.Tokens{Secrets: []string{secret}}.Identify(bearer)
		if err != nil || caller.Subject != c.subject || caller.Scope != c.scope {
			t.Errorf("%s: %+v %v", c.args, caller, err)
		}
	}
	if err := run(t.Context(), []string{"office", "--scope", "everything"}, new(strings.Builder)); err == nil {
		t.Error("a scope that is none was accepted")
	}
}

// TestFreePort runs the commands that look for a service on this machine, while the service may take any free
// port. The error must name the flag --base.
func TestFreePort(t *testing.T) {
	t.Setenv("EVENTS_PORT", "0")
	t.Setenv("ORCHESTRATOR_PORT", "0")
	for _, command := range []string{"follow", "events --follow", "events --types order.created --follow", "office"} {
		err := run(t.Context(), strings.Fields(command), new(strings.Builder))
		if err == nil || !strings.Contains(err.Error(), "--base") {
			t.Errorf("b2b %s: %v", command, err)
		}
	}
}

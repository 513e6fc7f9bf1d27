package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"example.com/b2b/v2/internal/apperr"
)

var fuzzed = Tokens{Secrets: []string{secret}, Service: []string{"service-token", "old-service-token"}}

// identified returns the caller, and whether Identify has accepted the headers. The test fails for an error
// that is not 401 or 403, and for a caller that Identify must never return.
func identified(t *testing.T, authorization, actingFor string) (Principal, bool) {
	t.Helper()
	h := http.Header{}
	for name, value := range map[string]string{"Authorization": authorization, ActingForHeader: actingFor} {
		if value != "" {
			h.Set(name, value)
		}
	}
	p, err := fuzzed.Identify(h)
	if err != nil {
		var refusal *apperr.Error
		if !errors.As(err, &refusal) || refusal.Status != 401 && refusal.Status != 403 {
			t.Errorf("%q for %q: %v", authorization, actingFor, err)
		}
		return p, false
	}
	ofToken := p != Service && p.Subject != Anonymous.Subject
	if p.Customer < 0 || p.Customer > 1<<53-1 || p.Subject == "" ||
		ofToken && (p.Subject == Service.Subject || p.Subject == System.Subject) ||
		strings.ContainsFunc(p.Subject, unicode.IsControl) || len(p.KeySpace()) > 64 {
		t.Errorf("%q for %q is %+v", authorization, actingFor, p)
	}
	return p, true
}

// signature returns the signature with HS256 of the first two parts of a JWT.
func signature(signed string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// FuzzIdentify checks that only a service token or a valid signature identifies a caller, and that
// X-Acting-For is accepted only with a service token.
func FuzzIdentify(f *testing.F) {
	jwt, err := fuzzed.Issue(acme, 24*time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	_, payload, _ := strings.Cut(jwt[:strings.LastIndex(jwt, ".")], ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + "."
	for _, authorization := range []string{
		"", "Bearer " + jwt, "bearer " + jwt, "Bearer service-token",
		"Bearer service-token,old-service-token", "Bearer " + jwt + "=", "Bearer " + none, "Basic eDp5",
		"Bearer ..", "Bearer",
	} {
		for _, actingFor := range []string{
			"", acme.ActingFor(), Anonymous.ActingFor(), jwt, "e30", "bnVsbA", "!",
		} {
			f.Add(authorization, actingFor)
		}
	}
	f.Fuzz(func(t *testing.T, authorization, actingFor string) {
		p, ok := identified(t, authorization, actingFor)
		_, token, _ := strings.Cut(authorization, " ")
		token = strings.TrimLeft(token, " ")
		byService := slices.Contains(fuzzed.Service, token)
		if p.ByService && !byService || ok && actingFor != "" && !byService {
			t.Errorf("%q may act for %q: %+v", authorization, actingFor, p)
		}
		if ok && token == "" && p != Anonymous {
			t.Errorf("%q, which has no token, is believed to be %+v", authorization, p)
		}
		if ok && token != "" && !byService {
			last := strings.LastIndex(token, ".")
			if last < 0 || token[last+1:] != signature(token[:last]) {
				t.Errorf("%q is believed to be %+v", authorization, p)
			}
		}
	})
}

// FuzzClaims signs any header and claims. Identify must read the claims by their exact names, and refuse a
// token with a name twice.
func FuzzClaims(f *testing.F) {
	for _, claims := range []string{
		`{"sub":"acme","exp":4102444800,"scope":"orders:read","customer_id":7}`,
		`{"sub":"acme","exp":4102444800}`, `{"sub":"acme"}`, `{"sub":"acme","exp":1}`,
		`{"sub":"acme","exp":1e300}`, `{"sub":"acme","exp":-1}`, `{"sub":"acme","exp":"4102444800"}`,
		`{"sub":"acme","exp":4102444800,"nbf":4102444800}`,
		`{"sub":"acme","exp":4102444800,"customer_id":null}`,
		`{"sub":"acme","exp":4102444800,"customer_id":7.0}`,
		`{"sub":"acme","exp":4102444800,"Customer_ID":0}`,
		`{"sub":"acme","exp":4102444800,"customer_id":7,"customer_id":[]}`,
		`{"sub":"acme","exp":4102444800,"cu\u017ftomer_id":7,"SCOPE":"admin","EXP":1}`,
		`{"sub":"Service ","exp":4102444800}`, `{"sub":"acme","exp":4102444800,"scp":["orders:read"]}`,
		`{"sub":"acme","exp":9223372036854775807,"nbf":1e300}`, `{"sub":"service","exp":4102444800}`,
		`{"sub":"a\nb","exp":4102444800}`, `{"sub":"\ud800","exp":4102444800}`,
		`{"sub":["acme"],"exp":4102444800}`, `{"aud":{},"sub":"acme","exp":4102444800}`, `null`, `[]`, `{`,
	} {
		f.Add(`{"alg":"HS256","typ":"JWT"}`, claims)
	}
	for _, header := range []string{
		`{"alg":"none"}`, `{"alg":"RS256"}`, `{"alg":"HS512"}`, `{"alg":"hs256"}`, `{"alg":["HS256"]}`,
		`{"alg":"HS256","crit":["exp"]}`, `{"alg":"HS256","kid":"../../etc/passwd"}`, `{}`, `null`,
	} {
		f.Add(header, `{"sub":"acme","exp":4102444800,"customer_id":7}`)
	}
	f.Fuzz(func(t *testing.T, header, claims string) {
		p, ok := identified(t, "Bearer "+signed(header, claims), "")
		if !ok {
			return
		}
		var h, c map[string]any // a map, unlike a struct, keeps the case of names
		if json.Unmarshal([]byte(header), &h) != nil || h["alg"] != "HS256" || h["crit"] != nil ||
			json.Unmarshal([]byte(claims), &c) != nil || p.ByService {
			t.Errorf("%s of %s is believed to be %+v", header, claims, p)
		}
		if id, bound := c["customer_id"]; bound != (p.Customer != 0) || bound && id != float64(p.Customer) ||
			c["sub"] != p.Subject {
			t.Errorf("%s identifies another caller: %+v", claims, p)
		}
		if _, scoped := c["scope"]; p.Scope != "" && !scoped && c["scp"] == nil {
			t.Errorf("%s has no scopes, and the caller has: %+v", claims, p)
		}
		expires, _ := c["exp"].(float64)
		if expires < float64(time.Now().Unix()) {
			t.Errorf("%s has expired, or never expires: %+v", claims, p)
		}
	})
}

// FuzzIssue checks that an issued token identifies its principal, and that no changed token is accepted.
func FuzzIssue(f *testing.F) {
	f.Add("acme", "orders:read orders:write", int64(7), uint(40), byte('A'))
	f.Add("日本", "", int64(0), uint(0), byte('.'))
	f.Add("service", "admin", int64(1<<53-1), uint(1), byte('='))
	f.Add("a\u0085b", "a b", int64(-1), uint(2), byte(' '))
	f.Add("a\xff", "\xff", int64(1<<53), uint(2), byte(0))
	f.Fuzz(func(t *testing.T, subject, scope string, customer int64, at uint, other byte) {
		p := Principal{Subject: subject, Scope: strings.ToValidUTF8(scope, "?"), Customer: customer}
		token, err := fuzzed.Issue(p, time.Hour)
		if err != nil {
			return
		}
		if got, ok := identified(t, "Bearer "+token, ""); !ok || got != p {
			t.Errorf("%+v was issued, and is %+v", p, got)
		}
		byService := p
		byService.ByService = true
		if got, ok := identified(t, "Bearer service-token", p.ActingFor()); !ok || got != byService {
			t.Errorf("%+v is acted for, and is %+v", p, got)
		}
		changed := []byte(token)
		if changed[at%uint(len(token))] = other; string(changed) != token {
			if got, ok := identified(t, "Bearer "+string(changed), ""); ok {
				t.Errorf("%s is believed to be %+v, and was issued as %s", changed, got, token)
			}
		}
	})
}

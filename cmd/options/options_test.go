package options

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/config"
)

// keySet is the key set of an issuer, with the key of RFC 8037, appendix A.2.
const keySet = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

// TestOptions checks that the options of the services have the configured values.
func TestOptions(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, keySet) }
	issuer := httptest.NewServer(http.HandlerFunc(answer))
	defer issuer.Close()
	s := &config.Settings{
		Access:  config.Access{AuthMode: config.OnlyJWT, ServiceTokens: []string{"new", "old"}},
		JWT:     config.JWT{JWTSecrets: []string{"s"}, JWKSURL: issuer.URL, Issuer: "i", Audience: "a"},
		Serving: config.Serving{RequestTimeout: 8 * time.Second},
	}
	log := slog.New(slog.DiscardHandler)
	o, err := Options(t.Context(), s, log)
	if err != nil || o.Open || o.Timeout != 8*time.Second || o.Tokens.Keys == nil ||
		o.Tokens.Verified == nil {
		t.Errorf("%+v %v", o, err)
	}
	o.Tokens.Keys, o.Tokens.Verified = nil, nil
	want := auth.Tokens{Secrets: []string{"s"}, Issuer: "i", Audience: "a", Service: []string{"new", "old"}}
	if !reflect.DeepEqual(o.Tokens, want) {
		t.Errorf("%+v", o.Tokens)
	}
	p := Peer(s, "http://c.example")
	if p.Token != "new" || p.Timeout != 4*time.Second || p.Base != "http://c.example" {
		t.Errorf("%+v", p)
	}
	s.AuthMode, s.JWKSURL = config.Open, ""
	if o, err := Options(t.Context(), s, log); err != nil || !o.Open || o.Tokens.Keys != nil || o.Browsers.Guessable {
		t.Errorf("%+v %v", o, err)
	}
	for _, known := range []config.Settings{
		{Access: config.Access{ServiceTokens: []string{"new", "dev-service-token"}}},
		{JWT: config.JWT{JWTSecrets: []string{"dev-jwt-secret-that-everybody-knows"}}},
	} {
		if o, err := Options(t.Context(), &known, log); err != nil || !o.Browsers.Guessable {
			t.Errorf("a page may have a token: %+v %v", o.Browsers, err)
		}
	}
	issuer.Close()
	for _, url := range []string{issuer.URL, "http://issuer.example/\x7f"} {
		s.JWKSURL = url
		_, err := Options(t.Context(), s, log)
		if err == nil || !strings.Contains(err.Error(), "JWT_JWKS_URL") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

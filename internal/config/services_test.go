package config

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/b2b/internal/auth"
)

// keySet is the key set of an issuer, from RFC 8037, appendix A.2.
const keySet = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

// TestOptions compares the options of the services with the settings.
func TestOptions(t *testing.T) {
	publish := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, keySet) }
	issuer := httptest.NewServer(http.HandlerFunc(publish))
	defer issuer.Close()
	s := Settings{
		Access: Access{AuthMode: OnlyJWT, ServiceTokens: []string{"new", "old"}},
		JWT:    JWT{"s", issuer.URL, "i", "a"}, Serving: Serving{RequestTimeout: 8 * time.Second},
	}
	log := slog.New(slog.DiscardHandler)
	o, err := s.Options(t.Context(), log)
	if err != nil || o.Open || o.Timeout != 8*time.Second || o.Tokens.Keys == nil {
		t.Errorf("%+v %v", o, err)
	}
	o.Tokens.Keys = nil
	want := auth.Tokens{Secret: "s", Issuer: "i", Audience: "a", Service: []string{"new", "old"}}
	if !reflect.DeepEqual(o.Tokens, want) {
		t.Errorf("%+v", o.Tokens)
	}
	if p := s.Peer("http://c.example"); p.Token != "new" || p.Timeout != 4*time.Second ||
		p.Base != "http://c.example" {
		t.Errorf("%+v", p)
	}
	s.AuthMode, s.JWKSURL = Open, ""
	if o, err := s.Options(t.Context(), log); err != nil || !o.Open || o.Tokens.Keys != nil {
		t.Errorf("%+v %v", o, err)
	}
	issuer.Close()
	for _, url := range []string{issuer.URL, "http://issuer.example/\x7f"} {
		s.JWKSURL = url
		if _, err := s.Options(t.Context(), log); err == nil || !strings.Contains(err.Error(), "JWT_JWKS_URL") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

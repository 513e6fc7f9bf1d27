package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"example.com/b2b/v2/internal/apperr"
)

const secret = "secret-of-the-test-of-32-bytes-or-more"

type claimsOf = jwt.MapClaims

// valid returns the claims of a token that is accepted. Each map in changed sets claims; the value nil
// removes a claim.
func valid(changed ...claimsOf) claimsOf {
	inAnHour := time.Now().Add(time.Hour).Unix()
	c := claimsOf{"sub": "acme", "exp": inAnHour, "scope": "orders:read", "customer_id": 7}
	for _, claims := range changed {
		maps.Copy(c, claims)
	}
	maps.DeleteFunc(c, func(_ string, value any) bool { return value == nil })
	return c
}

// mint signs a token with the key. The parameters headers alternate between a name and a value of the token's
// header.
func mint(t *testing.T, method jwt.SigningMethod, key any, c claimsOf, headers ...string) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	for i := 0; i < len(headers); i += 2 {
		token.Header[headers[i]] = headers[i+1]
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func mintHS256(t *testing.T, c claimsOf) string {
	t.Helper()
	return mint(t, jwt.SigningMethodHS256, []byte(secret), c)
}

// mintES256 signs a token with a key of the curve P-256, and names the key in its header.
func mintES256(t *testing.T, key *ecdsa.PrivateKey, kid string) string {
	t.Helper()
	return mint(t, jwt.SigningMethodES256, key, valid(), "kid", kid)
}

// identify calls Identify with a bearer token. When the status is 0, Identify must return the caller want.
// Otherwise it must refuse the token with the status, and with a sentence that contains the text says.
func identify(t *testing.T, tokens Tokens, token string, want Principal, status int, says string) {
	t.Helper()
	p, err := tokens.Identify(http.Header{"Authorization": {"Bearer " + token}})
	var refusal *apperr.Error
	switch {
	case status == 0 && (err != nil || p != want):
		t.Errorf("%+v %v", p, err)
	case status == 0:
	case !errors.As(err, &refusal) || refusal.Status != status || p.Known() ||
		!strings.Contains(refusal.Message, says):
		t.Errorf("%+v %v, want %d %s", p, err, status, says)
	}
}

var acme = Principal{Subject: "acme", Customer: 7, Scope: "orders:read"}

// TestClaims identifies callers by tokens with a valid signature and with valid or invalid claims.
func TestClaims(t *testing.T) {
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	ahead := ago(-2 * time.Second) // in the future, but by less than clockSkew (5 s)
	plain := Tokens{Secrets: []string{secret}}
	strict := Tokens{Secrets: []string{secret}, Issuer: "https://issuer.example", Audience: "b2b"}
	addressed := claimsOf{"iss": strict.Issuer, "aud": strict.Audience}
	unbound := acme
	unbound.Customer = 0
	for name, c := range map[string]struct {
		tokens Tokens
		claims claimsOf
		status int
		says   string
	}{
		"valid":                    {plain, valid(), 0, ""},
		"claims_that_are_not_read": {plain, valid(addressed), 0, ""},
		"clocks_differ":            {plain, valid(claimsOf{"iat": ahead, "nbf": ahead}), 0, ""},
		"expired":                  {plain, valid(claimsOf{"exp": ago(2 * time.Second)}), 401, "expired"},
		"no_exp":                   {plain, valid(claimsOf{"exp": nil}), 401, "lacks a claim"},
		"exp_is_words":             {plain, valid(claimsOf{"exp": "tomorrow"}), 401, "not a date"},
		"not_yet":                  {plain, valid(claimsOf{"nbf": ago(-time.Minute)}), 401, "not valid yet"},
		"issued_in_the_future":     {plain, valid(claimsOf{"iat": ago(-time.Minute)}), 401, "in the future"},
		"no_sub":                   {plain, valid(claimsOf{"sub": nil}), 401, "sub is missing"},
		"empty_sub":                {plain, valid(claimsOf{"sub": ""}), 401, "sub is missing"},
		"sub_of_anonymous":         {plain, valid(claimsOf{"sub": "anonymous"}), 401, "no name"},
		"sub_of_services":          {plain, valid(claimsOf{"sub": "service"}), 401, "no name"},
		"sub_of_the_system":        {plain, valid(claimsOf{"sub": "system"}), 401, "no name"},
		"sub_breaks_a_line":        {plain, valid(claimsOf{"sub": "a\nb"}), 401, "no name"},
		"sub_too_long":             {plain, valid(claimsOf{"sub": strings.Repeat("é", 256)}), 401, "no name"},
		"scope_is_a_list":          {plain, valid(claimsOf{"scope": []string{"orders:read"}}), 0, ""},
		"customer_null":            {plain, valid(claimsOf{"customer_id": json.RawMessage("null")}), 401, "customer_id"},
		"customer_0":               {plain, valid(claimsOf{"customer_id": 0}), 401, "customer_id"},
		"customer_negative":        {plain, valid(claimsOf{"customer_id": -7}), 401, "customer_id"},
		"customer_word":            {plain, valid(claimsOf{"customer_id": "7"}), 401, "customer_id"},
		"customer_float":           {plain, valid(claimsOf{"customer_id": 7.5}), 401, "customer_id"},
		"customer_written_a_float": {plain, valid(claimsOf{"customer_id": json.RawMessage("7.0")}), 401, "customer_id"},
		"customer_too_great":       {plain, valid(claimsOf{"customer_id": 1 << 53}), 401, "customer_id"},
		"customer_list":            {plain, valid(claimsOf{"customer_id": []int{7}}), 401, "customer_id"},
		"issuer_and_audience":      {strict, valid(addressed), 0, ""},
		"one_of_its_audiences":     {strict, valid(addressed, claimsOf{"aud": []string{"other", "b2b"}}), 0, ""},
		"another_issuer":           {strict, valid(addressed, claimsOf{"iss": "https://other.example"}), 401, "another issuer"},
		"no_issuer":                {strict, valid(addressed, claimsOf{"iss": nil}), 401, "lacks a claim"},
		"another_audience":         {strict, valid(addressed, claimsOf{"aud": "other"}), 401, "another audience"},
		"no_audience":              {strict, valid(addressed, claimsOf{"aud": nil}), 401, "lacks a claim"},
	} {
		t.Run(name, func(t *testing.T) {
			identify(t, c.tokens, mintHS256(t, c.claims), acme, c.status, c.says)
		})
	}
	identify(t, plain, mintHS256(t, valid(claimsOf{"customer_id": nil})), unbound, 0, "")
	issued, err := strict.Issue(acme, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	identify(t, strict, issued, acme, 0, "")
	if token, err := strict.Issue(Principal{Subject: "service"}, time.Minute); err == nil {
		t.Errorf("issued %s", token)
	}
}

// keys has a private key of each kind.
type keys struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
}

var newKeys = func() (k keys) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	var err error
	k.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	k.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	_, k.ed, err = ed25519.GenerateKey(rand.Reader)
	must(err)
	return k
}

// issuer publishes keys until the test ends.
type issuer struct {
	url     string
	storage jwkset.Storage
	mu      sync.Mutex
	fetches int
	answer  func(w http.ResponseWriter, r *http.Request) // replaces the answer with the keys, unless nil
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{storage: jwkset.NewMemoryStorage()}
	s := httptest.NewServer(i)
	t.Cleanup(s.Close)
	i.url = s.URL
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	answer := i.answer
	i.fetches++
	i.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	published, _ := i.storage.JSONPublic(r.Context())
	w.Write(published)
}

func (i *issuer) answers(answer func(w http.ResponseWriter, r *http.Request)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

func (i *issuer) fetched() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

func (i *issuer) publish(t *testing.T, id string, key crypto.PublicKey) {
	t.Helper()
	jwk, err := jwkset.NewJWKFromKey(key, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: id}})
	if err == nil {
		err = i.storage.KeyWrite(t.Context(), jwk)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wantNoStart checks that a service with this issuer does not start. The error must name the address of the
// issuer.
func (i *issuer) wantNoStart(t *testing.T) {
	t.Helper()
	_, err := fetchKeys(t.Context(), i.url, slog.New(slog.DiscardHandler), time.Second, refreshInterval)
	if err == nil || !strings.Contains(err.Error(), i.url) {
		t.Errorf("a start without keys: %v", err)
	}
}

func (i *issuer) fetch(t *testing.T, log io.Writer) jwt.Keyfunc {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(log, nil))
	keys, err := fetchKeys(t.Context(), i.url, logger, time.Second, refreshInterval)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestSignatures checks that Identify accepts a token only when a secret or a key of this deployment has
// signed the token, with the algorithm of the secret or key.
func TestSignatures(t *testing.T) {
	own, others := newKeys(), newKeys()
	i := newIssuer(t)
	i.publish(t, "rsa", &own.rsa.PublicKey)
	i.publish(t, "ec", &own.ec.PublicKey)
	i.publish(t, "ed", own.ed.Public())
	published := i.fetch(t, io.Discard)
	der := x509.MarshalPKCS1PublicKey(&own.rsa.PublicKey)
	spki, err := x509.MarshalPKIXPublicKey(&own.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	inPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	hs, rs := jwt.SigningMethodHS256, jwt.SigningMethodRS256
	es, ed := jwt.SigningMethodES256, jwt.SigningMethodEdDSA
	hs512, rs512, ps256 := jwt.SigningMethodHS512, jwt.SigningMethodRS512, jwt.SigningMethodPS256
	none, unsafe := jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType
	both := Tokens{Secrets: []string{secret}, Keys: published}
	bySecret, byKeys := Tokens{Secrets: []string{secret}}, Tokens{Keys: published}
	rsaToken := mint(t, rs, own.rsa, valid(), "kid", "rsa")
	head, rest, _ := strings.Cut(rsaToken, ".")
	_, signature, _ := strings.Cut(rest, ".")
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"root","scope":"admin","exp":9999999999}`))
	for name, c := range map[string]struct {
		tokens Tokens
		token  string
		status int
		says   string
	}{
		"hs256":                        {both, mint(t, hs, []byte(secret), valid()), 0, ""},
		"rs256":                        {both, rsaToken, 0, ""},
		"es256":                        {both, mint(t, es, own.ec, valid(), "kid", "ec"), 0, ""},
		"eddsa":                        {both, mint(t, ed, own.ed, valid(), "kid", "ed"), 0, ""},
		"names_no_key":                 {byKeys, mint(t, es, own.ec, valid()), 0, ""},
		"public_key_as_secret":         {byKeys, mint(t, hs, inPEM, valid(), "kid", "rsa"), 401, "signature"},
		"public_key_as_secret_in_der":  {byKeys, mint(t, hs, der, valid(), "kid", "rsa"), 401, "signature"},
		"public_key_beside_the_secret": {both, mint(t, hs, inPEM, valid(), "kid", "rsa"), 401, "signature"},
		"empty_secret":                 {byKeys, mint(t, hs, []byte{}, valid()), 401, "signature"},
		"nothing_is_accepted":          {Tokens{}, mint(t, hs, []byte{}, valid()), 401, "signature"},
		"another_secret":               {both, mint(t, hs, []byte(secret+"!"), valid()), 401, "signature"},
		"none":                         {both, mint(t, none, unsafe, valid()), 401, "signature"},
		"hs512":                        {both, mint(t, hs512, []byte(secret), valid()), 401, "signature"},
		"rs512":                        {both, mint(t, rs512, own.rsa, valid(), "kid", "rsa"), 401, "signature"},
		"ps256":                        {both, mint(t, ps256, own.rsa, valid(), "kid", "rsa"), 401, "signature"},
		"issuer_without_keys":          {bySecret, rsaToken, 401, "signature"},
		"anothers_rsa_key":             {both, mint(t, rs, others.rsa, valid(), "kid", "rsa"), 401, "signature"},
		"anothers_ec_key":              {both, mint(t, es, others.ec, valid(), "kid", "ec"), 401, "signature"},
		"anothers_ed_key":              {both, mint(t, ed, others.ed, valid(), "kid", "ed"), 401, "signature"},
		"another_kind_of_key":          {both, mint(t, es, own.ec, valid(), "kid", "rsa"), 401, "signature"},
		"brings_its_own_key":           {both, mint(t, es, others.ec, valid(), "jwk", "{}", "jku", "https://evil.example/keys"), 401, "signature"},
		"kid_is_a_path":                {both, mint(t, hs, []byte{}, valid(), "kid", "../../dev/null"), 401, "signature"},
		"another_payload":              {both, head + "." + payload + "." + signature, 401, "signature"},
		"no_signature":                 {both, strings.TrimSuffix(rsaToken, signature), 401, "signature"},
		"cut":                          {both, head, 401, "neither"},
		"no_json":                      {both, "e30.e30.", 401, "signature"},
	} {
		t.Run(name, func(t *testing.T) { identify(t, c.tokens, c.token, acme, c.status, c.says) })
	}
}

// TestRotation publishes a new key, and later withdraws the old key. The new key must be fetched for the
// first token that names it, and tokens by a withdrawn key must be refused after the next fetch. Invented key
// ids must cause few fetches.
func TestRotation(t *testing.T) {
	before, after := newKeys(), newKeys()
	i := newIssuer(t)
	i.publish(t, "old", &before.ec.PublicKey)
	tokens := Tokens{Keys: i.fetch(t, io.Discard)}
	old, fresh := mintES256(t, before.ec, "old"), mintES256(t, after.ec, "new")
	identify(t, tokens, old, acme, 0, "")
	identify(t, tokens, fresh, acme, 401, "signature")
	i.publish(t, "new", &after.ec.PublicKey)
	identify(t, tokens, fresh, acme, 0, "")
	identify(t, tokens, old, acme, 0, "")
	if _, err := i.storage.KeyDelete(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	identify(t, tokens, mintES256(t, after.ec, "none"), acme, 401, "signature") // the unknown id causes a fetch
	identify(t, tokens, old, acme, 401, "signature")
	before50 := i.fetched()
	for range 50 {
		identify(t, tokens, mintES256(t, after.ec, "made up"), acme, 401, "signature")
	}
	if n := i.fetched() - before50; n > 10 { // missBurst (3) fetches at once, then one in ten seconds
		t.Errorf("50 made-up ids fetched the keys %d times", n)
	}
}

// TestRefresh withdraws a key while only tokens by this key come, so that no token causes a fetch. The tokens
// must be refused after the next fetch.
func TestRefresh(t *testing.T) {
	withdrawn, kept := newKeys(), newKeys()
	i := newIssuer(t)
	i.publish(t, "withdrawn", &withdrawn.ec.PublicKey)
	i.publish(t, "kept", &kept.ec.PublicKey)
	log := slog.New(slog.DiscardHandler)
	keys, err := fetchKeys(t.Context(), i.url, log, time.Second, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	tokens, token := Tokens{Keys: keys}, mintES256(t, withdrawn.ec, "withdrawn")
	identify(t, tokens, token, acme, 0, "")
	if _, err := i.storage.KeyDelete(t.Context(), "withdrawn"); err != nil {
		t.Fatal(err)
	}
	// Wait for three fetches: the first may have begun before the withdrawal, the second gets the new keys,
	// and when the third begins, the keys of the second are in use.
	for n, deadline := i.fetched()+3, time.Now().Add(30*time.Second); i.fetched() < n; {
		if time.Now().After(deadline) {
			t.Fatal("the keys are not fetched again")
		}
		time.Sleep(time.Millisecond)
	}
	identify(t, tokens, token, acme, 401, "signature")
	identify(t, tokens, mintES256(t, kept.ec, "kept"), acme, 0, "")
}

// TestIssuerOutage lets the issuer fail, send no JSON, or send nothing. Tokens by known keys must still be
// accepted.
func TestIssuerOutage(t *testing.T) {
	known := newKeys()
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"down":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"lies":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"hangs": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			t.Cleanup(func() { i.answers(nil) })
			i.publish(t, "known", &known.ec.PublicKey)
			var log bytes.Buffer
			tokens := Tokens{Keys: i.fetch(t, &log)}
			i.answers(answer)
			identify(t, tokens, mintES256(t, known.ec, "unknown"), acme, 401, "cannot be checked")
			identify(t, tokens, mintES256(t, known.ec, "known"), acme, 0, "")
			if !strings.Contains(log.String(), i.url) {
				t.Errorf("the log does not name the issuer: %s", &log)
			}
			i.wantNoStart(t)
		})
	}
}

// TestServiceTokens checks that each configured service token is accepted, but no part of a token and no list
// of tokens. Only calls with a service token may send X-Acting-For.
func TestServiceTokens(t *testing.T) {
	tokens := Tokens{Secrets: []string{secret}, Service: []string{"new-token", "old-token"}}
	byService := acme
	byService.ByService = true
	jwt := mint(t, jwt.SigningMethodHS256, []byte(secret), valid())
	encoded := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	type call struct {
		authorization, actingFor string
		want                     Principal
		status                   int
	}
	for network, calls := range map[string][]call{
		"": {
			{"Bearer new-token", "", Service, 0},
			{"bearer old-token", "", Service, 0},
			{"Bearer old-token", acme.ActingFor(), byService, 0},
			{"Bearer new-token", Anonymous.ActingFor(), Principal{Subject: "anonymous", ByService: true}, 0},
			{"Bearer new-token", Service.ActingFor(), Service, 0},
			{"Bearer new-token", System.ActingFor(), Service, 0},
			{"", "", Anonymous, 0},
			{"Bearer new-token,old-token", "", Principal{}, 401},
			{"Bearer new-toke", "", Principal{}, 401},
			{"Bearer new-token ", "", Principal{}, 401},
			{"Bearer  new-token", "", Service, 0},
			{"Bearer", "", Anonymous, 0},
			{"Bearer", acme.ActingFor(), Principal{}, 403},
			{"new-token", "", Principal{}, 401},
			{"Basic new-token", "", Principal{}, 401},
			{"Bearer new-toke", acme.ActingFor(), Principal{}, 401},
			{"Bearer " + jwt, acme.ActingFor(), Principal{}, 403},
			{"", acme.ActingFor(), Principal{}, 403},
			{"Bearer new-token", "acme", Principal{}, 403},
			{"Bearer new-token", jwt, Principal{}, 403},
			{"Bearer new-token", encoded(`{"sub":"service"}`), Principal{}, 403},
			{"Bearer new-token", encoded(`{"sub":"acme","customer_id":0}`), Principal{}, 403},
			{"Bearer new-token", encoded(`{"sub":"acme","customer_id":null}`), Principal{}, 403},
		},
		"203.0.113.7": {
			{"Bearer new-token", Anonymous.ActingFor(),
				Principal{Subject: "anonymous", ByService: true, Network: "203.0.113.7"}, 0},
			{"Bearer new-token", acme.ActingFor(), byService, 0},
			{"Bearer new-token", "", Service, 0},
			{"Bearer " + jwt, "", Principal{}, 403},
			{"", "", Principal{}, 403},
		},
	} {
		for _, c := range calls {
			h := http.Header{}
			for name, value := range map[string]string{
				"Authorization": c.authorization, ActingForHeader: c.actingFor, NetworkHeader: network,
			} {
				if value != "" {
					h.Set(name, value)
				}
			}
			p, err := tokens.Identify(h)
			var refusal *apperr.Error
			if errors.As(err, &refusal) != (c.status != 0) || c.status != 0 && refusal.Status != c.status ||
				c.status == 0 && p != c.want {
				t.Errorf("%q for %q of the network %q: %+v %v", c.authorization, c.actingFor, network, p, err)
			}
		}
	}
	for _, name := range []string{"Authorization", ActingForHeader, NetworkHeader} {
		h := http.Header{"Authorization": {"Bearer new-token"}}
		h[name] = []string{"Bearer new-token", "Bearer old-token"}
		if p, err := tokens.Identify(h); err == nil || p.Known() {
			t.Errorf("two of %s: %+v %v", name, p, err)
		}
	}
	unset := Tokens{Service: []string{""}}
	if p, err := unset.Identify(http.Header{"Authorization": {"Bearer "}}); err != nil || p != Anonymous {
		t.Errorf("no token is configured: %+v", p)
	}
}

// TestSecretRotation lists an old and a new secret. Tokens by either secret must be accepted while both are
// listed, and Issue must sign with the first secret.
func TestSecretRotation(t *testing.T) {
	before, after := Tokens{Secrets: []string{"old secret"}}, Tokens{Secrets: []string{"new secret"}}
	during := Tokens{Secrets: []string{"new secret", "old secret"}}
	for name, c := range map[string]struct {
		signs, verifies Tokens
		want            bool
	}{
		"old, during":  {before, during, true},
		"new, during":  {after, during, true},
		"during, new":  {during, after, true},
		"during, old":  {during, before, false},
		"old, after":   {before, after, false},
		"other secret": {Tokens{Secrets: []string{"new secret,old secret"}}, during, false},
	} {
		token, err := c.signs.Issue(acme, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.verifies.Identify(http.Header{"Authorization": {"Bearer " + token}})
		if (err == nil) != c.want || c.want && p != acme {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

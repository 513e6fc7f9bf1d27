package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// publicKey returns a public key as a JWK. The parameter changed sets members of the JWK; the value nil
// removes a member.
func publicKey(t *testing.T, key crypto.PublicKey, changed map[string]any) map[string]any {
	t.Helper()
	jwk, err := jwkset.NewJWKFromKey(key, jwkset.JWKOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(jwk.Marshal())
	members := map[string]any{}
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	maps.Copy(members, changed)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
	return members
}

func (i *issuer) says(text string) {
	i.answers(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) })
}

func (i *issuer) saysKeys(t *testing.T, keys ...any) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	i.says(string(text))
}

// largeRSA returns an RSA key of 8676 bits. Its primes are Mersenne primes, because a search for random
// primes takes long.
func largeRSA() *rsa.PrivateKey {
	one := big.NewInt(1)
	mersenne := func(n uint) *big.Int { return new(big.Int).Sub(new(big.Int).Lsh(one, n), one) }
	p, q := mersenne(4423), mersenne(4253)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{Primes: []*big.Int{p, q}}
	key.N, key.E = new(big.Int).Mul(p, q), 65537
	key.D = new(big.Int).ModInverse(big.NewInt(65537), phi)
	key.Precompute()
	return key
}

// TestUnusableKeys checks that a service starts although an issuer publishes an unusable key. The other keys
// verify tokens, the unusable key verifies none, and the log says that the key was left out.
func TestUnusableKeys(t *testing.T) {
	good, odd := newKeys(), newKeys()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strong := largeRSA()
	type members = map[string]any
	kid := func(m members) members { m["kid"] = "odd"; return m }
	rs, es := jwt.SigningMethodRS256, jwt.SigningMethodES256
	oddRSA := func(m members) members { return publicKey(t, &odd.rsa.PublicKey, kid(m)) }
	oddEC := func(m members) members { return publicKey(t, &odd.ec.PublicKey, kid(m)) }
	for name, c := range map[string]struct {
		key    any
		method jwt.SigningMethod // signs a token with the unusable key
		signer any
	}{
		"use_of_another_kind":    {oddEC(members{"use": "jwt-svid"}), es, odd.ec},
		"use_enc":                {oddRSA(members{"use": "enc"}), rs, odd.rsa},
		"use_in_capitals_too":    {oddRSA(members{"use": "enc", "USE": "sig"}), rs, odd.rsa},
		"key_ops_without_verify": {oddEC(members{"key_ops": []string{"deriveKey"}}), es, odd.ec},
		"rsa_of_1024_bits":       {publicKey(t, &weak.PublicKey, kid(members{})), rs, weak},
		"rsa_of_8676_bits":       {publicKey(t, &strong.PublicKey, kid(members{})), rs, strong},
		"rsa_for_encryption":     {oddRSA(members{"alg": "RSA-OAEP-256"}), rs, odd.rsa},
		"another_curve":          {publicKey(t, &p384.PublicKey, kid(members{})), jwt.SigningMethodES384, p384},
		"a_point_off_the_curve":  {oddEC(members{"y": strings.Repeat("A", 43)}), es, odd.ec},
		"x5c_that_is_none":       {oddEC(members{"x5c": []string{"AAAA"}}), es, odd.ec},
		"x5c_no_base64":          {oddEC(members{"x5c": []string{"%"}}), es, odd.ec},
		"numeric_kid":            {publicKey(t, &odd.ec.PublicKey, members{"kid": 7}), es, odd.ec},
		"no_kty":                 {oddEC(members{"kty": nil}), es, odd.ec},
		"kty_in_capitals":        {oddEC(members{"kty": nil, "KTY": "EC"}), es, odd.ec},
		"an_unknown_kind":        {kid(members{"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA"}), es, odd.ec},
		"a_shared_secret":        {kid(members{"kty": "oct", "k": "c2VjcmV0"}), jwt.SigningMethodHS256, []byte("secret")},
		"no_object":              {"key", es, odd.ec},
		"null":                   {nil, es, odd.ec},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.saysKeys(t, c.key, publicKey(t, &good.ec.PublicKey, members{"kid": "good"}))
			var log bytes.Buffer
			tokens := Tokens{Keys: i.fetch(t, &log)}
			identify(t, tokens, mintES256(t, good.ec, "good"), acme, 0, "")
			identify(t, tokens, mint(t, es, good.ec, valid()), acme, 0, "")
			identify(t, tokens, mint(t, c.method, c.signer, valid(), "kid", "odd"), acme, 401, "signature")
			identify(t, tokens, mint(t, c.method, c.signer, valid()), acme, 401, "signature")
			if !strings.Contains(log.String(), "left out") || !strings.Contains(log.String(), i.url) {
				t.Errorf("the log does not say that a key is left out: %s", &log)
			}
		})
	}
}

// TestRotationWithAnUnusableKey answers with a new key and an unusable key. Tokens by the new key must be
// accepted, and the log must report the unusable key once, although two fetches bring the key.
func TestRotationWithAnUnusableKey(t *testing.T) {
	before, after := newKeys(), newKeys()
	i := newIssuer(t)
	i.publish(t, "old", &before.ec.PublicKey)
	var log bytes.Buffer
	tokens := Tokens{Keys: i.fetch(t, &log)}
	unusable := publicKey(t, &before.rsa.PublicKey, map[string]any{"kid": 7})
	i.saysKeys(t, unusable, publicKey(t, &after.ec.PublicKey, map[string]any{"kid": "new"}))
	identify(t, tokens, mintES256(t, after.ec, "new"), acme, 0, "")
	identify(t, tokens, mintES256(t, after.ec, "made up"), acme, 401, "signature")
	if n := strings.Count(log.String(), "left out"); n != 1 {
		t.Errorf("logged %d times: %s", n, &log)
	}
}

// TestNoUsableKeys answers without a usable key. The known keys must stay valid, and a service must not
// start.
func TestNoUsableKeys(t *testing.T) {
	known, other := newKeys(), newKeys()
	enc, _ := json.Marshal(publicKey(t, &other.ec.PublicKey, map[string]any{"kid": "enc", "use": "enc"}))
	sig, _ := json.Marshal(publicKey(t, &other.ec.PublicKey, map[string]any{"kid": "unknown"}))
	for name, answer := range map[string]string{
		"empty":           `{"keys":[]}`,
		"null":            `null`,
		"null_keys":       `{"keys":null}`,
		"no_keys":         `{}`,
		"only_enc":        fmt.Sprintf(`{"keys":[%s]}`, enc),
		"keys_in_capital": fmt.Sprintf(`{"KEYS":[%s]}`, sig),
		"keys_twice":      fmt.Sprintf(`{"keys":[],"keys":[%s]}`, sig),
		"a_list":          fmt.Sprintf(`[%s]`, sig),
		"two_documents":   fmt.Sprintf(`{"keys":[%s]}{}`, sig),
		"nothing":         ``,
		"too_long":        fmt.Sprintf(`{"keys":[%s],"x":"%s"}`, sig, strings.Repeat("x", 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.publish(t, "known", &known.ec.PublicKey)
			var log bytes.Buffer
			tokens := Tokens{Keys: i.fetch(t, &log)}
			i.says(answer)
			identify(t, tokens, mintES256(t, other.ec, "unknown"), acme, 401, "signature")
			identify(t, tokens, mintES256(t, known.ec, "known"), acme, 0, "")
			if !strings.Contains(log.String(), "those known keep working") {
				t.Errorf("the log does not say that the known keys stay valid: %s", &log)
			}
			i.wantNoStart(t)
		})
	}
}

// TestEndlessKeys serves an endless answer instead of keys. The fetch must fail after 1 MiB.
func TestEndlessKeys(t *testing.T) {
	i := newIssuer(t)
	var sent int64
	ended := make(chan int64, 1)
	i.answers(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"keys":[`)
		for err := error(nil); err == nil && sent < 1<<28; {
			var n int
			n, err = w.Write(bytes.Repeat([]byte(" "), 1<<16))
			sent += int64(n)
		}
		ended <- sent
	})
	_, err := fetchKeys(t.Context(), i.url, slog.New(slog.DiscardHandler), 20*time.Second, refreshInterval)
	if err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("%v", err)
	}
	if sent := <-ended; sent > 1<<25 { // 2^25 leaves room for the bytes in the buffers of the sockets
		t.Errorf("read %d bytes", sent)
	}
}

// TestKeysOfOneID publishes four keys with the same id, two of them for the same algorithm. A token must be
// accepted when one of the keys for its algorithm verifies the signature. No token may cause a fetch.
func TestKeysOfOneID(t *testing.T) {
	own, more := newKeys(), newKeys()
	i := newIssuer(t)
	for _, key := range []crypto.PublicKey{
		&own.rsa.PublicKey, &own.ec.PublicKey, own.ed.Public(), &more.ec.PublicKey,
	} {
		i.publish(t, "one", key)
	}
	tokens := Tokens{Keys: i.fetch(t, io.Discard)}
	for _, token := range []string{
		mint(t, jwt.SigningMethodRS256, own.rsa, valid(), "kid", "one"),
		mintES256(t, own.ec, "one"),
		mint(t, jwt.SigningMethodEdDSA, own.ed, valid(), "kid", "one"),
		mintES256(t, more.ec, "one"),
	} {
		identify(t, tokens, token, acme, 0, "")
	}
	identify(t, tokens, mint(t, jwt.SigningMethodRS256, more.rsa, valid(), "kid", "one"), acme, 401, "signature")
	if n := i.fetched(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

// TestFreshKeyWithoutID checks that the keys are fetched again when no known key verifies a token without a
// key id. Many tokens by an unknown key must cause only a few fetches.
func TestFreshKeyWithoutID(t *testing.T) {
	before, after, others := newKeys(), newKeys(), newKeys()
	i := newIssuer(t)
	i.publish(t, "old", &before.rsa.PublicKey)
	tokens := Tokens{Keys: i.fetch(t, io.Discard)}
	i.publish(t, "", &after.rsa.PublicKey)
	identify(t, tokens, mint(t, jwt.SigningMethodRS256, after.rsa, valid()), acme, 0, "")
	identify(t, tokens, mint(t, jwt.SigningMethodRS256, before.rsa, valid()), acme, 0, "")
	if n := i.fetched(); n != 2 {
		t.Errorf("the keys were fetched %d times", n)
	}
	for range 50 {
		identify(t, tokens, mint(t, jwt.SigningMethodES256, others.ec, valid()), acme, 401, "signature")
	}
	if n := i.fetched(); n > 2+10 {
		t.Errorf("50 tokens by an unknown key fetched the keys %d times", n-2)
	}
}

// TestRotationUnderLoad sends many tokens by a new key at the same time. All must be accepted, with at most
// four fetches.
func TestRotationUnderLoad(t *testing.T) {
	before, after := newKeys(), newKeys()
	i := newIssuer(t)
	i.publish(t, "old", &before.ec.PublicKey)
	tokens := Tokens{Keys: i.fetch(t, io.Discard)}
	i.saysKeys(t, publicKey(t, &after.ec.PublicKey, map[string]any{"kid": "new"}))
	fresh := mintES256(t, after.ec, "new")
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { identify(t, tokens, fresh, acme, 0, "") })
	}
	all.Wait()
	if n := i.fetched(); n > 4 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

// TestEvenModulus publishes an RSA key with an even modulus. The key must verify no token, and a token that
// names the key must not make the process panic.
func TestEvenModulus(t *testing.T) {
	own := newKeys()
	even := own.rsa.PublicKey
	even.N = new(big.Int).Lsh(big.NewInt(1), 2047)
	i := newIssuer(t)
	good := publicKey(t, &own.ec.PublicKey, map[string]any{"kid": "good"})
	i.saysKeys(t, publicKey(t, &even, map[string]any{"kid": "even"}), good)
	tokens := Tokens{Keys: i.fetch(t, io.Discard)}
	identify(t, tokens, mint(t, jwt.SigningMethodRS256, own.rsa, valid(), "kid", "even"), acme, 401, "signature")
	identify(t, tokens, mintES256(t, own.ec, "good"), acme, 0, "")
}

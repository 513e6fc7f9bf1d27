package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

const (
	refreshInterval = 10 * time.Minute
	// A token with an unknown key id causes a fetch of the keys. Many invented key ids must not flood the
	// issuer: missBurst fetches may follow each other at once, and then there is one in each missInterval.
	missInterval   = 10 * time.Second
	missBurst      = 3
	maxJWKS        = 1 << 20    // most bytes of the issuer's answer
	minRSA, maxRSA = 2048, 8192 // fewest and most bits of an RSA key
)

// FetchKeys fetches the issuer's keys from the address url of a JWKS, and returns a function to find the keys
// for a token. Until ctx ends, the keys are fetched again every ten minutes, and also for a token without a
// matching key: up to three times in a row, and then at most once in ten seconds. Unusable keys are skipped
// and logged.
//
// FetchKeys fails when the first fetch fails or brings no usable key. A later failure is only logged: the
// keys of the last successful fetch stay valid.
func FetchKeys(ctx context.Context, url string, log *slog.Logger) (jwt.Keyfunc, error) {
	return fetchKeys(ctx, url, log, 5*time.Second, refreshInterval)
}

func fetchKeys(
	ctx context.Context, url string, log *slog.Logger, timeout, interval time.Duration,
) (jwt.Keyfunc, error) {
	k := &issuerKeys{url: url, log: log, client: http.Client{Timeout: timeout}}
	k.missLimit = rate.NewLimiter(rate.Every(missInterval), missBurst)
	if err := k.fetch(ctx); err != nil {
		return nil, fmt.Errorf("the keys at %s (JWT_JWKS_URL) cannot be used: %w", url, err)
	}
	go func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = k.refresh(ctx)
			}
		}
	}()
	return func(token *jwt.Token) (any, error) { return k.find(ctx, token) }, nil
}

// issuerKeys fetches and holds the keys of an issuer: see docs/architecture.md, decision 10.
type issuerKeys struct {
	url       string
	log       *slog.Logger
	client    http.Client
	missLimit *rate.Limiter      // limits the fetches that tokens without a matching key cause
	fetching  singleflight.Group // lets concurrent calls of find or refresh share a fetch
	keys      atomic.Pointer[[]issuerKey]
	logged    string // the last warning about unusable keys; a refresh does not log the same warning again
}

type issuerKey struct {
	id     string
	method jwt.SigningMethod
	public any
}

// find returns the keys that may verify the token. When no key matches, it fetches the keys again, and fails
// when still no key matches.
func (k *issuerKeys) find(ctx context.Context, token *jwt.Token) (any, error) {
	if set := k.matching(token); len(set.Keys) > 0 {
		return set, nil
	}
	_, err, _ := k.fetching.Do("miss", func() (any, error) {
		if !k.missLimit.Allow() {
			return nil, errors.New("the issuer has just been asked")
		}
		return nil, k.refresh(ctx)
	})
	set := k.matching(token) // looks even after an error, because another call may have fetched the key
	if len(set.Keys) == 0 {
		// With %w, the function reason would take an error in the issuer's JSON for an error in the token.
		return nil, fmt.Errorf("no key of the issuer fits (%v)", err)
	}
	return set, nil
}

// matching returns the keys that may verify a token. A token with a `kid` gets the keys with this id and with
// the algorithm of the token. A token without `kid` gets the keys that do verify its signature, so that an
// empty result always means that the key is missing.
func (k *issuerKeys) matching(token *jwt.Token) (set jwt.VerificationKeySet) {
	signed := token.Raw[:strings.LastIndexByte(token.Raw, '.')]
	id, hasID := token.Header["kid"]
	for _, key := range *k.keys.Load() {
		if key.method != token.Method {
			continue
		}
		if hasID && id == key.id || !hasID && key.method.Verify(signed, token.Signature, key.public) == nil {
			set.Keys = append(set.Keys, key.public)
		}
	}
	return set
}

// refresh fetches the keys again and logs a failure. Concurrent calls share a fetch.
func (k *issuerKeys) refresh(ctx context.Context) error {
	_, err, _ := k.fetching.Do("refresh", func() (any, error) {
		err := k.fetch(ctx)
		if err != nil {
			k.log.Error("the issuer's keys could not be read; those known keep working",
				"url", k.url, "error", err)
		}
		return nil, err
	})
	return err
}

func (k *issuerKeys) fetch(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return err
	}
	res, err := k.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxJWKS+1))
	switch {
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("the issuer answered %d", res.StatusCode)
	case err != nil:
		return err
	case len(body) > maxJWKS:
		return fmt.Errorf("the issuer's answer is longer than %d bytes", maxJWKS)
	}
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return err
	}
	var keys []issuerKey
	var unusable error
	for n, text := range set.Keys {
		key, err := parseKey(text)
		if err != nil {
			unusable = errors.Join(unusable, fmt.Errorf("key %d, with the id %q: %w", n+1, key.id, err))
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return errors.Join(errors.New("the issuer's answer has no key that can be used"), unusable)
	}
	k.keys.Store(&keys)
	if text := fmt.Sprint(unusable); unusable != nil && text != k.logged {
		k.log.Warn("keys of the issuer cannot be used and are left out", "url", k.url, "error", unusable)
		k.logged = text
	}
	return nil
}

// parseKey parses a JWK. It fails for a key that cannot verify signatures with RS256, ES256 or EdDSA, and for
// an RSA key with fewer than minRSA or more than maxRSA bits. After an error, the result has the id of the
// key, for the log, unless the text is not a JWK.
func parseKey(text jsontext.Value) (key issuerKey, err error) {
	var m jwkset.JWKMarshal
	if err := json.Unmarshal(text, &m); err != nil {
		return key, err
	}
	key.id = m.KID
	jwk, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return key, err
	}
	switch public := jwk.Key().(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSA || bits > maxRSA {
			return key, fmt.Errorf("an RSA key of %d bits; allowed: %d to %d", bits, minRSA, maxRSA)
		}
		key.method = jwt.SigningMethodRS256
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			key.method = jwt.SigningMethodES256
		}
	case ed25519.PublicKey:
		key.method = jwt.SigningMethodEdDSA
	}
	switch {
	case m.USE != "" && m.USE != jwkset.UseSig,
		m.KEYOPS != nil && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify):
		return key, errors.New("its use is another than to verify signatures")
	case key.method == nil, m.ALG != "" && m.ALG.String() != key.method.Alg():
		return key, errors.New("it is for another algorithm than RS256, ES256 and EdDSA")
	}
	key.public = jwk.Key()
	return key, nil
}

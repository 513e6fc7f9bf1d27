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
	keysEvery      = 10 * time.Minute
	unknownEvery   = 10 * time.Second // so that made-up key ids do not flood the issuer
	unknownAtOnce  = 3
	maxKeys        = 1 << 20 // bytes of an answer
	minRSA, maxRSA = 2048, 8192
)

// FetchKeys returns the keys at a JWKS address. They are read now, every ten minutes, and for a token that no
// key fits (three times at once, then every ten seconds), until ctx ends. Unusable keys are left out, and the
// log says which. When the issuer does not answer, or without a usable key, the known keys keep working, and
// the log says so; at the first time it is the error.
func FetchKeys(ctx context.Context, url string, log *slog.Logger) (jwt.Keyfunc, error) {
	return fetchKeys(ctx, url, log, 5*time.Second)
}

func fetchKeys(ctx context.Context, url string, log *slog.Logger, timeout time.Duration) (jwt.Keyfunc, error) {
	i := &issuerKeys{url: url, log: log, client: http.Client{Timeout: timeout}}
	i.unknown = rate.NewLimiter(rate.Every(unknownEvery), unknownAtOnce)
	if err := i.read(ctx); err != nil {
		return nil, fmt.Errorf("the keys at %s (JWT_JWKS_URL) cannot be used: %w", url, err)
	}
	go func() {
		for tick := time.NewTicker(keysEvery); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				_ = i.readAgain(ctx)
			}
		}
	}()
	return func(token *jwt.Token) (any, error) { return i.find(ctx, token) }, nil
}

// issuerKeys are the keys of one issuer: see docs/architecture.md, decision 10.
type issuerKeys struct {
	url     string
	log     *slog.Logger
	client  http.Client
	unknown *rate.Limiter
	reading singleflight.Group // for the many tokens by a new key that come at once
	known   atomic.Pointer[[]issuerKey]
	leftOut string // the unusable keys that the log names already
}

type issuerKey struct {
	id     string
	method jwt.SigningMethod
	public any
}

// find returns the keys of a token's algorithm that have its `kid`. For a token without `kid` it returns the
// keys that verify it, because only then is it clear that no known key does, and that the issuer may have a
// new one.
func (i *issuerKeys) find(ctx context.Context, token *jwt.Token) (any, error) {
	found := i.fitting(token)
	if len(found.Keys) > 0 {
		return found, nil
	}
	_, err, _ := i.reading.Do("unknown", func() (any, error) {
		if !i.unknown.Allow() {
			return nil, errors.New("the issuer has just been asked")
		}
		return nil, i.readAgain(ctx)
	})
	if found = i.fitting(token); len(found.Keys) == 0 { // whatever err says: another call may have read the keys
		return nil, fmt.Errorf("no key of the issuer fits (%v)", err) // not %w: an error of the issuer's JSON is none of the token's
	}
	return found, nil
}

func (i *issuerKeys) fitting(token *jwt.Token) (found jwt.VerificationKeySet) {
	signed := token.Raw[:strings.LastIndexByte(token.Raw, '.')]
	id, named := token.Header["kid"]
	for _, key := range *i.known.Load() {
		if key.method != token.Method {
			continue
		}
		if named && id == key.id || !named && key.method.Verify(signed, token.Signature, key.public) == nil {
			found.Keys = append(found.Keys, key.public)
		}
	}
	return found
}

// readAgain reads the keys. Calls at the same time do so once.
func (i *issuerKeys) readAgain(ctx context.Context) error {
	_, err, _ := i.reading.Do("read", func() (any, error) {
		err := i.read(ctx)
		if err != nil {
			i.log.Error("the issuer's keys could not be read; those known keep working", "url", i.url, "error", err)
		}
		return nil, err
	})
	return err
}

func (i *issuerKeys) read(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.url, nil)
	if err != nil {
		return err
	}
	res, err := i.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxKeys+1))
	switch {
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("the issuer answered %d", res.StatusCode)
	case err != nil:
		return err
	case len(body) > maxKeys:
		return fmt.Errorf("the issuer's answer is longer than %d bytes", maxKeys)
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
		key, err := readKey(text)
		if err != nil {
			unusable = errors.Join(unusable, fmt.Errorf("key %d, with the id %q: %w", n+1, key.id, err))
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return errors.Join(errors.New("the issuer's answer has no key that can be used"), unusable)
	}
	i.known.Store(&keys)
	if said := fmt.Sprint(unusable); unusable != nil && said != i.leftOut { // not every ten minutes
		i.log.Warn("keys of the issuer cannot be used and are left out", "url", i.url, "error", unusable)
		i.leftOut = said
	}
	return nil
}

// readKey returns a key that verifies signatures by one of the algorithms of Tokens.methods.
func readKey(text jsontext.Value) (key issuerKey, err error) {
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
	case m.USE != "" && m.USE != jwkset.UseSig, m.KEYOPS != nil && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify):
		return key, errors.New("its use is another than to verify signatures")
	case key.method == nil, m.ALG != "" && m.ALG.String() != key.method.Alg():
		return key, errors.New("it is for another algorithm than RS256, ES256 and EdDSA")
	}
	key.public = jwk.Key()
	return key, nil
}

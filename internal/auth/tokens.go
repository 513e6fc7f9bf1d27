package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"example.com/b2b/internal/apperr"
)

// Tokens says which tokens a deployment accepts. The zero value accepts none.
type Tokens struct {
	Secret   string      // of JWTs signed with HS256; "" accepts none of them
	Keys     jwt.Keyfunc // finds the key of a JWT signed with RS256, ES256 or EdDSA; nil accepts none of them
	Issuer   string      // that a JWT must name as `iss`; "" for any
	Audience string      // that a JWT must name in `aud`; "" for any
	Service  []string    // the service tokens; services present the first, and the others are on their way in or out
}

// ActingForHeader says for whom the holder of the service token makes a call: see Principal.ActingFor.
const ActingForHeader = "X-Acting-For"

// Identify returns who calls, by the headers Authorization and X-Acting-For. The error is 401 unauthorized for a token that is not
// valid, and 403 forbidden for an X-Acting-For that cannot be read or comes from somebody else than the holder of the service token.
func (t Tokens) Identify(h http.Header) (Principal, error) {
	if len(h.Values("Authorization")) > 1 || len(h.Values(ActingForHeader)) > 1 {
		return Anonymous, apperr.Unauthorized.New("send one only")
	}
	p, err := t.bearer(h.Get("Authorization"))
	actingFor := h.Get(ActingForHeader)
	if err != nil || actingFor == "" {
		return p, err
	}
	if p != Service {
		return p, apperr.Forbidden.New().With("/header/"+ActingForHeader, apperr.Params{"rule": "service_token"}, "may be sent only with the service token")
	}
	if actingFor == forNobody { // of most calls, where callers need no token
		return Principal{Subject: Anonymous.Subject, ByService: true}, nil
	}
	encoded, err := base64.RawURLEncoding.DecodeString(actingFor)
	var c claims
	if err == nil {
		err = json.Unmarshal(encoded, &c)
	}
	if err == nil && c.Subject == "" {
		return Principal{Subject: Anonymous.Subject, ByService: true}, nil
	}
	if err == nil {
		p, err = c.principal()
	}
	if err != nil {
		return p, apperr.Forbidden.Because(err).With("/header/"+ActingForHeader, apperr.Params{"rule": "format"}, "names no caller")
	}
	p.ByService = true
	return p, nil
}

func (t Tokens) bearer(authorization string) (Principal, error) {
	if authorization == "" {
		return Anonymous, nil
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Anonymous, apperr.Unauthorized.New("send Authorization: Bearer TOKEN")
	}
	for _, service := range t.Service {
		if service != "" && subtle.ConstantTimeCompare([]byte(token), []byte(service)) == 1 {
			return Service, nil
		}
	}
	p, err := t.verify(token)
	if err != nil {
		return Anonymous, apperr.Unauthorized.Because(err, reason(err))
	}
	return p, nil
}

// clockSkew is how far an issuer's clock may be ahead. A token that has expired has expired.
const clockSkew = 5 * time.Second

func (t Tokens) verify(token string) (Principal, error) {
	options := []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(clockSkew), jwt.WithValidMethods(t.methods())}
	if t.Issuer != "" {
		options = append(options, jwt.WithIssuer(t.Issuer))
	}
	if t.Audience != "" {
		options = append(options, jwt.WithAudience(t.Audience))
	}
	var c claims
	if _, err := jwt.ParseWithClaims(token, &c, t.key, options...); err != nil {
		return Anonymous, err
	}
	if !time.Now().Before(c.ExpiresAt.Time) {
		return Anonymous, jwt.ErrTokenExpired
	}
	return c.principal()
}

// methods are what the deployment has keys for. The algorithm of a token chooses the key, so that a public key never serves as a
// secret: RFC 8725, section 2.1.
func (t Tokens) methods() []string {
	methods := []string{}
	if t.Secret != "" {
		methods = append(methods, jwt.SigningMethodHS256.Alg())
	}
	if t.Keys != nil {
		methods = append(methods, jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(), jwt.SigningMethodEdDSA.Alg())
	}
	return methods
}

func (t Tokens) key(token *jwt.Token) (any, error) {
	if token.Method == jwt.SigningMethodHS256 {
		return []byte(t.Secret), nil
	}
	return t.Keys(token)
}

// Issue signs a JWT for p with the secret, valid for lifetime from now.
func (t Tokens) Issue(p Principal, lifetime time.Duration) (string, error) {
	now := time.Now()
	c := claims{Scope: p.Scope, Customer: customerID(p.Customer), RegisteredClaims: jwt.RegisteredClaims{
		Subject: p.Subject, Issuer: t.Issuer, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(lifetime)),
	}}
	if t.Audience != "" {
		c.Audience = jwt.ClaimStrings{t.Audience}
	}
	if _, err := c.principal(); err != nil {
		return "", err
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(t.Secret))
}

// ActingFor is what the holder of the service token sends as X-Acting-For to act for p; "" for the service itself.
func (p Principal) ActingFor() string {
	switch p.Subject {
	case Service.Subject, System.Subject:
		return ""
	case Anonymous.Subject:
		return forNobody
	}
	return claims{Scope: p.Scope, Customer: customerID(p.Customer), RegisteredClaims: jwt.RegisteredClaims{Subject: p.Subject}}.encode()
}

// forNobody is X-Acting-For for a caller without a token.
var forNobody = claims{}.encode()

func (c claims) encode() string {
	encoded, _ := json.Marshal(c) // strings and numbers
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// claims are those of a JWT that this system reads.
type claims struct {
	jwt.RegisteredClaims
	Scope    string     `json:"scope,omitempty"`       // RFC 8693, section 4.2
	Customer customerID `json:"customer_id,omitempty"` // binds the token to a customer
}

// customerID refuses whatever is not an id: a claim that cannot be read must not make a token that is bound to nobody.
type customerID int64

// UnmarshalJSON implements json.Unmarshaler, for null too.
func (c *customerID) UnmarshalJSON(text []byte) error {
	id, err := strconv.ParseInt(string(text), 10, 64)
	if *c = customerID(id); err != nil || id < 1 || !c.possible() {
		return errNoCustomer
	}
	return nil
}

// possible reports whether it is an id, or 0.
func (c customerID) possible() bool { return c >= 0 && c <= 1<<53-1 }

var (
	errNoCustomer = errors.New("customer_id is no id of a customer")
	errNoSubject  = errors.New("sub is missing, or is no name that a caller may have")
)

func (c claims) principal() (Principal, error) {
	control := strings.IndexFunc(c.Subject, unicode.IsControl) >= 0
	switch n := utf8.RuneCountInString(c.Subject); {
	case n < 1 || n > 255 || control || !utf8.ValidString(c.Subject),
		c.Subject == Anonymous.Subject, c.Subject == Service.Subject, c.Subject == System.Subject:
		return Anonymous, errNoSubject
	}
	if !c.Customer.possible() {
		return Anonymous, errNoCustomer
	}
	return Principal{Subject: c.Subject, Customer: int64(c.Customer), Scope: c.Scope}, nil
}

// reason says to the caller why a token is not valid.
func reason(err error) string {
	for _, known := range []struct {
		err      error
		sentence string
	}{
		{jwt.ErrTokenExpired, "this one has expired"},
		{jwt.ErrTokenNotValidYet, "this one is not valid yet"},
		{jwt.ErrTokenUsedBeforeIssued, "this one was issued in the future"},
		{jwt.ErrTokenInvalidIssuer, "this one is by another issuer"},
		{jwt.ErrTokenInvalidAudience, "this one is for another audience"},
		{jwt.ErrTokenRequiredClaimMissing, "this one lacks a claim that must be there"},
		{errNoSubject, "this one's " + errNoSubject.Error()},
		{errNoCustomer, "this one's " + errNoCustomer.Error()},
		{jwt.ErrTokenUnverifiable, "this one's signature cannot be checked"},
		{jwt.ErrTokenSignatureInvalid, "this one's signature is not by a key of this deployment"},
	} {
		if errors.Is(err, known.err) {
			return known.sentence
		}
	}
	return "this one is neither a JWT nor a service token"
}

// FetchKeys returns the keys at a JWKS address. They are read now, every ten minutes, and when a token names one that is not known,
// until ctx ends. While the issuer does not answer, those that are known keep working; log says so. Without an answer at the first
// time the error says why.
func FetchKeys(ctx context.Context, url string, log *slog.Logger) (jwt.Keyfunc, error) {
	return fetchKeys(ctx, url, log, 5*time.Second)
}

func fetchKeys(ctx context.Context, url string, log *slog.Logger, timeout time.Duration) (jwt.Keyfunc, error) {
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{url}, keyfunc.Override{
		HTTPTimeout:               timeout,
		NoErrorReturnFirstHTTPReq: new(bool),
		RefreshInterval:           10 * time.Minute,
		RefreshUnknownKID:         rate.NewLimiter(rate.Every(10*time.Second), 3), // whoever makes up key ids cannot make us flood the issuer
		RateLimitWaitMax:          timeout,                                        // of a call whose token names an unknown key, the reading included
		RefreshErrorHandlerFunc: func(string) func(context.Context, error) {
			return func(_ context.Context, err error) {
				log.Error("the issuer's keys could not be read; those known keep working", "url", url, "error", err)
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("the keys at %s (JWT_JWKS_URL) cannot be used: %w", url, err)
	}
	return keys.Keyfunc, nil
}

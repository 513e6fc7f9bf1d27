package auth

import (
	"cmp"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/text/secure/precis"

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

// Identify returns who calls, by the headers Authorization and X-Acting-For. The error is 401 unauthorized
// for a token that is not valid, and 403 forbidden for an X-Acting-For that cannot be read or comes from
// somebody else than the holder of the service token.
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
	encoded, err := base64.RawURLEncoding.Strict().DecodeString(actingFor)
	var c claims
	if err == nil {
		err = json.Unmarshal(encoded, &c)
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
	token = strings.TrimLeft(token, " ") // RFC 9110, section 11.4: one space or more
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
	if strings.ContainsAny(token, "\r\n") { // which even strict decoding of base64 skips
		return Anonymous, jwt.ErrTokenMalformed
	}
	options := []jwt.ParserOption{jwt.WithStrictDecoding(), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(clockSkew), jwt.WithValidMethods(t.methods())}
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

// methods are what the deployment has keys for. The algorithm of a token chooses the key, so that a public
// key never serves as a secret: RFC 8725, section 2.1.
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

// key returns the key for a token's algorithm. The error is for a header that can be read in two ways, of
// which the parser does not know: it takes the last of two parameters with one name, and ignores `crit`.
func (t Tokens) key(token *jwt.Token) (any, error) {
	header, _, _ := strings.Cut(token.Raw, ".")
	decoded, _ := base64.RawURLEncoding.DecodeString(header) // as the parser has done
	if !jsontext.Value(decoded).IsValid() {
		return nil, jsontext.ErrDuplicateName
	}
	if _, critical := token.Header["crit"]; critical { // RFC 7515, section 4.1.11; no extension is supported
		return nil, errCritical
	}
	if token.Method == jwt.SigningMethodHS256 {
		return []byte(t.Secret), nil
	}
	return t.Keys(token)
}

// Issue signs a JWT for p with the secret, valid for lifetime from now.
func (t Tokens) Issue(p Principal, lifetime time.Duration) (string, error) {
	now := time.Now()
	c := claims{Scope: (*scopes)(&p.Scope), Customer: customerID(p.Customer), RegisteredClaims: jwt.RegisteredClaims{
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

// ActingFor is what the holder of the service token sends as X-Acting-For to act for p; "" for the service
// itself.
func (p Principal) ActingFor() string {
	switch p.Subject {
	case Service.Subject, System.Subject:
		return ""
	case Anonymous.Subject:
		return forNobody
	}
	return claims{Scope: (*scopes)(&p.Scope), Customer: customerID(p.Customer), RegisteredClaims: jwt.RegisteredClaims{Subject: p.Subject}}.encode()
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
	Scope    *scopes    `json:"scope,omitempty"`      // RFC 8693, section 4.2
	Scp      *scopes    `json:"scp,omitempty"`        // the name that some issuers give it; counts when there is no `scope`
	Customer customerID `json:"customer_id,omitzero"` // binds the token to a customer
}

// UnmarshalJSON implements json.Unmarshaler. It binds claims by their exact names only, as RFC 7519 requires,
// and refuses a text that has a name twice. Without it the parser's encoding/json would bind names in any
// case, and the last of several.
func (c *claims) UnmarshalJSON(text []byte) error {
	type plain claims
	return json.Unmarshal(text, (*plain)(c), numericDates)
}

// numericDates reads `exp`, `nbf` and `iat`, and refuses numbers that are no time; jwt.NumericDate itself
// takes 1e300 for some time.
var numericDates = json.WithUnmarshalers(json.UnmarshalFunc(func(text []byte, d *jwt.NumericDate) error {
	seconds, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.Abs(seconds) > lastSecond {
		return errNoDate
	}
	d.Time = time.Unix(int64(seconds), 0)
	return nil
}))

const lastSecond = 253402300799 // of the year 9999

// scopes are separated by U+0020: RFC 6749, section 3.3.
type scopes string

// UnmarshalJSON implements json.Unmarshaler, for a text and for a list of scopes.
func (s *scopes) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, (*string)(s)) == nil {
		return nil
	}
	var list []string
	several := func(scope string) bool { return strings.Contains(scope, " ") }
	if err := json.Unmarshal(text, &list); err != nil || slices.ContainsFunc(list, several) {
		return errNoScopes
	}
	*s = scopes(strings.Join(list, " "))
	return nil
}

// customerID refuses whatever is not an id: a claim that cannot be read must not make a token that is bound
// to nobody.
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
	errNoScopes   = errors.New("scope (or scp) is neither a text nor a list of scopes")
	errNoDate     = errors.New("exp, nbf or iat is not a date")
	errCritical   = errors.New("crit asks for an extension that is not supported")
)

// principal returns whom the claims name. The error is for a customer_id that is none, and for a subject with
// control or invisible characters, or that a reader could take for one of ours: "Service", "service ", or the
// same in full width (RFC 8266).
func (c claims) principal() (Principal, error) {
	name, err := precis.Nickname.CompareKey(c.Subject)
	ours := []string{Anonymous.Subject, Service.Subject, System.Subject}
	if err != nil || utf8.RuneCountInString(c.Subject) > 255 || slices.Contains(ours, name) {
		return Anonymous, errNoSubject
	}
	if !c.Customer.possible() {
		return Anonymous, errNoCustomer
	}
	p := Principal{Subject: c.Subject, Customer: int64(c.Customer)}
	if said := cmp.Or(c.Scope, c.Scp); said != nil {
		p.Scope = string(*said)
	}
	return p, nil
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
		{jsontext.ErrDuplicateName, "this one has a name twice"},
		{errNoDate, "this one's " + errNoDate.Error()},
		{errNoScopes, "this one's " + errNoScopes.Error()},
		{errCritical, "this one's " + errCritical.Error()},
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

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

	"example.com/b2b/v2/internal/apperr"
)

// Tokens verifies and issues the tokens of a deployment. The zero value accepts no token.
type Tokens struct {
	Secrets  []string    // secrets for HS256: the first signs, all verify; without secrets, HS256 is refused
	Keys     jwt.Keyfunc // finds the key of a JWT signed with RS256, ES256 or EdDSA; nil refuses these JWTs
	Issuer   string      // required `iss`; "" accepts any issuer
	Audience string      // required entry of `aud`; "" accepts any audience
	Service  []string    // accepted service tokens; services send the first one
	Verified *Verified   // remembers verified tokens; nil means that each request verifies its token
}

// ActingForHeader carries the principal for whom a service makes a call: see Principal.ActingFor.
const ActingForHeader = "X-Acting-For"

// NetworkHeader carries Principal.Network of a caller without a token, for whom a service makes a call. It is
// not a part of X-Acting-For, because a service of an earlier version refuses a longer X-Acting-For.
const NetworkHeader = "X-Acting-For-Network"

// Identify returns the caller that the headers Authorization, X-Acting-For and X-Acting-For-Network name, or
// Anonymous without a token. Errors: 401 unauthorized for an invalid token, or for a header that comes twice;
// 403 forbidden for a malformed X-Acting-For, and for X-Acting-For or X-Acting-For-Network without the
// service token.
func (t Tokens) Identify(h http.Header) (Principal, error) {
	for _, name := range []string{"Authorization", ActingForHeader, NetworkHeader} {
		if len(h.Values(name)) > 1 {
			return Anonymous, apperr.Unauthorized.New("send one only")
		}
	}
	p, err := t.bearer(h.Get("Authorization"))
	if err != nil {
		return p, err
	}
	for _, name := range []string{ActingForHeader, NetworkHeader} {
		if p != Service && h.Get(name) != "" {
			return p, apperr.Forbidden.New().With("/header/"+name,
				apperr.Params{"rule": "service_token"}, "may be sent only with the service token")
		}
	}
	switch actingFor := h.Get(ActingForHeader); actingFor {
	case "":
		return p, nil
	case forAnonymous:
		return Principal{Subject: Anonymous.Subject, ByService: true, Network: h.Get(NetworkHeader)}, nil
	default:
		return actingAs(actingFor)
	}
}

// actingAs returns the caller that an X-Acting-For names. Error: 403 forbidden when it is malformed.
func actingAs(actingFor string) (p Principal, err error) {
	encoded, err := base64.RawURLEncoding.Strict().DecodeString(actingFor)
	var c claims
	if err == nil {
		err = json.Unmarshal(encoded, &c)
	}
	if err == nil {
		p, err = c.principal()
	}
	if err != nil {
		return p, apperr.Forbidden.Because(err).With("/header/"+ActingForHeader,
			apperr.Params{"rule": "format"}, "names no caller")
	}
	p.ByService = true
	return p, nil
}

func (t Tokens) bearer(authorization string) (Principal, error) {
	if authorization == "" {
		return Anonymous, nil
	}
	scheme, token := SplitAuthorization(authorization)
	if !strings.EqualFold(scheme, "Bearer") {
		return Anonymous, apperr.Unauthorized.New("send Authorization: Bearer TOKEN")
	}
	if token == "" { // openapi-generator's clients for Ruby send the scheme even without a token
		return Anonymous, nil
	}
	for _, service := range t.Service {
		if service != "" && subtle.ConstantTimeCompare([]byte(token), []byte(service)) == 1 {
			return Service, nil
		}
	}
	p, err := t.Verified.of(token, t.verify)
	if err != nil {
		return Anonymous, apperr.Unauthorized.Because(err, reason(err))
	}
	return p, nil
}

// SplitAuthorization returns the scheme and the token of the header Authorization. The token is "" when the
// header has a scheme alone.
func SplitAuthorization(header string) (scheme, token string) {
	scheme, token, _ = strings.Cut(header, " ")
	return scheme, strings.TrimLeft(token, " ") // RFC 9110, section 11.4, allows several spaces
}

// clockSkew is the tolerance for `nbf` and `iat`: the issuer's clock may be ahead. `exp` has no tolerance.
const clockSkew = 5 * time.Second

// verify returns the principal and the time `exp` of a JWT. The function reason turns the errors of verify
// into sentences for callers.
func (t Tokens) verify(token string) (p Principal, expires time.Time, err error) {
	if strings.ContainsAny(token, "\r\n") { // base64 decoding ignores line ends, even in strict mode
		return Anonymous, expires, jwt.ErrTokenMalformed
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
		return Anonymous, expires, err
	}
	if !time.Now().Before(c.ExpiresAt.Time) {
		return Anonymous, expires, jwt.ErrTokenExpired
	}
	p, err = c.principal()
	return p, c.ExpiresAt.Time, err
}

// methods returns the accepted signature algorithms. The method key chooses the key by the algorithm of the
// token, so that a public key is never used as an HMAC secret (RFC 8725, section 2.1).
func (t Tokens) methods() []string {
	methods := []string{}
	if len(t.Secrets) > 0 {
		methods = append(methods, jwt.SigningMethodHS256.Alg())
	}
	if t.Keys != nil {
		methods = append(methods, jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(),
			jwt.SigningMethodEdDSA.Alg())
	}
	return methods
}

// key returns the key that verifies the token. It refuses two kinds of header: a header with a duplicate
// name, where the JWT parser takes the last value, and a header with `crit`, which the parser ignores.
func (t Tokens) key(token *jwt.Token) (any, error) {
	header, _, _ := strings.Cut(token.Raw, ".")
	decoded, _ := base64.RawURLEncoding.DecodeString(header) // cannot fail: the parser has read it before
	if !jsontext.Value(decoded).IsValid() {
		return nil, jsontext.ErrDuplicateName
	}
	if _, critical := token.Header["crit"]; critical { // no extension is supported (RFC 7515, section 4.1.11)
		return nil, errCritical
	}
	if token.Method == jwt.SigningMethodHS256 {
		all := jwt.VerificationKeySet{}
		for _, secret := range t.Secrets {
			all.Keys = append(all.Keys, []byte(secret))
		}
		return all, nil
	}
	return t.Keys(token)
}

// Issue returns a JWT for p, signed with the first secret. The parameter lifetime is the time from now until
// the token expires. Issue fails when a token cannot have p's subject or customer: see claims.principal.
func (t Tokens) Issue(p Principal, lifetime time.Duration) (string, error) {
	now := time.Now()
	c := toClaims(p)
	c.Issuer = t.Issuer
	c.IssuedAt, c.ExpiresAt = jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(lifetime))
	if t.Audience != "" {
		c.Audience = jwt.ClaimStrings{t.Audience}
	}
	if _, err := c.principal(); err != nil {
		return "", err
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString([]byte(t.Secrets[0]))
}

// ActingFor returns the header X-Acting-For for calls that a service makes for p. It returns "", which means
// no header, when p is Service or System.
func (p Principal) ActingFor() string {
	switch p.Subject {
	case Service.Subject, System.Subject:
		return ""
	case Anonymous.Subject:
		return forAnonymous
	}
	return toClaims(p).encode()
}

// forAnonymous is the X-Acting-For for a caller without a token.
var forAnonymous = claims{}.encode()

func (c claims) encode() string {
	encoded, _ := json.Marshal(c) // cannot fail: claims are strings and numbers
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// claims has the supported claims of a JWT.
type claims struct {
	jwt.RegisteredClaims
	Scope    *scopes    `json:"scope,omitempty"`      // RFC 8693, section 4.2
	Scp      *scopes    `json:"scp,omitempty"`        // other name of `scope`; used when `scope` is missing
	Customer customerID `json:"customer_id,omitzero"` // the only customer for whom the caller may act
}

func toClaims(p Principal) claims {
	return claims{Scope: (*scopes)(&p.Scope), Customer: customerID(p.Customer),
		RegisteredClaims: jwt.RegisteredClaims{Subject: p.Subject}}
}

// UnmarshalJSON implements json.Unmarshaler. It matches names exactly, as RFC 7519 requires, and refuses
// duplicate names. The encoding/json of the JWT parser would ignore case and take the last duplicate.
func (c *claims) UnmarshalJSON(text []byte) error {
	type plain claims
	return json.Unmarshal(text, (*plain)(c), numericDates)
}

// numericDates parses `exp`, `nbf` and `iat`. Error: errNoDate for a value that is not a number, or that is
// more than lastSecond seconds after or before 1970. jwt.NumericDate alone would accept 1e300.
var numericDates = json.WithUnmarshalers(json.UnmarshalFunc(func(text []byte, d *jwt.NumericDate) error {
	seconds, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.Abs(seconds) > lastSecond {
		return errNoDate
	}
	d.Time = time.Unix(int64(seconds), 0)
	return nil
}))

const lastSecond = 253402300799 // end of the year 9999, in Unix time

// scopes is a string of scopes, separated by spaces (RFC 6749, section 3.3).
type scopes string

// UnmarshalJSON implements json.Unmarshaler. It accepts a string, and an array of scopes without spaces.
func (s *scopes) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, (*string)(s)) == nil {
		return nil
	}
	var list []string
	if json.Unmarshal(text, &list) != nil {
		return errNoScopes
	}
	for _, scope := range list {
		if strings.Contains(scope, " ") {
			return errNoScopes
		}
	}
	*s = scopes(strings.Join(list, " "))
	return nil
}

// customerID is the id of a customer. An invalid id in a token must be an error. It must not become 0,
// because a token with 0 may act for all customers.
type customerID int64

// UnmarshalJSON implements json.Unmarshaler. It accepts only the id of a customer, and refuses even null.
func (c *customerID) UnmarshalJSON(text []byte) error {
	id, err := strconv.ParseInt(string(text), 10, 64)
	*c = customerID(id)
	if err != nil || id < 1 || !c.valid() {
		return errNoCustomer
	}
	return nil
}

// valid reports whether c is an id or 0. Ids have at most 53 bits, because JavaScript rounds larger integers.
func (c customerID) valid() bool { return c >= 0 && c <= 1<<53-1 }

var (
	errNoCustomer = errors.New("customer_id is no id of a customer")
	errNoSubject  = errors.New("sub is missing, or is no name that a caller may have")
	errNoScopes   = errors.New("scope (or scp) is neither a text nor a list of scopes")
	errNoDate     = errors.New("exp, nbf or iat is not a date")
	errCritical   = errors.New("crit asks for an extension that is not supported")
)

// principal returns the principal of the claims. Errors: errNoCustomer for an invalid customer_id;
// errNoSubject for a subject that is empty, has more than 255 characters, has control or invisible
// characters, or looks like a reserved name (RFC 8266), such as "Service", "service ", or "service" in
// full-width characters.
func (c claims) principal() (Principal, error) {
	name, err := precis.Nickname.CompareKey(c.Subject)
	reserved := []string{Anonymous.Subject, Service.Subject, System.Subject}
	if err != nil || utf8.RuneCountInString(c.Subject) > 255 || slices.Contains(reserved, name) {
		return Anonymous, errNoSubject
	}
	if !c.Customer.valid() {
		return Anonymous, errNoCustomer
	}
	p := Principal{Subject: c.Subject, Customer: int64(c.Customer)}
	if scope := cmp.Or(c.Scope, c.Scp); scope != nil {
		p.Scope = string(*scope)
	}
	return p, nil
}

// reason returns the sentence that tells the caller why a token is invalid.
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

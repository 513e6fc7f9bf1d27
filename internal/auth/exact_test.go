package auth

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const plainHeader = `{"alg":"HS256","typ":"JWT"}`

// signed returns a JWT with exactly this header and these claims. They may have a name twice, which an
// encoder of JSON would not write.
func signed(header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(header)) + "." + encode([]byte(claims))
	return text + "." + signature(text)
}

// TestClaimsByExactName checks that Identify reads claims only by their exact names, and that it refuses a
// token with a name twice.
func TestClaimsByExactName(t *testing.T) {
	tokens := Tokens{Secrets: []string{secret}}
	soon := time.Now().Add(time.Hour).Unix()
	unbound, unscoped := acme, acme
	unbound.Customer, unscoped.Scope = 0, ""
	for name, c := range map[string]struct {
		claims string // claims of the token besides `sub` and `exp`
		want   Principal
		status int
		says   string
	}{
		"as_they_are":               {`"customer_id":7,"scope":"orders:read"`, acme, 0, ""},
		"another_customer_behind":   {`"customer_id":7,"Customer_ID":2,"scope":"orders:read"`, acme, 0, ""},
		"another_customer_before":   {`"CUSTOMER_ID":2,"customer_id":7,"scope":"orders:read"`, acme, 0, ""},
		"customer_with_a_long_s":    {`"cu\u017ftomer_id":7,"scope":"orders:read"`, unbound, 0, ""},
		"scope_in_capitals":         {`"customer_id":7,"SCOPE":"admin"`, unscoped, 0, ""},
		"scope_in_capitals_too":     {`"customer_id":7,"scope":"orders:read","Scope":"admin"`, acme, 0, ""},
		"sub_in_capitals":           {`"customer_id":7,"scope":"orders:read","SUB":"victim"`, acme, 0, ""},
		"nbf_in_capitals":           {`"customer_id":7,"scope":"orders:read","NBF":99999999999`, acme, 0, ""},
		"other_claims_are_anything": {`"customer_id":7,"scope":"orders:read","realm_access":{"roles":["a"],"Roles":[null]},"x":[1e300]`, acme, 0, ""},
		"customer_twice":            {`"customer_id":7,"customer_id":2`, Anonymous, 401, "twice"},
		"customer_twice_escaped":    {`"customer_id":7,"customer\u005fid":2`, Anonymous, 401, "twice"},
		"scope_twice":               {`"scope":"orders:read","scope":"admin"`, Anonymous, 401, "twice"},
		"sub_twice":                 {`"sub":"victim"`, Anonymous, 401, "twice"},
		"exp_twice":                 {fmt.Sprintf(`"exp":%d`, soon+1), Anonymous, 401, "twice"},
		"an_unknown_name_twice":     {`"x":1,"x":2`, Anonymous, 401, "twice"},
		"no_utf8":                   {"\"x\":\"\xff\"", Anonymous, 401, "neither"},
	} {
		t.Run(name, func(t *testing.T) {
			token := signed(plainHeader, fmt.Sprintf(`{"sub":"acme","exp":%d,%s}`, soon, c.claims))
			identify(t, tokens, token, c.want, c.status, c.says)
		})
	}
	onlyEXP := signed(plainHeader, fmt.Sprintf(`{"sub":"acme","EXP":%d}`, soon))
	identify(t, tokens, onlyEXP, Anonymous, 401, "lacks a claim")
	expAndEXP := signed(plainHeader, fmt.Sprintf(`{"sub":"acme","exp":1,"EXP":%d}`, soon))
	identify(t, tokens, expAndEXP, Anonymous, 401, "expired")
	onlyAUD := signed(plainHeader, fmt.Sprintf(`{"sub":"acme","exp":%d,"AUD":"b2b"}`, soon))
	identify(t, Tokens{Secrets: []string{secret}, Audience: "b2b"}, onlyAUD, Anonymous, 401, "lacks a claim")
}

// TestActingForByExactName checks that Identify reads the names in X-Acting-For as strictly as the names in a
// token.
func TestActingForByExactName(t *testing.T) {
	tokens := Tokens{Service: []string{"service-token"}}
	byService := acme
	byService.ByService = true
	for text, want := range map[string]Principal{
		`{"sub":"acme","customer_id":7,"scope":"orders:read"}`:                                 byService,
		`{"sub":"acme","customer_id":7,"Customer_ID":2,"scope":"orders:read","SCOPE":"admin"}`: byService,
		`{"sub":"acme","sub":"victim"}`:                                                        {},
		`{"SUB":"victim"}`:                                                                     {},
		`{"scope":"admin"}`:                                                                    {},
		`null`:                                                                                 {},
	} {
		h := http.Header{
			"Authorization": {"Bearer service-token"},
			ActingForHeader: {base64.RawURLEncoding.EncodeToString([]byte(text))},
		}
		if p, err := tokens.Identify(h); (err == nil) != (want != Principal{}) || err == nil && p != want {
			t.Errorf("%s: %+v %v", text, p, err)
		}
	}
}

// TestStrictJOSE checks that Identify refuses a token with a critical header (`crit`), with an encoding that
// is not canonical, or with a time that is not a number or is after the year 9999.
func TestStrictJOSE(t *testing.T) {
	tokens := Tokens{Secrets: []string{secret}}
	claims := func(changed string) string {
		return `{"sub":"acme","customer_id":7,"scope":"orders:read",` + changed + `}`
	}
	good := claims(`"exp":4102444800`)
	for name, c := range map[string]struct {
		header, claims string
		status         int
		says           string
	}{
		"plain":                   {plainHeader, good, 0, ""},
		"an_access_token":         {`{"alg":"HS256","typ":"at+jwt","x":{}}`, good, 0, ""},
		"alg_in_capitals":         {`{"ALG":"HS256"}`, good, 401, "signature"},
		"alg_twice":               {`{"alg":"none","alg":"HS256"}`, good, 401, "twice"},
		"kid_twice":               {`{"alg":"HS256","kid":"a","kid":"b"}`, good, 401, "twice"},
		"crit":                    {`{"alg":"HS256","crit":["exp"],"exp":1}`, good, 401, "crit"},
		"crit_b64":                {`{"alg":"HS256","crit":["b64"],"b64":true}`, good, 401, "crit"},
		"crit_empty":              {`{"alg":"HS256","crit":[]}`, good, 401, "crit"},
		"crit_null":               {`{"alg":"HS256","crit":null}`, good, 401, "crit"},
		"times_with_fractions":    {plainHeader, claims(`"exp":4102444800.5,"nbf":1.5e9,"iat":0`), 0, ""},
		"the_last_second":         {plainHeader, claims(`"exp":253402300799`), 0, ""},
		"exp_of_2^63-1":           {plainHeader, claims(`"exp":9223372036854775807`), 401, "not a date"},
		"exp_in_milliseconds":     {plainHeader, claims(`"exp":4102444800000`), 401, "not a date"},
		"exp_beyond_numbers":      {plainHeader, claims(`"exp":1e400`), 401, "not a date"},
		"exp_as_text":             {plainHeader, claims(`"exp":"4102444800"`), 401, "not a date"},
		"exp_as_list":             {plainHeader, claims(`"exp":[4102444800]`), 401, "not a date"},
		"exp_before_all_times":    {plainHeader, claims(`"exp":-1e300`), 401, "not a date"},
		"nbf_of_1e300":            {plainHeader, claims(`"exp":4102444800,"nbf":1e300`), 401, "not a date"},
		"iat_of_1e300":            {plainHeader, claims(`"exp":4102444800,"iat":1e300`), 401, "not a date"},
		"nbf_of_the_next_century": {plainHeader, claims(`"exp":4102444800,"nbf":4102444800`), 401, "not valid yet"},
	} {
		t.Run(name, func(t *testing.T) {
			identify(t, tokens, signed(c.header, c.claims), acme, c.status, c.says)
		})
	}
	for _, alphabet := range []string{
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", "=\r\n",
	} {
		token := signed(plainHeader, good)
		for _, last := range alphabet {
			if changed := token[:len(token)-1] + string(last); changed != token {
				identify(t, tokens, changed, Anonymous, 401, "")
			}
			if strings.ContainsRune("\r\n", last) {
				identify(t, tokens, token+string(last), Anonymous, 401, "")
			}
		}
	}
	h := http.Header{"Authorization": {"Bearer s"}, ActingForHeader: {Anonymous.ActingFor()[:1] + "31"}}
	if p, err := (Tokens{Service: []string{"s"}}).Identify(h); err == nil {
		t.Errorf("an X-Acting-For with unused bits that are not zero: %+v", p)
	}
}

// TestScopes reads scopes from the claims that issuers use: `scope` or `scp`, as a text or as a list. Only
// U+0020 separates scopes (RFC 6749, section 3.3). A number in the table says how many of the two required
// scopes the token lacks. For -1, Identify must refuse the token.
func TestScopes(t *testing.T) {
	tokens := Tokens{Secrets: []string{secret}}
	required := []string{"orders:read", "orders:write"}
	for claims, lacking := range map[string]int{
		`"scope":"orders:read orders:write"`:                0,
		`"scope":"orders:read  orders:write "`:              0,
		`"scope":["orders:read","orders:write"]`:            0,
		`"scp":"orders:read orders:write"`:                  0, // Microsoft Entra ID
		`"scp":["orders:read","orders:write"]`:              0, // Okta
		`"scope":null,"scp":["orders:read","orders:write"]`: 0,
		`"scope":["openid","orders:read"]`:                  1,
		`"scope":"orders:read","scp":"admin"`:               1, // `scope` is the registered name, and takes precedence
		`"scope":"","scp":"admin"`:                          2,
		`"scope":[]`:                                        2,
		`"x":1`:                                             2,
		`"scope":"orders:read\u00a0orders:write"`:           2,
		`"scope":"orders:read\torders:write"`:               2,
		`"scope":"orders:read\norders:write"`:               2,
		`"scope":"orders:read\u2003orders:write"`:           2,
		`"SCP":"admin"`:                                     2,
		`"scope":["orders:read orders:write"]`:              -1,
		`"scope":[["orders:read"]]`:                         -1,
		`"scope":["orders:read",7]`:                         -1,
		`"scope":{"orders:read":true}`:                      -1,
		`"scope":7`:                                         -1,
		`"scp":7`:                                           -1,
	} {
		token := signed(plainHeader, `{"sub":"acme","exp":4102444800,`+claims+`}`)
		p, err := tokens.Identify(http.Header{"Authorization": {"Bearer " + token}})
		if lacking < 0 {
			identify(t, tokens, token, Anonymous, 401, "scope")
		} else if got := len(p.Lacks(required)); err != nil || got != lacking {
			t.Errorf("%s: lacks %d of the scopes, want %d; %+v %v", claims, got, lacking, p, err)
		}
	}
}

// TestReservedSubjects checks that Identify and Issue refuse a subject that looks like service, system or
// anonymous, because a reader of a history could take the caller for the system itself. Subjects with control
// or invisible characters must be refused, too. Other subjects must be accepted.
func TestReservedSubjects(t *testing.T) {
	tokens := Tokens{Secrets: []string{secret}}
	for _, subject := range []string{
		"service", "Service", "SERVICE", "service ", " service", "\u00a0Service\u2003", "ſervice", "ｓｅｒｖｉｃｅ",
		"𝐬𝐞𝐫𝐯𝐢𝐜𝐞", "ser\u200bvice", "ser\u00advice", "service\ufeff", "service\ufe0f", "\u202eecivres",
		"System", " system ", "ⓢystem", "Anonymous", "ANONYMOUS\u3000", " ", "\u00a0", "a\nb", "a\u0085b",
	} {
		identify(t, tokens, mintHS256(t, valid(claimsOf{"sub": subject})), Anonymous, 401, "sub")
		if token, err := tokens.Issue(Principal{Subject: subject}, time.Minute); err == nil {
			t.Errorf("issued %s for %q", token, subject)
		}
	}
	for _, subject := range []string{
		"services", "my service", "auth0|5f7c8ec7c33c6c004bbafe82", "8f4b@clients",
		"https://issuer.example/users/7?x=y#z", "Ünïcode Gmbh", "日本", "مثال", "o'neil", "🚚 fleet",
		"spiffe://example.org/ns/a/sa/service", "CN=erp,O=Acme", "{\"id\":1}", "a  b",
	} {
		want := acme
		want.Subject = subject
		identify(t, tokens, mintHS256(t, valid(claimsOf{"sub": subject})), want, 0, "")
	}
}

// TestBearerSpaces checks that Identify accepts one or more spaces before a token (RFC 9110, section 11.4),
// and no other white space before or after the token. The scheme without a token must mean an anonymous
// caller.
func TestBearerSpaces(t *testing.T) {
	tokens := Tokens{Secrets: []string{secret}, Service: []string{"service-token"}}
	jwt := mintHS256(t, valid())
	for authorization, want := range map[string]Principal{
		"Bearer " + jwt: acme, "Bearer  " + jwt: acme, "BEARER    " + jwt: acme,
		"Bearer  service-token": Service, "bearer   service-token": Service,
		"Bearer\t" + jwt: {}, "Bearer \t" + jwt: {}, "Bearer\u00a0" + jwt: {}, "Bearer " + jwt + " ": {},
		"Bearer " + jwt + " x": {}, " Bearer " + jwt: {}, "Bearer" + jwt: {},
		"Bearer": Anonymous, "Bearer ": Anonymous, "bearer   ": Anonymous, "Bearer \t": {}, "Basic": {},
	} {
		p, err := tokens.Identify(http.Header{"Authorization": {authorization}})
		if (err == nil) != (want != Principal{}) || err == nil && p != want {
			t.Errorf("%q: %+v %v", authorization, p, err)
		}
	}
}

// Package attacks_test is the table of attacks: what each tries, and what it gets. docs/security.md names the
// threats.
package attacks_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/correlation"
	"example.com/b2b/internal/web"
	"example.com/b2b/internal/web/webtest"
	"example.com/b2b/test/live"
)

const everyScope = "customers:read customers:write products:read products:write orders:read orders:write events:read"

// mallory is a partner, bound to customer 1 of the sample data; the victim is customer 2.
var (
	mallory = auth.Principal{Subject: "mallory", Customer: 1, Scope: everyScope}
	victim  = auth.Principal{Subject: "victim", Customer: 2, Scope: everyScope}
	clerk   = auth.Principal{Subject: "clerk", Scope: "orders:read"}
)

// attack is a request, and what it must get. Its error, when it is one, has the code.
type attack struct {
	service, method, path string
	headers               []string // names and values in turn; Authorization comes from as, unless it is here
	as                    *auth.Principal
	body                  string
	status                int
	code                  string
	without               string // what the answer must not show
	beside                string // a request that root sends on eight connections, and never ends
}

// target is the system under attack, in mode jwt, with some data of the victim.
type target struct {
	base   map[string]string
	tokens auth.Tokens
	key    *rsa.PrivateKey
	tag    string // the ETag of the victim's order
	order  int64  // the victim's
	log    safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func serve(t *testing.T, g *gorm.DB) *target {
	t.Helper()
	if _, err := db.Seed(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := &target{key: key}
	s.tokens = auth.Tokens{
		Secret:   "the-secret-of-this-deployment-32",
		Issuer:   "https://issuer.example",
		Audience: "b2b",
		Service:  []string{webtest.Token},
		Keys:     func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
	}
	o := webtest.Options()
	o.Open, o.Tokens, o.Log = false, s.tokens, webtest.Log(&s.log)
	o.Limits = web.Limits{InFlight: 8, Imports: 8}
	s.base = live.Serve(g, o, func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	})
	placed := webtest.Data(
		t, "POST", s.base["orders"]+"/orders",
		map[string]any{"customer_id": 2, "items": []any{map[string]any{"product_id": 5, "qty": 7}}},
		"Authorization", s.bearer(t, victim), web.IdempotencyHeader, "shared-key",
	)
	s.order = int64(placed["id"].(float64))
	_, _, header := webtest.Do(
		t, "GET", fmt.Sprint(s.base["orders"], "/orders/", s.order), "", "Authorization", s.bearer(t, victim),
	)
	s.tag = header.Get("ETag")
	return s
}

func (s *target) bearer(t *testing.T, p auth.Principal) string {
	t.Helper()
	token, err := s.tokens.Issue(p, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

// sign makes a token of mallory's, with other claims than it should have: nil takes one out.
func (s *target) sign(t *testing.T, method jwt.SigningMethod, key any, changed jwt.MapClaims) string {
	t.Helper()
	now := time.Now()
	claims := jwt.MapClaims{
		"sub": "mallory", "customer_id": 1, "scope": everyScope, "iss": s.tokens.Issuer,
		"aud": s.tokens.Audience, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	maps.Copy(claims, changed)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

// signText makes a token of mallory's with the secret: this header, and besides the usual claims these, as no
// encoder of JSON writes them.
func (s *target) signText(t *testing.T, header, claims string) string {
	t.Helper()
	claims = fmt.Sprintf(`{"sub":"mallory","iss":%q,"aud":%q,%s}`, s.tokens.Issuer, s.tokens.Audience, claims)
	text := base64.RawURLEncoding.EncodeToString(
		[]byte(header),
	) + "." + base64.RawURLEncoding.EncodeToString(
		[]byte(claims),
	)
	return "Bearer " + text + "." + base64.RawURLEncoding.EncodeToString(
		must(jwt.SigningMethodHS256.Sign(text, []byte(s.tokens.Secret))),
	)
}

// attacks are all of them, by what they try.
func (s *target) attacks(t *testing.T) map[string]attack {
	secret := []byte(s.tokens.Secret)
	public := pem.EncodeToMemory(
		&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(&s.key.PublicKey))},
	)
	hour, ago := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Minute).Unix()
	order := func(suffix string) string { return fmt.Sprint("/orders/", s.order, suffix) }
	all := map[string]attack{}

	// Authentication: each token asks for an order of mallory's own.
	good := s.sign(t, jwt.SigningMethodHS256, secret, nil)
	parts := strings.Split(strings.TrimPrefix(good, "Bearer "), ".")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	const hs256 = `{"alg":"HS256"}`
	for name, authorization := range map[string]string{
		"a customer twice":                s.signText(t, hs256, `"exp":4102444800,"scope":"admin","customer_id":1,"customer_id":2`),
		"a scope twice":                   s.signText(t, hs256, `"exp":4102444800,"customer_id":1,"scope":"orders:read","scope":"admin"`),
		"a subject twice":                 s.signText(t, hs256, `"exp":4102444800,"customer_id":1,"scope":"orders:read","sub":"victim"`),
		"exp, and EXP":                    s.signText(t, hs256, `"exp":1,"EXP":4102444800,"customer_id":1,"scope":"orders:read"`),
		"EXP only":                        s.signText(t, hs256, `"EXP":4102444800,"customer_id":1,"scope":"orders:read"`),
		"exp of 2^63-1":                   s.signText(t, hs256, `"exp":9223372036854775807,"customer_id":1,"scope":"orders:read"`),
		"nbf of 1e300":                    s.signText(t, hs256, `"exp":4102444800,"nbf":1e300,"customer_id":1,"scope":"orders:read"`),
		"an extension that is critical":   s.signText(t, `{"alg":"HS256","crit":["x"],"x":1}`, `"exp":4102444800,"customer_id":1,"scope":"orders:read"`),
		"alg twice":                       s.signText(t, `{"alg":"none","alg":"HS256"}`, `"exp":4102444800,"customer_id":1,"scope":"orders:read"`),
		"another writing of a signature":  "Bearer " + otherWriting(strings.TrimPrefix(good, "Bearer ")),
		"as Service":                      s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"sub": "Service"}),
		"as the service and a space":      s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"sub": "service\u00a0"}),
		"as the system, in wide letters":  s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"sub": "ｓｙｓｔｅｍ"}),
		"no token":                        "",
		"an empty bearer":                 "Bearer ",
		"another scheme":                  "Basic bWFsbG9yeTptYWxsb3J5",
		"the service token, basic":        "Basic " + webtest.Token,
		"a guessed service token":         "Bearer dev-service-token",
		"a part of the service token":     "Bearer " + webtest.Token[:8],
		"the service token and more":      "Bearer " + webtest.Token + "x",
		"alg none":                        s.sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"alg nOnE":                        "Bearer " + encode(`{"alg":"nOnE","typ":"JWT"}`) + "." + parts[1] + ".",
		"no signature":                    "Bearer " + parts[0] + "." + parts[1] + ".",
		"two parts":                       "Bearer " + parts[0] + "." + parts[1],
		"the public key as HMAC secret":   s.sign(t, jwt.SigningMethodHS256, public, nil),
		"HS512 with the right secret":     s.sign(t, jwt.SigningMethodHS512, secret, nil),
		"PS256, which is not accepted":    s.sign(t, jwt.SigningMethodPS256, s.key, nil),
		"another secret":                  s.sign(t, jwt.SigningMethodHS256, []byte("another-secret-of-32-bytes-or-so"), nil),
		"no secret":                       s.sign(t, jwt.SigningMethodHS256, []byte{}, nil),
		"another RSA key":                 s.sign(t, jwt.SigningMethodRS256, must(rsa.GenerateKey(rand.Reader, 2048)), nil),
		"claims changed after signing":    "Bearer " + parts[0] + "." + encode(fmt.Sprintf(`{"sub":"mallory","scope":"admin","exp":%d}`, hour)) + "." + parts[2],
		"expired":                         s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"exp": ago}),
		"never expires":                   s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"exp": nil}),
		"expires some day":                s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"exp": "some day"}),
		"not valid yet":                   s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"nbf": hour}),
		"issued in the future":            s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"iat": hour}),
		"another issuer":                  s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"iss": "https://mallory.example"}),
		"no issuer":                       s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"iss": nil}),
		"for another audience":            s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"aud": "billing"}),
		"for no audience":                 s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"aud": nil}),
		"nobody":                          s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"sub": nil}),
		"as the service":                  s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"sub": "service"}),
		"as the system":                   s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"sub": "system"}),
		"as anonymous":                    s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"sub": "anonymous"}),
		"customer null":                   s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"customer_id": json.RawMessage("null")}),
		"customer 0":                      s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"customer_id": 0}),
		"customer -1":                     s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"customer_id": -1}),
		"customer 1.5":                    s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"customer_id": 1.5}),
		"customer as text":                s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"customer_id": "1"}),
		"several customers":               s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{"customer_id": []int{1, 2}}),
		"a token with a line break in it": "Bearer " + parts[0] + "." + parts[1] + "\t." + parts[2],
	} {
		all["authentication: "+name] = attack{
			service: "orders", method: "GET", path: "/orders/1",
			headers: []string{"Authorization", authorization}, status: 401, code: "unauthorized",
		}
	}
	scope := func(method, path string) attack {
		return attack{service: "orders", method: method, path: path, as: &clerk, status: 403, code: "forbidden"}
	}
	all["scope: write with a token that reads"] = scope("POST", "/orders")
	all["scope: HEAD is a read, POST is none"] = scope("POST", order("/confirm"))
	all["scope: products with orders:read"] = scope("GET", "/products/1")
	all["scope: history without events:read"] = scope("GET", order("/history"))
	spelled := func(method, path, claims string, status int, code string) attack {
		return attack{
			service: "orders", method: method, path: path,
			headers: []string{"Authorization", s.signText(t, hs256, `"exp":4102444800,`+claims)},
			status:  status, code: code,
		}
	}
	all["scope: SCOPE of another spelling"] = spelled(
		"GET", "/products/1", `"scope":"orders:read","SCOPE":"admin"`, 403, "forbidden",
	)
	all["scope: separated by U+00A0"] = spelled(
		"GET", "/products/1", `"scope":"orders:read\u00a0products:read"`, 403, "forbidden",
	)
	all["scope: scp beside scope"] = spelled(
		"GET", "/products/1", `"scope":"orders:read","scp":"admin"`, 403, "forbidden",
	)
	all["tenant: Customer_ID beside customer_id"] = spelled(
		"GET", order(""), `"scope":"orders:read","customer_id":1,"Customer_ID":2`, 404, "order_not_found",
	)
	all["tenant: cuſtomer_id beside customer_id"] = spelled(
		"GET", order(""), `"scope":"orders:read","customer_id":1,"cu\u017ftomer_id":2`, 404,
		"order_not_found",
	)
	all["scope: internal with a JWT"] = attack{
		service: "customers", method: "GET", path: "/internal/customers/1",
		as: &auth.Principal{Subject: "root", Scope: auth.Admin}, status: 403, code: "forbidden",
	}
	all["scope: internal without a token"] = attack{
		service: "customers", method: "GET", path: "/internal/customers/1", status: 401, code: "unauthorized",
	}

	// Tenant crossing: mallory wants what is the victim's.
	mine := func(service, method, path, body string, status int, code string, headers ...string) attack {
		return attack{
			service: service, method: method, path: path, body: body, headers: headers, as: &mallory,
			status: status, code: code, without: "purchasing@globex",
		}
	}
	newOrder := `{"customer_id":%d,"items":[{"product_id":5,"qty":1}]}`
	for name, a := range map[string]attack{
		"read an order":                      mine("orders", "GET", order(""), "", 404, "order_not_found"),
		"read an order's head":               mine("orders", "HEAD", order(""), "", 404, ""),
		"confirm an order":                   mine("orders", "POST", order("/confirm"), "", 404, "order_not_found", web.IdempotencyHeader, "k1"),
		"confirm with the victim's key":      mine("orders", "POST", order("/confirm"), "", 404, "order_not_found", web.IdempotencyHeader, "shared-key"),
		"cancel an order":                    mine("orders", "POST", order("/cancel"), `{}`, 404, "order_not_found"),
		"cancel as compensation":             mine("orders", "POST", order("/cancel"), `{"cause":"compensation"}`, 403, "forbidden"),
		"an order's history":                 mine("orders", "GET", order("/history"), "", 404, "order_not_found"),
		"an order's ETag, If-None-Match":     mine("orders", "GET", order(""), "", 404, "order_not_found", "If-None-Match", s.tag),
		"an order's ETag, any":               mine("orders", "GET", order(""), "", 404, "order_not_found", "If-None-Match", "*"),
		"an order's ETag, If-Match":          mine("orders", "POST", order("/cancel"), `{}`, 404, "order_not_found", "If-Match", s.tag),
		"an order's wrong ETag":              mine("orders", "POST", order("/cancel"), `{}`, 404, "order_not_found", "If-Match", `"0"`),
		"list by the victim's id":            mine("orders", "GET", "/orders?customer_id=2", "", 200, ""),
		"list behind a cursor":               mine("orders", "GET", fmt.Sprint("/orders?cursor=", s.order-1), "", 200, ""),
		"what the victim's key has done":     mine("orders", "GET", "/idempotency-keys/shared-key", "", 404, "idempotency_key_unknown"),
		"that key, through the orchestrator": mine("orchestrator", "GET", "/orchestrator/create-and-confirm-order/shared-key", "", 404, "idempotency_key_unknown"),
		"order for the victim":               mine("orders", "POST", "/orders", fmt.Sprintf(newOrder, 2), 403, "forbidden"),
		"replay the victim's order":          mine("orders", "POST", "/orders", `{"customer_id":2,"items":[{"product_id":5,"qty":7}]}`, 403, "forbidden", web.IdempotencyHeader, "shared-key"),
		"order for somebody unknown":         mine("orders", "POST", "/orders", fmt.Sprintf(newOrder, 99999), 403, "forbidden"),
		"order for the victim, orchestrated": mine("orchestrator", "POST", "/orchestrator/create-and-confirm-order",
			`{"customer_id":2,"items":[{"product_id":5,"qty":1}],"idempotency_key":"k2"}`, 403, "forbidden"),
		"read the victim's record":             mine("customers", "GET", "/customers/2", "", 404, "customer_not_found"),
		"change the victim's record":           mine("customers", "PUT", "/customers/2", `{"name":"mine"}`, 404, "customer_not_found"),
		"delete the victim's record":           mine("customers", "DELETE", "/customers/2", "", 404, "customer_not_found"),
		"the victim's record's history":        mine("customers", "GET", "/customers/2/history", "", 404, "customer_not_found"),
		"search for the victim":                mine("customers", "GET", "/customers?search=globex", "", 200, ""),
		"make another customer":                mine("customers", "POST", "/customers", `{"name":"x","email":"x@example.com"}`, 403, "forbidden"),
		"act for the victim":                   mine("orders", "GET", order(""), "", 403, "forbidden", auth.ActingForHeader, victim.ActingFor()),
		"act for nobody":                       mine("orders", "GET", order(""), "", 403, "forbidden", auth.ActingForHeader, auth.Anonymous.ActingFor()),
		"act for the victim without a token":   {service: "orders", method: "GET", path: order(""), headers: []string{auth.ActingForHeader, victim.ActingFor()}, status: 403, code: "forbidden"},
		"two tokens, the second the service's": mine("orders", "GET", order(""), "", 401, "unauthorized", "Authorization", s.bearer(t, mallory), "Authorization", "Bearer "+webtest.Token),
		"the id by another spelling":           mine("orders", "GET", fmt.Sprintf("/orders/0%d", s.order), "", 400, "validation_failed"),
		"the id with a sign":                   mine("orders", "GET", fmt.Sprintf("/orders/%%2B%d", s.order), "", 400, "validation_failed"),
		"make a product":                       mine("orders", "POST", "/products", `{"sku":"M-1","name":"x","price_cents":1,"stock":1}`, 403, "forbidden"),
		"set a price":                          mine("orders", "PATCH", "/products/5", `{"price_cents":1}`, 403, "forbidden"),
		"take stock":                           mine("orders", "POST", "/products/5/stock-adjustments", `{"delta":-1,"reason":"x"}`, 403, "forbidden"),
		"import prices":                        mine("orders", "POST", "/products/import", "sku,price_cents\nx,1\n", 403, "forbidden", "Content-Type", "text/csv"),
		"import customers":                     mine("customers", "POST", "/customers/import", "email,name\nx@example.com,x\n", 403, "forbidden", "Content-Type", "text/csv"),
		"the id as hexadecimal":                mine("orders", "GET", fmt.Sprintf("/orders/0x%x", s.order), "", 400, "validation_failed"),
		"the id and a path":                    mine("orders", "GET", fmt.Sprintf("/orders/1%%2f..%%2f%d", s.order), "", 400, "validation_failed"),
	} {
		all["tenant: "+name] = a
	}

	// Injection, overflow, paths, and what breaks parsers. The caller may do everything.
	root := auth.Principal{Subject: "root", Scope: auth.Admin}
	as := func(service, method, path, body string, status int, code string, headers ...string) attack {
		return attack{
			service: service, method: method, path: path, body: body, headers: headers, as: &root,
			status: status, code: code,
		}
	}
	item := func(fields string) string { return `{"customer_id":1,"items":[{` + fields + `}]}` }
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	for name, a := range map[string]attack{
		"SQL in a search":             as("customers", "GET", "/customers?search=%27%20OR%201%3D1%20--", "", 200, ""),
		"SQL union in a search":       as("orders", "GET", "/products?search=x%27%29%20UNION%20SELECT%201%2C2%20--%20", "", 200, ""),
		"wildcards in a search":       as("orders", "GET", "/products?search=%25_%25", "", 200, ""),
		"SQL in an id":                as("orders", "GET", "/orders/1%20OR%201=1", "", 400, "validation_failed"),
		"SQL in a status":             as("orders", "GET", "/orders?status=CREATED%27--", "", 400, "validation_failed"),
		"SQL in a date":               as("orders", "GET", "/orders?from=2024-01-01%27%3B--", "", 400, "validation_failed"),
		"SQL in a key":                as("orders", "GET", "/idempotency-keys/%27%3BDROP%2FTABLE", "", 404, "idempotency_key_unknown"),
		"NUL in a search":             as("customers", "GET", "/customers?search=a%00b", "", 400, "validation_failed"),
		"NUL in a name":               as("customers", "POST", "/customers", `{"name":"a\u0000","email":"nul@example.com"}`, 400, "validation_failed"),
		"a template in a name":        as("orders", "POST", "/products", `{"sku":"T-1","name":"{{7*7}}${7*7}<script>alert(1)</script>","price_cents":1,"stock":1}`, 201, ""),
		"a line break in a name":      as("orders", "POST", "/products", `{"sku":"T-2","name":"a\nlevel=ERROR","price_cents":1,"stock":1}`, 400, "validation_failed"),
		"a log line in an id":         as("orders", "GET", "/orders/1", "", 200, "", correlation.Header, "x\"}\t{\"level\":\"ERROR\""),
		"half a surrogate pair":       as("customers", "POST", "/customers", `{"name":"\ud800","email":"half@example.com"}`, 400, "validation_failed"),
		"bytes that are not UTF-8":    as("customers", "POST", "/customers", "{\"name\":\"\xff\",\"email\":\"x@example.com\"}", 400, "malformed_json"),
		"a field of the database":     as("orders", "PATCH", "/products/1", `{"price_cents":1,"id":2,"created_at":"2020-01-01T00:00:00Z"}`, 400, "validation_failed"),
		"status in a new order":       as("orders", "POST", "/orders", `{"customer_id":1,"status":"CONFIRMED","total_cents":1,"items":[{"product_id":5,"qty":1}]}`, 400, "validation_failed"),
		"a price of one's own":        as("orders", "POST", "/orders", item(`"product_id":5,"qty":1,"unit_price_cents":1`), 400, "validation_failed"),
		"__proto__":                   as("orders", "POST", "/orders", item(`"product_id":5,"qty":1,"__proto__":{"admin":true}`), 400, "validation_failed"),
		"a negative quantity":         as("orders", "POST", "/orders", item(`"product_id":5,"qty":-1`), 400, "validation_failed"),
		"quantity 2^63":               as("orders", "POST", "/orders", item(`"product_id":5,"qty":9223372036854775808`), 400, "validation_failed"),
		"quantity 1e400":              as("orders", "POST", "/orders", item(`"product_id":5,"qty":1e400`), 400, "validation_failed"),
		"quantity 1.5":                as("orders", "POST", "/orders", item(`"product_id":5,"qty":1.5`), 400, "validation_failed"),
		"quantities that overflow":    as("orders", "POST", "/orders", `{"customer_id":1,"items":[`+strings.Repeat(`{"product_id":5,"qty":1000000},`, 99)+`{"product_id":5,"qty":1000000}]}`, 400, "insufficient_stock"),
		"a quantity twice":            as("orders", "POST", "/orders", item(`"product_id":5,"qty":1,"qty":1000`), 400, "validation_failed"),
		"a quantity twice, escaped":   as("orders", "POST", "/orders", item(`"product_id":5,"qty":1,"\u0071ty":1000`), 400, "validation_failed"),
		"a customer twice":            as("orders", "POST", "/orders", `{"customer_id":1,"customer_id":2,"items":[{"product_id":5,"qty":1}]}`, 400, "validation_failed"),
		"stock below zero":            as("orders", "POST", "/products/1/stock-adjustments", `{"delta":-1000000000,"reason":"x"}`, 400, "insufficient_stock"),
		"an id beyond 2^53":           as("orders", "GET", "/orders/9007199254740993", "", 400, "validation_failed"),
		"a cursor below zero":         as("orders", "GET", "/orders?cursor=-1", "", 400, "validation_failed"),
		"a million of a page":         as("orders", "GET", "/orders?limit=1000000", "", 400, "validation_failed"),
		"a parameter twice":           as("orders", "GET", "/orders?customer_id=1&customer_id=2", "", 400, "validation_failed"),
		"a parameter nobody knows":    as("orders", "GET", "/orders?custmer_id=2", "", 400, "validation_failed"),
		"a parameter of another call": as("orders", "POST", "/orders?dry_run=true", item(`"product_id":5,"qty":1`), 400, "validation_failed"),
		"a parameter of a change":     as("orders", "PATCH", "/products/1?stock=0", `{"price_cents":1}`, 400, "validation_failed"),
		"true as 1":                   as("orders", "GET", "/products?active=1", "", 400, "validation_failed"),
		"true as TRUE":                as("orders", "GET", "/products?active=TRUE", "", 400, "validation_failed"),
		"a key between half quotes":   as("orders", "POST", "/orders", item(`"product_id":5,"qty":1`), 400, "validation_failed", "Idempotency-Key", `"k`),
		"an email of no domain":       as("customers", "POST", "/customers", `{"name":"x","email":"a@localhost"}`, 400, "validation_failed"),
		"another key in the header": as("orchestrator", "POST", "/orchestrator/create-and-confirm-order", `{"customer_id":1,"items":[{"product_id":5,"qty":1}],"idempotency_key":"k3"}`,
			400, "validation_failed", "Idempotency-Key", `"k4"`),
		"101 lines":                     as("orders", "POST", "/orders", `{"customer_id":1,"items":[`+strings.Repeat(`{"product_id":5,"qty":1},`, 100)+`{"product_id":5,"qty":1}]}`, 400, "validation_failed"),
		"a deep body":                   as("orders", "POST", "/orders", deep, 400, ""),
		"a deep field":                  as("orders", "POST", "/orders", `{"items":`+deep+`}`, 400, ""),
		"a body over 1 MiB":             as("orders", "POST", "/orders", `{"x":"`+strings.Repeat("a", 1<<20)+`"}`, 413, "payload_too_large"),
		"an entity in XML":              as("orders", "POST", "/orders", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>`, 415, "unsupported_media_type", "Content-Type", "application/xml"),
		"a form":                        as("orders", "POST", order("/cancel"), "reason=x", 415, "unsupported_media_type", "Content-Type", "application/x-www-form-urlencoded"),
		"a form as text":                as("orders", "POST", order("/cancel"), `{"reason":"x"}`, 415, "unsupported_media_type", "Content-Type", "text/plain"),
		"a key of spaces":               as("orders", "POST", order("/confirm"), "", 400, "", web.IdempotencyHeader, "a b"),
		"a key too long":                as("orders", "POST", order("/confirm"), "", 400, "validation_failed", web.IdempotencyHeader, strings.Repeat("k", 256)),
		"two keys":                      as("orders", "POST", order("/confirm"), "", 400, "validation_failed", web.IdempotencyHeader, "a", "Idempotency-Key", "b"),
		"a key .. in a path":            as("orders", "GET", "/idempotency-keys/%2e%2e", "", 400, "validation_failed"),
		"up from the documentation":     as("orders", "GET", "/docs/%2e%2e/%2e%2e/etc/passwd", "", 404, "not_found"),
		"up, encoded twice":             as("orders", "GET", "/docs/%252e%252e%252fetc%252fpasswd", "", 404, "not_found"),
		"up, with backslashes":          as("orders", "GET", "/docs/..%5c..%5cetc", "", 404, "not_found"),
		"profiles":                      as("orders", "GET", "/debug/pprof/heap", "", 404, "not_found"),
		"the environment":               as("orders", "GET", "/.env", "", 404, "not_found"),
		"another case of a path":        as("orders", "GET", "/Orders/1", "", 404, "not_found"),
		"a slash too many":              as("orders", "GET", "//orders/1", "", 404, "not_found"),
		"a method override":             as("orders", "GET", "/orders/1", "", 200, "", "X-HTTP-Method-Override", "DELETE"),
		"TRACE":                         as("orders", "TRACE", "/orders/1", "", 405, "method_not_allowed"),
		"DELETE of an order":            as("orders", "DELETE", "/orders/1", "", 405, "method_not_allowed"),
		"a method nobody knows":         as("orders", "PROPFIND", "/orders", "", 405, "method_not_allowed"),
		"another host by header":        as("orders", "GET", "/orders/1", "", 200, "", "X-Forwarded-Host", "mallory.example"),
		"an address by header":          as("orders", "GET", "/orders/1", "", 200, "", "X-Original-URL", "/internal/customers/1"),
		"the service token in a query":  {service: "customers", method: "GET", path: "/internal/customers/1?access_token=" + webtest.Token, status: 401, code: "unauthorized"},
		"the service token in a cookie": {service: "customers", method: "GET", path: "/internal/customers/1", headers: []string{"Cookie", "token=" + webtest.Token}, status: 401, code: "unauthorized"},
	} {
		all["input: "+name] = a
	}

	// Greed: root holds all that it gets of something.
	office := auth.Principal{Subject: "office", Scope: auth.Admin}
	slowImport := "POST /products/import HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: 1000"
	const rows = "sku,name,price_cents,stock\nG-1,Good,1,1\n"
	for name, a := range map[string]attack{
		"more slow imports than a share": {as: &root, method: "POST", path: "/products/import", body: rows, status: 429, code: "rate_limited"},
		"an import of another":           {as: &office, method: "POST", path: "/products/import", body: "colour\n", status: 400, code: "validation_failed"},
		"a read of the same caller":      {as: &root, method: "GET", path: "/products/1", status: 200},
		"an order of another": {as: &victim, method: "POST", path: "/orders", body: `{"customer_id":2,"items":[{"product_id":5,"qty":1}]}`,
			status: 201},
	} {
		a.service, a.beside = "orders", slowImport
		if a.path == "/products/import" {
			a.headers = []string{"Content-Type", "text/csv"}
		}
		all["greed: slow imports, "+name] = a
	}
	return all
}

// otherWriting is a token whose last character differs in bits that no byte of the signature has.
func otherWriting(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])^1])
}

// TestAttacks makes all of them, and looks at what they got, what they changed and what was logged.
func TestAttacks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		attacks := s.attacks(t)
		if len(attacks) < 80 {
			t.Errorf("only %d attacks", len(attacks))
		}
		for _, name := range slices.Sorted(maps.Keys(attacks)) {
			t.Run(name, func(t *testing.T) { s.try(t, attacks[name]) })
		}
		t.Run("the victim's order is as it was", func(t *testing.T) {
			_, _, header := webtest.Do(
				t, "GET", fmt.Sprint(s.base["orders"], "/orders/", s.order), "", "Authorization",
				s.bearer(t, victim),
			)
			if header.Get("ETag") != s.tag {
				t.Errorf("%s, was %s", header.Get("ETag"), s.tag)
			}
		})
		t.Run("the log", func(t *testing.T) {
			for line := range strings.Lines(s.log.String()) {
				var entry struct{ Level, Msg string }
				if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Level != "INFO" {
					t.Errorf("%v: %s", err, line)
				}
				if strings.Contains(line, webtest.Token) || strings.Contains(line, "eyJ") {
					t.Errorf("a token: %s", line)
				}
			}
		})
	})
}

func (s *target) try(t *testing.T, a attack) {
	if a.beside != "" {
		for range 8 {
			c, err := net.Dial("tcp", strings.TrimPrefix(s.base[a.service], "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprintf(
				c, "%s\r\nHost: x\r\nAuthorization: %s\r\nExpect: 100-continue\r\n\r\n", a.beside,
				s.bearer(t, auth.Principal{Subject: "root", Scope: auth.Admin}),
			)
			if line, err := bufio.NewReader(c).ReadString('\n'); err != nil { // it has its slot, or got its refusal
				t.Fatal(line, err)
			}
		}
	}
	req, err := http.NewRequest(a.method, s.base[a.service]+a.path, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if a.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for pair := range slices.Chunk(a.headers, 2) {
		if pair[0] == "Content-Type" {
			req.Header.Del(pair[0])
		}
		req.Header[pair[0]] = append(req.Header[pair[0]], pair[1])
	}
	if a.as != nil && req.Header["Authorization"] == nil {
		req.Header.Set("Authorization", s.bearer(t, *a.as))
	}
	if slices.Contains(a.headers, "Authorization") && req.Header.Get("Authorization") == "" {
		req.Header.Del("Authorization")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Success bool
		Code    string
		Data    any
	}
	if err := json.Unmarshal(body, &answer); err != nil && a.method != "HEAD" {
		t.Errorf("%v: %s", err, body)
	}
	if res.StatusCode != a.status || a.code != "" && answer.Code != a.code || answer.Success != (a.status < 300) {
		t.Errorf("%d %s, want %d %s", res.StatusCode, body, a.status, a.code)
	}
	if a.status == 401 && res.Header.Get("WWW-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
	if a.without != "" &&
		(strings.Contains(string(body), a.without) || strings.Contains(string(body), fmt.Sprintf(`"id":%d,"customer_id":2`, s.order))) {
		t.Errorf("shows what is the victim's: %s", body)
	}
	if id := res.Header.Get(correlation.Header); id == "" || strings.ContainsAny(id, "\"{\n") {
		t.Errorf("correlation id %q", id)
	}
}

func must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}

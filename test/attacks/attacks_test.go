// Package attacks_test has a table of attacks with the answer that each attack must get. docs/security.md
// names the threats.
package attacks_test

import (
	"bufio"
	"bytes"
	"cmp"
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

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/test/live"
)

const everyScope = "customers:read customers:write products:read products:write orders:read orders:write " +
	"events:read webhooks:read webhooks:write"

// mallory is a partner, bound to customer 1 of the sample data. The victim is bound to customer 2.
var (
	mallory = auth.Principal{Subject: "mallory", Customer: 1, Scope: everyScope}
	victim  = auth.Principal{Subject: "victim", Customer: 2, Scope: everyScope}
	clerk   = auth.Principal{Subject: "clerk", Scope: "orders:read"}
)

// attack is a request, and the answer that it must get.
type attack struct {
	service, method, path string
	headers               []string        // names and values in turn
	as                    *auth.Principal // the caller whose token is sent, unless headers has Authorization
	body                  string
	status                int
	code                  string // code of the error; "" stands for any code
	without               string // the answer must not contain this text
	// beside is the method and path of a request. Before the attack, the caller "root" opens eight
	// connections, and sends the header of this request without the body on each.
	beside string
}

type namedAttack struct {
	name string
	attack
}

// target is the system under attack, in mode jwt, with an order of the victim.
type target struct {
	base   map[string]string
	tokens auth.Tokens
	key    *rsa.PrivateKey
	tag    string // the ETag of the victim's order
	order  int64  // the id of the victim's order
	hook   int64  // the id of the victim's webhook endpoint
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
		Secrets:  []string{"the-secret-of-this-deployment-32"},
		Issuer:   "https://issuer.example",
		Audience: "b2b",
		Service:  []string{webtest.Token},
		Keys:     func(*jwt.Token) (any, error) { return &key.PublicKey, nil },
	}
	o := webtest.Options()
	o.Open, o.Tokens, o.Log = false, s.tokens, webtest.Log(&s.log)
	o.Limits = web.Limits{InFlight: 8, Imports: 8}
	o.Browsers = web.Browsers{Local: true}
	s.base = live.Serve(g, o, func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	})
	order := map[string]any{"customer_id": 2, "items": []any{map[string]any{"product_id": 5, "qty": 7}}}
	placed := webtest.Data(
		t, "POST", s.base["orders"]+"/orders", order,
		"Authorization", s.bearer(t, victim), web.IdempotencyHeader, "shared-key",
	)
	if _, err := events.New(g, events.Config{}).SequenceBatch(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.order = int64(placed["id"].(float64))
	hook := map[string]any{"url": "https://globex.example/hook", "description": "purchasing@globex"}
	created := webtest.Data(
		t, "POST", s.base["events"]+"/webhook-endpoints", hook,
		"Authorization", s.bearer(t, victim), web.IdempotencyHeader, "shared-key",
	)
	s.hook = int64(created["endpoint"].(map[string]any)["id"].(float64))
	s.tag = s.currentTag(t)
	return s
}

// currentTag returns the present ETag of the victim's order.
func (s *target) currentTag(t *testing.T) string {
	t.Helper()
	url := fmt.Sprint(s.base["orders"], "/orders/", s.order)
	_, _, header := webtest.Do(t, "GET", url, "", "Authorization", s.bearer(t, victim))
	return header.Get("ETag")
}

func (s *target) bearer(t *testing.T, p auth.Principal) string {
	t.Helper()
	token, err := s.tokens.Issue(p, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

// sign returns a bearer token of mallory, with changed claims; nil removes a claim.
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

// signText returns a bearer token of mallory, signed with the secret. The header and the further claims are
// texts, so that they may have JSON that json.Marshal never writes, such as a claim twice.
func (s *target) signText(t *testing.T, header, claims string) string {
	t.Helper()
	claims = fmt.Sprintf(`{"sub":"mallory","iss":%q,"aud":%q,%s}`, s.tokens.Issuer, s.tokens.Audience, claims)
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(header)) + "." + encode([]byte(claims))
	signature := must(jwt.SigningMethodHS256.Sign(text, []byte(s.tokens.Secrets[0])))
	return "Bearer " + text + "." + encode(signature)
}

func (s *target) attacks(t *testing.T) map[string]attack {
	secret := []byte(s.tokens.Secrets[0])
	der := must(x509.MarshalPKIXPublicKey(&s.key.PublicKey))
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	hour, ago := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Minute).Unix()
	order := func(suffix string) string { return fmt.Sprint("/orders/", s.order, suffix) }
	all := map[string]attack{}
	add := func(name string, a attack) {
		if _, exists := all[name]; exists {
			t.Errorf("two attacks are named %q", name)
		}
		all[name] = a
	}

	// Authentication: each request reads an order of mallory's customer, but with a token that must get 401.
	good := s.sign(t, jwt.SigningMethodHS256, secret, nil)
	parts := strings.Split(strings.TrimPrefix(good, "Bearer "), ".")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	const hs256 = `{"alg":"HS256"}`
	text := func(claims string) string { return s.signText(t, hs256, claims) }
	with := func(claim string, value any) string {
		return s.sign(t, jwt.SigningMethodHS256, secret, jwt.MapClaims{claim: value})
	}
	const claims = `"exp":4102444800,"customer_id":1,"scope":"orders:read"`
	root := fmt.Sprintf(`{"sub":"mallory","scope":"admin","exp":%d}`, hour)
	for _, c := range []struct{ name, authorization string }{
		{"a customer twice", text(`"exp":4102444800,"scope":"admin","customer_id":1,"customer_id":2`)},
		{"a scope twice", text(claims + `,"scope":"admin"`)},
		{"a subject twice", text(claims + `,"sub":"victim"`)},
		{"exp, and EXP", text(`"exp":1,"EXP":4102444800,"customer_id":1,"scope":"orders:read"`)},
		{"EXP only", text(`"EXP":4102444800,"customer_id":1,"scope":"orders:read"`)},
		{"exp of 2^63-1", text(`"exp":9223372036854775807,"customer_id":1,"scope":"orders:read"`)},
		{"nbf of 1e300", text(`"exp":4102444800,"nbf":1e300,"customer_id":1,"scope":"orders:read"`)},
		{"an extension that is critical", s.signText(t, `{"alg":"HS256","crit":["x"],"x":1}`, claims)},
		{"alg twice", s.signText(t, `{"alg":"none","alg":"HS256"}`, claims)},
		{"another encoding of a signature", "Bearer " + otherEncoding(strings.TrimPrefix(good, "Bearer "))},
		{"as Service", with("sub", "Service")},
		{"as the service and a space", with("sub", "service\u00a0")},
		{"as the system, in wide letters", with("sub", "ｓｙｓｔｅｍ")},
		{"no token", ""},
		{"an empty bearer", "Bearer "},
		{"another scheme", "Basic bWFsbG9yeTptYWxsb3J5"},
		{"the service token, basic", "Basic " + webtest.Token},
		{"a guessed service token", "Bearer dev-service-token"},
		{"a part of the service token", "Bearer " + webtest.Token[:8]},
		{"the service token and more", "Bearer " + webtest.Token + "x"},
		{"alg none", s.sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil)},
		{"alg nOnE", "Bearer " + encode(`{"alg":"nOnE","typ":"JWT"}`) + "." + parts[1] + "."},
		{"no signature", "Bearer " + parts[0] + "." + parts[1] + "."},
		{"two parts", "Bearer " + parts[0] + "." + parts[1]},
		{"the public key as HMAC secret", s.sign(t, jwt.SigningMethodHS256, public, nil)},
		{"HS512 with the right secret", s.sign(t, jwt.SigningMethodHS512, secret, nil)},
		{"PS256, which is not accepted", s.sign(t, jwt.SigningMethodPS256, s.key, nil)},
		{"another secret", s.sign(t, jwt.SigningMethodHS256, []byte("another-secret-of-32-bytes-or-so"), nil)},
		{"no secret", s.sign(t, jwt.SigningMethodHS256, []byte{}, nil)},
		{"another RSA key", s.sign(t, jwt.SigningMethodRS256, must(rsa.GenerateKey(rand.Reader, 2048)), nil)},
		{"claims changed after signing", "Bearer " + parts[0] + "." + encode(root) + "." + parts[2]},
		{"expired", with("exp", ago)},
		{"never expires", with("exp", nil)},
		{"expires some day", with("exp", "some day")},
		{"not valid yet", with("nbf", hour)},
		{"issued in the future", with("iat", hour)},
		{"another issuer", with("iss", "https://mallory.example")},
		{"no issuer", with("iss", nil)},
		{"for another audience", with("aud", "billing")},
		{"for no audience", with("aud", nil)},
		{"no subject", with("sub", nil)},
		{"as the service", with("sub", "service")},
		{"as the system", with("sub", "system")},
		{"as anonymous", with("sub", "anonymous")},
		{"customer null", with("customer_id", json.RawMessage("null"))},
		{"customer 0", with("customer_id", 0)},
		{"customer -1", with("customer_id", -1)},
		{"customer 1.5", with("customer_id", 1.5)},
		{"customer as text", with("customer_id", "1")},
		{"several customers", with("customer_id", []int{1, 2})},
		{"a token with a line break in it", "Bearer " + parts[0] + "." + parts[1] + "\t." + parts[2]},
	} {
		add("authentication: "+c.name, attack{
			service: "orders", method: "GET", path: "/orders/1",
			headers: []string{"Authorization", c.authorization}, status: 401, code: "unauthorized",
		})
	}
	byClerk := func(method, path string) attack {
		return attack{service: "orders", method: method, path: path, as: &clerk, status: 403, code: "forbidden"}
	}
	add("scope: write with a token that reads", byClerk("POST", "/orders"))
	add("scope: HEAD is a read, POST is none", byClerk("POST", order("/confirm")))
	add("scope: products with orders:read", byClerk("GET", "/products/1"))
	add("scope: history without events:read", byClerk("GET", order("/history")))
	get := func(path, claims string, status int, code string) attack {
		return attack{
			service: "orders", method: "GET", path: path, headers: []string{"Authorization", text(claims)},
			status: status, code: code,
		}
	}
	const anyScope = `"exp":4102444800,"scope":"orders:read`
	add("scope: SCOPE of another spelling", get("/products/1", anyScope+`","SCOPE":"admin"`, 403, "forbidden"))
	add("scope: separated by U+00A0", get("/products/1", anyScope+`\u00a0products:read"`, 403, "forbidden"))
	add("scope: scp beside scope", get("/products/1", anyScope+`","scp":"admin"`, 403, "forbidden"))
	add("tenant: Customer_ID beside customer_id", get(order(""), claims+`,"Customer_ID":2`, 404, "order_not_found"))
	add("tenant: cuſtomer_id beside customer_id",
		get(order(""), claims+`,"cu\u017ftomer_id":2`, 404, "order_not_found"))
	add("scope: internal with a JWT", attack{
		service: "customers", method: "GET", path: "/internal/customers/1",
		as: &auth.Principal{Subject: "root", Scope: auth.Admin}, status: 403, code: "forbidden",
	})
	add("scope: internal without a token", attack{
		service: "customers", method: "GET", path: "/internal/customers/1", status: 401, code: "unauthorized",
	})

	// Crossing tenants: mallory tries to read and change data of the victim's customer.
	byMallory := func(service, method, path, body string, status int, code string, headers ...string) attack {
		return attack{
			service: service, method: method, path: path, body: body, headers: headers, as: &mallory,
			status: status, code: code, without: "purchasing@globex",
		}
	}
	hidden := func(method, path, body string, headers ...string) attack {
		return byMallory("orders", method, path, body, 404, "order_not_found", headers...)
	}
	hiddenHook := func(method, path, body string, headers ...string) attack {
		path = fmt.Sprint("/webhook-endpoints/", s.hook, path)
		return byMallory("events", method, path, body, 404, "webhook_endpoint_not_found", headers...)
	}
	forbidden := func(service, method, path, body string, headers ...string) attack {
		return byMallory(service, method, path, body, 403, "forbidden", headers...)
	}
	const newOrder = `{"customer_id":%d,"items":[{"product_id":5,"qty":1}]}`
	const orchestrate = "/orchestrator/create-and-confirm-order"
	const orchestration = `{"customer_id":%d,"items":[{"product_id":5,"qty":1}],"idempotency_key":"k2"}`
	const placed = `{"customer_id":2,"items":[{"product_id":5,"qty":7}]}`
	asCSV := []string{"Content-Type", "text/csv"}
	twoTokens := []string{"Authorization", s.bearer(t, mallory), "Authorization", "Bearer " + webtest.Token}
	for _, c := range []namedAttack{
		{"read an order", hidden("GET", order(""), "")},
		{"read an order's head", byMallory("orders", "HEAD", order(""), "", 404, "")},
		{"confirm an order", hidden("POST", order("/confirm"), "", web.IdempotencyHeader, "k1")},
		{"confirm with the victim's key",
			hidden("POST", order("/confirm"), "", web.IdempotencyHeader, "shared-key")},
		{"cancel an order", hidden("POST", order("/cancel"), `{}`)},
		{"cancel as compensation", forbidden("orders", "POST", order("/cancel"), `{"cause":"compensation"}`)},
		{"an order's history", hidden("GET", order("/history"), "")},
		{"an order's ETag, If-None-Match", hidden("GET", order(""), "", "If-None-Match", s.tag)},
		{"an order's ETag, any", hidden("GET", order(""), "", "If-None-Match", "*")},
		{"an order's ETag, If-Match", hidden("POST", order("/cancel"), `{}`, "If-Match", s.tag)},
		{"an order's wrong ETag", hidden("POST", order("/cancel"), `{}`, "If-Match", `"0"`)},
		{"list by the victim's id", byMallory("orders", "GET", "/orders?customer_id=2", "", 200, "")},
		{"list the victim's confirmed orders",
			byMallory("orders", "GET", "/orders?customer_id=2&confirmed_from=2000-01-01", "", 200, "")},
		{"list the victim's order by its id",
			byMallory("orders", "GET", fmt.Sprint("/orders?ids=1,2,", s.order), "", 200, "")},
		{"list the victim's record by its id", byMallory("customers", "GET", "/customers?ids=1,2", "", 200, "")},
		{"list deleted records of others",
			byMallory("customers", "GET", "/customers?include_deleted=true", "", 200, "")},
		{"list deleted records without events:read", attack{
			service: "customers", method: "GET", path: "/customers?include_deleted=true",
			as:     &auth.Principal{Subject: "reader", Scope: "customers:read customers:write"},
			status: 403, code: "forbidden",
		}},
		{"list behind a cursor",
			byMallory("orders", "GET", fmt.Sprint("/orders?cursor=", s.order-1), "", 200, "")},
		{"the report on the victim's key",
			byMallory("orders", "GET", "/idempotency-keys/shared-key", "", 404, "idempotency_key_unknown")},
		{"the same, by query",
			byMallory("orders", "GET", "/idempotency-keys?key=shared-key", "", 404, "idempotency_key_unknown")},
		{"the same, by the orchestrator",
			byMallory("orchestrator", "GET", orchestrate+"/shared-key", "", 404, "idempotency_key_unknown")},
		{"the same, by query, by the orchestrator", byMallory("orchestrator", "GET",
			orchestrate+"?idempotency_key=shared-key", "", 404, "idempotency_key_unknown")},
		{"order for the victim", forbidden("orders", "POST", "/orders", fmt.Sprintf(newOrder, 2))},
		{"replay the victim's order",
			forbidden("orders", "POST", "/orders", placed, web.IdempotencyHeader, "shared-key")},
		{"order for an unknown customer", forbidden("orders", "POST", "/orders", fmt.Sprintf(newOrder, 99999))},
		{"order for the victim, orchestrated",
			forbidden("orchestrator", "POST", orchestrate, fmt.Sprintf(orchestration, 2))},
		{"order for an unknown customer, orchestrated",
			forbidden("orchestrator", "POST", orchestrate, fmt.Sprintf(orchestration, 99999))},
		{"read the victim's record",
			byMallory("customers", "GET", "/customers/2", "", 404, "customer_not_found")},
		{"change the victim's record",
			byMallory("customers", "PUT", "/customers/2", `{"name":"mine"}`, 404, "customer_not_found")},
		{"delete the victim's record",
			byMallory("customers", "DELETE", "/customers/2", "", 404, "customer_not_found")},
		{"the victim's record's history",
			byMallory("customers", "GET", "/customers/2/history", "", 404, "customer_not_found")},
		{"the feed", byMallory("events", "GET", "/events?limit=1000", "", 200, "")},
		{"the feed, by types",
			byMallory("events", "GET", "/events?types=order.created,customer.created", "", 200, "")},
		{"the feed behind another's position",
			byMallory("events", "GET", "/events?after=18", "", 410, "events_expired")},
		{"the feed behind another's id",
			byMallory("events", "GET", "/events", "", 410, "events_expired", "Last-Event-ID", "18")},
		{"a stream behind another's id", byMallory("events", "GET", "/events", "", 410, "events_expired",
			"Last-Event-ID", "18", "Accept", "text/event-stream")},
		{"events of products", forbidden("events", "GET", "/events?types=stock.adjusted", "")},
		{"list webhook endpoints", byMallory("events", "GET", "/webhook-endpoints", "", 200, "")},
		{"read a webhook endpoint", hiddenHook("GET", "", "")},
		{"redirect a webhook endpoint", hiddenHook("PATCH", "", `{"url":"https://mallory.example/hook"}`)},
		{"stop a webhook endpoint", hiddenHook("PATCH", "", `{"enabled":false}`)},
		{"delete a webhook endpoint", hiddenHook("DELETE", "", "")},
		{"a webhook endpoint's new secret",
			hiddenHook("POST", "/rotate-secret", "", web.IdempotencyHeader, "shared-key")},
		{"a webhook endpoint's deliveries", hiddenHook("GET", "/deliveries", "")},
		{"replay to a webhook endpoint", hiddenHook("POST", "/replay?after=0", "")},
		{"test a webhook endpoint", hiddenHook("POST", "/test", "")},
		{"the secret of a webhook endpoint, by the victim's key",
			byMallory("events", "POST", "/webhook-endpoints", `{"url":"https://mallory.example/hook"}`,
				201, "", web.IdempotencyHeader, "shared-key")},
		{"webhooks of products",
			forbidden("events", "POST", "/webhook-endpoints",
				`{"url":"https://mallory.example/hook","types":["stock.adjusted"]}`)},
		{"webhooks without events:read", attack{
			service: "events", method: "POST", path: "/webhook-endpoints",
			body:   `{"url":"https://mallory.example/hook"}`,
			as:     &auth.Principal{Subject: "writer", Customer: 1, Scope: "orders:read webhooks:write"},
			status: 403, code: "forbidden",
		}},
		{"SQL in a type", byMallory("events", "GET", "/events?types=order.created%27%20OR%201=1--", "", 400,
			"validation_failed")},
		{"search for the victim", byMallory("customers", "GET", "/customers?search=globex", "", 200, "")},
		{"make another customer",
			forbidden("customers", "POST", "/customers", `{"name":"x","email":"x@example.com"}`)},
		{"act for the victim",
			forbidden("orders", "GET", order(""), "", auth.ActingForHeader, victim.ActingFor())},
		{"act for the anonymous caller",
			forbidden("orders", "GET", order(""), "", auth.ActingForHeader, auth.Anonymous.ActingFor())},
		{"act for the victim without a token", attack{
			service: "orders", method: "GET", path: order(""), status: 403, code: "forbidden",
			headers: []string{auth.ActingForHeader, victim.ActingFor()},
		}},
		{"act for a network",
			forbidden("orders", "GET", order(""), "", auth.NetworkHeader, "203.0.113.1")},
		{"act for a network without a token", attack{
			service: "orders", method: "GET", path: order(""), status: 403, code: "forbidden",
			headers: []string{auth.NetworkHeader, "203.0.113.1"},
		}},
		{"two tokens, the second the service's",
			byMallory("orders", "GET", order(""), "", 401, "unauthorized", twoTokens...)},
		{"the id by another spelling",
			byMallory("orders", "GET", fmt.Sprintf("/orders/0%d", s.order), "", 400, "validation_failed")},
		{"the id with a sign",
			byMallory("orders", "GET", fmt.Sprintf("/orders/%%2B%d", s.order), "", 400, "validation_failed")},
		{"make a product",
			forbidden("orders", "POST", "/products", `{"sku":"M-1","name":"x","price_cents":1,"stock":1}`)},
		{"set a price", forbidden("orders", "PATCH", "/products/5", `{"price_cents":1}`)},
		{"take stock", forbidden("orders", "POST", "/products/5/stock-adjustments", `{"delta":-1,"reason":"x"}`)},
		{"import prices",
			forbidden("orders", "POST", "/products/import", "sku,price_cents\nx,1\n", asCSV...)},
		{"import customers",
			forbidden("customers", "POST", "/customers/import", "email,name\nx@example.com,x\n", asCSV...)},
		{"the id as hexadecimal",
			byMallory("orders", "GET", fmt.Sprintf("/orders/0x%x", s.order), "", 400, "validation_failed")},
		{"the id and a path",
			byMallory("orders", "GET", fmt.Sprintf("/orders/1%%2f..%%2f%d", s.order), "", 400, "validation_failed")},
	} {
		add("tenant: "+c.name, c.attack)
	}

	// Injection, overflow, odd paths and malformed input, by a caller with every scope.
	byRoot := func(service, method, path, body string, status int, code string, headers ...string) attack {
		return attack{
			service: service, method: method, path: path, body: body, headers: headers,
			as: &auth.Principal{Subject: "root", Scope: auth.Admin}, status: status, code: code,
		}
	}
	invalid := func(method, path, body string, headers ...string) attack {
		return byRoot("orders", method, path, body, 400, "validation_failed", headers...)
	}
	unsupported := func(path, body, media string) attack {
		return byRoot("orders", "POST", path, body, 415, "unsupported_media_type", "Content-Type", media)
	}
	read := func(path string, status int, code string, headers ...string) attack {
		return byRoot("orders", "GET", path, "", status, code, headers...)
	}
	customers := func(body string) attack {
		return byRoot("customers", "POST", "/customers", body, 400, "validation_failed")
	}
	const line, many = `"product_id":5,"qty":1`, `"product_id":5,"qty":1000000`
	const template = `{"sku":"T-1","name":"{{7*7}}${7*7}<script>alert(1)</script>","price_cents":1,"stock":1}`
	const withKey = `{"customer_id":1,"items":[{"product_id":5,"qty":1}],"idempotency_key":"k3"}`
	item := func(fields string) string { return `{"customer_id":1,"items":[{` + fields + `}]}` }
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	for _, c := range []namedAttack{
		{"SQL in a search", byRoot("customers", "GET", "/customers?search=%27%20OR%201%3D1%20--", "", 200, "")},
		{"SQL union in a search", read("/products?search=x%27%29%20UNION%20SELECT%201%2C2%20--%20", 200, "")},
		{"wildcards in a search", read("/products?search=%25_%25", 200, "")},
		{"SQL in an id", invalid("GET", "/orders/1%20OR%201=1", "")},
		{"SQL in a status", invalid("GET", "/orders?status=CREATED%27--", "")},
		{"SQL in a date", invalid("GET", "/orders?from=2024-01-01%27%3B--", "")},
		{"SQL in a key", read("/idempotency-keys/%27%3BDROP%2FTABLE", 404, "idempotency_key_unknown")},
		{"SQL in a key, by query", read("/idempotency-keys?key=%27%3BDROP%2FTABLE", 404, "idempotency_key_unknown")},
		{"NUL in a search", byRoot("customers", "GET", "/customers?search=a%00b", "", 400, "validation_failed")},
		{"NUL in a name",
			customers(`{"name":"a\u0000","email":"nul@example.com"}`)},
		{"a template in a name",
			byRoot("orders", "POST", "/products", template, 201, "")},
		{"a line break in a name",
			invalid("POST", "/products", `{"sku":"T-2","name":"a\nlevel=ERROR","price_cents":1,"stock":1}`)},
		{"a log line in an id", read("/orders/1", 200, "", correlation.Header, "x\"}\t{\"level\":\"ERROR\"")},
		{"half a surrogate pair",
			customers(`{"name":"\ud800","email":"half@example.com"}`)},
		{"bytes that are not UTF-8",
			byRoot("customers", "POST", "/customers",
				"{\"name\":\"\xff\",\"email\":\"x@example.com\"}", 400, "malformed_json")},
		{"a field of the database",
			invalid("PATCH", "/products/1", `{"price_cents":1,"id":2,"created_at":"2020-01-01T00:00:00Z"}`)},
		{"status in a new order",
			invalid("POST", "/orders", `{"status":"CONFIRMED","total_cents":1,`+strings.TrimPrefix(item(line), "{"))},
		{"a price in a new order", invalid("POST", "/orders", item(line+`,"unit_price_cents":1`))},
		{"a total of their own",
			byRoot("orders", "POST", "/orders",
				`{"expected_total_cents":1,`+strings.TrimPrefix(item(line), "{"), 409, "total_changed")},
		{"a total below zero",
			invalid("POST", "/orders", `{"expected_total_cents":-1,`+strings.TrimPrefix(item(line), "{"))},
		{"__proto__", invalid("POST", "/orders", item(line+`,"__proto__":{"admin":true}`))},
		{"a negative quantity", invalid("POST", "/orders", item(`"product_id":5,"qty":-1`))},
		{"quantity 2^63", invalid("POST", "/orders", item(`"product_id":5,"qty":9223372036854775808`))},
		{"quantity 1e400", invalid("POST", "/orders", item(`"product_id":5,"qty":1e400`))},
		{"quantity 1.5", invalid("POST", "/orders", item(`"product_id":5,"qty":1.5`))},
		{"quantities that overflow",
			byRoot("orders", "POST", "/orders", item(strings.Repeat(many+`},{`, 99)+many), 400, "insufficient_stock")},
		{"a quantity twice", invalid("POST", "/orders", item(line+`,"qty":1000`))},
		{"a quantity twice, escaped", invalid("POST", "/orders", item(line+`,"\u0071ty":1000`))},
		{"a customer twice",
			invalid("POST", "/orders", `{"customer_id":1,"customer_id":2,"items":[{"product_id":5,"qty":1}]}`)},
		{"stock below zero",
			byRoot("orders", "POST", "/products/1/stock-adjustments",
				`{"delta":-1000000000,"reason":"x"}`, 400, "insufficient_stock")},
		{"an id beyond 2^53", invalid("GET", "/orders/9007199254740993", "")},
		{"a cursor below zero", invalid("GET", "/orders?cursor=-1", "")},
		{"a million of a page", invalid("GET", "/orders?limit=1000000", "")},
		{"a parameter twice", invalid("GET", "/orders?customer_id=1&customer_id=2", "")},
		{"an unknown parameter", invalid("GET", "/orders?custmer_id=2", "")},
		{"a parameter of another call", invalid("POST", "/orders?dry_run=true", item(line))},
		{"a parameter of a change", invalid("PATCH", "/products/1?stock=0", `{"price_cents":1}`)},
		{"SQL as a time", invalid("GET", "/orders?confirmed_from=2024-01-01'%20OR%201=1--", "")},
		{"SQL as a stock", invalid("GET", "/products?stock_below=1%20OR%201=1", "")},
		{"the path of a file as a time zone",
			invalid("GET", "/orders/summary?from=2024-01-01&to=2024-01-01&tz=../../../../etc/passwd", "")},
		{"a summary of 8000 years", invalid("GET", "/orders/summary?from=1970-01-01&to=9999-12-31", "")},
		{"SQL as an id", invalid("GET", "/orders?ids=1)%20OR%20(1=1", "")},
		{"101 ids", invalid("GET", "/orders?ids="+strings.Repeat("1,", 100)+"1", "")},
		{"a line end between cells", invalid("GET", "/orders/export?format=csv&delimiter=%0D%0A", "")},
		{"a quote between cells", invalid("GET", "/products/export?format=csv&delimiter=%22", "")},
		{"lines that NDJSON has not", invalid("GET", "/orders/export?lines=true", "")},
		{"the name of a file", invalid("GET", "/orders/export?filename=..%2F..%2Fx", "")},
		{"true as 1", invalid("GET", "/products?active=1", "")},
		{"true as TRUE", invalid("GET", "/products?active=TRUE", "")},
		{"a key between half quotes", invalid("POST", "/orders", item(line), "Idempotency-Key", `"k`)},
		{"an email of no domain",
			customers(`{"name":"x","email":"a@localhost"}`)},
		{"another key in the header",
			byRoot("orchestrator", "POST", orchestrate, withKey, 400, "validation_failed", "Idempotency-Key", `"k4"`)},
		{"101 lines", invalid("POST", "/orders", item(strings.Repeat(line+`},{`, 100)+line))},
		{"a deep body", byRoot("orders", "POST", "/orders", deep, 400, "")},
		{"a deep field", byRoot("orders", "POST", "/orders", `{"items":`+deep+`}`, 400, "")},
		{"a body over 1 MiB",
			byRoot("orders", "POST", "/orders", `{"x":"`+strings.Repeat("a", 1<<20)+`"}`, 413, "payload_too_large")},
		{"an entity in XML",
			unsupported("/orders",
				`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>`, "application/xml")},
		{"a form", unsupported(order("/cancel"), "reason=x", "application/x-www-form-urlencoded")},
		{"a form as text", unsupported(order("/cancel"), `{"reason":"x"}`, "text/plain")},
		{"a key of spaces",
			byRoot("orders", "POST", order("/confirm"), "", 400, "", web.IdempotencyHeader, "a b")},
		{"a key too long",
			invalid("POST", order("/confirm"), "", web.IdempotencyHeader, strings.Repeat("k", 256))},
		{"two keys", invalid("POST", order("/confirm"), "", web.IdempotencyHeader, "a", "Idempotency-Key", "b")},
		{"a key .. in a path", invalid("GET", "/idempotency-keys/%2e%2e", "")},
		{"a key .. in a query", invalid("GET", "/idempotency-keys?key=%2e%2e", "")},
		{"two keys in a query", invalid("GET", "/idempotency-keys?key=a&key=b", "")},
		{"up from the documentation", read("/docs/%2e%2e/%2e%2e/etc/passwd", 404, "not_found")},
		{"up, encoded twice", read("/docs/%252e%252e%252fetc%252fpasswd", 404, "not_found")},
		{"up, with backslashes", read("/docs/..%5c..%5cetc", 404, "not_found")},
		{"profiles", read("/debug/pprof/heap", 404, "not_found")},
		{"the environment", read("/.env", 404, "not_found")},
		{"another case of a path", read("/Orders/1", 404, "not_found")},
		{"a slash too many", read("//orders/1", 404, "not_found")},
		{"a method override", read("/orders/1", 200, "", "X-HTTP-Method-Override", "DELETE")},
		{"TRACE", byRoot("orders", "TRACE", "/orders/1", "", 405, "method_not_allowed")},
		{"DELETE of an order", byRoot("orders", "DELETE", "/orders/1", "", 405, "method_not_allowed")},
		{"an unknown method", byRoot("orders", "PROPFIND", "/orders", "", 405, "method_not_allowed")},
		{"another host by header", read("/orders/1", 200, "", "X-Forwarded-Host", "mallory.example")},
		{"an address by header", read("/orders/1", 200, "", "X-Original-URL", "/internal/customers/1")},
		{"the service token in a query", attack{
			service: "customers", method: "GET", path: "/internal/customers/1?access_token=" + webtest.Token,
			status: 401, code: "unauthorized",
		}},
		{"the service token in a cookie", attack{
			service: "customers", method: "GET", path: "/internal/customers/1", status: 401, code: "unauthorized",
			headers: []string{"Cookie", "token=" + webtest.Token},
		}},
		{"a site's name for this machine", attack{
			service: "orders", method: "GET", path: "/orders", status: 403, code: "forbidden",
			headers: []string{"Host", "evil.example"},
		}},
		{"a site's name for this machine, and a token that everybody knows", attack{
			service: "orders", method: "GET", path: "/orders", status: 403, code: "forbidden",
			headers: []string{"Host", "evil.example", "Authorization", "Bearer " + webtest.Token},
		}},
	} {
		add("input: "+c.name, c.attack)
	}

	// Webhooks to addresses that only the service can reach. TestForbiddenAddresses covers the check of each
	// connection.
	for name, url := range map[string]string{
		"loopback":                   "https://127.0.0.1/",
		"loopback, decimal":          "https://2130706433/",
		"loopback, IPv6":             "https://[::1]/",
		"loopback, IPv4 in IPv6":     "https://[::ffff:127.0.0.1]/",
		"a private network":          "https://10.0.0.1/",
		"the cloud's metadata":       "https://169.254.169.254/latest/meta-data/",
		"the cloud's metadata, IPv6": "https://[fd00:ec2::254]/",
		"a file":                     "file:///etc/passwd",
		"another protocol":           "gopher://globex.example/",
		"a password":                 "https://root:secret@globex.example/",
		"a line break":               "https://globex.example/\\r\\nX: y",
	} {
		add("webhook: "+name, attack{
			service: "events", method: "POST", path: "/webhook-endpoints", as: &mallory,
			body: fmt.Sprintf(`{"url":"%s"}`, url), status: 400, code: "validation_failed",
		})
	}

	// Greed: eight slow imports of the caller "root" use up all import slots that one caller may have.
	greedy := auth.Principal{Subject: "root", Scope: auth.Admin}
	office := auth.Principal{Subject: "office", Scope: auth.Admin}
	slowImport := "POST /products/import HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: 1000"
	const importPath = "/products/import"
	const rows = "sku,name,price_cents,stock\nG-1,Good,1,1\n"
	for name, a := range map[string]attack{
		"more slow imports than a share": {
			as: &greedy, path: importPath, body: rows, status: 429, code: "rate_limited",
		},
		"an import of another": {
			as: &office, path: importPath, body: "colour\n", status: 400, code: "validation_failed",
		},
		"a read of the same caller": {as: &greedy, method: "GET", path: "/products/1", status: 200},
		"an order of another":       {as: &victim, path: "/orders", body: fmt.Sprintf(newOrder, 2), status: 201},
	} {
		a.service, a.beside, a.method = "orders", slowImport, cmp.Or(a.method, "POST")
		if a.path == importPath {
			a.headers = asCSV
		}
		add("greed: slow imports, "+name, a)
	}
	return all
}

// otherEncoding changes unused bits in the last character of a token, so that its signature stays the same.
func otherEncoding(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])^1])
}

// TestAttacks makes all attacks, and checks the answers, the victim's order and the log.
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
		t.Run("the victim's order is unchanged", func(t *testing.T) {
			if tag := s.currentTag(t); tag != s.tag {
				t.Errorf("%s, was %s", tag, s.tag)
			}
		})
		t.Run("the log", func(t *testing.T) {
			for line := range strings.Lines(s.log.String()) {
				var entry struct{ Level, Msg string }
				if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Level != "INFO" {
					t.Errorf("%v: %s", err, line)
				}
				if strings.Contains(line, webtest.Token) || strings.Contains(line, "eyJ") ||
					strings.Contains(line, "whsec_") {
					t.Errorf("a token or a secret: %s", line)
				}
			}
		})
	})
}

// try makes an attack, and compares the answer.
func (s *target) try(t *testing.T, a attack) {
	if a.beside != "" {
		root := s.bearer(t, auth.Principal{Subject: "root", Scope: auth.Admin})
		for range 8 {
			c, err := net.Dial("tcp", strings.TrimPrefix(s.base[a.service], "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			const header = "%s\r\nHost: x\r\nAuthorization: %s\r\nExpect: 100-continue\r\n\r\n"
			fmt.Fprintf(c, header, a.beside, root)
			line, err := bufio.NewReader(c).ReadString('\n') // the answer 100 Continue, or a refusal
			if err != nil {
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
		if pair[0] == "Host" {
			req.Host = pair[1]
			continue
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
	ofVictim := fmt.Sprintf(`"id":%d,"customer_id":2`, s.order)
	if a.without != "" && (strings.Contains(string(body), a.without) || strings.Contains(string(body), ofVictim)) {
		t.Errorf("shows data of the victim: %s", body)
	}
	if id := res.Header.Get(correlation.Header); id == "" || strings.ContainsAny(id, "\"{\n") {
		t.Errorf("correlation id %q", id)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

package system_test

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/web/webtest"
)

// ofProduction is the environment of production, without the database.
var ofProduction = []string{
	"APP_ENV=production",
	"SERVICE_TOKEN=a-service-token-of-32-bytes-or-more",
	"JWT_SECRET=a-jwt-secret-of-32-bytes-or-more!",
}

// TestToken calls the services with tokens of `b2b token`, with the service token, and with an unknown token.
func TestToken(t *testing.T) {
	env := slices.Concat(anyPorts, ofProduction, []string{
		"DB_PATH=" + filepath.Join(t.TempDir(), "b2b.db"), "JWT_ISSUER=https://issuer.example", "JWT_AUDIENCE=b2b",
	})
	p := start(t, env)
	token := func(args ...string) string {
		t.Helper()
		out, err := execute(t, env, append([]string{"token"}, args...)...)
		if err != nil || strings.Count(out, "\n") != 1 || strings.Count(out, ".") != 2 {
			t.Fatalf("%v %q", err, out)
		}
		return "Bearer " + strings.TrimSpace(out)
	}
	partner := token("--sub", "acme", "--scope", "orders:read  orders:write", "--customer", "1", "--ttl", "7d")
	office := token("--sub", "office", "--scope", "admin")
	order := func(customer int) string {
		const body = `{"customer_id":%d,"items":[{"product_id":2,"qty":1}],"idempotency_key":"one"}`
		return fmt.Sprintf(body, customer)
	}
	service := "Bearer " + strings.TrimPrefix(ofProduction[1], "SERVICE_TOKEN=")
	orchestrate := p.orchestrator + "/orchestrator/create-and-confirm-order"
	for _, step := range []struct {
		token, method, url, body string
		status                   int
		says                     string
	}{
		{"", "GET", p.orders + "/orders", "", 401, "unauthorized"},
		{service, "GET", p.orders + "/orders", "", 200, "CREATED"},
		{"Bearer dev-jwt-secret-that-everybody-knows", "GET", p.orders + "/orders", "", 401, "unauthorized"},
		{partner, "POST", orchestrate, order(1), 201, `"order":{"id":3`},
		{partner, "POST", orchestrate, order(2), 403, "forbidden"},
		{office, "POST", orchestrate, order(2), 201, `"order":{"id":4`},
		{partner, "GET", p.orders + "/orders/3", "", 200, "CONFIRMED"},
		{partner, "GET", p.orders + "/orders/4", "", 404, "order_not_found"},
		{office, "GET", p.orders + "/orders/4", "", 200, "CONFIRMED"},
		{partner, "GET", p.orders + "/products", "", 403, "lacks the scope products:read"},
	} {
		headers := []string{"Authorization", step.token, "Content-Type", "application/json"}
		status, body, _ := webtest.Do(t, step.method, step.url, step.body, headers...)
		if status != step.status || !strings.Contains(string(body), step.says) {
			t.Errorf("%s %s: %d %s, want %d %s", step.method, step.url, status, body, step.status, step.says)
		}
	}
	p.stop()
	for line := range strings.Lines(p.log.String()) {
		if strings.Contains(line, `"msg":"request"`) &&
			!(strings.Contains(line, `"instance":"`) && strings.Contains(line, `"version":"`)) {
			t.Errorf("the line does not name the process: %s", line)
		}
		placed := strings.Contains(line, `"status":201`) && strings.Contains(line, `"method":"POST"`)
		if placed != strings.Contains(line, `"order":`) && !strings.Contains(line, "/confirm") {
			t.Errorf("the line of a new order must have the id: %s", line)
		}
	}

	env = []string{} // development, with the default secret
	partner = token("--sub", "acme", "--scope", "orders:read", "--customer", "1")
	newcomer := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")))
	for bearer, want := range map[string]int{"": 200, partner: 200, partner + "x": 401, office: 401} {
		status, body, _ := webtest.Do(t, "GET", newcomer.orders+"/orders", "", "Authorization", bearer)
		if status != want {
			t.Errorf("%.10s: %d %s", bearer, status, body)
		}
	}
	for _, secret := range []string{ofProduction[1], ofProduction[2], partner, office} {
		if strings.Contains(p.log.String(), secret[strings.IndexAny(secret, "= ")+1:]) {
			t.Errorf("the log shows %s", secret)
		}
	}
}

func TestTokenRefused(t *testing.T) {
	good := []string{"--sub", "acme", "--scope", "orders:read"}
	for _, c := range []struct {
		env  string
		args []string
		want string
	}{
		{"", good[2:], `--sub "" cannot be: sub is missing`},
		{"", append(good, "--sub", "service"), `--sub "service" cannot be`},
		{"", append(good, "--sub", "anonymous"), `--sub "anonymous" cannot be`},
		{"", append(good, "--sub", "system"), `--sub "system" cannot be`},
		{"", good[:2], `--scope is ""; allowed: customers:read, `},
		{"", append(good, "--scope", "orders:read order:write"),
			`--scope: "order:write" is no scope; allowed: customers:read, `},
		{"", append(good, "--customer", "0"),
			`invalid value "0" for flag -customer: allowed: the id of a customer, such as 7; see b2b token --help`},
		{"", append(good, "--customer", "9007199254740992"), `invalid value "9007199254740992" for flag -customer`},
		{"", append(good, "--ttl", "soon"),
			`invalid value "soon" for flag -ttl: 90m, 24h or 7d, from 1s to 365d; see b2b token --help`},
		{"", append(good, "acme"), `"acme" is one argument too many`},
		{"JWT_EXPIRES_IN=never", good, `JWT_EXPIRES_IN is "never"; allowed: 90m, 24h or 7d`},
		{"JWT_JWKS_URL=https://issuer.example/keys", good, `JWT_SECRET is ""; allowed: the secret that the services have`},
		{"APP_ENV=production", good, `JWT_SECRET is ""; allowed`},
		{"NODE_ENV=test", good, `NODE_ENV is "test"; allowed: development, production`},
	} {
		out := refused(t, []string{c.env}, append([]string{"token"}, c.args...)...)
		if !strings.HasPrefix(out, "b2b: ") || !strings.Contains(out, c.want) || strings.Count(out, "\n") != 1 {
			t.Errorf("%s %v: want %q, got %q", c.env, c.args, c.want, out)
		}
	}
	unused := []string{"JWT_EXPIRES_IN=never", "ORDERS_PORT=no port", "DB_HOST=nowhere", "SERVICE_TOKEN=x"}
	if out, err := execute(t, unused, append([]string{"token", "--ttl", "1h"}, good...)...); err != nil {
		t.Errorf("%v %s", err, out)
	}
}

// TestProductionGuard starts b2b in production with wrong settings. b2b must refuse with a line for each
// wrong setting, before it connects to any other program.
func TestProductionGuard(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connected := make(chan bool)
	go func() {
		_, err := l.Accept()
		connected <- err == nil
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	env := []string{
		"APP_ENV=production", "DB_HOST=127.0.0.1", "DB_PORT=" + port,
		"JWT_JWKS_URL=http://127.0.0.1:" + port, "AUTH_MODE=open", "JWT_SECRET=short",
		"SERVICE_TOKEN=your-service-token-change-in-production,local-service-token",
	}
	commands := [][]string{nil}
	for _, service := range servicePorts() {
		commands = append(commands, []string{service})
	}
	for _, args := range commands {
		out := strings.TrimSpace(refused(t, slices.Concat(env, portsAt(port)), args...))
		want := []string{
			`b2b: AUTH_MODE is "open"; allowed`,
			`SERVICE_TOKEN, entry 1, is "your-service-token-change-in-production"`,
			`SERVICE_TOKEN, entry 2, is "local-service-token"`, `JWT_SECRET has 5 bytes`,
		}
		if !slices.EqualFunc(strings.Split(out, "\n"), want, strings.HasPrefix) {
			t.Errorf("%v:\n%s", args, out)
		}
	}
	for _, command := range []string{"migrate", "seed", "doctor"} { // these commands need only the database's secret
		out := refused(t, []string{"DB_HOST=db.invalid"}, command)
		const want = `b2b: DB_PASSWORD is ""; allowed in production`
		if !strings.HasPrefix(out, want) || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: %s", command, out)
		}
	}
	l.Close()
	if <-connected {
		t.Error("b2b has connected to a server")
	}
}

// TestServiceTokenRotation goes through the steps of a rotation of the service token, in the Customers API
// and the Orders API. In each step the Orders API must reach the Customers API.
func TestServiceTokenRotation(t *testing.T) {
	env := []string{"PORT=0", "DB_PATH=" + filepath.Join(t.TempDir(), "b2b.db")}
	if out, err := execute(t, env[1:], "migrate"); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if out, err := execute(t, env[1:], "seed"); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for _, tokens := range [][2]string{
		{"old", "old"}, {"old,new", "old"}, {"old,new", "new,old"}, {"new,old", "old,new"},
		{"new,old", "new"}, {"new", "new"},
	} {
		customers := start(t, append(env, "SERVICE_TOKEN="+tokens[0]), "customers")
		base := "CUSTOMERS_API_BASE=" + customers.customers
		orders := start(t, append(env, "SERVICE_TOKEN="+tokens[1], base), "orders")
		body := `{"customer_id":1,"items":[{"product_id":2,"qty":1}]}`
		status, answer, _ := webtest.Do(t, "POST", orders.orders+"/orders", body, "Content-Type", "application/json")
		if status != 201 {
			t.Errorf("%q: %d %s", tokens, status, answer)
		}
		orders.stop()
		customers.stop()
	}
}

package config

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// everything returns all groups of s.
func everything(s *Settings) (groups []any) {
	all := reflect.ValueOf(s).Elem()
	for i := range all.NumField() {
		groups = append(groups, all.Field(i).Addr().Interface())
	}
	return groups
}

func TestRead(t *testing.T) {
	for _, v := range Variables() { // the environment of the test may set variables
		for _, name := range append(v.Aliases, v.Name) {
			t.Setenv(name, "")
		}
	}
	var got Settings
	if err := got.Read(everything(&got)...); err != nil || got.Only != nil || got.Driver != SQLite ||
		got.CustomersPort != 3001 || got.OrdersPort != 3002 || got.OrchestratorPort != 3000 {
		t.Errorf("%v %+v", err, got)
	}
	for name, value := range map[string]string{
		"PORT": "4000", "DB_HOST": "db", "DB_PORT": "3307", "DB_USER": "u", "DB_PASSWORD": "p",
		"DB_NAME": "n", "DB_MAX_CONNECTIONS": "7", "MIGRATE_ON_START": "false", "SERVICE_TOKEN": "new, old",
		"APP_ENV": "development", "DB_TLS_CA": "ca.pem", "AUTH_MODE": "jwt",
		"DB_READ_HOST": "copy", "DB_READ_MAX_LAG_SECONDS": "16",
		"AUTH_OPEN_IN_PRODUCTION": "true", "JWT_SECRET": "s", "JWT_JWKS_URL": "https://i.example/keys",
		"JWT_ISSUER": "i", "JWT_AUDIENCE": "a", "JWT_EXPIRES_IN": "7d",
		"CUSTOMERS_API_BASE": "https://c.example/", "ORDERS_API_BASE": "http://o.example:1/x",
		"IDEMPOTENCY_KEY_EXPIRATION_HOURS": "2", "ORDER_CANCELLATION_WINDOW_MINUTES": "3",
		"ORDER_RESERVATION_HOURS": "4", "RATE_LIMIT_RPS": "8", "RATE_LIMIT_BURST": "9",
		"TRUSTED_PROXIES": "10.0.0.0/8, ::1", "MAX_REQUESTS_IN_FLIGHT": "10", "MAX_SEARCHES": "11",
		"MAX_IMPORTS": "14", "MAX_EXPORTS": "15", "MAX_EVENT_READERS": "16", "BIND_ADDRESS": "::", "MAX_CONNECTIONS": "12",
		"MAX_CONNECTIONS_PER_ADDRESS": "13", "ALLOWED_HOSTS": "a.example,b.example",
		"CORS_ALLOWED_ORIGINS": "https://a.example,http://b.example:8080", "REQUEST_TIMEOUT_SECONDS": "5",
		"SHUTDOWN_TIMEOUT_SECONDS": "6", "LOG_LEVEL": "warn", "CURRENCY": "EUR", "EVENT_RETENTION_DAYS": "17", "SERVERLESS_OFFLINE_PORT": "5000",
	} {
		t.Setenv(name, value)
	}
	want := got // the defaults
	want.Only, want.MigrateOnStart, want.LogLevel = new(4000), false, slog.LevelWarn
	want.Database = Database{
		Driver: MySQL, Path: "./data/b2b.db", Host: "db", Port: 3307, User: "u", Password: "p", Name: "n",
		MaxConns: 7, TLS: "verify", TLSCA: "ca.pem", ReadHost: "copy", ReadPort: 3307, ReadMaxLag: 16 * time.Second,
	}
	want.Access = Access{OnlyJWT, true, []string{"new", "old"}}
	want.JWT = JWT{[]string{"s"}, "https://i.example/keys", "i", "a"}
	want.TokenLifetime, want.RequestTimeout, want.ShutdownTimeout = 7*24*time.Hour, 5*time.Second, 6*time.Second
	want.KeyLifetime, want.CancellationWindow, want.Reservation = 2*time.Hour, 3*time.Minute, 4*time.Hour
	want.Currency = "EUR"
	want.EventRetention = 17 * 24 * time.Hour
	want.OrchestratorPort, want.CustomersBase, want.OrdersBase = 5000, "https://c.example", "http://o.example:1/x"
	want.Limiting = Limiting{8, 9, []string{"10.0.0.0/8", "::1"}, 10, 11, 14, 15, 16}
	want.Listening = Listening{"::", 12, 13}
	want.Hosts = []string{"a.example", "b.example"}
	want.Origins = []string{"https://a.example", "http://b.example:8080"}
	got = Settings{}
	if err := got.Read(everything(&got)...); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v, want\n%+v", err, got, want)
	}
	t.Setenv("ORCHESTRATOR_PORT", "6000")
	if err := got.Read(&got.Ports); err != nil || got.OrchestratorPort != 6000 {
		t.Errorf("%v %d", err, got.OrchestratorPort)
	}
}

// TestReadRefuses sets wrong values in all groups. The error must have a line for each wrong variable of the
// groups that are read, and no line for a variable of another group.
func TestReadRefuses(t *testing.T) {
	for name, value := range map[string]string{
		"DB_DRIVER": "oracle", "DB_PORT": "0", "DB_MAX_CONNECTIONS": "many", "MIGRATE_ON_START": "yes",
		"CUSTOMERS_API_BASE": "localhost:3001", "ORDER_RESERVATION_HOURS": "-1", "LOG_LEVEL": "loud",
		"ORDERS_PORT": "65536", "SERVICE_TOKEN": ",", "NODE_ENV": "test", "JWT_EXPIRES_IN": "1y",
		"DB_TLS": "required", "DB_TLS_CA": "ca.pem", "DB_READ_HOST": "copy", "DB_READ_MAX_LAG_SECONDS": "1",
		"TRUSTED_PROXIES": "10.0.0.0/8,proxy",
		"BIND_ADDRESS":    "here", "ALLOWED_HOSTS": "a.example:80", "CORS_ALLOWED_ORIGINS": "https://a.example/",
		"MAX_REQUESTS_IN_FLIGHT": "0", "BASE_PATH": "b2b",
	} {
		t.Setenv(name, value)
	}
	var s Settings
	err := s.Read(everything(&s)...)
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`LOG_LEVEL is "loud"; allowed: debug, info, warn, error`,
		`DB_DRIVER is "oracle"; allowed: sqlite, mysql`,
		`DB_PORT is "0"; allowed: a whole number from 1 to 65535`,
		`DB_MAX_CONNECTIONS is "many"; allowed: a whole number from 1 to 1000`,
		`DB_READ_MAX_LAG_SECONDS is "1"; allowed: a whole number from 2 to 3600`,
		`DB_READ_HOST is "copy"; allowed: nothing, since sqlite has no replicas`,
		`DB_TLS is "required"; allowed: verify, since DB_TLS_CA is set`,
		`MIGRATE_ON_START is "yes"; allowed: true, false`,
		`NODE_ENV is "test"; allowed: development, production`,
		`SERVICE_TOKEN is ","; allowed: one or more, separated by commas`,
		`JWT_EXPIRES_IN is "1y"; allowed: 90m, 24h or 7d, from 1s to 365d`,
		`TRUSTED_PROXIES is "10.0.0.0/8,proxy"; allowed: IP addresses and networks such as 10.0.0.0/8, separated by commas`,
		`MAX_REQUESTS_IN_FLIGHT is "0"; allowed: a whole number from 1 to 100000`,
		`BIND_ADDRESS is "here"; allowed: localhost or an IP address`,
		`ALLOWED_HOSTS is "a.example:80"; allowed: names such as api.example.com, without a port and without *, separated by commas`,
		`CORS_ALLOWED_ORIGINS is "https://a.example/"; allowed: sites such as https://shop.example.com, as browsers name them (no *, no path, no default port), separated by commas`,
		`ORDERS_PORT is "65536"; allowed: a whole number from 0 to 65535`,
		`ORDER_RESERVATION_HOURS is "-1"; allowed: a whole number from 0 to 8760`,
		`CUSTOMERS_API_BASE is "localhost:3001"; allowed: an address such as https://api.example.com/orders`,
		`BASE_PATH is "b2b"; allowed: a path such as /b2b or /shop/b2b`,
	}
	if got := err.Error(); got != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	t.Setenv("NODE_ENV", "")
	if err := s.Read(&s.Stopping); err != nil {
		t.Errorf("the variables of other groups are read: %v", err)
	}
}

// TestBasePath reads base paths. Read must drop a slash at the end, and refuse a text that is not a path.
func TestBasePath(t *testing.T) {
	for value, want := range map[string]string{
		"/b2b": "/b2b", "/b2b/": "/b2b", "/shop/b2b_v1.0~$": "/shop/b2b_v1.0~$", "/": "",
		"//b2b": "refused", "/b2b//": "refused", "/b 2b": "refused", "/b2b?x": "refused", "/b%2Fb": "refused",
		"https://api.example.com/b2b": "refused", `/b2b"`: "refused", "/<b>": "refused", "/b2b\n": "refused",
	} {
		t.Setenv("BASE_PATH", value)
		s := Settings{Mounting: Mounting{BasePath: "refused"}}
		if err := s.Read(&s.Mounting); s.BasePath != want || (err != nil) != (want == "refused") {
			t.Errorf("%q: %q, %v", value, s.BasePath, err)
		}
	}
}

// TestCurrency reads the currency. Read must accept three capital letters, as in ISO 4217, and refuse any
// other text.
func TestCurrency(t *testing.T) {
	for value, want := range map[string]string{
		"": "USD", "EUR": "EUR", "eur": "refused", "EURO": "refused", "€": "refused", "EU": "refused", "EUR\n": "refused",
		`E"R`: "refused",
	} {
		t.Setenv("CURRENCY", value)
		s := Settings{Amounts: Amounts{Currency: "refused"}}
		if err := s.Read(&s.Amounts); s.Currency != want || (err != nil) != (want == "refused") {
			t.Errorf("%q: %q, %v", value, s.Currency, err)
		}
	}
}

// TestOrigins reads origins and host names. Read must refuse an origin that no browser sends, and a name that
// cannot be the host of a request.
func TestOrigins(t *testing.T) {
	for name, values := range map[string]map[string]bool{
		"CORS_ALLOWED_ORIGINS": {
			"https://shop.example.com": true, "http://localhost:8080": true, "http://[::1]:3000": true,
			"https://xn--mnchen-3ya.example": true, "http://a.example:443": true, "https://a.example:80": true,
			"https://a.example:8443": true,
			"https://*.example.com":  false, "*": false, "null": false, "https://a.example/": false,
			"https://a.example/x": false, "https://a.example?x": false, "https://a.example#x": false,
			"https://u@a.example": false, "https://A.example": false, "https://münchen.example": false,
			"https://a.example:443": false, "http://a.example:80": false, "ftp://a.example": false,
		},
		"ALLOWED_HOSTS": {
			"api.example.com": true, "orders-api": true,
			"*.example.com": false, "*": false, "a.example:80": false, "a.example/": false, "A.example": false,
		},
	} {
		for value, fits := range values {
			t.Run(name+" "+value, func(t *testing.T) {
				t.Setenv(name, value)
				var s Settings
				err := s.Read(&s.Browsers)
				if (err == nil) != fits ||
					err != nil && !strings.HasPrefix(err.Error(), name+` is "`+value+`"; allowed: `) {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

func TestVariables(t *testing.T) {
	for _, v := range Variables() {
		if v.Name == "" || v.Meaning == "" {
			t.Errorf("%+v has no name or no meaning", v)
		}
	}
}

func TestLocalAddress(t *testing.T) {
	if address, err := LocalAddress("ORDERS_PORT"); err != nil || address != "http://localhost:3002" {
		t.Errorf("%q %v", address, err)
	}
	for _, name := range []string{"ORDER_PORT", "DB_PORT", ""} {
		if address, err := LocalAddress(name); err == nil {
			t.Errorf("%s: %q", name, address)
		}
	}
}

// TestPortsInTexts checks that hand-written texts name only the default ports of this package. Other tests,
// such as TestPages and the tests of the SDKs, run these texts, and so find an address with the port of the
// wrong service.
func TestPortsInTexts(t *testing.T) {
	var ports []string
	for _, v := range Variables() {
		if v.Group == "Ports" {
			ports = append(ports, v.Default)
		}
	}
	address := regexp.MustCompile(`localhost:(\d+)`)
	inReadme := regexp.MustCompile(`(?: |localhost):(\d{4})\b|(?:ports|puertos) ((?:\d+,?\s)+(?:and|y) \d+)`)
	number := regexp.MustCompile(`\d+`)
	for pattern, ofPort := range map[string]*regexp.Regexp{
		"README*.md":                        inReadme,
		"docs/*.md":                         address,
		"docs/es/*.md":                      address,
		"sdk/*/README.md":                   address,
		"orchestrator/start/snippets/*.txt": address,
	} {
		files, err := filepath.Glob("../../" + pattern)
		if err != nil || len(files) < 2 {
			t.Fatal(pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found := map[string]bool{}
			for _, m := range ofPort.FindAllStringSubmatch(string(text), -1) {
				for _, port := range number.FindAllString(strings.Join(m[1:], " "), -1) {
					if !slices.Contains(ports, port) {
						t.Errorf("%s: %q is none of the default ports %v", file, m[0], ports)
					}
					found[port] = true
				}
			}
			for _, port := range ports {
				if pattern == "README*.md" && !found[port] {
					t.Errorf("%s does not name port %s", file, port)
				}
			}
		}
	}
}

// TestSecretFiles reads each secret from a file, as Docker and Kubernetes give secrets to a container. Read
// must refuse a missing file, an empty file, and a variable that is set itself and by a file. It must not
// read a variable from a file when the variable is no secret.
func TestSecretFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	empty := file + "-empty"
	for name, content := range map[string]string{file: "new-secret,\nold-secret\n", empty: "\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, get := range map[string]func(*Settings) any{
		"JWT_SECRET":    func(s *Settings) any { return s.JWTSecrets },
		"SERVICE_TOKEN": func(s *Settings) any { return s.ServiceTokens },
		"DB_PASSWORD":   func(s *Settings) any { return []string{s.Password} },
		"B2B_TOKEN":     func(s *Settings) any { return []string{s.Token} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "")
			t.Setenv(name+"_FILE", file)
			var s Settings
			err := s.Read(&s.JWT, &s.Access, &s.Database, &s.Calling)
			got := fmt.Sprint(get(&s))
			if err != nil || got != "[new-secret old-secret]" && got != "[new-secret,\nold-secret]" {
				t.Errorf("%s, %v", got, err)
			}
			t.Setenv(name, "another")
			s = Settings{}
			err = s.Read(&s.JWT, &s.Access, &s.Database, &s.Calling)
			if err == nil || !strings.Contains(err.Error(), name+"_FILE are both set") {
				t.Errorf("both are set: %v", err)
			}
			t.Setenv(name, "")
			t.Setenv(name+"_FILE", file+"-missing")
			s = Settings{}
			err = s.Read(&s.JWT, &s.Access, &s.Database, &s.Calling)
			if err == nil || !strings.Contains(err.Error(), name+"_FILE cannot be read") {
				t.Errorf("no file: %v", err)
			}
			t.Setenv(name+"_FILE", empty)
			s = Settings{}
			err = s.Read(&s.JWT, &s.Access, &s.Database, &s.Calling)
			if err == nil || !strings.Contains(err.Error(), name+"_FILE names "+empty+", which is empty") {
				t.Errorf("an empty file: %v", err)
			}
		})
	}
	t.Setenv("APP_ENV_FILE", file)
	var s Settings
	if err := s.Read(); err != nil || s.Env != Development {
		t.Errorf("a variable without a secret is read from a file: %q, %v", s.Env, err)
	}
}

// TestKnownSecretBesideIssuer sets an issuer and secrets in development. Read must drop the public secret,
// and keep the other secrets.
func TestKnownSecretBesideIssuer(t *testing.T) {
	t.Setenv("JWT_JWKS_URL", "https://i.example/keys")
	for value, want := range map[string]string{
		"": "[]", "own": "[own]", "own,dev-jwt-secret-that-everybody-knows": "[own]",
	} {
		t.Setenv("JWT_SECRET", value)
		var s Settings
		if err := s.Read(&s.JWT); err != nil || fmt.Sprint(s.JWTSecrets) != want {
			t.Errorf("%q: %q, %v", value, s.JWTSecrets, err)
		}
	}
}

// TestPeersAtPorts sets only the port of the Orders API, and no address. The address of the Orders API must
// have this port, or the default port when the variable is empty, 0 or not a number.
func TestPeersAtPorts(t *testing.T) {
	for port, want := range map[string]string{
		"4002": "http://localhost:4002", "": "http://localhost:3002",
		"0": "http://localhost:3002", "tcp://10.0.0.1:80": "http://localhost:3002",
	} {
		t.Setenv("ORDERS_PORT", port)
		var got Settings
		if err := got.Read(&got.OrdersPeer, &got.CustomersPeer); err != nil || got.OrdersBase != want ||
			got.CustomersBase != "http://localhost:3001" {
			t.Errorf("%q: %v %q %q", port, err, got.OrdersBase, got.CustomersBase)
		}
	}
}

package config

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestProduction reads safe and unsafe settings. The error must have a line for each setting that production
// does not allow, and must not show a secret that is not public.
func TestProduction(t *testing.T) {
	good := strings.Repeat("s", 32)
	service := func(s *Settings) []any { return []any{&s.Database, &s.Access, &s.JWT} }
	alone := func(s *Settings) []any { return []any{&s.Access, &s.JWT} }
	chore := func(s *Settings) []any { return []any{&s.Database} }
	function := func(s *Settings) []any { s.Env = Production; return alone(s) }
	const production = "APP_ENV=production"
	token, secret := " SERVICE_TOKEN="+good, " JWT_SECRET="+good
	for name, c := range map[string]struct {
		reads func(*Settings) []any
		env   string
		modes string   // wanted Env and AuthMode, with a space between them
		want  []string // prefixes of the lines of the error
	}{
		"newcomer":                    {service, "", "development open", nil},
		"development_by_its_old_name": {service, "NODE_ENV=development DB_HOST=db", "development open", nil},
		"development_on_mysql": {service, "APP_ENV=development DB_HOST=db SERVICE_TOKEN=x",
			"development open", nil},
		"development_with_tokens": {service, "AUTH_MODE=jwt", "development jwt", nil},
		"mysql": {service, "DB_HOST=localhost", "production jwt",
			[]string{"SERVICE_TOKEN has 0 bytes", "JWT_SECRET and JWT_JWKS_URL are not set"}},
		"mysql_with_secrets":      {service, "DB_HOST=localhost" + token + secret, "production jwt", nil},
		"mysql_with_an_issuer":    {service, "DB_HOST=localhost JWT_JWKS_URL=https://i.example" + token, "production jwt", nil},
		"lone_orchestrator":       {alone, "", "development open", nil},
		"function":                {function, "", "production jwt", []string{"SERVICE_TOKEN has 0 bytes", "JWT_SECRET and"}},
		"function_in_development": {function, "APP_ENV=development", "development open", nil},
		"other_name_of_the_variable": {alone, "NODE_ENV=production", "production jwt",
			[]string{"SERVICE_TOKEN has", "JWT_SECRET and"}},
		"sqlite": {service, production + token + secret, "production jwt", nil},
		"known": {service, production + " SERVICE_TOKEN=your-service-token-change-in-production" +
			" JWT_SECRET=your-jwt-secret-key-change-in-production", "production jwt",
			[]string{
				`SERVICE_TOKEN is "your-service-token-change-in-production", which everybody knows; allowed in production (APP_ENV): a secret of your own`,
				`JWT_SECRET is "your-jwt`,
			}},
		"short": {service, production + " SERVICE_TOKEN=" + good[1:] + " JWT_SECRET=" + good[1:], "production jwt",
			[]string{"SERVICE_TOKEN has 31 bytes; allowed", "JWT_SECRET has 31"}},
		"short_secret_beside_an_issuer": {service,
			production + " JWT_SECRET=x JWT_JWKS_URL=https://i.example" + token, "production jwt",
			[]string{"JWT_SECRET has 1 bytes"}},
		"one_of_several": {alone, production + token + ",old" + secret, "production jwt",
			[]string{"SERVICE_TOKEN, entry 2, has 3 bytes"}},
		"open": {alone, production + " AUTH_MODE=open" + token, "production open",
			[]string{`AUTH_MODE is "open"; allowed in production (APP_ENV): jwt, or AUTH_OPEN_IN_PRODUCTION=true`}},
		"open_with_override": {alone, production + " AUTH_MODE=open AUTH_OPEN_IN_PRODUCTION=true" + token,
			"production open", nil},
		"no_password": {chore, "DB_HOST=db", "production ", []string{`DB_PASSWORD is ""; allowed`}},
		"known_password": {chore, "DB_HOST=db DB_PASSWORD=app_password", "production ",
			[]string{`DB_PASSWORD is "app_password"`}},
		"own_password":             {chore, "DB_HOST=db DB_PASSWORD=x", "production ", nil},
		"database_of_this_machine": {chore, "DB_HOST=127.0.0.1", "production ", nil},
		"chore_in_development":     {chore, "DB_HOST=db APP_ENV=development", "development ", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range Variables() {
				for _, spelling := range append(v.Aliases, v.Name) {
					t.Setenv(spelling, "")
				}
			}
			for _, entry := range strings.Fields(c.env) {
				variable, value, _ := strings.Cut(entry, "=")
				t.Setenv(variable, value)
			}
			var s Settings
			err := s.Read(c.reads(&s)...)
			var got []string
			if err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			ok := len(got) == len(c.want) && s.Env+" "+s.AuthMode == c.modes
			for i := range min(len(got), len(c.want)) {
				ok = ok && strings.HasPrefix(got[i], c.want[i])
			}
			if !ok || err != nil && strings.Contains(err.Error(), good[1:]) {
				t.Errorf("%s %s\n%v", s.Env, s.AuthMode, err)
			}
		})
	}
}

// TestKnownToAll checks that KnownToAll knows each secret that the listed files of this repository show, and
// each token and secret that is a default of development.
func TestKnownToAll(t *testing.T) {
	secrets := regexp.MustCompile(`(?m)(TOKEN|SECRET|PASSWORD)(?:=|: |` + "`" + ` \| ` + "`" + `)([\w-]+)`)
	for _, file := range []string{
		".env.example", "docker-compose.yml", "docs/configuration.md", "docs/operations.md",
		"docs/aws.md", "docs/troubleshooting.md",
	} {
		text, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range secrets.FindAllSubmatch(text, -1) {
			if secret := string(shown[2]); !KnownToAll(secret) {
				t.Errorf("%s shows the %s %s, which production would accept", file, shown[1], secret)
			}
		}
	}
	for _, v := range Variables() {
		secret := v.DefaultIn[Development]
		isSecret := strings.HasSuffix(v.Name, "_TOKEN") || strings.HasSuffix(v.Name, "_SECRET")
		if isSecret && secret != "" && !KnownToAll(secret) {
			t.Errorf("%s is by default %s", v.Name, secret)
		}
	}
}

// TestTLS checks the default of DB_TLS for hosts on this machine and on other machines.
func TestTLS(t *testing.T) {
	for host, want := range map[string]string{
		"localhost": "off", "127.0.0.2": "off", "::1": "off", "db": "preferred", "192.0.2.1": "preferred",
	} {
		d := Database{Host: host}
		if d.complete(); d.TLS != want {
			t.Errorf("%s: %s", host, d.TLS)
		}
	}
}

func TestLifetime(t *testing.T) {
	for text, hours := range map[string]float64{"24h": 24, "90m": 1.5, "7d": 168, "365d": 8760, "8760h": 8760} {
		if lifetime, err := Lifetime(text); err != nil || lifetime.Hours() != hours {
			t.Errorf("%s: %s %v", text, lifetime, err)
		}
	}
	for _, text := range []string{
		"", "d", "24", "0d", "-1h", "0s", "366d", "8761h", "1.5d", "1h1d", "99999999999999999999d", "a day",
	} {
		if lifetime, err := Lifetime(text); err == nil {
			t.Errorf("%s: %s", text, lifetime)
		}
	}
}

package config

import (
	"fmt"
	"slices"
)

// publicSecrets lists the default secrets, and the secrets in the example files of this system and of its
// predecessor.
var publicSecrets = []string{
	"dev-service-token", "dev-jwt-secret-that-everybody-knows", "local-service-token",
	"app_password", "rootpassword", "your-service-token-change-in-production",
	"your-jwt-secret-key-change-in-production", "your-production-token",
}

// KnownToAll reports whether the secret is in publicSecrets.
func KnownToAll(secret string) bool { return slices.Contains(publicSecrets, secret) }

// productionProblems returns an error for each setting in the given groups that is unsafe in production. The
// errors may contain public secrets, but no other secrets.
func (s *Settings) productionProblems(groups []any) (problems []error) {
	if s.Env != Production {
		return nil
	}
	read := func(group any) bool { return slices.Contains(groups, group) }
	refuse := func(problem, allowed string) {
		problems = append(problems, fmt.Errorf("%s; allowed in production (APP_ENV): %s", problem, allowed))
	}
	checkSecret := func(name, value string) {
		const allowed = "a secret of your own, of 32 bytes or more"
		switch {
		case KnownToAll(value):
			refuse(fmt.Sprintf("%s is %q, which everybody knows", name, value), allowed)
		case len(value) < 32: // the minimum for HS256, in bytes: RFC 7518, section 3.2
			refuse(fmt.Sprintf("%s has %d bytes", name, len(value)), allowed)
		}
	}
	checkAll := func(name string, secrets []string) {
		for i, secret := range secrets {
			if len(secrets) > 1 {
				checkSecret(fmt.Sprintf("%s, entry %d,", name, i+1), secret)
			} else {
				checkSecret(name, secret)
			}
		}
	}
	if read(&s.Database) && s.Driver == MySQL && !onThisMachine(s.Host) &&
		(s.Password == "" || KnownToAll(s.Password)) {
		refuse(fmt.Sprintf("DB_PASSWORD is %q", s.Password),
			"a password of your own, since the database is on another machine")
	}
	if read(&s.Access) {
		if s.AuthMode == Open && !s.OpenInProduction {
			refuse(`AUTH_MODE is "open"`, "jwt, or AUTH_OPEN_IN_PRODUCTION=true besides")
		}
		if len(s.ServiceTokens) == 0 {
			checkSecret("SERVICE_TOKEN", "")
		}
		checkAll("SERVICE_TOKEN", s.ServiceTokens)
		if s.AuthMode == OnlyJWT && len(s.JWTSecrets) == 0 && s.JWKSURL == "" {
			refuse("JWT_SECRET and JWT_JWKS_URL are not set", "one of them, since AUTH_MODE is jwt")
		}
	}
	if read(&s.JWT) {
		checkAll("JWT_SECRET", s.JWTSecrets)
	}
	return problems
}

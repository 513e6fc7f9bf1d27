package config

import (
	"fmt"
	"slices"
)

// known are secrets that anybody can read: the defaults here, and what the files of this system and of the
// one before it show.
var known = []string{
	"dev-service-token", "dev-jwt-secret-that-everybody-knows", "local-service-token", "app_password", "rootpassword",
	"your-service-token-change-in-production", "your-jwt-secret-key-change-in-production", "your-production-token",
}

// KnownToAll reports whether anybody can read the secret.
func KnownToAll(secret string) bool { return slices.Contains(known, secret) }

// unfit returns each reason why a production must not start with what was read into groups. Secrets of others
// are not in them.
func (s *Settings) unfit(groups []any) (reasons []error) {
	if s.Env != Production {
		return nil
	}
	read := func(group any) bool { return slices.Contains(groups, group) }
	refuse := func(is, allowed string) {
		reasons = append(reasons, fmt.Errorf("%s; allowed in production (APP_ENV): %s", is, allowed))
	}
	secret := func(name, held string) {
		const allowed = "a secret of your own, of 32 bytes or more"
		switch {
		case KnownToAll(held):
			refuse(fmt.Sprintf("%s is %q, which everybody knows", name, held), allowed)
		case len(held) < 32: // RFC 7518, section 3.2, of HS256
			refuse(fmt.Sprintf("%s has %d bytes", name, len(held)), allowed)
		}
	}
	if read(&s.Database) && s.Driver == MySQL && !onThisMachine(s.Host) && (s.Password == "" || KnownToAll(s.Password)) {
		refuse(fmt.Sprintf("DB_PASSWORD is %q", s.Password), "a password of your own, since the database is on another machine")
	}
	if read(&s.Access) {
		if s.AuthMode == Open && !s.OpenInProduction {
			refuse(`AUTH_MODE is "open"`, "jwt, or AUTH_OPEN_IN_PRODUCTION=true besides")
		}
		if len(s.ServiceTokens) == 0 {
			secret("SERVICE_TOKEN", "")
		}
		for i, token := range s.ServiceTokens {
			name := "SERVICE_TOKEN"
			if len(s.ServiceTokens) > 1 {
				name = fmt.Sprintf("SERVICE_TOKEN, entry %d,", i+1)
			}
			secret(name, token)
		}
		if s.AuthMode == OnlyJWT && s.JWTSecret == "" && s.JWKSURL == "" {
			refuse("JWT_SECRET and JWT_JWKS_URL are not set", "one of them, since AUTH_MODE is jwt")
		}
	}
	if read(&s.JWT) && s.JWTSecret != "" {
		secret("JWT_SECRET", s.JWTSecret)
	}
	return reasons
}

// Package options turns the configuration into the options of the services: tokens, limits, peers. The services
// themselves are built and joined in cmd/b2b/services.go. The package is apart from package config, because the
// generators read the configuration's variables, and must not depend on code that they generate.
package options

import (
	"context"
	"log/slog"
	"time"

	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/config"
	"example.com/b2b/internal/peer"
	"example.com/b2b/internal/web"
)

// Tokens returns the configured secrets and claims of tokens, without the issuer's keys.
func Tokens(s *config.Settings) auth.Tokens {
	return auth.Tokens{Secret: s.JWTSecret, Issuer: s.Issuer, Audience: s.Audience, Service: s.ServiceTokens}
}

// Options returns the options of every service. It fetches the issuer's keys where JWT_JWKS_URL is set, and
// renews them until ctx ends; a failure of the first fetch is the error.
func Options(ctx context.Context, s *config.Settings, log *slog.Logger) (web.Options, error) {
	o := web.Options{
		Tokens: Tokens(s), Open: s.AuthMode == config.Open, Log: log, Timeout: s.RequestTimeout,
		Limits: web.Limits{
			Rate: s.RateLimit, Burst: s.RateBurst, Proxies: s.TrustedProxies,
			InFlight: s.MaxInFlight, Searches: s.MaxSearches, Imports: s.MaxImports, Exports: s.MaxExports,
		},
		Browsers: web.Browsers{Origins: s.Origins, Hosts: s.Hosts},
	}
	switch {
	case s.MaxSearches > 0:
	case s.Driver == config.MySQL:
		o.Limits.Searches = max(1, s.Database.MaxConns/4)
	default: // SQLite: searches share one connection with everything else
		o.Limits.Searches = 1
	}
	var err error
	if s.JWKSURL != "" {
		o.Tokens.Keys, err = auth.FetchKeys(ctx, s.JWKSURL, log)
	}
	return o, err
}

// Peer returns the service at base, as other services call it. A call may take half of
// REQUEST_TIMEOUT_SECONDS, and 5 s at most.
func Peer(s *config.Settings, base string) peer.Peer {
	return peer.Peer{Base: base, Token: s.ServiceTokens[0], Timeout: min(5*time.Second, s.RequestTimeout/2)}
}

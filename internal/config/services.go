package config

import (
	"context"
	"log/slog"
	"time"

	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/web"
)

// Tokens returns the verifier of tokens, without the issuer's keys.
func (s *Settings) Tokens() auth.Tokens {
	return auth.Tokens{Secret: s.JWTSecret, Issuer: s.Issuer, Audience: s.Audience, Service: s.ServiceTokens}
}

// Options returns the options of every service. With JWT_JWKS_URL, the issuer's keys are fetched now and then
// refreshed until ctx ends.
func (s *Settings) Options(ctx context.Context, log *slog.Logger) (web.Options, error) {
	o := web.Options{Tokens: s.Tokens(), Open: s.AuthMode == Open, Log: log, Timeout: s.RequestTimeout,
		Limits: web.Limits{Rate: s.RateLimit, Burst: s.RateBurst, Proxies: s.TrustedProxies,
			InFlight: s.MaxInFlight, Searches: s.MaxSearches, Imports: s.MaxImports, Exports: s.MaxExports},
		Browsers: web.Browsers{Origins: s.Origins, Hosts: s.Hosts}}
	switch {
	case s.MaxSearches > 0:
	case s.Driver == MySQL:
		o.Limits.Searches = max(1, s.Database.MaxConns/4)
	default: // on SQLite, searches share a connection with all other requests
		o.Limits.Searches = 1
	}
	var err error
	if s.JWKSURL != "" {
		o.Tokens.Keys, err = auth.FetchKeys(ctx, s.JWKSURL, log)
	}
	return o, err
}

// Peer returns the client configuration for the service at the base address. The timeout of a call is at most
// half of the request's timeout.
func (s *Settings) Peer(base string) web.Peer {
	return web.Peer{Base: base, Token: s.ServiceTokens[0], Timeout: min(5*time.Second, s.RequestTimeout/2)}
}

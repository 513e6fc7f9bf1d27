// Package options makes the options of the services from the configuration: tokens, limits and peers. The
// services themselves are built in cmd/services and cmd/b2b/services.go. The package is not a part of package
// config, because the generators import config, and must not depend on code that they generate.
package options

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/web"
)

// Tokens returns the secrets and the required claims of tokens. The function Options adds the issuer's keys.
func Tokens(s *config.Settings) auth.Tokens {
	return auth.Tokens{Secrets: s.JWTSecrets, Issuer: s.Issuer, Audience: s.Audience, Service: s.ServiceTokens,
		Verified: auth.NewVerified()}
}

// Options returns the options that all services have in common. When JWT_JWKS_URL is set, it fetches the
// issuer's keys, and renews the keys until ctx ends. The error is the failure of the first fetch.
func Options(ctx context.Context, s *config.Settings, log *slog.Logger) (web.Options, error) {
	o := web.Options{
		Tokens: Tokens(s), Open: s.AuthMode == config.Open, Log: log, Timeout: s.RequestTimeout, Currency: s.Currency,
		Limits: web.Limits{
			Rate: s.RateLimit, Burst: s.RateBurst, Proxies: s.TrustedProxies,
			InFlight: s.MaxInFlight, Searches: s.MaxSearches, Imports: s.MaxImports, Exports: s.MaxExports,
			Readers: s.MaxReaders,
		},
		Browsers: web.Browsers{
			Origins: s.Origins, Hosts: s.Hosts,
			Guessable: slices.ContainsFunc(slices.Concat(s.ServiceTokens, s.JWTSecrets), config.KnownToAll),
		},
	}
	switch {
	case s.MaxSearches > 0:
	case s.Driver == config.MySQL:
		o.Limits.Searches = max(1, s.Database.MaxConns/4)
	default: // SQLite has few connections, which searches share with all other requests
		o.Limits.Searches = 1
	}
	var err error
	if s.JWKSURL != "" {
		o.Tokens.Keys, err = auth.FetchKeys(ctx, s.JWKSURL, log)
	}
	return o, err
}

// Peer returns a service as a peer, for calls by other services. The parameter base is the address of the
// service. A call may take half of REQUEST_TIMEOUT_SECONDS, and at most 5 s.
func Peer(s *config.Settings, base string) peer.Peer {
	return peer.Peer{Base: base, Token: s.ServiceTokens[0], Timeout: min(5*time.Second, s.RequestTimeout/2)}
}

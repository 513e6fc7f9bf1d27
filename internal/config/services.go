package config

import (
	"context"
	"log/slog"
	"time"

	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/peer"
	"example.com/b2b/internal/web"
)

// Tokens are those that were configured, without the issuer's keys.
func (s *Settings) Tokens() auth.Tokens {
	return auth.Tokens{Secret: s.JWTSecret, Issuer: s.Issuer, Audience: s.Audience, Service: s.ServiceTokens}
}

// Options are what every service is built with. The issuer's keys, if there are any, are read now and renewed
// until ctx ends.
func (s *Settings) Options(ctx context.Context, log *slog.Logger) (web.Options, error) {
	o := web.Options{Tokens: s.Tokens(), Open: s.AuthMode == Open, Log: log, Timeout: s.RequestTimeout,
		Limits: web.Limits{Rate: s.RateLimit, Burst: s.RateBurst, Proxies: s.TrustedProxies,
			InFlight: s.MaxInFlight, Searches: s.MaxSearches, Imports: s.MaxImports, Exports: s.MaxExports},
		Browsers: web.Browsers{Origins: s.Origins, Hosts: s.Hosts}}
	switch {
	case s.MaxSearches > 0:
	case s.Driver == MySQL:
		o.Limits.Searches = max(1, s.Database.MaxConns/4)
	default: // they share one connection with everybody
		o.Limits.Searches = 1
	}
	var err error
	if s.JWKSURL != "" {
		o.Tokens.Keys, err = auth.FetchKeys(ctx, s.JWKSURL, log)
	}
	return o, err
}

// Peer is the service at that address, as other services call it: a call is bounded well below what the whole
// request may take.
func (s *Settings) Peer(base string) peer.Peer {
	return peer.Peer{Base: base, Token: s.ServiceTokens[0], Timeout: min(5*time.Second, s.RequestTimeout/2)}
}

package web

import (
	"example.com/b2b/internal/buildinfo"
	"example.com/b2b/openapi/contract"
)

// Health is what a service answers to /health and /ready.
func Health(service string) contract.Health {
	return contract.Health{Status: "ok", Service: service, Version: buildinfo.Version()}
}

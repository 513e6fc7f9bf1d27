package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/customers"
	"example.com/b2b/db/doctor"
	"example.com/b2b/internal/config"
	"example.com/b2b/internal/web"
	"example.com/b2b/orchestrator"
	"example.com/b2b/orders"
)

// service is an entry in the table of services: everything that the program knows of one.
type service struct {
	name, title string // the command; what it is called
	database    bool
	port        func(c *config.Settings) *int
	reads       func(c *config.Settings) []any   // what it reads of the configuration besides what all services read
	peers       func(c *config.Settings) []any   // where its peers are: read when they are not in the same process
	base        func(c *config.Settings) *string // by which others find it; nil when nobody calls it
	build       func(c *config.Settings, g *gorm.DB, o web.Options) (running, error)
	rules       []doctor.Rule            // what must always be true of its data
	try         func(base string) string // a first call to show
}

// running is a service that has been built.
type running struct {
	handler    http.Handler
	background func(ctx context.Context) // work beside requests until ctx ends; nil when there is none
}

// services are in the order in which they depend on each other; they stop in the opposite one.
var services = []service{
	{
		name: "customers", title: "Customers API", database: true,
		port:  func(c *config.Settings) *int { return &c.CustomersPort },
		reads: func(c *config.Settings) []any { return []any{&c.Customers} },
		base:  func(c *config.Settings) *string { return &c.CustomersBase },
		build: func(_ *config.Settings, g *gorm.DB, o web.Options) (running, error) {
			return running{handler: customers.New(g).Handler(o)}, nil
		},
		try: func(base string) string { return fmt.Sprintf("curl '%s/customers?search=ACME'", base) },
	},
	{
		name: "orders", title: "Orders API", database: true, rules: orders.Rules(),
		port:  func(c *config.Settings) *int { return &c.OrdersPort },
		reads: func(c *config.Settings) []any { return []any{&c.Orders} },
		peers: func(c *config.Settings) []any { return []any{&c.CustomersPeer} },
		base:  func(c *config.Settings) *string { return &c.OrdersBase },
		build: func(c *config.Settings, g *gorm.DB, o web.Options) (running, error) {
			peer := peer(c, c.CustomersBase)
			peer.Timeout /= 2 // it must have given up on its peer, and said so, before its caller gives up on it
			s, err := orders.New(g, orders.Config{Customers: peer, CancellationWindow: c.CancellationWindow, Reservation: c.Reservation, KeyLifetime: c.KeyLifetime})
			if err != nil {
				return running{}, err
			}
			return running{s.Handler(o), func(ctx context.Context) { s.Run(ctx, o.Log) }}, nil
		},
		try: func(base string) string { return fmt.Sprintf("curl '%s/products?limit=3'", base) },
	},
	{
		name: "orchestrator", title: "Orchestrator",
		port:  func(c *config.Settings) *int { return &c.OrchestratorPort },
		reads: func(c *config.Settings) []any { return []any{&c.Orchestrator} },
		peers: func(c *config.Settings) []any { return []any{&c.CustomersPeer, &c.OrdersPeer} },
		build: func(c *config.Settings, _ *gorm.DB, o web.Options) (running, error) {
			s, err := orchestrator.New(peer(c, c.CustomersBase), peer(c, c.OrdersBase))
			if err != nil {
				return running{}, err
			}
			engine := s.Engine(o)
			orchestrator.ServeStartPage(engine, c.CustomersBase, c.OrdersBase)
			return running{handler: engine}, nil
		},
		try: func(base string) string {
			return fmt.Sprintf(`curl -X POST %s/orchestrator/create-and-confirm-order -H 'Content-Type: application/json' -d '{"customer_id": 1, "items": [{"product_id": 2, "qty": 3}], "idempotency_key": "try-1"}'`, base)
		},
	},
}

// peerTimeout bounds one call from a service to another, well below what the whole request may take.
const peerTimeout = 5 * time.Second

func peer(c *config.Settings, base string) web.Peer {
	return web.Peer{Base: base, Token: c.ServiceToken, Timeout: min(peerTimeout, c.RequestTimeout/2)}
}

func options(c *config.Settings, s service, log *slog.Logger) web.Options {
	return web.Options{ServiceToken: c.ServiceToken, Log: log.With("service", s.name), Timeout: c.RequestTimeout}
}

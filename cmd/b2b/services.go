package main

import (
	"context"
	"net/http"
	"sync"

	"gorm.io/gorm"

	"example.com/b2b/v2/cmd/options"
	"example.com/b2b/v2/cmd/services"
	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/events/deliver"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/server"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/orchestrator"
	"example.com/b2b/v2/orchestrator/office"
	"example.com/b2b/v2/orchestrator/start"
	"example.com/b2b/v2/orders"
)

// service is an entry in the table of services.
type service struct {
	name, title string // name: the command that starts the service; title: the name for people
	does        string // what the service does, for the start page of the orchestrator
	database    bool
	// group of the configuration for this service only; nil for none
	settings any
	// groups of the configuration with the addresses of peers; read only when the service runs alone
	peers []any
	port  *int          // port to listen on
	base  *string       // address of the service, for its callers
	rules []doctor.Rule // rules that the service's data must never break, for the command doctor
	notes []doctor.Rule // rules that find unusual data, for the command doctor
	try   string        // example of a call; %s stands for the address of the service
	build func(g *gorm.DB, o web.Options) (http.Handler, func(ctx context.Context), error)

	server     server.Server
	inProcess  *peer.InProcessTransport  // transport for calls within this process; nil when s runs elsewhere
	background func(ctx context.Context) // runs the background jobs until ctx ends; nil without jobs
}

// peer returns s as a peer of the services after s in the table. Calls in this process need no connection.
func (s *service) peer(c *config.Settings) peer.Peer {
	p := options.Peer(c, *s.base)
	p.InProcess = s.inProcess
	return p
}

// table returns the services, with the configuration c. A service may call only the services before it in the
// table, because the services stop in reverse order.
func table(c *config.Settings) []*service {
	customersAPI := &service{
		name: "customers", title: "Customers API", database: true, rules: customers.Rules(), notes: customers.Notes(),
		does: "customers",
		port: &c.CustomersPort, base: &c.CustomersBase,
		try: "curl '%s/customers?search=ACME'",
		build: func(g *gorm.DB, o web.Options) (http.Handler, func(context.Context), error) {
			s := services.Customers(g, c)
			return s.Handler(o), func(ctx context.Context) { db.RunJobs(ctx, g, o.Log, s.Jobs()...) }, nil
		},
	}
	ordersAPI := &service{
		name: "orders", title: "Orders API", database: true, rules: orders.Rules(), notes: orders.Notes(),
		does:     "products, stock and orders",
		settings: &c.Orders, peers: []any{&c.CustomersPeer}, port: &c.OrdersPort, base: &c.OrdersBase,
		try: "curl '%s/products?limit=3'",
		build: func(g *gorm.DB, o web.Options) (http.Handler, func(context.Context), error) {
			s, err := services.Orders(g, c, customersAPI.peer(c))
			if err != nil {
				return nil, nil, err
			}
			return s.Handler(o), func(ctx context.Context) { db.RunJobs(ctx, g, o.Log, s.Jobs()...) }, nil
		},
	}
	eventsAPI := &service{
		name: "events", title: "Events API", database: true, rules: events.Rules(), notes: events.Notes(),
		does:     "what has happened, in order and without a gap",
		settings: &c.Events, port: &c.EventsPort, base: new(string),
		try: "curl '%s/events?limit=3'",
		build: func(g *gorm.DB, o web.Options) (http.Handler, func(context.Context), error) {
			s := events.New(g, events.Config{Retention: c.EventRetention, KeyLifetime: c.KeyLifetime,
				Webhooks: deliver.Config{AllowPrivate: c.WebhookPrivate, UseProxy: c.WebhookProxy,
					OnlyHTTPS: c.Env == config.Production}})
			return s.Handler(o), func(ctx context.Context) {
				context.AfterFunc(ctx, s.Stop)
				var all sync.WaitGroup
				all.Go(func() { db.RunJobs(ctx, g, o.Log, s.Jobs()...) })
				all.Go(func() { s.Deliver(ctx, o.Log) })
				all.Wait()
			}, nil
		},
	}
	return []*service{customersAPI, ordersAPI, eventsAPI, {
		name: "orchestrator", title: "Orchestrator",
		settings: &c.Pages, peers: []any{&c.CustomersPeer, &c.OrdersPeer}, port: &c.OrchestratorPort, base: new(string),
		try: `curl -X POST %s/orchestrator/create-and-confirm-order -H 'Content-Type: application/json' ` +
			`-d '{"customer_id": 1, "items": [{"product_id": 2, "qty": 3}], "idempotency_key": "try-1"}'`,
		build: func(_ *gorm.DB, o web.Options) (http.Handler, func(context.Context), error) {
			s, err := orchestrator.New(customersAPI.peer(c), ordersAPI.peer(c))
			if err != nil {
				return nil, nil, err
			}
			o.Front = true
			engine := s.Engine(o)
			hasOffice := c.Office == config.On
			start.Serve(engine, o, hasOffice)
			if hasOffice {
				office.Serve(engine, o, office.SignIn{Issuer: c.OIDCIssuer, Client: c.OIDCClient, Scope: c.OIDCScope})
			}
			return engine, nil, nil
		},
	}}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"example.com/b2b/customers"
	"example.com/b2b/db"
	"example.com/b2b/db/doctor"
	"example.com/b2b/internal/buildinfo"
	"example.com/b2b/internal/config"
	"example.com/b2b/internal/docs"
	"example.com/b2b/internal/peer"
	"example.com/b2b/internal/server"
	"example.com/b2b/internal/web"
	"example.com/b2b/orchestrator"
	"example.com/b2b/orchestrator/start"
	"example.com/b2b/orders"
)

// service is an entry in the table of services: everything that the program knows of a service.
type service struct {
	name, title string // the command; the title in texts
	database    bool
	settings    any           // configuration besides the common settings; nil for none
	peers       []any         // addresses of its peers, read when they run in other processes
	port        *int          // to listen on
	base        *string       // address for the other services
	rules       []doctor.Rule // that always hold for its data
	try         string        // a first call to show; %s is its address
	build       func(g *gorm.DB, o web.Options) (http.Handler, func(ctx context.Context), error)

	server     server.Server
	inProcess  *peer.InProcessTransport  // for the services of this process; nil when it runs elsewhere
	background func(ctx context.Context) // work beside requests until ctx ends; nil for none
}

// peer returns the service as a peer of the services that are built after it: without a connection when it is
// of this process.
func (s *service) peer(c *config.Settings) peer.Peer {
	p := c.Peer(*s.base)
	p.InProcess = s.inProcess
	return p
}

// table returns the services, whose configuration is c, in the order in which they depend on each other; they
// stop in the opposite order.
func table(c *config.Settings) []*service {
	customersAPI := &service{
		name: "customers", title: "Customers API", database: true, rules: customers.Rules(),
		port: &c.CustomersPort, base: &c.CustomersBase,
		try: "curl '%s/customers?search=ACME'",
		build: func(g *gorm.DB, o web.Options) (http.Handler, func(context.Context), error) {
			s := customers.New(g, c.KeyLifetime)
			return s.Handler(o), func(ctx context.Context) { s.Run(ctx, o.Log) }, nil
		},
	}
	ordersAPI := &service{
		name: "orders", title: "Orders API", database: true, rules: orders.Rules(),
		settings: &c.Orders, peers: []any{&c.CustomersPeer}, port: &c.OrdersPort, base: &c.OrdersBase,
		try: "curl '%s/products?limit=3'",
		build: func(g *gorm.DB, o web.Options) (http.Handler, func(context.Context), error) {
			customers := customersAPI.peer(c)
			customers.Timeout /= 2 // so that the Orders API gives up, and says so, before its caller does
			s, err := orders.New(g, orders.Config{
				Customers: customers, CancellationWindow: c.CancellationWindow, Reservation: c.Reservation,
				KeyLifetime: c.KeyLifetime, MaxHeld: max(1, c.MaxInFlight/8),
			})
			if err != nil {
				return nil, nil, err
			}
			return s.Handler(o), func(ctx context.Context) { s.Run(ctx, o.Log) }, nil
		},
	}
	return []*service{customersAPI, ordersAPI, {
		name: "orchestrator", title: "Orchestrator",
		peers: []any{&c.CustomersPeer, &c.OrdersPeer}, port: &c.OrchestratorPort, base: new(string),
		try: `curl -X POST %s/orchestrator/create-and-confirm-order -H 'Content-Type: application/json' ` +
			`-d '{"customer_id": 1, "items": [{"product_id": 2, "qty": 3}], "idempotency_key": "try-1"}'`,
		build: func(_ *gorm.DB, o web.Options) (http.Handler, func(context.Context), error) {
			s, err := orchestrator.New(customersAPI.peer(c), ordersAPI.peer(c))
			if err != nil {
				return nil, nil, err
			}
			o.Front = true
			engine := s.Engine(o)
			start.Serve(engine, o, c.CustomersBase, c.OrdersBase)
			return engine, nil, nil
		},
	}}
}

// serve runs one service of c's table, or all of them, until ctx ends and the requests in flight are
// answered. All of them are each other's peers, whatever the addresses in the environment say.
func serve(ctx context.Context, c *config.Settings, services []*service, out io.Writer) error {
	if err := read(c, services); err != nil {
		return err
	}
	most, err := connections(c, services)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	if config.KnownToAll(c.ServiceTokens[0]) {
		log.Warn("SERVICE_TOKEN is one that everybody knows; " +
			"set APP_ENV=production before others can reach this machine")
	}
	if len(services) > 1 && os.Getenv("PORT") != "" {
		log.Warn("PORT is for one service started alone; " +
			"all three listen on CUSTOMERS_PORT, ORDERS_PORT and ORCHESTRATOR_PORT")
	}
	address := bindAddress(c, services)
	if err := listen(address, services); err != nil {
		return err
	}
	var g *gorm.DB
	if services[0].database {
		if g, err = openReady(ctx, c, len(services) > 1); err != nil {
			return err
		}
		defer db.Close(g)
	}
	o, err := c.Options(ctx, log)
	if err != nil {
		return err
	}
	o.Browsers.Local = address == server.Loopback || net.ParseIP(address).IsLoopback()
	for _, port := range []int{c.CustomersPort, c.OrdersPort, c.OrchestratorPort} {
		o.Browsers.Siblings = append(o.Browsers.Siblings, strconv.Itoa(port))
	}
	// Some connections are left for callers who are told to come later.
	o.Limits.InFlight = min(o.Limits.InFlight, most/2)
	o.Limits.Imports, o.Limits.Exports = min(o.Limits.Imports, most/10), min(o.Limits.Exports, most/10)
	var names []string
	for _, s := range services {
		o.Log = log.With("service", s.name)
		o.Others = others(c, s, services)
		if err := s.prepare(g, o, most, c.MaxPerAddress); err != nil {
			return err
		}
		names = append(names, s.name)
		fmt.Fprintf(out, "%-14s %s   documentation: %s/docs\n", s.title, *s.base, *s.base)
	}
	if g != nil {
		fmt.Fprintf(out, "%-14s %s\n", "Data", db.Config(c.Database))
	}
	last := services[len(services)-1]
	fmt.Fprintf(out, "\nTry: "+last.try+"\n", *last.base)
	log.Info("started", "services", names, "version", buildinfo.Version(), "app_env", c.Env,
		"auth_mode", c.AuthMode)
	defer log.Info("stopped")
	go debug.FreeOSMemory() // the start needed more than the services do
	context.AfterFunc(ctx, func() { log.Info("stopping once the requests in flight are answered") })
	drained, stop := context.WithCancel(context.WithoutCancel(ctx)) // one deadline for all services
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(c.ShutdownTimeout, stop) })
	return runUntil(ctx, drained, services)
}

// listen opens the listeners of all services, and notes their ports and addresses.
func listen(address string, services []*service) (err error) {
	for _, s := range services {
		s.server.Listeners, err = server.Listen(address, *s.port)
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("port %d is taken; stop the program that has it, or give the %s another "+
				"(PORT, when you start one service; see b2b --help)", *s.port, s.title)
		} else if err != nil {
			return err
		}
		*s.port = s.server.Listeners[0].Addr().(*net.TCPAddr).Port
		*s.base = "http://" + net.JoinHostPort(nameOf(address), strconv.Itoa(*s.port))
	}
	return nil
}

// openReady opens the database, and brings its schema up to date when the configuration says so. With seed an
// empty SQLite database gets the sample data.
func openReady(ctx context.Context, c *config.Settings, seed bool) (*gorm.DB, error) {
	g, err := open(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	if c.MigrateOnStart {
		if _, err = db.Migrate(ctx, g); err != nil {
			err = fmt.Errorf("the schema could not be brought up to date: %w", err)
		}
	}
	if err == nil && seed && c.Driver == config.SQLite {
		_, err = db.Seed(ctx, g)
	}
	if err != nil {
		db.Close(g)
		return nil, err
	}
	return g, nil
}

// prepare builds the service and its server, for at most so many connections, in all and of one address.
func (s *service) prepare(g *gorm.DB, o web.Options, most, perAddress int) (err error) {
	s.server.Max, s.server.PerAddress = most, min(perAddress, most/2)
	s.server.Timeout, s.server.Log = o.Timeout, o.Log
	if s.server.Handler, s.background, err = s.build(g, o); err != nil {
		return err
	}
	s.inProcess = peer.NewInProcessTransport(s.server.Handler, o.Log)
	s.server.Drain = s.inProcess.Drain
	return nil
}

// others returns the other services whose addresses this process knows.
func others(c *config.Settings, s *service, running []*service) (known []docs.Linked) {
	if len(running) == 1 {
		running = table(c)
	}
	for _, other := range slices.Backward(running) {
		if other.name != s.name && *other.base != "" {
			known = append(known, docs.Linked{Title: other.title, Base: *other.base})
		}
	}
	return known
}

// read reads the settings that the services use, and no others.
func read(c *config.Settings, services []*service) error {
	var groups []any
	for _, s := range services {
		if s.settings != nil {
			groups = append(groups, s.settings)
		}
	}
	if services[0].database {
		groups = append(groups, &c.Database, &c.Migration, &c.Keys)
	}
	if len(services) == 1 {
		groups = append(append(groups, &c.SinglePort), services[0].peers...)
	}
	groups = append(groups, &c.Logging, &c.Access, &c.JWT, &c.Serving, &c.Limiting, &c.Listening, &c.Browsers,
		&c.Ports, &c.Stopping)
	err := c.Read(groups...)
	if c.Only != nil {
		*services[0].port = *c.Only
	}
	return err
}

// bindAddress returns the address to listen at. Without a setting it is every address for services on MySQL
// and for a lone orchestrator in production, because other machines call them.
func bindAddress(c *config.Settings, services []*service) string {
	switch {
	case c.BindAddress != "":
		return c.BindAddress
	case c.Driver == config.MySQL, !services[0].database && c.Env == config.Production:
		return "0.0.0.0"
	}
	return server.Loopback
}

// nameOf returns the host by which this machine reaches a listener at an address.
func nameOf(address string) string {
	if ip := net.ParseIP(address); ip == nil || ip.IsUnspecified() {
		return server.Loopback
	}
	return address
}

// connections returns how many connections of callers each service may have. They leave the process enough
// descriptors for its database, and for as many calls of other services; else callers who open connections
// and say nothing would close the database to all.
func connections(c *config.Settings, services []*service) (int, error) {
	const own, fewest = 32, 10 // own: listeners, epoll, the files of SQLite; fewest: callers of a service
	needed := own
	if c.Driver == config.MySQL {
		needed += c.Database.MaxConns
	}
	limit := descriptors()
	most := min(c.MaxConnections, (limit-needed)/(2*len(services)))
	if most < fewest {
		return 0, fmt.Errorf("this process may have %d files open and needs %d; "+
			"raise that limit (ulimit -n), or lower DB_MAX_CONNECTIONS", limit, needed+2*fewest*len(services))
	}
	return most, nil
}

// runUntil serves until ctx ends or a service fails. Then each service finishes its requests before the
// services that it depends on stop, and all have ended when drained has.
func runUntil(ctx, drained context.Context, services []*service) error {
	group, ctx := errgroup.WithContext(ctx)
	stop := ctx // ends when the services in front of the next one have stopped
	for _, s := range slices.Backward(services) {
		front := stop
		done, ended := context.WithCancel(context.WithoutCancel(ctx))
		stop = done
		group.Go(func() error {
			defer ended()
			return s.server.Serve(front, drained)
		})
		if s.background != nil {
			group.Go(func() error { s.background(ctx); return nil })
		}
	}
	return group.Wait()
}

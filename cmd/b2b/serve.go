package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"example.com/b2b/v2/cmd/options"
	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/buildinfo"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/docs"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/server"
	"example.com/b2b/v2/internal/web"
)

// serve runs services, a single service or all, until ctx ends. Then it answers the requests in flight,
// within c.ShutdownTimeout. When all services run, CUSTOMERS_API_BASE and ORDERS_API_BASE are ignored.
// The parameter out gets the addresses, and an example of a call; in production only the log has the
// addresses.
func serve(ctx context.Context, c *config.Settings, services []*service, out io.Writer) error {
	signal.Ignore(syscall.SIGPIPE) // the services go on when the program that reads their log has ended
	all := len(services) > 1
	if err := read(c, services); err != nil {
		return err
	}
	maxConnections, err := connections(c, services)
	if err != nil {
		return err
	}
	log := slog.New(logHandler(c))
	if c.Env == config.Production {
		out = io.Discard // a collector of logs mostly reads stdout, too
		log = log.With("version", buildinfo.Version(), "instance", instance())
	}
	if config.KnownToAll(c.ServiceTokens[0]) {
		log.Warn("SERVICE_TOKEN is one that everybody knows; " +
			"set APP_ENV=production before others can reach this machine")
	}
	if all && os.Getenv("PORT") != "" {
		log.Warn("PORT is for one service started alone; " +
			"all services listen on ports of their own, such as ORDERS_PORT")
	}
	address := bindAddress(c, services)
	if err := listen(c, address, services); err != nil {
		return err
	}
	var siblings []string
	for _, s := range table(c) {
		siblings = append(siblings, strconv.Itoa(*s.port))
	}
	traces, err := options.Traces(ctx, log)
	if err != nil {
		return err
	}
	if traces != nil {
		defer stopTraces(ctx, traces, log)
	}
	var g *gorm.DB
	if services[0].database {
		if g, err = openReady(ctx, c, log, all); err != nil {
			return err
		}
		defer db.Close(g)
		defer db.WatchReplica(g, log)()
	}
	o, err := options.Options(ctx, c, log)
	if err != nil {
		return err
	}
	o.Traced = traces != nil
	o.Stopping = func() bool { return ctx.Err() != nil }
	o.Browsers.Local = address == server.Loopback || net.ParseIP(address).IsLoopback()
	o.Browsers.Siblings = siblings
	// Leave connections for the answers 429 and 503.
	o.Limits.InFlight = min(o.Limits.InFlight, maxConnections/2)
	o.Limits.Imports = min(o.Limits.Imports, maxConnections/10)
	o.Limits.Readers = min(o.Limits.Readers, maxConnections*2/5)
	o.Limits.Exports = min(o.Limits.Exports, maxConnections/10)
	var names []string
	addresses := map[string]string{}
	for _, s := range services {
		o.Log, o.Service = log.With("service", s.name), s.name
		o.Others = others(c, s, services)
		if err := s.prepare(g, o, maxConnections, c.MaxPerAddress); err != nil {
			return err
		}
		names, addresses[s.name] = append(names, s.name), *s.base
		fmt.Fprintf(out, "%-14s %s   documentation: %s/docs\n", s.title, *s.base, *s.base)
	}
	if g != nil {
		fmt.Fprintf(out, "%-14s %s\n", "Data", db.Config(c.Database))
	}
	ops, err := listenForOperators(c)
	if err != nil {
		return err
	}
	if ops != nil {
		defer ops.Close()
		addresses["metrics"] = fmt.Sprintf("http://%s/metrics", ops.Addr())
		fmt.Fprintf(out, "%-14s %s\n", "For operators", addresses["metrics"])
		go serveOperators(ops, g)
	}
	last := services[len(services)-1]
	fmt.Fprintf(out, "\nTry: "+last.try+"\n", *last.base)
	detail := slog.String("version", buildinfo.Version())
	if c.Env == config.Production { // the log has the version already, and stdout lacks the addresses
		detail = slog.Any("addresses", addresses)
	}
	log.Info("started", "services", names, detail, "app_env", c.Env, "auth_mode", c.AuthMode)
	go debug.FreeOSMemory() // returns memory that only the start has needed
	stopping := sync.OnceFunc(func() {
		log.Info("stopping once the requests in flight are answered", "not_ready_for_seconds", c.DrainDelay.Seconds())
	})
	context.AfterFunc(ctx, stopping)
	defer func() {
		if ctx.Err() != nil {
			stopping() // logs "stopping" before "stopped", even if AfterFunc has not run yet
		}
		log.Info("stopped")
	}()
	// The context draining ends DrainDelay after ctx. In the meantime, load balancers notice that the
	// services are not ready.
	draining, drain := context.WithCancel(context.WithoutCancel(ctx))
	defer drain()
	context.AfterFunc(ctx, func() { time.AfterFunc(c.DrainDelay, drain) })
	// The context drained ends ShutdownTimeout after draining has ended. All services share it.
	drained, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	context.AfterFunc(draining, func() { time.AfterFunc(c.ShutdownTimeout, stop) })
	return runUntil(draining, drained, services)
}

// instance returns the name of this process in the log: the name of the machine, and the process id.
func instance() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// stopTraces sends the last spans, within five seconds.
func stopTraces(ctx context.Context, traces *trace.TracerProvider, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := traces.Shutdown(ctx); err != nil {
		log.Warn("the last spans could not be sent", "error", err)
	}
}

// listen opens the listeners of the services, and stores their ports and addresses in the fields port and
// base of the services. An error names the environment variables to change.
func listen(c *config.Settings, address string, services []*service) (err error) {
	for _, s := range services {
		variable := strings.ToUpper(s.name) + "_PORT"
		if c.Only != nil {
			variable = "PORT"
		}
		s.server.Listeners, err = server.Listen(address, *s.port)
		if errors.Is(err, server.ErrAddressInUse) {
			return fmt.Errorf("port %d is taken; stop the program that has it, or give the %s another: %s",
				*s.port, s.title, variable)
		} else if err != nil {
			return fmt.Errorf("the %s cannot listen (BIND_ADDRESS, %s): %w", s.title, variable, err)
		}
		*s.port = s.server.Listeners[0].Addr().(*net.TCPAddr).Port
		*s.base = "http://" + net.JoinHostPort(nameOf(address), strconv.Itoa(*s.port))
	}
	return nil
}

// openReady opens the database and, if MIGRATE_ON_START is true, brings the schema up to date. With the
// parameter seed, it loads the sample data into an empty SQLite database.
func openReady(ctx context.Context, c *config.Settings, log *slog.Logger, seed bool) (*gorm.DB, error) {
	g, err := open(ctx, c.Database)
	if err != nil {
		return nil, err
	}
	db.Log(g, log, c.SlowQuery, web.LoggedCorrelationID)
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

// prepare builds the service and its server. The server has at most maxConnections connections. At most
// perAddress connections, and at most half of maxConnections, come from the same address.
func (s *service) prepare(g *gorm.DB, o web.Options, maxConnections, perAddress int) (err error) {
	s.server.Max, s.server.PerAddress = maxConnections, min(perAddress, maxConnections/2)
	s.server.Timeout, s.server.Log = o.Timeout, o.Log
	if s.server.Handler, s.background, err = s.build(g, o); err != nil {
		return err
	}
	s.inProcess = peer.NewInProcessTransport(s.server.Handler, o.Log)
	s.server.Drain = s.inProcess.Drain
	return nil
}

// others returns the other services with a known address, for the links on the documentation pages of s. The
// parameter running has the services of this process.
func others(c *config.Settings, s *service, running []*service) (known []docs.Linked) {
	if len(running) == 1 {
		running = table(c)
	}
	for _, other := range slices.Backward(running) {
		if other.name != s.name && *other.base != "" {
			known = append(known, docs.Linked{
				Name: other.name, Title: other.title, Does: other.does, Base: *other.base,
			})
		}
	}
	return known
}

// read reads the groups of the configuration that the services use. PORT sets the port of a lone service.
func read(c *config.Settings, services []*service) error {
	var groups []any
	for _, s := range services {
		if s.settings != nil {
			groups = append(groups, s.settings)
		}
	}
	if services[0].database {
		groups = append(groups, &c.Database, &c.Migration, &c.Keys, &c.SlowQueries)
	}
	if len(services) == 1 {
		groups = append(append(groups, &c.SinglePort), services[0].peers...)
	}
	groups = append(groups, &c.Logging, &c.Access, &c.JWT, &c.Serving, &c.Amounts, &c.Limiting, &c.Listening,
		&c.Browsers, &c.Observing, &c.Ports, &c.Stopping)
	err := c.Read(groups...)
	if c.Only != nil {
		*services[0].port = *c.Only
	}
	return err
}

// bindAddress returns the address to listen on: BIND_ADDRESS or, without it, a default. The default is all
// addresses when the database is MySQL, and when the orchestrator runs alone in production, because then
// other machines call the service. Otherwise the default is localhost.
func bindAddress(c *config.Settings, services []*service) string {
	switch {
	case c.BindAddress != "":
		return c.BindAddress
	case c.Driver == config.MySQL, !services[0].database && c.Env == config.Production:
		return "0.0.0.0"
	}
	return server.Loopback
}

// nameOf returns the host for URLs of a service that listens on address: localhost for 0.0.0.0 and ::.
func nameOf(address string) string {
	if ip := net.ParseIP(address); ip == nil || ip.IsUnspecified() {
		return server.Loopback
	}
	return address
}

// connections returns the maximum number of connections to each service, at most MAX_CONNECTIONS. The number
// leaves enough file descriptors for the database. It also leaves a second descriptor for each connection,
// because a request may call another service. Without this limit, idle connections could use up all
// descriptors.
func connections(c *config.Settings, services []*service) (int, error) {
	const (
		reserved       = 32 // descriptors for listeners, epoll and the files of SQLite
		minConnections = 10 // fewest connections to each service
	)
	needed := reserved
	if c.Driver == config.MySQL {
		needed += c.Database.MaxConns
		if c.ReadHost != "" {
			needed += c.Database.MaxConns
		}
	}
	limit := descriptors()
	connections := min(c.MaxConnections, (limit-needed)/(2*len(services)))
	if connections < minConnections {
		return 0, fmt.Errorf("this process may have %d files open and needs %d; "+
			"raise that limit (ulimit -n), or lower DB_MAX_CONNECTIONS",
			limit, needed+2*minConnections*len(services))
	}
	return connections, nil
}

// runUntil runs the services until ctx ends or a service fails. Then the services stop in reverse order: each
// service stops after the services that call it have finished their requests. When the context drained ends,
// all services stop at once.
func runUntil(ctx, drained context.Context, services []*service) error {
	group, ctx := errgroup.WithContext(ctx)
	callersStopped := ctx
	for _, s := range slices.Backward(services) {
		stop := callersStopped
		stopped, setStopped := context.WithCancel(context.WithoutCancel(ctx))
		callersStopped = stopped
		group.Go(func() error {
			defer setStopped()
			return s.server.Serve(stop, drained)
		})
		if s.background != nil {
			group.Go(func() error { s.background(ctx); return nil })
		}
	}
	return group.Wait()
}

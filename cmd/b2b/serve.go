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
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"example.com/b2b/customers"
	"example.com/b2b/db"
	"example.com/b2b/internal/config"
	"example.com/b2b/internal/web"
	"example.com/b2b/openapi/customersapi"
	"example.com/b2b/openapi/ordersapi"
	"example.com/b2b/orchestrator"
	"example.com/b2b/orders"
)

// The commands that run one service. No command runs all.
const (
	customersCommand    = "customers"
	ordersCommand       = "orders"
	orchestratorCommand = "orchestrator"
)

// peerTimeout bounds one call from a service to another, well below what the whole request may take.
const peerTimeout = 5 * time.Second

// serve runs the service that command names, or all, until ctx ends and every request in flight is answered.
func serve(ctx context.Context, cfg config.Services, command string, out io.Writer) error {
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))
	if cfg.ServiceToken == config.DevelopmentToken {
		log.Warn("SERVICE_TOKEN is the one everybody knows; set your own before others can reach this machine")
	}
	all := command == ""
	if all && os.Getenv("PORT") != "" {
		log.Warn("PORT is for one service started alone; all three listen on CUSTOMERS_PORT, ORDERS_PORT and ORCHESTRATOR_PORT")
	}
	var services []*service
	// In the order in which they depend on each other; they stop in the opposite one.
	for _, one := range []struct {
		name, title, variable string
		port                  int
	}{
		{customersCommand, "Customers API", "CUSTOMERS_PORT", cfg.CustomersPort},
		{ordersCommand, "Orders API", "ORDERS_PORT", cfg.OrdersPort},
		{orchestratorCommand, "Orchestrator", "ORCHESTRATOR_PORT", cfg.OrchestratorPort},
	} {
		if !all && command != one.name {
			continue
		}
		l, err := listen(one.variable, one.port)
		if err != nil {
			return err
		}
		services = append(services, &service{name: one.name, title: one.title, listener: l})
	}
	if all { // they are each other's peers, whatever the addresses in the environment say
		cfg.CustomersBase, cfg.OrdersBase = services[0].base(), services[1].base()
	}

	var g *gorm.DB
	if command != orchestratorCommand {
		var err error
		if g, err = open(ctx, cfg.DB); err != nil {
			return err
		}
		defer db.Close(g)
		if cfg.MigrateOnStart {
			if _, err := db.Migrate(ctx, g); err != nil {
				return fmt.Errorf("the schema could not be brought up to date: %w", err)
			}
		}
		if all && cfg.DB.Driver == db.SQLite {
			if _, err := db.Seed(ctx, g); err != nil {
				return err
			}
		}
	}
	for _, s := range services {
		if err := s.build(cfg, g, log); err != nil {
			return err
		}
	}
	announce(out, cfg, command, services)
	log.Info("started", "command", "b2b "+command)
	defer log.Info("stopped")
	context.AfterFunc(ctx, func() { log.Info("stopping once the requests in flight are answered") })
	return runUntil(ctx, services, cfg.ShutdownTimeout, log)
}

// open explains in one line why a database cannot be used.
func open(ctx context.Context, c config.Database) (*gorm.DB, error) {
	g, err := db.Open(ctx, db.Config(c))
	if err == nil {
		return g, nil
	}
	if c.Driver == db.SQLite {
		return nil, fmt.Errorf("%s (DB_PATH) cannot be opened: %w", db.Config(c), err)
	}
	return nil, fmt.Errorf("%s (DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME) cannot be used: %w", db.Config(c), err)
}

// service is one of the three, on its port.
type service struct {
	name, title string
	listener    net.Listener
	handler     http.Handler
	background  func(ctx context.Context) // work beside requests, nil when there is none
}

func listen(variable string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", ":"+strconv.Itoa(port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken; stop the program that has it, or set %s (or PORT, when you start one service)", port, variable)
	}
	return l, err
}

func (s *service) base() string {
	return "http://localhost:" + strconv.Itoa(s.listener.Addr().(*net.TCPAddr).Port)
}

func (s *service) build(cfg config.Services, g *gorm.DB, log *slog.Logger) (err error) {
	log = log.With("service", s.name)
	o := web.Options{ServiceToken: cfg.ServiceToken, Log: log, Timeout: cfg.RequestTimeout}
	timeout := min(peerTimeout, cfg.RequestTimeout/2)
	if s.name == ordersCommand {
		timeout /= 2 // it must have given up on its peer, and said so, before its caller gives up on it
	}
	customersAPI, err := customersapi.NewClientWithResponses(cfg.CustomersBase, customersapi.WithHTTPClient(web.NewPeerClient("Customers API", cfg.ServiceToken, timeout)))
	if err != nil {
		return err
	}
	ordersAPI, err := ordersapi.NewClientWithResponses(cfg.OrdersBase, ordersapi.WithHTTPClient(web.NewPeerClient("Orders API", cfg.ServiceToken, timeout)))
	if err != nil {
		return err
	}
	switch s.name {
	case customersCommand:
		s.handler, err = customers.New(g).Handler(o)
	case ordersCommand:
		service := orders.New(g, orders.Config{Customers: customersAPI, CancellationWindow: cfg.CancellationWindow, Reservation: cfg.Reservation, KeyLifetime: cfg.KeyLifetime})
		s.background = func(ctx context.Context) { sweep(ctx, service, log) }
		s.handler, err = service.Handler(o)
	case orchestratorCommand:
		service := &orchestrator.Service{Customers: customersAPI, Orders: ordersAPI}
		engine, err := service.Engine(o)
		if err != nil {
			return err
		}
		orchestrator.ServeStartPage(engine, cfg.CustomersBase, cfg.OrdersBase)
		s.handler = engine
	}
	return err
}

// sweepPause is how long an expired reservation or key may stay.
const sweepPause = 5 * time.Second

// sweep ends expired reservations and deletes expired idempotency keys, until ctx ends.
func sweep(ctx context.Context, s *orders.Service, log *slog.Logger) {
	pause := time.NewTicker(sweepPause)
	defer pause.Stop()
	for {
		expired, err := s.ExpireReservations(ctx)
		purged, purgeErr := s.PurgeKeys(ctx)
		if err := errors.Join(err, purgeErr); err != nil && ctx.Err() == nil {
			log.Error("the sweep failed and will be tried again", "error", err)
		}
		if expired > 0 || purged > 0 {
			log.Info("swept", "expired_reservations", expired, "purged_keys", purged)
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

func announce(out io.Writer, cfg config.Services, command string, services []*service) {
	for _, s := range services {
		fmt.Fprintf(out, "%-14s %s   documentation: %s/docs\n", s.title, s.base(), s.base())
	}
	if command != orchestratorCommand {
		fmt.Fprintf(out, "%-14s %s\n", "Data", db.Config(cfg.DB))
	}
	try := map[string]string{
		customersCommand:    fmt.Sprintf("curl '%s/customers?search=ACME'", services[0].base()),
		ordersCommand:       fmt.Sprintf("curl '%s/products?limit=3'", services[0].base()),
		orchestratorCommand: tryOrder(services[0].base()),
		"":                  tryOrder(services[len(services)-1].base()),
	}
	fmt.Fprintf(out, "\nTry: %s\n", try[command])
}

func tryOrder(base string) string {
	return fmt.Sprintf(`curl -X POST %s/orchestrator/create-and-confirm-order -H 'Content-Type: application/json' -d '{"customer_id": 1, "items": [{"product_id": 2, "qty": 3}], "idempotency_key": "try-1"}'`, base)
}

// runUntil serves until ctx ends or a service fails. Then each service finishes its requests before those it depends on stop.
func runUntil(ctx context.Context, services []*service, drain time.Duration, log *slog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	stopped := ctx // when the services in front of the next one have stopped
	for i := len(services) - 1; i >= 0; i-- {
		s, stop := services[i], stopped
		done, ended := context.WithCancel(context.WithoutCancel(ctx))
		stopped = done
		group.Go(func() error {
			defer ended()
			return web.Serve(stop, s.listener, s.handler, drain, log)
		})
		if s.background != nil {
			group.Go(func() error { s.background(ctx); return nil })
		}
	}
	return group.Wait()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/buildinfo"
	"example.com/b2b/internal/config"
	"example.com/b2b/internal/web"
)

// serveOne runs one service until ctx ends and its requests in flight are answered.
func serveOne(ctx context.Context, s service, out io.Writer) error {
	var c config.Settings
	groups := append(s.reads(&c), &c.SinglePort)
	if s.peers != nil {
		groups = append(groups, s.peers(&c)...)
	}
	if err := read(&c, s.database, groups); err != nil {
		return err
	}
	if c.Only != nil {
		*s.port(&c) = *c.Only
	}
	return serve(ctx, &c, []service{s}, out)
}

// serveAll is serveOne for all services in one process. They are each other's peers, whatever the addresses in the environment say.
func serveAll(ctx context.Context, out io.Writer) error {
	var c config.Settings
	var groups []any
	for _, s := range services {
		groups = append(groups, s.reads(&c)...)
	}
	if err := read(&c, true, groups); err != nil {
		return err
	}
	return serve(ctx, &c, services, out)
}

// read reads what all services read, and groups.
func read(c *config.Settings, database bool, groups []any) error {
	groups = append(groups, &c.Logging, &c.Serving, &c.Stopping)
	if database {
		groups = append(groups, &c.Database, &c.Migration)
	}
	err := config.Read(groups...)
	if c.Driver == config.MySQL && c.ServiceToken == config.DevelopmentToken {
		err = errors.Join(err, fmt.Errorf("SERVICE_TOKEN is %q; allowed: a secret of your own, since the database is MySQL", c.ServiceToken))
	}
	return err
}

func serve(ctx context.Context, c *config.Settings, services []service, out io.Writer) error {
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	if c.ServiceToken == config.DevelopmentToken {
		log.Warn("SERVICE_TOKEN is the one everybody knows; set your own before others can reach this machine")
	}
	all := len(services) > 1
	if all && os.Getenv("PORT") != "" {
		log.Warn("PORT is for one service started alone; all three listen on CUSTOMERS_PORT, ORDERS_PORT and ORCHESTRATOR_PORT")
	}
	listeners := make([]net.Listener, len(services))
	for i, s := range services {
		l, err := listen(s, *s.port(c))
		if err != nil {
			return err
		}
		listeners[i] = l
		if all && s.base != nil {
			*s.base(c) = base(l)
		}
	}
	var g *gorm.DB
	if slices.ContainsFunc(services, func(s service) bool { return s.database }) {
		var err error
		if g, err = open(ctx, c.Database); err != nil {
			return err
		}
		defer db.Close(g)
		if c.MigrateOnStart {
			if _, err := db.Migrate(ctx, g); err != nil {
				return fmt.Errorf("the schema could not be brought up to date: %w", err)
			}
		}
		if all && c.Driver == config.SQLite {
			if _, err := db.Seed(ctx, g); err != nil {
				return err
			}
		}
	}
	built := make([]running, len(services))
	for i, s := range services {
		var err error
		if built[i], err = s.build(c, g, options(c, s, log)); err != nil {
			return err
		}
	}
	announce(out, c, services, listeners)
	log.Info("started", "services", names(services), "version", buildinfo.Version())
	defer log.Info("stopped")
	context.AfterFunc(ctx, func() { log.Info("stopping once the requests in flight are answered") })
	drained, stop := context.WithCancel(context.WithoutCancel(ctx)) // one deadline for all services
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(c.ShutdownTimeout, stop) })
	return runUntil(ctx, drained, listeners, built, log)
}

// open explains in one line why a database cannot be used.
func open(ctx context.Context, c config.Database) (*gorm.DB, error) {
	g, err := db.Open(ctx, db.Config(c))
	if err == nil {
		return g, nil
	}
	if c.Driver == config.SQLite {
		return nil, fmt.Errorf("%s (DB_PATH) cannot be opened: %w", db.Config(c), err)
	}
	return nil, fmt.Errorf("%s (DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME) cannot be used: %w", db.Config(c), err)
}

func listen(s service, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", ":"+strconv.Itoa(port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken; stop the program that has it, or give the %s another (PORT, when you start one service; see b2b --help)", port, s.title)
	}
	return l, err
}

func base(l net.Listener) string {
	return "http://localhost:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func names(services []service) (all []string) {
	for _, s := range services {
		all = append(all, s.name)
	}
	return all
}

func announce(out io.Writer, c *config.Settings, services []service, listeners []net.Listener) {
	for i, s := range services {
		fmt.Fprintf(out, "%-14s %s   documentation: %s/docs\n", s.title, base(listeners[i]), base(listeners[i]))
	}
	if services[0].database {
		fmt.Fprintf(out, "%-14s %s\n", "Data", db.Config(c.Database))
	}
	last := len(services) - 1
	fmt.Fprintf(out, "\nTry: %s\n", services[last].try(base(listeners[last])))
}

// runUntil serves until ctx ends or a service fails. Then each service finishes its requests before those it depends on stop, and
// all have ended when drained has.
func runUntil(ctx, drained context.Context, listeners []net.Listener, services []running, log *slog.Logger) error {
	group, ctx := errgroup.WithContext(ctx)
	stopped := ctx // when the services in front of the next one have stopped
	for i := len(services) - 1; i >= 0; i-- {
		stop := stopped
		done, ended := context.WithCancel(context.WithoutCancel(ctx))
		stopped = done
		group.Go(func() error {
			defer ended()
			return web.Serve(stop, drained, listeners[i], services[i].handler, log)
		})
		if services[i].background != nil {
			group.Go(func() error { services[i].background(ctx); return nil })
		}
	}
	return group.Wait()
}

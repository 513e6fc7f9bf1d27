// Command lambda-services runs the Customers API, the Orders API and their background jobs as AWS Lambda
// functions. The name of the handler says what a function runs: customers, orders, jobs or migrate. The
// orchestrator is in command lambda, which must not contain database code.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"gorm.io/gorm"

	"example.com/b2b/v2/cmd/options"
	"example.com/b2b/v2/cmd/services"
	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/function"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/web"
)

func main() { function.Run(newHandler) }

// newHandler returns the handler that is configured for the function. Lambda passes the name of the handler
// in the variable _HANDLER.
func newHandler(ctx context.Context) (function.Handler, error) {
	var c config.Settings
	switch name := os.Getenv("_HANDLER"); name {
	case "customers":
		return service(ctx, &c, name, func(g *gorm.DB, o web.Options) (function.Handler, error) {
			return function.OfEvents(services.Customers(g, &c).Handler(o), c.BasePath), nil
		})
	case "orders":
		return service(ctx, &c, name, func(g *gorm.DB, o web.Options) (function.Handler, error) {
			s, err := services.Orders(g, &c, options.Peer(&c, c.CustomersBase))
			if err != nil {
				return nil, err
			}
			return function.OfEvents(s.Handler(o), c.BasePath), nil
		}, &c.Orders, &c.CustomersPeer)
	case "jobs":
		return jobs(ctx, &c)
	case "migrate":
		return migrate(ctx, &c)
	default:
		return nil, fmt.Errorf("the handler is %q; allowed: customers, orders, jobs, migrate", name)
	}
}

// service opens the database, and returns the handler that the function build makes from the database and the
// options. The parameter more has the groups of the configuration that only this service needs.
func service(ctx context.Context, c *config.Settings, name string,
	build func(*gorm.DB, web.Options) (function.Handler, error), more ...any,
) (function.Handler, error) {
	g, err := open(ctx, c, append(more, &c.Access, &c.JWT, &c.Serving, &c.Amounts, &c.Keys, &c.Mounting)...)
	if err != nil {
		return nil, err
	}
	o, flush, err := options.Lambda(ctx, c, name)
	if err != nil {
		return nil, err
	}
	db.Log(g, o.Log, c.SlowQuery, web.LoggedCorrelationID)
	handle, err := build(g, o)
	return function.Flushing(handle, flush), err
}

// open reads the configuration, and opens the database. Only MySQL and MariaDB are allowed, because the file
// system of a function is read-only.
func open(ctx context.Context, c *config.Settings, groups ...any) (*gorm.DB, error) {
	if err := function.FetchSecrets(ctx, config.Secrets()); err != nil {
		return nil, err
	}
	if err := config.Required("DB_HOST"); err != nil {
		return nil, err
	}
	if err := c.Read(append(groups, &c.Logging, &c.Database, &c.SlowQueries)...); err != nil {
		return nil, err
	}
	g, err := db.Open(ctx, db.Config(c.Database))
	if err != nil {
		return nil, fmt.Errorf("%s (DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME, DB_TLS) cannot be used: %w",
			db.Config(c.Database), err)
	}
	return g, nil
}

// jobs returns a handler that runs the background jobs of the Customers API and the Orders API once for each
// event: Lambda freezes a function between events, so the jobs cannot run in the background.
func jobs(ctx context.Context, c *config.Settings) (function.Handler, error) {
	g, err := open(ctx, c, &c.Keys, &c.Orders)
	if err != nil {
		return nil, err
	}
	log := options.LambdaLog(c, "jobs")
	orders, err := services.Orders(g, c, peer.Peer{Base: "http://localhost"}) // jobs call no peer
	if err != nil {
		return nil, err
	}
	all := append(services.Customers(g, c).Jobs(), orders.Jobs()...)
	return func(ctx context.Context, _ json.RawMessage) (any, error) {
		return nil, db.RunJobsOnce(ctx, g, log, all...)
	}, nil
}

// migrate returns a handler that brings the schema up to date, and answers with the number of new steps.
func migrate(ctx context.Context, c *config.Settings) (function.Handler, error) {
	g, err := open(ctx, c)
	if err != nil {
		return nil, err
	}
	options.LambdaLog(c, "migrate")
	return func(ctx context.Context, _ json.RawMessage) (any, error) {
		steps, err := db.Migrate(ctx, g)
		return map[string]any{"new_steps": steps}, err
	}, nil
}

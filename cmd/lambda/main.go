// Command lambda runs the orchestrator as an AWS Lambda function, behind API Gateway or an Application Load
// Balancer.
package main

import (
	"context"
	"errors"

	"example.com/b2b/v2/cmd/options"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/function"
	"example.com/b2b/v2/orchestrator"
)

func main() { function.Run(newHandler) }

func newHandler(ctx context.Context) (function.Handler, error) {
	c, err := configuration(ctx)
	if err != nil {
		return nil, err
	}
	service, err := orchestrator.New(options.Peer(&c, c.CustomersBase), options.Peer(&c, c.OrdersBase))
	if err != nil {
		return nil, err
	}
	o, flush, err := options.Lambda(ctx, &c, "orchestrator")
	if err != nil {
		return nil, err
	}
	return function.Flushing(function.OfEvents(service.Engine(o), c.BasePath), flush), nil
}

// configuration reads the environment variables. The addresses of the services are required, and APP_ENV is
// production by default.
func configuration(ctx context.Context) (c config.Settings, err error) {
	if err := function.FetchSecrets(ctx, config.Secrets()); err != nil {
		return c, err
	}
	c.Env = config.Production
	err = errors.Join(
		config.Required("CUSTOMERS_API_BASE", "ORDERS_API_BASE"),
		c.Read(&c.Logging, &c.Access, &c.JWT, &c.Serving, &c.Amounts, &c.CustomersPeer, &c.OrdersPeer, &c.Mounting))
	return c, err
}

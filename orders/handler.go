// Package orders is the Orders service: products with their stock, and the orders that take it.
package orders

import (
	"context"
	"net/http"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/web"
	"example.com/b2b/openapi/customersapi"
	api "example.com/b2b/openapi/ordersapi"
)

const name = "orders-api"

// Config is what the service needs to know besides its database.
type Config struct {
	Customers          customersapi.ClientWithResponsesInterface // the Customers API
	CancellationWindow time.Duration                             // how long a CONFIRMED order may be canceled
	Reservation        time.Duration                             // how long a CREATED order holds its stock; 0 is for ever
	KeyLifetime        time.Duration                             // how long an idempotency key is remembered
}

// Service implements the generated StrictServerInterface on a database.
type Service struct {
	Config
	db *gorm.DB
}

// New returns the service on a database that db.Migrate has brought up to date.
func New(g *gorm.DB, c Config) *Service { return &Service{Config: c, db: g} }

var _ api.StrictServerInterface = (*Service)(nil)

// Handler returns the service's HTTP side: its contract, held by package web, with s behind it.
func (s *Service) Handler(o web.Options) (http.Handler, error) {
	spec, err := api.GetSpec()
	if err != nil {
		return nil, err
	}
	o.Spec, o.YAML = spec, api.YAML
	e := web.New(o)
	strict := api.NewStrictHandlerWithOptions(s, []api.StrictMiddlewareFunc{web.CopyContext[api.StrictHandlerFunc]}, api.StrictGinServerOptions{
		RequestErrorHandlerFunc: web.FailBinding, HandlerErrorFunc: web.Fail, ResponseErrorHandlerFunc: web.Fail,
	})
	api.RegisterHandlersWithOptions(e, strict, api.GinServerOptions{ErrorHandler: web.FailParameter})
	return e, nil
}

// GetHealth answers while the process lives.
func (s *Service) GetHealth(context.Context, api.GetHealthRequestObject) (api.GetHealthResponseObject, error) {
	return api.GetHealth200JSONResponse{Body: api.Health{Status: "ok", Service: name}}, nil
}

// GetReady returns 503 unavailable while the database does not answer.
func (s *Service) GetReady(ctx context.Context, _ api.GetReadyRequestObject) (api.GetReadyResponseObject, error) {
	if err := db.Ready(ctx, s.db, "orders"); err != nil {
		return nil, err
	}
	return api.GetReady200JSONResponse{Body: api.Health{Status: "ok", Service: name}}, nil
}

package customers

import (
	"context"
	"net/http"

	"example.com/b2b/db"
	"example.com/b2b/internal/web"
	api "example.com/b2b/openapi/customersapi"
)

const name = "customers-api"

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
	if err := db.Ready(ctx, s.db, "customers"); err != nil {
		return nil, err
	}
	return api.GetReady200JSONResponse{Body: api.Health{Status: "ok", Service: name}}, nil
}

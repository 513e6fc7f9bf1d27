package orchestrator

import (
	"context"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/web"
	api "example.com/b2b/openapi/orchestratorapi"
)

const name = "orchestrator"

// Engine returns the service's HTTP side: its contract, held by package web, with s behind it.
func (s *Service) Engine(o web.Options) (*gin.Engine, error) {
	spec, err := api.GetSpec()
	if err != nil {
		return nil, err
	}
	o.Spec, o.YAML, o.CorrelationIDInBody = spec, api.YAML, true
	e := web.New(o)
	strict := api.NewStrictHandlerWithOptions(s, []api.StrictMiddlewareFunc{web.CopyContext[api.StrictHandlerFunc]}, api.StrictGinServerOptions{
		RequestErrorHandlerFunc: web.FailBinding, HandlerErrorFunc: web.Fail, ResponseErrorHandlerFunc: web.Fail,
	})
	api.RegisterHandlersWithOptions(e, strict, api.GinServerOptions{ErrorHandler: web.FailParameter})
	return e.Engine, nil
}

// GetHealth answers while the process lives.
func (s *Service) GetHealth(context.Context, api.GetHealthRequestObject) (api.GetHealthResponseObject, error) {
	return api.GetHealth200JSONResponse{Body: api.Health{Status: "ok", Service: name}}, nil
}

// GetReady answers 200 as soon as the service takes calls; the services behind it say for themselves whether they are ready.
func (s *Service) GetReady(context.Context, api.GetReadyRequestObject) (api.GetReadyResponseObject, error) {
	return api.GetReady200JSONResponse{Body: api.Health{Status: "ok", Service: name}}, nil
}

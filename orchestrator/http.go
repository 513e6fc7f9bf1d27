package orchestrator

import (
	"context"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/web"
	api "example.com/b2b/openapi/orchestratorapi"
	"example.com/b2b/openapi/orchestratorapi/server"
)

const name = "orchestrator"

var _ server.StrictServerInterface = (*Service)(nil)

// Engine returns the service's HTTP side: its contract, held by package web, with s behind it.
func (s *Service) Engine(o web.Options) *gin.Engine {
	o.Document, o.CorrelationIDInBody = api.Document, true
	e := web.New(o)
	strict := server.NewStrictHandlerWithOptions(s, []server.StrictMiddlewareFunc{web.CopyContext[server.StrictHandlerFunc]}, server.StrictGinServerOptions{
		RequestErrorHandlerFunc: web.FailBinding, HandlerErrorFunc: web.Fail, ResponseErrorHandlerFunc: web.Fail,
	})
	server.RegisterHandlersWithOptions(e, strict, server.GinServerOptions{ErrorHandler: web.FailParameter})
	return e.Engine
}

// GetHealth answers while the process lives.
func (s *Service) GetHealth(context.Context, server.GetHealthRequestObject) (server.GetHealthResponseObject, error) {
	return server.GetHealth200JSONResponse{Body: web.Health(name)}, nil
}

// GetReady answers 200 as soon as the service takes calls; the services behind it say for themselves whether
// they are ready.
func (s *Service) GetReady(context.Context, server.GetReadyRequestObject) (server.GetReadyResponseObject, error) {
	return server.GetReady200JSONResponse{Body: web.Health(name)}, nil
}

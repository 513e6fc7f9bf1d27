package orchestrator

import (
	"context"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/web"
	api "example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/orchestratorapi/server"
)

const name = "orchestrator"

var _ server.StrictServerInterface = (*Service)(nil)

// Engine returns the HTTP engine of the service.
func (s *Service) Engine(o web.Options) *gin.Engine {
	o.Document, o.CorrelationIDInBody = api.Document, true
	e := web.New(o)
	middlewares := []server.StrictMiddlewareFunc{web.CopyContext[server.StrictHandlerFunc]}
	strict := server.NewStrictHandlerWithOptions(s, middlewares, server.StrictGinServerOptions{
		RequestErrorHandlerFunc: web.FailBinding,
		HandlerErrorFunc:        web.Fail, ResponseErrorHandlerFunc: web.Fail,
	})
	server.RegisterHandlersWithOptions(e, strict, server.GinServerOptions{ErrorHandler: web.FailParameter})
	return e.Engine
}

// GetHealth implements GET /health.
func (s *Service) GetHealth(
	context.Context, server.GetHealthRequestObject,
) (server.GetHealthResponseObject, error) {
	return server.GetHealth200JSONResponse{Body: web.Health(name)}, nil
}

// GetReady answers with success, or returns 503 unavailable when the Customers API or the Orders API is not
// ready: an order needs both.
func (s *Service) GetReady(
	ctx context.Context, _ server.GetReadyRequestObject,
) (server.GetReadyResponseObject, error) {
	return server.GetReady200JSONResponse{Body: web.Health(name)}, s.ready(ctx)
}

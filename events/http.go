package events

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/internal/web"
	api "example.com/b2b/v2/openapi/eventsapi"
	"example.com/b2b/v2/openapi/eventsapi/server"
)

const name = "events-api"

var _ server.StrictServerInterface = (*Service)(nil)

// Handler returns the service as an HTTP handler. Package web refuses requests that break the contract before
// they reach s.
func (s *Service) Handler(o web.Options) http.Handler {
	o.Document = api.Document
	s.patience = o.Timeout
	e := web.New(o)
	middlewares := []server.StrictMiddlewareFunc{web.CopyContext[server.StrictHandlerFunc]}
	strict := server.NewStrictHandlerWithOptions(s, middlewares, server.StrictGinServerOptions{
		RequestErrorHandlerFunc: web.FailBinding, HandlerErrorFunc: web.Fail, ResponseErrorHandlerFunc: web.Fail,
	})
	server.RegisterHandlersWithOptions(e, strict, server.GinServerOptions{ErrorHandler: web.FailParameter})
	return e
}

// GetHealth answers with success as long as the process runs.
func (s *Service) GetHealth(context.Context, server.GetHealthRequestObject) (server.GetHealthResponseObject, error) {
	return server.GetHealth200JSONResponse{Body: web.Health(name)}, nil
}

// GetReady answers with success, or returns 503 unavailable when the database is not ready: see db.Ready.
func (s *Service) GetReady(ctx context.Context, _ server.GetReadyRequestObject) (server.GetReadyResponseObject, error) {
	return server.GetReady200JSONResponse{Body: web.Health(name)}, s.db.Ready(ctx)
}

// ListEvents returns the events after a position, or a stream of them. With the parameter wait, it waits for
// an event when there is none. Errors: see store.types and store.read.
func (s *Service) ListEvents(ctx context.Context, r server.ListEventsRequestObject,
) (server.ListEventsResponseObject, error) {
	q := query{after: r.Params.After, field: afterField, limit: int(*r.Params.Limit)}
	if r.Params.LastEventID != nil {
		q.after, q.field = r.Params.LastEventID, "/header/Last-Event-ID"
	}
	var err error
	if q.types, err = s.db.Read(ctx).types(r.Params.Types); err != nil {
		return nil, err
	}
	if web.Streams(ctx) {
		file, err := s.stream(ctx, q)
		return server.Answer(file.Respond), err
	}
	p, err := s.readWithin(ctx, q, s.waitFrom(r.Params.Wait))
	return server.ListEvents200JSONResponse{Body: api.FeedResponse{
		Success: true, Data: service.Views(p.events, view),
		Meta: api.FeedMeta{NextAfter: p.next, LastPosition: p.last},
	}}, err
}

// waitFrom returns the time to wait, from the parameter wait, which package web has already validated. The
// result is at most 4/5 of s.patience, so that the answer comes within the time limit of a request.
func (s *Service) waitFrom(wait *string) time.Duration {
	if wait == nil {
		return 0
	}
	seconds, _ := strconv.Atoi(strings.TrimSuffix(*wait, "s"))
	return min(time.Duration(seconds)*time.Second, s.patience*4/5)
}

func view(e placed) api.FeedEvent {
	return api.FeedEvent{ChangeEvent: history.View(e.Event), Position: e.Place}
}

// Command lambda runs the orchestrator as an AWS Lambda function, behind API Gateway or an Application Load
// Balancer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	ginadapter "github.com/awslabs/aws-lambda-go-api-proxy/gin"
	"github.com/gin-gonic/gin"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"example.com/b2b/v2/cmd/options"
	"example.com/b2b/v2/internal/buildinfo"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/orchestrator"
)

// deadlineReserve is the time between the deadline of a request and Lambda's own deadline. The answer is
// delivered in this time; Lambda drops late answers.
const deadlineReserve = 500 * time.Millisecond

func main() {
	engine, err := newEngine()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lambda:", err)
		os.Exit(1)
	}
	lambda.Start(handler(engine))
}

func newEngine() (*gin.Engine, error) {
	c, err := configuration()
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel})).
		With("service", "orchestrator", "version", buildinfo.Version())
	slog.SetDefault(log) // the Lambda library logs with the default logger
	service, err := orchestrator.New(options.Peer(&c, c.CustomersBase), options.Peer(&c, c.OrdersBase))
	if err != nil {
		return nil, err
	}
	o, err := options.Options(context.Background(), &c, log)
	if err != nil {
		return nil, err
	}
	return service.Engine(o), nil
}

// configuration reads the environment variables. The addresses of the services are required, and APP_ENV is
// production by default.
func configuration() (c config.Settings, err error) {
	c.Env = config.Production
	err = errors.Join(
		config.Required("CUSTOMERS_API_BASE", "ORDERS_API_BASE"),
		c.Read(&c.Logging, &c.Access, &c.JWT, &c.Serving, &c.CustomersPeer, &c.OrdersPeer))
	return c, err
}

// handler returns a Lambda handler that passes each event to the engine as a request. Events come from an API
// Gateway REST API (v1), an API Gateway HTTP API (v2) or an Application Load Balancer (ALB), and the answer
// has the same form as the event. Any other event is errUnknownEvent.
func handler(engine *gin.Engine) func(context.Context, json.RawMessage) (any, error) {
	v1, v2, alb := ginadapter.New(engine), ginadapter.NewV2(engine), ginadapter.NewALB(engine)
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-deadlineReserve))
			defer cancel()
		}
		var event struct {
			Version        string `json:"version"`
			HTTPMethod     string `json:"httpMethod"`
			RequestContext struct {
				ELB  *struct{} `json:"elb"`
				HTTP *struct{} `json:"http"`
			} `json:"requestContext"`
		}
		if err := unmarshal(raw, &event); err != nil {
			return nil, errUnknownEvent
		}
		switch {
		case event.Version == "2.0" && event.RequestContext.HTTP != nil:
			return forward(raw, func(e events.APIGatewayV2HTTPRequest) (any, error) {
				e.RawPath = escapePath(e.RawPath)
				if _, err := url.Parse("?" + e.RawQueryString); err != nil {
					// The escaped query is an unknown parameter, so the engine refuses the request.
					e.RawQueryString = url.QueryEscape(e.RawQueryString)
				}
				return v2.ProxyWithContext(ctx, e)
			})
		case event.HTTPMethod != "" && event.RequestContext.ELB != nil:
			return forward(raw, func(e events.ALBTargetGroupRequest) (any, error) {
				e.Path = escapePath(e.Path)
				answer, err := alb.ProxyWithContext(ctx, e)
				if e.MultiValueHeaders == nil { // the target group has single-value headers: use Headers
					answer.Headers = make(map[string]string, len(answer.MultiValueHeaders))
					for name, values := range answer.MultiValueHeaders {
						answer.Headers[name] = values[0]
					}
					answer.MultiValueHeaders = nil
				}
				return answer, err
			})
		case event.HTTPMethod != "":
			return forward(raw, func(e events.APIGatewayProxyRequest) (any, error) {
				e.Path = escapePath(e.Path)
				return v1.ProxyWithContext(ctx, e)
			})
		}
		return nil, errUnknownEvent
	}
}

var errUnknownEvent = errors.New("the event is neither of API Gateway nor of an Application Load Balancer")

// unmarshal decodes an event. It matches names exactly and refuses duplicate names. It accepts invalid UTF-8,
// because the engine refuses invalid UTF-8 with an error in the form of the contract.
func unmarshal(raw json.RawMessage, event any) error {
	return jsonv2.Unmarshal(raw, event, jsontext.AllowInvalidUTF8(true))
}

// forward decodes an event of type E and calls the function proxy with the event.
func forward[E any](raw json.RawMessage, proxy func(E) (any, error)) (any, error) {
	var event E
	if err := unmarshal(raw, &event); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnknownEvent, err)
	}
	return proxy(event)
}

// escapePath escapes the path again if the gateway has unescaped it into an invalid URL, or into a URL with a
// query or a fragment. The engine then answers 404, as for any unknown path.
func escapePath(path string) string {
	if _, err := url.Parse("https://host" + path); err != nil || strings.ContainsAny(path, "?#") {
		return (&url.URL{Path: path}).EscapedPath()
	}
	return path
}

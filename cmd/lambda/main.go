// Command lambda is the orchestrator as an AWS Lambda function, behind API Gateway or an Application Load
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

	"example.com/b2b/cmd/wiring"
	"example.com/b2b/internal/buildinfo"
	"example.com/b2b/internal/config"
	"example.com/b2b/orchestrator"
)

// reserve is kept of the invocation's time: Lambda drops an answer that is not with it at the deadline.
const reserve = 500 * time.Millisecond

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
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel})).With("service", "orchestrator", "version", buildinfo.Version())
	slog.SetDefault(log) // the lines of the Lambda library too
	service, err := orchestrator.New(wiring.Peer(&c, c.CustomersBase), wiring.Peer(&c, c.OrdersBase))
	if err != nil {
		return nil, err
	}
	o, err := wiring.Options(context.Background(), &c, log)
	if err != nil {
		return nil, err
	}
	return service.Engine(o), nil
}

// configuration has no defaults for where to call, and is that of a production unless APP_ENV says otherwise.
func configuration() (c config.Settings, err error) {
	c.Env = config.Production
	err = errors.Join(
		config.Required("CUSTOMERS_API_BASE", "ORDERS_API_BASE"),
		c.Read(&c.Logging, &c.Access, &c.JWT, &c.Serving, &c.CustomersPeer, &c.OrdersPeer))
	return c, err
}

// handler returns the Lambda handler that lets engine answer events of an API Gateway REST API (v1) or HTTP
// API (v2), or of a load balancer (ALB), in the form that each expects. Any other event is an error of the
// invocation.
func handler(engine *gin.Engine) func(context.Context, json.RawMessage) (any, error) {
	v1, v2, alb := ginadapter.New(engine), ginadapter.NewV2(engine), ginadapter.NewALB(engine)
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
			defer cancel()
		}
		var kind struct {
			Version        string `json:"version"`
			HTTPMethod     string `json:"httpMethod"`
			RequestContext struct {
				ELB  *struct{} `json:"elb"`
				HTTP *struct{} `json:"http"`
			} `json:"requestContext"`
		}
		if err := unmarshal(raw, &kind); err != nil {
			return nil, errUnknownEvent
		}
		switch {
		case kind.Version == "2.0" && kind.RequestContext.HTTP != nil:
			return forward(raw, func(e events.APIGatewayV2HTTPRequest) (any, error) {
				e.RawPath = parsable(e.RawPath)
				if _, err := url.Parse("?" + e.RawQueryString); err != nil {
					e.RawQueryString = url.QueryEscape(e.RawQueryString) // a parameter that nothing knows
				}
				return v2.ProxyWithContext(ctx, e)
			})
		case kind.HTTPMethod != "" && kind.RequestContext.ELB != nil:
			return forward(raw, func(e events.ALBTargetGroupRequest) (any, error) {
				e.Path = parsable(e.Path)
				answer, err := alb.ProxyWithContext(ctx, e)
				if e.MultiValueHeaders == nil { // the target group is not set to several values, and reads only the other field
					answer.Headers = make(map[string]string, len(answer.MultiValueHeaders))
					for name, values := range answer.MultiValueHeaders {
						answer.Headers[name] = values[0]
					}
					answer.MultiValueHeaders = nil
				}
				return answer, err
			})
		case kind.HTTPMethod != "":
			return forward(raw, func(e events.APIGatewayProxyRequest) (any, error) {
				e.Path = parsable(e.Path)
				return v1.ProxyWithContext(ctx, e)
			})
		}
		return nil, errUnknownEvent
	}
}

var errUnknownEvent = errors.New("the event is neither of API Gateway nor of an Application Load Balancer")

// unmarshal decodes an event, authorizer data included, by exact names only. The error is for a text that has
// a name twice, too. Invalid UTF-8 comes from callers, in paths and headers: the engine refuses it, in words
// of the contract.
func unmarshal(raw json.RawMessage, event any) error {
	return jsonv2.Unmarshal(raw, event, jsontext.AllowInvalidUTF8(true))
}

func forward[E any](raw json.RawMessage, proxy func(E) (any, error)) (any, error) {
	var event E
	if err := unmarshal(raw, &event); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnknownEvent, err)
	}
	return proxy(event)
}

// parsable escapes a path that is not one of a URL, or that would end early there, because the gateway has
// unescaped it, so that it gets the 404 of any path that is not there.
func parsable(path string) string {
	if _, err := url.Parse("https://host" + path); err != nil || strings.ContainsAny(path, "?#") {
		return (&url.URL{Path: path}).EscapedPath()
	}
	return path
}

// Package function runs an HTTP handler as an AWS Lambda function, behind API Gateway or an Application Load
// Balancer.
package function

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"example.com/b2b/v2/internal/web"
)

// DeadlineReserve is the time between the deadline of a request and Lambda's own deadline. Spans are sent and
// the answer is delivered in this time; Lambda drops late answers.
const DeadlineReserve = 500 * time.Millisecond

// Handler answers an event of Lambda.
type Handler = func(context.Context, json.RawMessage) (any, error)

// OfEvents returns a Lambda handler that passes each event to the engine as a request. Events come from an
// API Gateway REST API (v1), an API Gateway HTTP API (v2) or an Application Load Balancer (ALB), and the
// answer has the same form as the event. For any other event, the handler returns errUnknownEvent. The path
// of an event may begin with basePath (the variable BASE_PATH) or with a stage: see ownPath.
func OfEvents(engine http.Handler, basePath string) Handler {
	engine = repaired(engine)
	v1, v2, alb := httpadapter.New(engine), httpadapter.NewV2(engine), httpadapter.NewALB(engine)
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-DeadlineReserve))
			defer cancel()
		}
		var event struct {
			Version        string `json:"version"`
			HTTPMethod     string `json:"httpMethod"`
			RequestContext struct {
				ELB  *struct{} `json:"elb"`
				HTTP *struct{} `json:"http"`
				// RequestID is the id in the gateway's access log. A load balancer sends no id.
				RequestID string `json:"requestId"`
			} `json:"requestContext"`
		}
		if err := unmarshal(raw, &event); err != nil {
			return nil, errUnknownEvent
		}
		ctx = web.WithGatewayID(ctx, event.RequestContext.RequestID)
		switch {
		case event.Version == "2.0" && event.RequestContext.HTTP != nil:
			return forward(raw, func(e events.APIGatewayV2HTTPRequest) (any, error) {
				path, base := ownPath(cmp.Or(e.RawPath, e.RequestContext.HTTP.Path), basePath, e.RequestContext.Stage)
				e.RawPath, e.RawQueryString = escapePath(path), validQuery(e.RawQueryString)
				ctx := context.WithValue(web.WithBasePath(ctx, base), headersKey{}, e.Headers)
				return v2.ProxyWithContext(ctx, e)
			})
		case event.HTTPMethod != "" && event.RequestContext.ELB != nil:
			return forward(raw, func(e events.ALBTargetGroupRequest) (any, error) {
				path, base := ownPath(e.Path, basePath, "")
				e.Path = escapePath(path) + sentQuery(e)
				e.QueryStringParameters, e.MultiValueQueryStringParameters = nil, nil
				answer, err := alb.ProxyWithContext(web.WithBasePath(ctx, base), e)
				if e.MultiValueHeaders == nil { // the target group accepts only one value for each header
					answer.Headers = make(map[string]string, len(answer.MultiValueHeaders))
					for name, values := range answer.MultiValueHeaders {
						answer.Headers[name] = strings.Join(values, ",")
					}
					answer.MultiValueHeaders = nil
				}
				return answer, err
			})
		case event.HTTPMethod != "":
			return forward(raw, func(e events.APIGatewayProxyRequest) (any, error) {
				path, stage := e.Path, e.RequestContext.Stage
				if whole := "/" + stage + path; whole == e.RequestContext.Path {
					path = whole // with the stage again, which the REST API has taken out of e.Path
				}
				path, base := ownPath(path, basePath, stage)
				e.Path = escapePath(path)
				ctx := context.WithValue(ctx, plainKey{}, true)
				return v1.ProxyWithContext(web.WithBasePath(ctx, base), e)
			})
		}
		return nil, errUnknownEvent
	}
}

type headersKey struct{}

type plainKey struct{}

// repaired returns a handler that corrects the requests of the adapters, and passes them to the engine:
//   - The adapter of an HTTP API splits headers at commas, although a value may contain a comma, such as an
//     idempotency key. So each header gets the whole value in the event.
//   - A REST API without BinaryMediaTypes would deliver a compressed answer as base64 text. With
//     BinaryMediaTypes, uploaded files could have only 4.5 MB. So requests of a REST API lose the header
//     Accept-Encoding.
//   - When the events of a load balancer have several values for each header, the adapter does not set the
//     host. So the host is set from the header Host.
//   - The caller's address needs a port, but events have none. So it gets the port 0. For a load balancer,
//     the address is the last one in X-Forwarded-For.
func repaired(engine http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers, _ := r.Context().Value(headersKey{}).(map[string]string)
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		if r.Context().Value(plainKey{}) != nil {
			r.Header.Del("Accept-Encoding")
		}
		if r.Host == "" {
			r.Host = r.Header.Get("Host")
		}
		if r.RemoteAddr == "" {
			forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
			r.RemoteAddr = strings.TrimSpace(forwarded[strings.LastIndex(forwarded, ",")+1:])
		}
		r.RemoteAddr = net.JoinHostPort(r.RemoteAddr, "0")
		engine.ServeHTTP(w, r)
	})
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

// ownPath returns the path of an event as in the OpenAPI document (own), without basePath or the stage of an
// API Gateway at its beginning. The result base is what callers send before this path: basePath if it is set,
// and otherwise the stage if the path begins with the stage. Behind a custom domain, basePath is the domain's
// mapping: callers send the mapping, although the path in an HTTP API's event has the stage in its place.
func ownPath(path, basePath, stage string) (own, base string) {
	own = behind(basePath, path)
	if stage == "" || stage == "$default" {
		return own, basePath
	}
	path = own
	if own = behind("/"+stage, path); own != path {
		basePath = cmp.Or(basePath, "/"+stage)
	}
	return own, basePath
}

// behind returns the part of the path behind the segments base, or the whole path if it does not begin with
// them.
func behind(base, path string) string {
	rest, found := strings.CutPrefix(path, base)
	if !found || base == "" || rest != "" && rest[0] != '/' {
		return path
	}
	return "/" + strings.TrimPrefix(rest, "/")
}

// sentQuery returns the query of a request to a load balancer, with its question mark. A load balancer passes
// on names and values as the caller has sent them; the adapter would escape them a second time.
func sentQuery(e events.ALBTargetGroupRequest) string {
	var all []string
	for name, values := range e.MultiValueQueryStringParameters {
		for _, value := range values {
			all = append(all, name+"="+value)
		}
	}
	for name, value := range e.QueryStringParameters {
		all = append(all, name+"="+value)
	}
	if len(all) == 0 {
		return ""
	}
	return "?" + validQuery(strings.Join(all, "&"))
}

// validQuery escapes the whole query if the query cannot stand in a URL. The escaped query is a single
// unknown parameter, so the engine refuses the request.
func validQuery(query string) string {
	if _, err := url.Parse("?" + query); err != nil || strings.Contains(query, "#") {
		return url.QueryEscape(query)
	}
	return query
}

// escapePath escapes the path again if the gateway has unescaped it into an invalid URL, or into a URL with a
// query or a fragment. The engine then answers 404, as for any unknown path.
func escapePath(path string) string {
	if _, err := url.Parse("https://host" + path); err != nil || strings.ContainsAny(path, "?#") {
		return (&url.URL{Path: path}).EscapedPath()
	}
	return path
}

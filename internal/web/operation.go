package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/formats"
	"example.com/b2b/v2/internal/timing"
)

// keyField is the field of the idempotency key in a body.
const keyField = "idempotency_key"

// countsAsSearch is the name of an extension. An operation with it may read many rows, so each of its
// requests counts as a search. A parameter with it makes a request with this parameter count as a search.
const countsAsSearch = "x-counts-as-search"

// operation is an operation of the document, with the facts that the middlewares need.
type operation struct {
	*routers.Route
	parameters openapi3.Parameters
	security   openapi3.SecurityRequirements // empty only for /health and /ready
	body       *openapi3.Schema              // schema of a JSON body; nil without a JSON body
	row        *openapi3.Schema              // schema of a row of an uploaded file; nil without a file
	keyInBody  bool                          // the body may have the idempotency key
	allOnly    bool                          // callers who may act for only one customer are refused
	streams    bool                          // the answer is a file, or a stream of events
	waits      bool                          // a request may wait for an event
	stream     *operation                    // this operation, answered with a stream of events; or nil
	hasETag    bool                          // the answer 200 has an ETag
	mayLag     bool                          // the answer 200 may come from a replica, and then has an Age
	searches   []string                      // parameters that make a request count as a search
	readsMany  bool                          // each request counts as a search
	scopes     map[string][]string           // scopes that each query parameter needs when it is true
	sunset     http.Header                   // headers that announce the end of the operation; nil for none
}

// operations are the operations of a document.
type operations struct {
	byPath map[string]map[string]*operation // operations by path in gin's syntax, then by method
	allow  map[string]string                // the header Allow of each path without a parameter
}

func newOperations(spec *openapi3.T) operations {
	all := operations{map[string]map[string]*operation{}, map[string]string{}}
	ginPath := strings.NewReplacer("{", ":", "}", "") // /orders/{id} becomes /orders/:id
	for path, item := range spec.Paths.Map() {
		byMethod := map[string]*operation{}
		all.byPath[ginPath.Replace(path)] = byMethod
		if !strings.Contains(path, "{") {
			methods := strings.Join(slices.Sorted(maps.Keys(item.Operations())), ", ")
			all.allow[path] = strings.Replace(methods, "GET", "GET, HEAD", 1)
		}
		for method, described := range item.Operations() {
			byMethod[method] = newOperation(&routers.Route{
				Spec: spec, Path: path, PathItem: item, Method: method, Operation: described,
			})
		}
	}
	return all
}

func newOperation(r *routers.Route) *operation {
	described := r.Operation
	op := &operation{
		Route:      r,
		parameters: slices.Concat(described.Parameters, r.PathItem.Parameters),
		security:   *cmp.Or(described.Security, &r.Spec.Security),
		allOnly:    described.Extensions["x-concerns-all-customers"] == true,
		scopes:     map[string][]string{},
		sunset:     sunsetHeaders(described),
	}
	for _, p := range op.parameters {
		if p.Value.Extensions[countsAsSearch] == true {
			op.searches = append(op.searches, p.Value.Name)
		}
		scopes, _ := p.Value.Extensions["x-required-scopes"].([]any)
		for _, scope := range scopes {
			op.scopes[p.Value.Name] = append(op.scopes[p.Value.Name], scope.(string))
		}
	}
	op.readsMany = described.Extensions[countsAsSearch] == true
	if described.RequestBody != nil {
		content := described.RequestBody.Value.Content
		if asJSON := content.Get("application/json"); asJSON != nil {
			op.body = asJSON.Schema.Value
			op.keyInBody = op.body.Properties[keyField] != nil
		} else {
			op.row = bulk.RowSchema(r.Spec, content.Get(bulk.CSV))
		}
	}
	if ok := described.Responses.Value("200"); ok != nil {
		op.hasETag = ok.Value.Headers["ETag"] != nil
		op.mayLag = ok.Value.Headers["Age"] != nil
		op.streams = ok.Value.Content.Get(bulk.NDJSON) != nil
		if ok.Value.Content.Get(EventStream) != nil {
			op.waits = true
			stream := *op
			stream.streams = true
			op.stream = &stream
		}
	}
	return op
}

func sunsetHeaders(o *openapi3.Operation) http.Header {
	if !o.Deprecated {
		return nil
	}
	since, sunset := date(o, "x-deprecated-since"), date(o, "x-sunset")
	return http.Header{
		"Deprecation": {fmt.Sprintf("@%d", since.Unix())}, // RFC 9745, section 2.1: a Date of RFC 9651
		"Sunset":      {sunset.Format(http.TimeFormat)},   // RFC 8594, section 3
	}
}

// date returns the day in an extension of an operation, in UTC. It panics when the extension has no day.
func date(o *openapi3.Operation, extension string) time.Time {
	text, _ := o.Extensions[extension].(string)
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(fmt.Sprintf("%s is deprecated, and its %s is no date: %v", o.OperationID, extension, err))
	}
	return day
}

// find returns the operation that gin has matched. It returns nil for unknown paths and for HTML pages, which
// the document does not have.
func (o operations) find(c *gin.Context) *operation {
	method := c.Request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	op := o.byPath[c.FullPath()][method]
	if op != nil && op.stream != nil && asksForStream(c.Request.Header.Values("Accept")) {
		return op.stream
	}
	return op
}

// EventStream is the media type of Server-Sent Events.
const EventStream = "text/event-stream"

// asksForStream reports whether the lines of the header Accept ask for Server-Sent Events. With
// application/json in a line, the result is false: generated clients list every media type of a document, and
// expect JSON.
func asksForStream(lines []string) bool {
	accept := strings.ToLower(strings.Join(lines, ","))
	return strings.Contains(accept, EventStream) && !strings.Contains(accept, "application/json")
}

// Streams reports whether the answer to a request is sent while the handler writes it. The parameter ctx is
// the context of a handler.
func Streams(ctx context.Context) bool {
	begun, ok := ctx.Value(callKey{}).(*call)
	return ok && begun.operation != nil && begun.operation.streams
}

// call is the state that the middlewares of a request share. The request's context holds the call.
type call struct {
	operation     *operation // nil for HTML pages and unknown paths
	times         *timing.Times
	turn          *searchTurn // used by Search; nil unless a request may wait for an event
	correlateBody bool        // the body of an error has the correlation id
	caller        string      // subject of the caller, for the log; "" until authorize has run
	customer      int64       // the only customer for whom the caller may act; 0 means all customers
	order         int64       // id of the order that the request is about, for the log; 0 means none
	actingFor     bool        // another service calls for the caller
	code          string      // code of the error; "" without an error
	limit         string      // name of the limit that refused the request; "" for none
	cut           bool        // the answer is a file, and an error stopped it before its end
	callerLeft    bool        // the caller has closed the connection, so the work was stopped
}

type callKey struct{}

type gatewayIDKey struct{}

// WithGatewayID returns a context for a request that a gateway has given an id. The id is in the log line.
// When the caller sends no correlation id, the gateway's id becomes the correlation id, so that the logs of
// the gateway and of the service have the same id. The id may be "".
func WithGatewayID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, gatewayIDKey{}, id)
}

func gatewayID(ctx context.Context) string {
	id, _ := ctx.Value(gatewayIDKey{}).(string)
	return id
}

// beginCall puts a new call and the correlation id into the request's context. The id comes from the header;
// when the header has no valid id, beginCall takes the gateway's id, or a random id.
func beginCall(all operations, correlateBody bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		id := c.GetHeader(correlation.Header)
		if !formats.IsCorrelationID(id) {
			id = gatewayID(c.Request.Context())
		}
		if !formats.IsCorrelationID(id) {
			id = rand.Text()
		}
		ctx, times := timing.With(c.Request.Context())
		begun := &call{operation: all.find(c), correlateBody: correlateBody, times: times}
		setCorrelationID(c, context.WithValue(ctx, callKey{}, begun), id)
	}
}

func setCorrelationID(c *gin.Context, ctx context.Context, id string) {
	c.Request = c.Request.WithContext(correlation.With(ctx, id))
	c.Header(correlation.Header, id)
}

// callOf returns the call of a request, or an empty call outside an engine.
func callOf(c *gin.Context) *call {
	if begun, ok := c.Request.Context().Value(callKey{}).(*call); ok {
		return begun
	}
	return &call{}
}

// forOperations returns a middleware that runs only for operations of the document.
func forOperations(middleware func(c *gin.Context, op *operation)) gin.HandlerFunc {
	return func(c *gin.Context) {
		if op := callOf(c).operation; op != nil {
			middleware(c, op)
		}
	}
}

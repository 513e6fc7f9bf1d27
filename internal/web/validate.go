package web

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/fair"
	"example.com/b2b/v2/internal/validation"
)

// refuseMethod answers 405 method_not_allowed when the document has the path, but not with this method. gin
// would match another path: GET /orders/quote would read the order with the id quote. The map allow has the
// header Allow for each path without a parameter.
func refuseMethod(allow map[string]string) gin.HandlerFunc {
	return func(c *gin.Context) {
		path := c.Request.URL.Path
		if methods := allow[path]; methods != "" && c.FullPath() != path {
			callOf(c).operation = nil // the log line must not name the operation that gin has matched
			c.Header("Allow", methods)
			methodNotAllowed(c)
		}
	}
}

// announceSunset sets the headers Deprecation and Sunset for a deprecated operation.
func announceSunset(c *gin.Context, op *operation) { maps.Copy(c.Writer.Header(), op.sunset) }

// validate refuses a request that breaks the document, and lists all failing fields. The generated code
// relies on these checks: for example, it checks no bounds. With idInBody the correlation id may come in the
// body. A request with a large body keeps its slot for the body until the end of its work.
func validate(bodies *fair.Semaphore, bodyTimeout time.Duration, idInBody bool) func(*gin.Context, *operation) {
	return func(c *gin.Context, op *operation) {
		body := bodySlot{slots: bodies}
		defer func() {
			if body.end != nil {
				body.end()
			}
		}()
		err := check(c, op, &body, bodyTimeout, idInBody)
		if err != nil {
			callOf(c).callerLeft = errors.Is(err, context.Canceled)
			Fail(c, err)
		} else if body.end != nil {
			c.Next()
		}
	}
}

func check(c *gin.Context, op *operation, slot *bodySlot, bodyTimeout time.Duration, idInBody bool) error {
	query, err := readQuery(c.Request, op)
	if err != nil {
		return err
	}
	if err := mergeHeaders(c.Request.Header, op); err != nil {
		return err
	}
	var body *validation.JSON
	switch {
	case op.body != nil:
		body, err = readBody(c, op, slot, bodyTimeout, idInBody)
	case op.row != nil:
		c.Request.Body, err = upload(c, query, op.row, bodyTimeout)
	}
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := ctx.Err(); err != nil && (auth.From(ctx).ByService || !errors.Is(err, context.Canceled)) {
		return err // a caller that is no service may have closed only its sending side: see workContext
	}
	faults, more := checkParameters(c, op, query), 0
	if body != nil {
		if op.keyInBody {
			faults = append(faults, checkKey(c.Request.Header, body)...)
		}
		faults, more = append(faults, body.Faults()...), body.More
		c.Request.Body = newJSONBody(body)
	}
	return keyRequired(validation.Refusal(faults, more))
}

func checkParameters(c *gin.Context, op *operation, query url.Values) []apperr.Detail {
	input := &openapi3filter.RequestValidationInput{
		Request: c.Request, Route: op.Route, QueryParams: query, PathParams: map[string]string{},
	}
	for _, p := range c.Params {
		input.PathParams[p.Key] = p.Value
	}
	var faults []apperr.Detail
	for _, p := range op.parameters {
		faults = append(faults, validation.Parameter(input, p.Value)...)
	}
	return faults
}

// readQuery parses the query string, and removes parameters without a value, because forms send such
// parameters for empty fields. Error: 400 validation_failed for a malformed query string (Go would drop parts
// silently), for repeated parameters, and for unknown parameters. Without the last check, a misspelt filter
// would return the data of everybody, and a misspelt dry_run would place an order.
func readQuery(req *http.Request, op *operation) (url.Values, error) {
	if req.URL.RawQuery == "" {
		return url.Values{}, nil
	}
	query, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		params := apperr.Params{"rule": "query_string"}
		return nil, apperr.ValidationFailed.New().With("/query", params, "is not a valid query string")
	}
	var faults []apperr.Detail
	for name, values := range query {
		refuse := func(params apperr.Params, message string) {
			field := "/query" + validation.Pointer(strings.ToValidUTF8(name, "\uFFFD"))
			faults = append(faults, apperr.Detail{Field: field, Message: message, Params: params})
		}
		switch {
		case !utf8.ValidString(name + values[0]):
			refuse(apperr.Params{"rule": "utf8"}, "is not valid UTF-8")
		case len(values) > 1:
			refuse(validation.Repeated, "was given more than once")
		case op.parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil:
			refuse(apperr.Params{"rule": "unknown_parameter"}, "is not a known parameter")
		case values[0] == "":
			delete(query, name)
		}
	}
	req.URL.RawQuery = query.Encode()
	return query, validation.Refusal(faults, 0)
}

// mergeHeaders joins repeated If-Match and If-None-Match headers into a list (RFC 9110, section 5.3), and
// merges the two headers of the idempotency key. Error: 400 validation_failed when any other header parameter
// of op is repeated.
func mergeHeaders(h http.Header, op *operation) error {
	if err := mergeKeys(h, op); err != nil {
		return err
	}
	for _, p := range op.parameters {
		name := p.Value.Name
		lines := h.Values(name)
		switch {
		case p.Value.In != openapi3.ParameterInHeader || len(lines) < 2:
		case name == "If-Match" || name == "If-None-Match":
			h.Set(name, strings.Join(lines, ", "))
		default:
			return repeatedHeader(name)
		}
	}
	return nil
}

package web

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
)

// IdempotencyHeader carries the caller's own name for one effect. idempotencyAlias is accepted as another spelling.
const (
	IdempotencyHeader = "X-Idempotency-Key"
	idempotencyAlias  = "Idempotency-Key"
)

// validator holds requests to the service's OpenAPI document before they reach the generated code, which checks no bounds.
type validator struct {
	Options
	operations map[string]operation // by method and gin's path, as gin has matched it
	filter     openapi3filter.Options
	formats    openapi3.SchemaValidationOption
}

// operation is what the document says of one, looked up once.
type operation struct {
	*routers.Route
	parameters openapi3.Parameters
	query      openapi3.Parameters // those of the operation itself that are in the query
	security   openapi3.SecurityRequirements
	body       *openapi3.Schema // nil when it takes none
	tagged     bool             // it promises an ETag on 200
}

func newValidator(o Options) *validator {
	v := &validator{Options: o, operations: map[string]operation{}, formats: formatValidators(o.spec)}
	v.filter = openapi3filter.Options{
		MultiError:              true, // every failing field at once
		AuthenticationFunc:      authenticate,
		SchemaValidationOptions: []openapi3.SchemaValidationOption{v.formats},
	}
	for path, item := range o.spec.Paths.Map() {
		for method, described := range item.Operations() {
			v.operations[method+" "+ginPath(path)] = newOperation(&routers.Route{Spec: o.spec, Path: path, PathItem: item, Method: method, Operation: described})
		}
	}
	return v
}

func newOperation(r *routers.Route) operation {
	op := operation{Route: r, parameters: slices.Clone(r.Operation.Parameters), security: r.Spec.Security}
	for _, p := range r.Operation.Parameters {
		if p.Value.In == openapi3.ParameterInQuery {
			op.query = append(op.query, p)
		}
	}
	for _, p := range r.PathItem.Parameters {
		if op.parameters.GetByInAndName(p.Value.In, p.Value.Name) == nil {
			op.parameters = append(op.parameters, p)
		}
	}
	if own := r.Operation.Security; own != nil {
		op.security = *own
	}
	if body := r.Operation.RequestBody; body != nil {
		op.body = body.Value.Content.Get("application/json").Schema.Value
		mustBeBounded("the body of "+r.Operation.OperationID, op.body)
	}
	if ok := r.Operation.Responses.Value("200"); ok != nil {
		op.tagged = ok.Value.Headers["ETag"] != nil
	}
	return op
}

// ginPath turns /orders/{id} into /orders/:id.
func ginPath(path string) string { return pathParam.ReplaceAllString(path, ":$1") }

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

func (v *validator) validate(c *gin.Context) {
	method := c.Request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if op, known := v.operations[method+" "+c.FullPath()]; known {
		if err := v.check(c, op); err != nil {
			Fail(c, err)
		} else if op.tagged {
			tagAnswers(c)
		}
	}
}

// check refuses what must not reach the handler. The cheap comes first: nothing is read from a caller who may not call.
func (v *validator) check(c *gin.Context, op operation) error {
	if err := v.authorize(c, op); err != nil {
		return err
	}
	query, err := readQuery(c.Request, op.query)
	if err != nil {
		return err
	}
	if err := mergeIdempotencyHeaders(c.Request.Header); err != nil {
		return err
	}
	if err := mergeHeaders(c.Request.Header, op.parameters); err != nil {
		return err
	}
	var body *decoder
	if op.body != nil {
		if body, err = v.readBody(c, op); err != nil {
			return err
		}
	}
	startClock(c, v.Timeout) // the caller's own time to send the body is over
	if err := c.Request.Context().Err(); err != nil {
		return err
	}
	found, more := v.checkParameters(c, op, query), 0
	if body != nil {
		found = append(found, v.checkBody(op, body)...)
		more = body.more
		c.Request.Body = validatedBody{bytes.NewReader(body.json), body.body}
	}
	if len(found) > 0 {
		return refusal(found, more)
	}
	return nil
}

func (v *validator) checkParameters(c *gin.Context, op operation, query url.Values) (found []apperr.Detail) {
	params := make(map[string]string, len(c.Params))
	for _, p := range c.Params {
		params[p.Key] = p.Value
	}
	input := &openapi3filter.RequestValidationInput{Request: c.Request, PathParams: params, QueryParams: query, Route: op.Route, Options: &v.filter}
	for _, p := range op.parameters {
		if err := openapi3filter.ValidateParameter(c.Request.Context(), input, p.Value); err != nil {
			found = append(found, findings("", err)...)
		}
	}
	return found
}

func (v *validator) checkBody(op operation, body *decoder) []apperr.Detail {
	found := findings("", op.body.VisitJSON(body.body, openapi3.VisitAsRequest(), openapi3.MultiErrors(), v.formats))
	if len(body.found) > 0 { // an object is not empty because all its fields were left out
		found = slices.DeleteFunc(found, func(f apperr.Detail) bool { return f.Field == wholeBody })
	}
	return append(body.found, found...) // first, because the schema says another thing of what was left out
}

// readQuery refuses a query string that is not one, which Go would drop in silence, parameters that are given twice, and ones
// that a list does not know: a misspelt filter would answer with everybody's data. It removes parameters without a value: forms
// send them for what was left empty.
func readQuery(req *http.Request, known openapi3.Parameters) (url.Values, error) {
	query, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return nil, apperr.ValidationFailed.New().With("/query", "is not a valid query string")
	}
	for name, values := range query {
		field := "/query" + pointer([]string{strings.ToValidUTF8(name, "\uFFFD")})
		switch {
		case !utf8.ValidString(name + values[0]):
			return nil, apperr.ValidationFailed.New().With(field, "is not valid UTF-8")
		case len(values) > 1:
			return nil, apperr.ValidationFailed.New().With(field, "was given more than once")
		case len(known) > 0 && known.GetByInAndName(openapi3.ParameterInQuery, name) == nil:
			return nil, apperr.ValidationFailed.New().With(field, "is not a known parameter")
		case values[0] == "":
			delete(query, name)
		}
	}
	req.URL.RawQuery = query.Encode()
	return query, nil
}

func mergeIdempotencyHeaders(h http.Header) error {
	keys := append(h.Values(IdempotencyHeader), h.Values(idempotencyAlias)...)
	for _, key := range keys {
		if key != keys[0] {
			return apperr.ValidationFailed.New().With("/header/"+IdempotencyHeader, "was sent more than once, with different values")
		}
	}
	if len(keys) > 0 {
		h.Set(IdempotencyHeader, keys[0])
	}
	return nil
}

// mergeHeaders makes one line of a header that is a list, as RFC 9110, section 5.3, has it, and refuses any other with two lines.
func mergeHeaders(h http.Header, parameters openapi3.Parameters) error {
	for _, p := range parameters {
		lines := h.Values(p.Value.Name)
		switch {
		case p.Value.In != openapi3.ParameterInHeader || len(lines) < 2:
		case p.Value.Name == "If-Match" || p.Value.Name == "If-None-Match":
			h.Set(p.Value.Name, strings.Join(lines, ", "))
		default:
			return apperr.ValidationFailed.New().With("/header/"+p.Value.Name, "was sent more than once")
		}
	}
	return nil
}

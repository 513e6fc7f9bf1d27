package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/formats"
)

// IdempotencyHeader carries the caller's own name for one effect, as it is.
const IdempotencyHeader = "X-Idempotency-Key"

// draftKeyHeader carries the same as draft-ietf-httpapi-idempotency-key-header-07 has it: a string between quotes. Without quotes it
// is taken, too.
const draftKeyHeader = "Idempotency-Key"

// validator holds requests to the service's OpenAPI document before they reach the generated code, which
// checks no bounds.
type validator struct {
	Options
	operations map[string]map[string]*operation // by gin's path, as gin has matched it, and method
	literal    map[string]string                // the methods of each path without a parameter, as Allow has them
	filter     openapi3filter.Options
	limiter    *limiter
	browser    *browserGuard
}

// operation is what the document says of one, looked up once.
type operation struct {
	*routers.Route
	parameters openapi3.Parameters
	security   openapi3.SecurityRequirements
	body       *openapi3.Schema // nil when it takes none in JSON
	row        *openapi3.Schema // of each row that it takes; nil when it takes none
	keyInBody  bool             // the idempotency key is a field of its body
	ofAll      bool             // it concerns what is no single customer's
	streams    bool             // its answer is a file
	tagged     bool             // it promises an ETag on 200
	searches   bool             // it takes a search
	ends       http.Header      // what its answers say about its end; nil when it has none
}

func newValidator(o Options) *validator {
	v := &validator{Options: o, operations: map[string]map[string]*operation{}, literal: map[string]string{}, limiter: newLimiter(o.Limits), browser: newBrowserGuard(o.Browsers), filter: openapi3filter.Options{
		MultiError:              true, // every failing field at once
		SchemaValidationOptions: []openapi3.SchemaValidationOption{openapi3.MultiErrors(), openapi3.VisitAsRequest(), openapi3.DisablePatternValidation(), formatValidators()},
	}}
	ginPath := strings.NewReplacer("{", ":", "}", "") // /orders/{id} is /orders/:id
	for path, item := range o.spec.Paths.Map() {
		byMethod := map[string]*operation{}
		v.operations[ginPath.Replace(path)] = byMethod
		if !strings.Contains(path, "{") {
			v.literal[path] = strings.Replace(strings.Join(slices.Sorted(maps.Keys(item.Operations())), ", "), "GET", "GET, HEAD", 1)
		}
		for method, described := range item.Operations() {
			route := &routers.Route{Spec: o.spec, Path: path, PathItem: item, Method: method, Operation: described}
			byMethod[method] = newOperation(route)
		}
	}
	return v
}

func newOperation(r *routers.Route) *operation {
	described := r.Operation
	op := &operation{
		Route:      r,
		parameters: slices.Concat(described.Parameters, r.PathItem.Parameters),
		security:   *cmp.Or(described.Security, &r.Spec.Security),
	}
	if described.RequestBody != nil {
		content := described.RequestBody.Value.Content
		if asJSON := content.Get("application/json"); asJSON != nil {
			op.body = asJSON.Schema.Value
			op.keyInBody = op.body.Properties[keyField] != nil
		} else {
			op.row = RowSchema(r.Spec, content.Get(CSV))
		}
	}
	ok := described.Responses.Value("200")
	op.tagged = ok != nil && ok.Value.Headers["ETag"] != nil
	op.ofAll = described.Extensions["x-concerns-all-customers"] == true
	op.searches = op.parameters.GetByInAndName(openapi3.ParameterInQuery, "search") != nil
	op.streams = ok != nil && ok.Value.Content.Get(NDJSON) != nil
	if described.Deprecated {
		since, sunset := date(described, "x-deprecated-since"), date(described, "x-sunset")
		op.ends = http.Header{
			"Deprecation": {fmt.Sprintf("@%d", since.Unix())}, // RFC 9745, section 2.1: a Date of RFC 9651
			"Sunset":      {sunset.Format(http.TimeFormat)},   // RFC 8594, section 3
		}
	}
	return op
}

// date is the day, in UTC, that an extension of an operation names. It panics when there is none.
func date(o *openapi3.Operation, extension string) time.Time {
	named, _ := o.Extensions[extension].(string)
	day, err := time.Parse(time.DateOnly, named)
	if err != nil {
		panic(fmt.Sprintf("%s is deprecated, and its %s is no date: %v", o.OperationID, extension, err))
	}
	return day
}

// operation returns the one that gin has matched, or nothing: the documentation is not in the document.
func (v *validator) operation(c *gin.Context) *operation {
	method := c.Request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if op := v.operations[c.FullPath()][method]; op != nil {
		return op
	}
	return &none
}

var none operation

// validate lets what the document allows reach the handler, and gives it its time, which begins when the body
// has come.
func (v *validator) validate(c *gin.Context) {
	op := v.operation(c)
	if allow := v.literal[c.Request.URL.Path]; allow != "" && c.FullPath() != c.Request.URL.Path { // gin took it for a parameter's value
		c.Header("Allow", allow)
		Fail(c, apperr.MethodNotAllowed.New(c.Request.Method))
		return
	}
	if op.Route == nil {
		return
	}
	maps.Copy(c.Writer.Header(), op.ends)
	call := c.Request.Context().Value(callKey{}).(*call)
	if err := v.check(c, op); err != nil {
		call.left = errors.Is(err, context.Canceled)
		Fail(c, err)
		return
	}
	request := c.Request
	if request.Body == http.NoBody { // else the deadline is that of the body, lifted when it has come
		_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Time{}) // it would end the handler's context, too
	}
	who := caller{nameOf(c, auth.From(request.Context())), auth.From(request.Context()).ByService}
	var search *searchTurn
	if op.searches && c.Query("search") != "" {
		search = &searchTurn{searches: v.limiter.searches, who: who}
	}
	var ctx context.Context
	var stop context.CancelFunc
	if op.streams { // what is written to a caller who has gone fails
		c.Request = request.WithContext(context.WithoutCancel(request.Context()))
		ctx, stop = v.stream(c, search)
	} else {
		ctx, stop = v.within(request.Context(), request)
	}
	c.Request = request.WithContext(ctx)
	defer stop()
	defer func() {
		call.left = isCanceled(request.Context()) && (op.streams || isCanceled(ctx))
		c.Request = request
	}()
	if len(op.security) > 0 { // else it is /health or /ready, whatever else there is to do
		end, err := v.limiter.begin(ctx, who, op, search)
		if err != nil {
			if op.streams {
				c.Header("Retry-After", "10") // seconds: files take their time
			}
			Fail(c, err)
			return
		}
		defer end()
	}
	defer work(ctx)()
	c.Next()
}

// check refuses what must not reach the handler. The cheap comes first: nothing is read from a caller who may
// not call.
func (v *validator) check(c *gin.Context, op *operation) error {
	caller, refused := v.authorize(c, op.security)
	if len(op.security) > 0 {
		if err := v.limiter.admit(c, caller, refused != nil && !caller.Known()); err != nil {
			return err
		}
	}
	if refused != nil {
		return refused
	}
	if own := caller.Customer; op.ofAll && own != 0 {
		return apperr.Forbidden.New().With("/header/Authorization", apperr.Params{"customer_id": own}, "acts for customer %d alone", own)
	}
	ctx := auth.With(c.Request.Context(), caller)
	c.Request = c.Request.WithContext(ctx)
	input := &openapi3filter.RequestValidationInput{Request: c.Request, Route: op.Route, Options: &v.filter}
	var err error
	if input.QueryParams, err = readQuery(c.Request, op); err == nil {
		err = mergeHeaders(c.Request.Header, op)
	}
	if err != nil {
		return err
	}
	var received *body
	if op.body != nil {
		received, err = v.readBody(c, op)
	} else if op.row != nil {
		c.Request.Body, err = v.receive(c, op.row)
	}
	if err == nil && (caller.ByService || !isCanceled(ctx)) { // see within
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	found, more := []apperr.Detail{}, 0
	input.PathParams = map[string]string{}
	for _, p := range c.Params {
		input.PathParams[p.Key] = p.Value
	}
	for _, p := range op.parameters {
		found = append(found, checkParameter(input, p.Value)...)
	}
	if op.keyInBody && received != nil {
		found = append(found, checkKey(c.Request.Header, received)...)
	}
	if received != nil {
		found, more = append(found, v.checkBody(op.body, received)...), received.more
		c.Request.Body = received
	}
	return refusal(found, more)
}

// checkParameter holds a parameter to its schema, and to how JSON writes a value of its type: kin-openapi and
// the generated code read it with strconv, which takes 1 and TRUE for true, and +1 and 01 for 1.
func checkParameter(input *openapi3filter.RequestValidationInput, p *openapi3.Parameter) []apperr.Detail {
	sent := ""
	switch p.In {
	case openapi3.ParameterInPath:
		sent = input.PathParams[p.Name]
	case openapi3.ParameterInQuery:
		sent = input.QueryParams.Get(p.Name)
	case openapi3.ParameterInHeader:
		sent = input.Request.Header.Get(p.Name)
	}
	s, written := p.Schema.Value, true
	switch {
	case sent == "": // not given
	case s.Type.Is(openapi3.TypeBoolean):
		written = sent == "true" || sent == "false"
	case s.Type.Is(openapi3.TypeInteger), s.Type.Is(openapi3.TypeNumber):
		written = json.Valid([]byte(sent))
	}
	if !written {
		message, params := explainType(s)
		return []apperr.Detail{{Field: "/" + p.In + "/" + p.Name, Message: message, Params: params}}
	}
	return findings("", openapi3filter.ValidateParameter(input.Request.Context(), input, p))
}

func (v *validator) checkBody(schema *openapi3.Schema, b *body) []apperr.Detail {
	found := findings("", schema.VisitJSON(b.value, v.filter.SchemaValidationOptions...))
	if len(b.found) > 0 { // an object is not empty because all its fields were left out
		found = slices.DeleteFunc(found, func(f apperr.Detail) bool { return f.Field == wholeBody })
	}
	return append(b.found, found...) // first, because the schema says another thing of what was left out
}

// authorize says who calls, and refuses whom none of the document's alternatives lets in. The empty one is
// for callers without a token: one that is sent counts. Errors: 401 unauthorized, 403 forbidden.
func (v *validator) authorize(c *gin.Context, alternatives openapi3.SecurityRequirements) (auth.Principal, error) {
	if len(alternatives) == 0 {
		return auth.Anonymous, nil
	}
	p, err := v.Tokens.Identify(c.Request.Header)
	if err != nil {
		return p, err
	}
	refused := apperr.Forbidden.New()
	for _, needed := range alternatives {
		scopes, byToken := needed["bearerAuth"]
		_, byService := needed["serviceToken"]
		missing := p.Lacks(scopes)
		switch {
		case len(needed) == 0 && !p.Known(), byService && p.ByService, byToken && p.Known() && missing == nil:
			return p, nil
		case byService:
			refused.With("/header/Authorization", apperr.Params{"rule": "service_token"}, "is not the service token")
		case missing != nil && p.Known():
			// RFC 6750, section 3.1
			c.Header("WWW-Authenticate", fmt.Sprintf(`Bearer error="insufficient_scope", scope="%s"`, strings.Join(scopes, " ")))
			lacking := strings.Join(missing, " ")
			refused.With("/header/Authorization", apperr.Params{"scope": lacking}, "lacks the scope %s", lacking)
		}
	}
	if !p.Known() {
		return p, apperr.Unauthorized.New("send Authorization: Bearer TOKEN")
	}
	return p, refused
}

// readQuery refuses a query string that is not one, which Go would drop in silence, parameters that are given
// twice, and ones that the operation does not know: a misspelt filter would answer with everybody's data, and
// a misspelt dry_run place an order. It removes parameters without a value.
func readQuery(req *http.Request, op *operation) (url.Values, error) {
	if req.URL.RawQuery == "" {
		return url.Values{}, nil
	}
	query, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return nil, apperr.ValidationFailed.New().With("/query", apperr.Params{"rule": "query_string"}, "is not a valid query string")
	}
	var found []apperr.Detail
	for name, values := range query {
		refuse := func(params apperr.Params, message string) {
			field := "/query" + pointer([]string{strings.ToValidUTF8(name, "\uFFFD")})
			found = append(found, apperr.Detail{Field: field, Message: message, Params: params})
		}
		switch {
		case !utf8.ValidString(name + values[0]):
			refuse(apperr.Params{"rule": "utf8"}, "is not valid UTF-8")
		case len(values) > 1:
			refuse(repeated, "was given more than once")
		case op.parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil:
			refuse(apperr.Params{"rule": "unknown_parameter"}, "is not a known parameter")
		case values[0] == "": // a form sends it for what was left empty
			delete(query, name)
		}
	}
	req.URL.RawQuery = query.Encode()
	return query, refusal(found, 0)
}

// mergeHeaders makes one line of a header that is a list, as RFC 9110, section 5.3, has it, and of the
// idempotency key in both spellings. It refuses any other header with two lines.
func mergeHeaders(h http.Header, op *operation) error {
	keys := h.Values(IdempotencyHeader)
	for _, sent := range h.Values(draftKeyHeader) {
		key, ok := unquote(sent)
		if !ok {
			return apperr.ValidationFailed.New().With("/header/"+draftKeyHeader, apperr.Params{"rule": "quoted_string"},
				`must be the key, or the key between quotes, with \ before each " and \ in it`)
		}
		keys = append(keys, key)
	}
	if keys = slices.Compact(keys); len(keys) > 0 {
		h[IdempotencyHeader] = keys
	}
	if op.keyInBody && len(keys) > 1 {
		return repeatedHeader(IdempotencyHeader)
	}
	for _, p := range op.parameters {
		lines := h.Values(p.Value.Name)
		switch {
		case p.Value.In != openapi3.ParameterInHeader || len(lines) < 2:
		case p.Value.Name == "If-Match" || p.Value.Name == "If-None-Match":
			h.Set(p.Value.Name, strings.Join(lines, ", "))
		default:
			return repeatedHeader(p.Value.Name)
		}
	}
	return nil
}

func repeatedHeader(name string) error {
	return apperr.ValidationFailed.New().With("/header/"+name, repeated, "was sent more than once")
}

// unquote returns the text of a String of RFC 9651, section 3.3.3, or what has no quotes as it is. It reports
// whether the quotes are right.
func unquote(sent string) (string, bool) {
	inside, quoted := strings.CutPrefix(strings.TrimSpace(sent), `"`)
	if !quoted {
		return sent, true
	}
	inside, closed := strings.CutSuffix(inside, `"`)
	if !closed || !quotable.MatchString(inside) {
		return "", false
	}
	return escaped.ReplaceAllString(inside, "$1"), true
}

var (
	quotable = regexp.MustCompile(`^(?:[ !#-\[\]-~]|\\["\\])*$`)
	escaped  = regexp.MustCompile(`\\(.)`)
)

// keyField is the idempotency key where the body has it.
const keyField = "idempotency_key"

// checkKey refuses a key in the header that is not the body's.
func checkKey(h http.Header, b *body) []apperr.Detail {
	fields, _ := b.value.(map[string]any)
	inBody, given := fields[keyField].(string)
	if sent := h.Values(IdempotencyHeader); len(sent) == 0 || !given || sent[0] == inBody {
		return nil
	}
	return []apperr.Detail{{Field: "/header/" + IdempotencyHeader, Message: "is not the " + keyField + " of the body", Params: apperr.Params{"rule": "same_as", "field": "/" + keyField}}}
}

// formatValidators holds strings to the formats, from which all patterns of the documents come.
func formatValidators() openapi3.SchemaValidationOption {
	validators := map[string]openapi3.StringFormatValidator{}
	for name, f := range formats.All {
		validators[name] = openapi3.NewCallbackValidator(func(s string) error {
			if !f.Valid(s) {
				return errors.New(f.Sentence)
			}
			return nil
		})
	}
	return openapi3.WithStringFormatValidators(validators)
}

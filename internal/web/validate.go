package web

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/mail"
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
)

const maxBody = 1 << 20 // bytes

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
}

// operation is what the document says of one, looked up once.
type operation struct {
	*routers.Route
	query  openapi3.Parameters // the query parameters that it knows
	tagged bool                // it promises an ETag on 200
}

func newValidator(o Options) *validator {
	v := &validator{Options: o, operations: map[string]operation{}}
	v.filter = openapi3filter.Options{
		MultiError:         true, // every failing field at once
		KeepValidatedValue: true, // the handler gets what was validated
		AuthenticationFunc: v.authenticate,
		SchemaValidationOptions: []openapi3.SchemaValidationOption{
			openapi3.WithStringFormatValidator("email", openapi3.NewCallbackValidator(validEmail)),
			openapi3.WithStringFormatValidator("date-or-date-time", openapi3.NewCallbackValidator(validDateOrTime)),
		},
	}
	for path, item := range o.Spec.Paths.Map() {
		for method, described := range item.Operations() {
			op := operation{Route: &routers.Route{Spec: o.Spec, Path: path, PathItem: item, Method: method, Operation: described}}
			for _, p := range described.Parameters {
				if p.Value.In == openapi3.ParameterInQuery {
					op.query = append(op.query, p)
				}
			}
			if ok := described.Responses.Value("200"); ok != nil {
				op.tagged = ok.Value.Headers["ETag"] != nil
			}
			v.operations[method+" "+ginPath(path)] = op
		}
	}
	return v
}

// ginPath turns /orders/{id} into /orders/:id.
func ginPath(path string) string { return pathParam.ReplaceAllString(path, ":$1") }

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

func (v *validator) validate(c *gin.Context) {
	if op, known := v.operations[c.Request.Method+" "+c.FullPath()]; known {
		if err := v.check(c, op); err != nil {
			Fail(c, err)
		} else if op.tagged {
			tagAnswers(c)
		}
	}
}

func (v *validator) check(c *gin.Context, op operation) error {
	req := c.Request
	query, err := readQuery(req, op.query)
	if err != nil {
		return err
	}
	if err := mergeIdempotencyHeaders(req.Header); err != nil {
		return err
	}
	if expected := op.Operation.RequestBody; expected != nil {
		body, err := v.readBody(c, expected.Value.Required)
		if err != nil {
			return err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	params := make(map[string]string, len(c.Params))
	for _, p := range c.Params {
		params[p.Key] = p.Value
	}
	err = openapi3filter.ValidateRequest(req.Context(), &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, QueryParams: query, Route: op.Route, Options: &v.filter,
	})
	if err != nil {
		return refusal(err)
	}
	return nil
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

func (v *validator) readBody(c *gin.Context, required bool) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	if v.CorrelationIDInBody {
		adoptCorrelationID(c, body)
	}
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, apperr.PayloadTooLarge.New()
	case err != nil:
		return nil, malformed("it ended early")
	case len(body) == 0 && !required:
		return nil, nil
	case len(body) == 0:
		return nil, apperr.ValidationFailed.New().With("/body", "is required: send a JSON object")
	}
	if media, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); err != nil || media != "application/json" {
		return nil, apperr.UnsupportedMediaType.New()
	}
	if !utf8.Valid(body) {
		return nil, malformed("it is not UTF-8")
	}
	if err := json.Unmarshal(body, new(json.RawMessage)); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, malformed(fmt.Sprintf("%s (byte %d)", syntax, syntax.Offset))
		}
		return nil, malformed("it cannot be read")
	}
	return body, nil
}

func malformed(why string) error {
	return apperr.MalformedJSON.New(why)
}

// authenticate enforces what the document declares as `security`.
func (v *validator) authenticate(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	scheme, token, _ := strings.Cut(in.RequestValidationInput.Request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare([]byte(token), []byte(v.ServiceToken)) != 1 {
		return errors.New("wrong or missing service token")
	}
	return nil
}

// validEmail accepts one bare ASCII address with a domain; spaces around it do not count.
func validEmail(s string) error {
	s = strings.TrimSpace(s)
	address, err := mail.ParseAddress(s)
	if err != nil || address.Address != s || strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return errors.New("not an email address")
	}
	return nil
}

// validDateOrTime accepts what the calendar has: 2024-02-29, or an RFC 3339 time.
func validDateOrTime(s string) error {
	if _, err := time.Parse(time.DateOnly, s); err == nil {
		return nil
	}
	_, err := time.Parse(time.RFC3339, s)
	return err
}

// refusal turns what the validator found into one error that names every failing field.
func refusal(err error) error {
	if errors.As(err, new(*openapi3filter.SecurityRequirementsError)) {
		return apperr.Unauthorized.New()
	}
	details := findings("", err)
	slices.SortStableFunc(details, func(a, b apperr.Detail) int { return strings.Compare(a.Field, b.Field) })
	details = slices.CompactFunc(details, func(a, b apperr.Detail) bool { return a.Field == b.Field }) // one message a field
	if len(details) == 1 && details[0].Field == "/header/"+IdempotencyHeader && details[0].Message == isRequired {
		return apperr.IdempotencyKeyRequired.New().With(details[0].Field, isRequired)
	}
	refused := apperr.ValidationFailed.New()
	refused.Details = details
	return refused
}

const isRequired = "is required"

// findings lists the failing fields below prefix.
func findings(prefix string, err error) []apperr.Detail {
	switch err := err.(type) {
	case openapi3.MultiError:
		var all []apperr.Detail
		for _, e := range err {
			all = append(all, findings(prefix, e)...)
		}
		return all
	case *openapi3filter.RequestError:
		if p := err.Parameter; p != nil {
			prefix = "/" + p.In + "/" + p.Name
		}
		if errors.Is(err.Err, openapi3filter.ErrInvalidRequired) {
			return []apperr.Detail{{Field: prefix, Message: isRequired}}
		}
		if errors.As(err.Err, new(*openapi3filter.ParseError)) && err.Parameter != nil {
			return []apperr.Detail{{Field: prefix, Message: "must be " + typeName(err.Parameter.Schema.Value)}}
		}
		return findings(prefix, err.Err)
	case *openapi3.SchemaError:
		field, message := prefix+pointer(err.JSONPointer()), explain(err)
		if field == "" {
			field = "/body"
		}
		if name := unknownField.FindStringSubmatch(err.Reason); err.SchemaField == "properties" && name != nil {
			field, message = prefix+pointer(append(err.JSONPointer(), name[1])), "is not a known field"
		}
		return []apperr.Detail{{Field: field, Message: message}}
	}
	return []apperr.Detail{{Field: prefix, Message: "is not valid"}}
}

var unknownField = regexp.MustCompile(`^property "(.*)" is unsupported$`)

// pointer joins reference tokens as RFC 6901 wants them.
func pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(t))
	}
	return b.String()
}

// explain says in plain words which rule the value breaks.
func explain(err *openapi3.SchemaError) string {
	s := err.Schema
	switch err.SchemaField {
	case "required":
		return isRequired
	case "nullable":
		return "must not be null"
	case "type":
		return "must be " + typeName(s)
	case "minimum":
		return fmt.Sprintf("must be at least %.0f", *s.Min)
	case "maximum":
		return fmt.Sprintf("must be at most %.0f", *s.Max)
	case "minLength":
		return fmt.Sprintf("must have at least %d %s", s.MinLength, plural(s.MinLength, "character"))
	case "maxLength":
		return fmt.Sprintf("must have at most %d characters", *s.MaxLength)
	case "minItems":
		return fmt.Sprintf("must have at least %d %s", s.MinItems, plural(s.MinItems, "item"))
	case "maxItems":
		return fmt.Sprintf("must have at most %d items", *s.MaxItems)
	case "minProperties":
		return fmt.Sprintf("must have at least %d %s", s.MinProps, plural(s.MinProps, "field"))
	case "enum":
		return "must be one of " + strings.Trim(fmt.Sprintf("%q", s.Enum), "[]")
	case "format":
		return "is not a valid " + strings.ReplaceAll(s.Format, "-", " ")
	case "pattern":
		switch s.Pattern {
		case `\S`:
			return "must not be blank"
		case `^\S(.*\S)?$`:
			return "must not begin or end with a space"
		case `^[!-~]+$`:
			return "must be visible ASCII characters without spaces"
		}
		return "does not match the pattern " + s.Pattern
	}
	return "breaks the rule " + err.SchemaField
}

func typeName(s *openapi3.Schema) string {
	name := strings.Join(s.Type.Slice(), " or ")
	if strings.ContainsAny(name[:1], "aeiou") {
		return "an " + name
	}
	return "a " + name
}

func plural(n uint64, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// Package validation checks parameters and JSON against the schemas of an OpenAPI document. It returns each
// failing field with the broken rule, as a message and as params.
package validation

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/formats"
)

const (
	maxDetails = 20      // failing fields in a refusal; a further detail says how many fields are left out
	wholeBody  = "/body" // value of Detail.Field for a fault of the whole body
)

// options make the schema validator find all failing fields at once. The validator checks formats. It checks
// no patterns, because the pattern of a schema is weaker than its format.
var options = []openapi3.SchemaValidationOption{
	openapi3.MultiErrors(), openapi3.VisitAsRequest(), openapi3.DisablePatternValidation(),
	formatValidators(),
}

var filterOptions = openapi3filter.Options{MultiError: true, SchemaValidationOptions: options}

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

// Refusal returns 400 validation_failed with the first fault of each field, for at most maxDetails fields,
// sorted. It returns nil when details is empty. The parameter more is the number of faults that are not in
// details.
func Refusal(details []apperr.Detail, more int) error {
	if len(details) == 0 {
		return nil
	}
	slices.SortStableFunc(details, func(a, b apperr.Detail) int { return strings.Compare(a.Field, b.Field) })
	details = slices.CompactFunc(details, func(a, b apperr.Detail) bool { return a.Field == b.Field })
	refusal := apperr.ValidationFailed.New()
	refusal.Details = details[:min(len(details), maxDetails)]
	if more += len(details) - len(refusal.Details); more > 0 {
		refusal.With(wholeBody, apperr.Params{"rule": "more", "count": more}, "and %d more", more)
	}
	return refusal
}

// Empty returns 400 validation_failed for an empty body. The parameter send says what to send, such as "send
// rows".
func Empty(send string) error {
	return apperr.ValidationFailed.New().With(wholeBody, Required, "%s: %s", isRequired, send)
}

// Parameter checks a parameter of a request against its schema. Numbers and booleans must be written as in
// JSON: kin-openapi and the generated code use strconv, which reads 1 and TRUE as true, and +1 and 01 as 1.
// The input must have the request, and the parameters of path and query.
func Parameter(input *openapi3filter.RequestValidationInput, p *openapi3.Parameter) []apperr.Detail {
	if !spelledAsJSON(parameterValue(input, p), p.Schema.Value) {
		message, params := explainType(p.Schema.Value)
		return []apperr.Detail{{Field: "/" + p.In + "/" + p.Name, Message: message, Params: params}}
	}
	input.Options = &filterOptions
	return details("", openapi3filter.ValidateParameter(input.Request.Context(), input, p))
}

// parameterValue returns the value in the request, or "" when the request lacks the parameter.
func parameterValue(input *openapi3filter.RequestValidationInput, p *openapi3.Parameter) string {
	switch p.In {
	case openapi3.ParameterInPath:
		return input.PathParams[p.Name]
	case openapi3.ParameterInQuery:
		return input.QueryParams.Get(p.Name)
	case openapi3.ParameterInHeader:
		return input.Request.Header.Get(p.Name)
	}
	return ""
}

func spelledAsJSON(value string, s *openapi3.Schema) bool {
	switch {
	case value == "":
		return true
	case s.Type.Is(openapi3.TypeBoolean):
		return value == "true" || value == "false"
	case s.Type.Is(openapi3.TypeInteger), s.Type.Is(openapi3.TypeNumber):
		return json.Valid([]byte(value))
	}
	return true
}

// details returns the failing fields in an error of the schema validator. The prefix is put before each
// field.
func details(prefix string, err error) []apperr.Detail {
	switch err := err.(type) {
	case nil:
		return nil
	case openapi3.MultiError:
		var all []apperr.Detail
		for _, e := range err {
			all = append(all, details(prefix, e)...)
		}
		return all
	case *openapi3filter.RequestError:
		return parameterDetails(err)
	case *openapi3.SchemaError:
		if err.Schema.Extensions[exactlyOneOf] != nil && strings.HasSuffix(err.SchemaField, "Properties") {
			return nil // wantExactlyOne has reported the same fault in better words
		}
		message, params := explain(err)
		field := cmp.Or(prefix+Pointer(err.JSONPointer()...), wholeBody)
		return []apperr.Detail{{Field: field, Message: message, Params: params}}
	}
	return []apperr.Detail{{Field: prefix, Message: "is not valid", Params: apperr.Params{"rule": "valid"}}}
}

func parameterDetails(err *openapi3filter.RequestError) []apperr.Detail {
	field := "/" + err.Parameter.In + "/" + err.Parameter.Name
	if errors.Is(err.Err, openapi3filter.ErrInvalidRequired) {
		return []apperr.Detail{{Field: field, Message: isRequired, Params: Required}}
	}
	if errors.As(err.Err, new(*openapi3filter.ParseError)) {
		message, params := explainType(err.Parameter.Schema.Value)
		return []apperr.Detail{{Field: field, Message: message, Params: params}}
	}
	return details(field, err.Err)
}

// Pointer joins reference tokens into a JSON pointer: RFC 6901.
func Pointer(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		_, _ = escapePointer.WriteString(&b, t)
	}
	return b.String()
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

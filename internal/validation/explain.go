package validation

import (
	"errors"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/formats"
)

const isRequired = "is required"

// Params of common faults. The value of "rule" is the rule's keyword in JSON Schema, in snake_case. A rule
// without a keyword there, such as unknown_field, has a name of its own.
var (
	Required     = apperr.Params{"rule": "required"}
	Repeated     = apperr.Params{"rule": "repeated"}
	UnknownField = apperr.Params{"rule": "unknown_field"}
)

// explain returns the broken rule, as a message and as params.
func explain(err *openapi3.SchemaError) (string, apperr.Params) {
	if within := new(openapi3.SchemaError); err.SchemaField == "allOf" && errors.As(err.Origin, &within) {
		return explain(within) // in requests, allOf only adds a default to a shared schema
	}
	s := err.Schema
	limit := func(rule string, limit any) apperr.Params { return apperr.Params{"rule": rule, "limit": limit} }
	switch err.SchemaField {
	case "required":
		return isRequired, Required
	case "nullable":
		return "must not be null", apperr.Params{"rule": "not_null"}
	case "type":
		return explainType(s)
	case "minimum":
		return fmt.Sprintf("must be at least %.0f", *s.Min), limit("minimum", int64(*s.Min))
	case "maximum":
		return fmt.Sprintf("must be at most %.0f", *s.Max), limit("maximum", int64(*s.Max))
	case "minLength":
		return atLeast(s.MinLength, "character"), limit("min_length", s.MinLength)
	case "maxLength":
		return fmt.Sprintf("must have at most %d characters", *s.MaxLength), limit("max_length", *s.MaxLength)
	case "minItems":
		return atLeast(s.MinItems, "item"), limit("min_items", s.MinItems)
	case "maxItems":
		return fmt.Sprintf("must have at most %d items", *s.MaxItems), limit("max_items", *s.MaxItems)
	case "minProperties":
		return atLeast(s.MinProps, "field"), limit("min_properties", s.MinProps)
	case "enum":
		return "must be one of " + quoted(s.Enum), apperr.Params{"rule": "enum", "values": spaced(s.Enum)}
	case "not":
		if not := s.Not.Value.Enum; not != nil {
			return "must not be " + quoted(not), apperr.Params{"rule": "not", "values": spaced(not)}
		}
	case "format", "pattern": // the pattern of a schema is weaker than the format
		return formats.All[s.Format].Sentence, apperr.Params{"rule": "format", "format": s.Format}
	}
	return "breaks the rule " + err.SchemaField, apperr.Params{"rule": err.SchemaField}
}

func explainType(s *openapi3.Schema) (string, apperr.Params) {
	name := strings.Join(s.Type.Slice(), " or ")
	article := "a "
	if strings.ContainsAny(name[:1], "aeiou") {
		article = "an "
	}
	return "must be " + article + name, apperr.Params{"rule": "type", "type": name}
}

func atLeast(n uint64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("must have at least %d %s", n, noun)
}

// quoted lists the values of an enum with spaces between them, and strings in quotes.
func quoted(values []any) string {
	return strings.TrimSpace(fmt.Sprintf(strings.Repeat("%#v ", len(values)), values...))
}

// spaced lists the values of an enum with spaces between them.
func spaced(values []any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

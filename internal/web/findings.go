package web

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"example.com/b2b/internal/apperr"
)

// maxDetails is how many failing fields a refusal names; one more detail says how many it does not name.
const maxDetails = 20

const (
	isRequired = "is required"
	wholeBody  = "/body" // the field of what no single field can be blamed for
)

// refusal makes one error of what was found, which names every failing field once. more were found and are not in details.
func refusal(details []apperr.Detail, more int) error {
	slices.SortStableFunc(details, func(a, b apperr.Detail) int { return strings.Compare(a.Field, b.Field) })
	details = slices.CompactFunc(details, func(a, b apperr.Detail) bool { return a.Field == b.Field })
	if len(details) == 1 && details[0].Field == "/header/"+IdempotencyHeader && details[0].Message == isRequired {
		return apperr.IdempotencyKeyRequired.New().With(details[0].Field, isRequired)
	}
	refused := apperr.ValidationFailed.New()
	refused.Details = details[:min(len(details), maxDetails)]
	if more += len(details) - len(refused.Details); more > 0 {
		refused.With(wholeBody, "and %d more", more)
	}
	return refused
}

// findings lists the failing fields below prefix.
func findings(prefix string, err error) []apperr.Detail {
	switch err := err.(type) {
	case nil:
		return nil
	case openapi3.MultiError:
		var all []apperr.Detail
		for _, e := range err {
			all = append(all, findings(prefix, e)...)
		}
		return all
	case *openapi3filter.RequestError:
		prefix = "/" + err.Parameter.In + "/" + err.Parameter.Name
		if errors.Is(err.Err, openapi3filter.ErrInvalidRequired) {
			return []apperr.Detail{{Field: prefix, Message: isRequired}}
		}
		if errors.As(err.Err, new(*openapi3filter.ParseError)) {
			return []apperr.Detail{{Field: prefix, Message: "must be " + typeName(err.Parameter.Schema.Value)}}
		}
		return findings(prefix, err.Err)
	case *openapi3.SchemaError:
		return []apperr.Detail{{Field: cmp.Or(prefix+pointer(err.JSONPointer()), wholeBody), Message: explain(err)}}
	}
	return []apperr.Detail{{Field: prefix, Message: "is not valid"}}
}

// pointer joins reference tokens as RFC 6901 wants them.
func pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		_, _ = escapePointer.WriteString(&b, t)
	}
	return b.String()
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

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
		return "must be one of " + listed(s.Enum)
	case "not":
		if not := s.Not.Value.Enum; not != nil {
			return "must not be " + listed(not)
		}
	case "format":
		return formats[s.Format].sentence
	case "pattern":
		return "does not match the pattern " + s.Pattern
	}
	return "breaks the rule " + err.SchemaField
}

// listed shows the values of an enum, strings in quotes.
func listed(values []any) string {
	shown := make([]string, len(values))
	for i, v := range values {
		shown[i] = fmt.Sprint(v)
		if s, ok := v.(string); ok {
			shown[i] = fmt.Sprintf("%q", s)
		}
	}
	return strings.Join(shown, " ")
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

package validation

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/tidwall/gjson"

	"example.com/b2b/v2/internal/apperr"
)

// exactlyOneOf is an extension of a schema that lists fields. An object must have exactly one of these
// fields.
const exactlyOneOf = "x-exactly-one-of"

// JSON is a JSON text, read with its schema. Values that the schema does not expect are not read further, so
// that an invalid text costs no more time than a valid text.
type JSON struct {
	Text  []byte
	Value any // value for the handler, without unknown fields
	More  int // number of faults that Faults leaves out

	schema *openapi3.Schema
	faults []apperr.Detail // faults found by read; the schema validator cannot find them in Value
}

// Parse reads a JSON text with its schema. Call Faults to find out whether the text breaks the schema. Error:
// the code malformed, with the reason, when the text is not JSON in UTF-8.
func Parse(text []byte, schema *openapi3.Schema, malformed *apperr.Code) (*JSON, error) {
	if !utf8.Valid(text) {
		return nil, malformed.New("it is not UTF-8")
	}
	if !json.Valid(text) {
		var syntax *json.SyntaxError
		if errors.As(json.Unmarshal(text, new(json.RawMessage)), &syntax) {
			return nil, malformed.New(fmt.Sprintf("%s (byte %d)", syntax, syntax.Offset))
		}
	}
	j := &JSON{Text: text, schema: schema}
	j.Value = j.read(make([]string, 0, 8), gjson.ParseBytes(text), schema)
	return j, nil
}

// Faults returns the faults found while reading, at most maxDetails, and the faults of the schema validator.
func (j *JSON) Faults() []apperr.Detail {
	bySchema := details("", j.schema.VisitJSON(j.Value, options...))
	// The validator may report that the body has too few fields, only because readObject has left out the
	// refused fields.
	if len(j.faults) > 0 {
		bySchema = slices.DeleteFunc(bySchema, func(d apperr.Detail) bool { return d.Field == wholeBody })
	}
	return append(j.faults, bySchema...) // j.faults come first: Refusal keeps the first fault of each field
}

func (j *JSON) refuse(path []string, params apperr.Params, format string, args ...any) {
	if len(j.faults) == maxDetails {
		j.More++
		return
	}
	field, message := cmp.Or(Pointer(path...), wholeBody), fmt.Sprintf(format, args...)
	j.faults = append(j.faults, apperr.Detail{Field: field, Message: message, Params: params})
}

// read converts v to a value for the schema validator and the handler. The path is the place of v in the
// text. When v is an object, an array or a string of a type that the schema does not expect, read returns an
// empty value of this type, because the validator refuses the type anyway.
func (j *JSON) read(path []string, v gjson.Result, s *openapi3.Schema) any {
	switch {
	case v.IsObject() && s.AdditionalProperties.Schema != nil:
		return j.readMap(path, v, s)
	case v.IsObject() && s.Type.Is(openapi3.TypeObject):
		return j.readObject(path, v, s)
	case v.IsObject():
		return map[string]any{}
	case v.IsArray() && s.Type.Is(openapi3.TypeArray):
		return j.readArray(path, v, s)
	case v.IsArray():
		return []any{}
	case v.Type == gjson.String && s.Type.Is(openapi3.TypeString):
		return j.readString(path, v, s)
	case v.Type == gjson.String:
		return ""
	case v.Type == gjson.Number:
		// By JSON Schema, 1.0 and 1e0 are integers, but Go cannot read such a text into an integer.
		if s.Type.Is(openapi3.TypeInteger) && strings.ContainsAny(v.Raw, ".eE") {
			j.refuse(path, apperr.Params{"rule": "whole_number"},
				"must be written as a whole number, without fraction or exponent")
		}
		return json.Number(v.Raw)
	}
	return v.Value() // v is true, false or null
}

// readObject returns the known fields of an object. It refuses unknown fields, and a field that comes again.
// It leaves out null in an optional field that is not nullable, because many serializers write null for a
// field without a value.
func (j *JSON) readObject(path []string, v gjson.Result, s *openapi3.Schema) any {
	fields := map[string]any{}
	v.ForEach(func(key, value gjson.Result) bool {
		name := key.Str
		at, property := append(path, name), s.Properties[name]
		if _, twice := fields[name]; twice {
			j.refuse(at, Repeated, "was given more than once")
		} else if property == nil {
			j.refuse(at, UnknownField, "is not a known field")
		} else {
			fields[name] = j.read(at, value, property.Value)
		}
		return true
	})
	maps.DeleteFunc(fields, func(name string, value any) bool {
		return value == nil && !s.Properties[name].Value.Nullable && !slices.Contains(s.Required, name)
	})
	if names, ok := s.Extensions[exactlyOneOf].([]any); ok {
		j.wantExactlyOne(path, names, fields)
	}
	return fields
}

// wantExactlyOne refuses an object that has none or several of the named fields.
func (j *JSON) wantExactlyOne(path []string, names []any, fields map[string]any) {
	given := ""
	for _, name := range names {
		name := name.(string)
		if _, has := fields[name]; !has {
			continue
		}
		if given != "" {
			params := apperr.Params{"rule": "exactly_one_of", "values": spaced(names)}
			j.refuse(append(path, name), params, "must not be given beside %s", given)
		}
		given = name
	}
	if given == "" {
		j.refuse(append(path, names[0].(string)), Required, "is required: one of %s", quoted(names))
	}
}

// readMap reads an object whose field names are the caller's choice. The schema of the names is
// x-property-names, because OpenAPI 3.0 lacks the propertyNames of JSON Schema. readMap refuses an object
// with more than maxProperties fields, and returns nil for this object.
func (j *JSON) readMap(path []string, v gjson.Result, s *openapi3.Schema) any {
	names := &openapi3.Schema{}
	if encoded, err := json.Marshal(s.Extensions["x-property-names"]); err == nil {
		_ = names.UnmarshalJSON(encoded) // cannot fail: TestUsableDocuments checks that the extension is a schema
	}
	fields, n := map[string]any{}, uint64(0)
	v.ForEach(func(key, value gjson.Result) bool {
		if n++; n > *s.MaxProps {
			return false
		}
		name := j.readString(append(path, key.Str), key, names)
		at := append(path, name)
		for _, d := range details("", names.VisitJSON(name, options...)) {
			j.refuse(at, d.Params, "%s", d.Message)
		}
		if _, twice := fields[name]; twice {
			j.refuse(at, Repeated, "was given more than once")
		} else {
			fields[name] = j.read(at, value, s.AdditionalProperties.Schema.Value)
		}
		return true
	})
	if n > *s.MaxProps {
		params := apperr.Params{"rule": "max_properties", "limit": *s.MaxProps}
		j.refuse(path, params, "must have at most %d fields", *s.MaxProps)
		return nil
	}
	return fields
}

// readArray reads an array. It refuses an array with more than maxItems items, and returns nil for this
// array.
func (j *JSON) readArray(path []string, v gjson.Result, s *openapi3.Schema) any {
	if v.Get("#").Uint() > *s.MaxItems {
		params := apperr.Params{"rule": "max_items", "limit": *s.MaxItems}
		j.refuse(path, params, "must have at most %d items", *s.MaxItems)
		return nil
	}
	items := []any{}
	v.ForEach(func(_, item gjson.Result) bool {
		items = append(items, j.read(append(path, strconv.Itoa(len(items))), item, s.Items.Value))
		return true
	})
	return items
}

var (
	// wholePair matches a character that is escaped as a pair of surrogates. It also matches an escaped
	// backslash, so that halfPair does not take a u after this backslash for an escape.
	wholePair = regexp.MustCompile(`\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]`)
	halfPair  = regexp.MustCompile(`\\u[dD][89a-fA-F]`)
)

// readString reads a string. It cuts a string of more than 4 * (maxLength + 1) bytes, because the formats are
// made for short strings. The validator refuses the cut string, because it is still longer than maxLength.
// readString also refuses half of a surrogate pair, because Go reads the half as U+FFFD: RFC 8259, section
// 8.2.
func (j *JSON) readString(path []string, v gjson.Result, s *openapi3.Schema) string {
	if s.MaxLength == nil { // the schema is an enum, and the validator refuses other values
		return v.Str
	}
	if most := utf8.UTFMax * (*s.MaxLength + 1); uint64(len(v.Str)) > most {
		return v.Str[:most]
	}
	if strings.Contains(v.Raw, `\u`) && halfPair.MatchString(wholePair.ReplaceAllString(v.Raw, " ")) {
		j.refuse(path, apperr.Params{"rule": "surrogate_pair"},
			`must not have half of a surrogate pair, such as \ud800 alone`)
	}
	return v.Str
}

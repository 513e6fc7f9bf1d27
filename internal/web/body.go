package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
	"github.com/tidwall/gjson"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/formats"
)

const maxBody = 1 << 20 // bytes

// exactlyOneOf is the extension that lists fields of an object of which it must have one, and no other.
const exactlyOneOf = "x-exactly-one-of"

// body is a request body, read only as far as its schema goes: what breaks the schema costs no more than what
// keeps it. The generated code binds its value, so that the handler gets what was validated.
type body struct {
	io.ReadCloser
	rules []openapi3.SchemaValidationOption // that values are held to
	value any
	found []apperr.Detail // what is not in the value, or what a validator can no longer see in it
	more  int             // what was found beyond maxDetails
}

func (b *body) ValidatedValue() any { return b.value }

// readBody reads what the caller sends, for at most BodyTimeout. It returns nil when that is nothing.
func (v *validator) readBody(c *gin.Context, op *operation) (*body, error) {
	if err := refuseUnread(c); err != nil {
		return nil, err
	}
	connection := http.NewResponseController(c.Writer)
	_ = connection.SetReadDeadline(time.Now().Add(v.BodyTimeout)) // AWS Lambda has no connection, and the whole body
	text, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	if err == nil {
		_ = connection.SetReadDeadline(time.Time{}) // it would end the handler's context, too
	}
	if v.CorrelationIDInBody { // the orchestrator's callers send it there; refusals of the body have it, too
		if id := gjson.GetBytes(text, "correlation_id").Str; formats.IsCorrelationID(id) {
			c.Request.Context().Value(callKey{}).(*call).correlationID = id
			c.Header(CorrelationHeader, id)
		}
	}
	switch {
	case err != nil:
		return nil, notReceived(err, apperr.PayloadTooLarge, apperr.MalformedJSON)
	case len(text) == 0 && !op.Operation.RequestBody.Value.Required:
		return nil, nil
	case len(text) == 0:
		return nil, apperr.ValidationFailed.New().With(wholeBody, apperr.Params{"rule": "required"}, "is required: send a JSON object")
	case !isJSON(c.Request.Header):
		return nil, apperr.UnsupportedMediaType.New()
	}
	return v.parse(text, op.body, apperr.MalformedJSON)
}

// notReceived says why a body did not arrive.
func notReceived(err error, tooLarge, malformed *apperr.Code) error {
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return tooLarge.New()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return apperr.RequestTimeout.Because(err)
	}
	return malformed.Because(err, "it ended early")
}

// parse reads JSON by its schema, or returns the code's error, which says why it is none.
func (v *validator) parse(text []byte, schema *openapi3.Schema, malformed *apperr.Code) (*body, error) {
	if !utf8.Valid(text) {
		return nil, malformed.New("it is not UTF-8")
	}
	var syntax *json.SyntaxError
	if !json.Valid(text) && errors.As(json.Unmarshal(text, new(json.RawMessage)), &syntax) {
		return nil, malformed.New(fmt.Sprintf("%s (byte %d)", syntax, syntax.Offset))
	}
	b := &body{ReadCloser: io.NopCloser(bytes.NewReader(text)), rules: v.filter.SchemaValidationOptions}
	b.value = b.read(make([]string, 0, 8), gjson.ParseBytes(text), schema)
	return b, nil
}

// refuseUnread refuses a body by what its header says of it, before net/http lets a caller who waits for 100 Continue send it.
func refuseUnread(c *gin.Context) error {
	h, sent := c.Request.Header, c.Request.ContentLength // -1 when the header does not say
	switch {
	case sent > maxBody:
		return apperr.PayloadTooLarge.New()
	case sent != 0 && h.Get("Content-Encoding") != "":
		return refuseEncoding(c, apperr.UnsupportedMediaType)
	case sent != 0 && (sent > 0 || h.Get("Content-Type") != "") && !isJSON(h):
		return apperr.UnsupportedMediaType.New()
	}
	return nil
}

func refuseEncoding(c *gin.Context, code *apperr.Code) error {
	c.Header("Accept-Encoding", "identity") // RFC 9110, section 15.5.16
	return code.New().With("/header/Content-Encoding", apperr.Params{"rule": "absent"}, "must not be sent: the body is taken as it is")
}

// isJSON reports whether a body is JSON, which is UTF-8: RFC 8259, section 8.1.
func isJSON(h http.Header) bool { return mediaType(h) == "application/json" }

// mediaType is that of a body in UTF-8, as the one Content-Type has it; "" for any other.
func mediaType(h http.Header) string {
	if sent := h["Content-Type"]; len(sent) == 1 && sent[0] == "application/json" {
		return sent[0]
	}
	media, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || len(h["Content-Type"]) != 1 || !strings.EqualFold(cmp.Or(parameters["charset"], "utf-8"), "utf-8") {
		return ""
	}
	return media
}

func (b *body) refuse(path []string, params apperr.Params, format string, args ...any) {
	if len(b.found) < maxDetails {
		b.found = append(b.found, apperr.Detail{Field: cmp.Or(pointer(path), wholeBody), Message: fmt.Sprintf(format, args...), Params: params})
	} else {
		b.more++
	}
}

// read returns the value at path. It does not look into one of another type than the schema's.
func (b *body) read(path []string, v gjson.Result, s *openapi3.Schema) any {
	switch {
	case v.IsObject() && s.AdditionalProperties.Schema != nil:
		return b.readMap(path, v, s)
	case v.IsObject() && s.Type.Is(openapi3.TypeObject):
		return b.readObject(path, v, s)
	case v.IsObject():
		return map[string]any{}
	case v.IsArray() && s.Type.Is(openapi3.TypeArray):
		return b.readArray(path, v, s)
	case v.IsArray():
		return []any{}
	case v.Type == gjson.String && s.Type.Is(openapi3.TypeString):
		return b.readString(path, v, s)
	case v.Type == gjson.String:
		return ""
	case v.Type == gjson.Number:
		// Such a number counts as whole in JSON Schema, and Go does not read it as one.
		if s.Type.Is(openapi3.TypeInteger) && strings.ContainsAny(v.Raw, ".eE") {
			b.refuse(path, apperr.Params{"rule": "whole_number"}, "must be written as a whole number, without fraction or exponent")
		}
		return json.Number(v.Raw)
	}
	return v.Value() // true, false, null
}

// readObject leaves out fields that the schema does not know. Of a field that comes twice it would be a
// matter of luck which one counts.
func (b *body) readObject(path []string, v gjson.Result, s *openapi3.Schema) any {
	fields := map[string]any{}
	v.ForEach(func(key, value gjson.Result) bool {
		name := key.Str
		at, property := append(path, name), s.Properties[name]
		if _, twice := fields[name]; twice {
			b.refuse(at, repeated, "was given more than once")
		} else if property == nil {
			b.refuse(at, unknownField, "is not a known field")
		} else {
			fields[name] = b.read(at, value, property.Value)
		}
		return true
	})
	if names, ok := s.Extensions[exactlyOneOf].([]any); ok {
		b.exactlyOne(path, names, fields)
	}
	return fields
}

// exactlyOne refuses an object that has none, or several, of the fields of these names.
func (b *body) exactlyOne(path []string, names []any, fields map[string]any) {
	given := ""
	for _, name := range names {
		name := name.(string)
		if _, there := fields[name]; !there {
			continue
		}
		if given != "" {
			b.refuse(append(path, name), apperr.Params{"rule": "exactly_one_of", "values": spaced(names)}, "must not be given beside %s", given)
		}
		given = name
	}
	if given == "" {
		b.refuse(append(path, names[0].(string)), missing, "is required: one of %s", listed(names))
	}
}

// readMap reads an object whose fields the caller names, by the rules of x-property-names: the propertyNames
// of JSON Schema, which OpenAPI 3.0 lacks. It returns nil for one with more than maxProperties.
func (b *body) readMap(path []string, v gjson.Result, s *openapi3.Schema) any {
	names := &openapi3.Schema{}
	if encoded, err := json.Marshal(s.Extensions["x-property-names"]); err == nil {
		_ = names.UnmarshalJSON(encoded) // TestUsableDocuments holds it to be one
	}
	fields, n := map[string]any{}, uint64(0)
	v.ForEach(func(key, value gjson.Result) bool {
		if n++; n > *s.MaxProps {
			return false
		}
		name := b.readString(append(path, key.Str), key, names)
		at := append(path, name)
		for _, d := range findings("", names.VisitJSON(name, b.rules...)) {
			b.refuse(at, d.Params, "%s", d.Message)
		}
		if _, twice := fields[name]; twice {
			b.refuse(at, repeated, "was given more than once")
		} else {
			fields[name] = b.read(at, value, s.AdditionalProperties.Schema.Value)
		}
		return true
	})
	if n > *s.MaxProps {
		b.refuse(path, apperr.Params{"rule": "max_properties", "limit": *s.MaxProps}, "must have at most %d fields", *s.MaxProps)
		return nil
	}
	return fields
}

// readArray returns nil for one with more than maxItems.
func (b *body) readArray(path []string, v gjson.Result, s *openapi3.Schema) any {
	if v.Get("#").Uint() > *s.MaxItems {
		b.refuse(path, apperr.Params{"rule": "max_items", "limit": *s.MaxItems}, "must have at most %d items", *s.MaxItems)
		return nil
	}
	items := []any{}
	v.ForEach(func(_, item gjson.Result) bool {
		items = append(items, b.read(append(path, strconv.Itoa(len(items))), item, s.Items.Value))
		return true
	})
	return items
}

// A character that JSON writes as a pair of surrogates, or an escaped backslash, after which a u means
// nothing; and half of a pair.
var (
	wholePair = regexp.MustCompile(`\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]`)
	halfPair  = regexp.MustCompile(`\\u[dD][89a-fA-F]`)
)

// readString cuts a string that is much too long to one that still is: formats are not made for more. It
// refuses half of a surrogate pair, which Go reads as U+FFFD: RFC 8259, section 8.2.
func (b *body) readString(path []string, v gjson.Result, s *openapi3.Schema) string {
	switch {
	case s.MaxLength == nil: // an enum, which has no such value
	case uint64(len(v.Str)) > utf8.UTFMax*(*s.MaxLength+1):
		return v.Str[:utf8.UTFMax*(*s.MaxLength+1)]
	case strings.Contains(v.Raw, `\u`) && halfPair.MatchString(wholePair.ReplaceAllString(v.Raw, " ")):
		b.refuse(path, apperr.Params{"rule": "surrogate_pair"}, `must not have half of a surrogate pair, such as \ud800 alone`)
	}
	return v.Str
}

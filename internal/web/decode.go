package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/internal/apperr"
)

// decoder reads as much of a JSON body as its schema allows it to hold, so that a body costs no more than one that is valid. What
// it leaves out of the value is refused, and so is what a validator can no longer see in the value.
type decoder struct {
	json  []byte // valid JSON
	at    int
	path  []string // of the value being read
	body  any
	found []apperr.Detail
	more  int // what was found beyond maxDetails
}

// decode reads a body that is valid JSON. Its cost does not grow with what the schema does not allow, but for looking for the end.
func decode(body []byte, s *openapi3.Schema) *decoder {
	d := &decoder{json: body}
	d.body = d.value(s)
	return d
}

func (d *decoder) refuse(format string, args ...any) {
	if len(d.found) < maxDetails {
		d.found = append(d.found, apperr.Detail{Field: cmp.Or(pointer(d.path), wholeBody), Message: fmt.Sprintf(format, args...)})
	} else {
		d.more++
	}
}

// value reads the next value. One of another type than the schema's is not looked into.
func (d *decoder) value(s *openapi3.Schema) any {
	d.space()
	switch first := d.json[d.at]; {
	case first == '{' && s.Type.Is(openapi3.TypeObject):
		return d.object(s)
	case first == '[' && s.Type.Is(openapi3.TypeArray):
		return d.array(s)
	}
	switch raw := d.skip(); raw[0] {
	case '{':
		return map[string]any{}
	case '[':
		return []any{}
	case '"':
		return d.text(raw, s)
	case 't', 'f':
		return raw[0] == 't'
	case 'n':
		return nil
	default:
		// Such a number counts as whole in JSON Schema, and Go does not read it as one.
		if s.Type.Is(openapi3.TypeInteger) && bytes.ContainsAny(raw, ".eE") {
			d.refuse("must be written as a whole number, without fraction or exponent")
		}
		return json.Number(raw)
	}
}

// object leaves out fields that the schema does not know. Of a field that comes twice it would be a matter of luck which one counts.
func (d *decoder) object(s *openapi3.Schema) any {
	fields := map[string]any{}
	for more := d.enter('}'); more; more = d.next('}') {
		name := unquote(d.skip())
		d.space()
		d.at++ // the colon
		d.path = append(d.path, name)
		property := s.Properties[name]
		switch _, twice := fields[name]; {
		case property == nil:
			d.refuse("is not a known field")
			d.skip()
		case twice:
			d.refuse("was given more than once")
			d.skip()
		default:
			fields[name] = d.value(property.Value)
		}
		d.path = d.path[:len(d.path)-1]
	}
	return fields
}

// array returns nil for one with more than maxItems.
func (d *decoder) array(s *openapi3.Schema) any {
	items := []any{}
	start, found, refused := d.at, d.found, d.more
	for more := d.enter(']'); more; more = d.next(']') {
		if uint64(len(items)) == *s.MaxItems {
			d.at, d.found, d.more = start, found, refused
			d.skip()
			d.refuse("must have at most %d items", *s.MaxItems)
			return nil
		}
		d.path = append(d.path, strconv.Itoa(len(items)))
		items = append(items, d.value(s.Items.Value))
		d.path = d.path[:len(d.path)-1]
	}
	return items
}

// text cuts a string that is too long to one that still is: formats are not made for more.
func (d *decoder) text(raw []byte, s *openapi3.Schema) any {
	if !s.Type.Is(openapi3.TypeString) {
		return ""
	}
	if loneSurrogate(raw) {
		d.refuse(`must not have half of a surrogate pair, such as \ud800 alone`)
	}
	text := unquote(raw)
	if s.MaxLength != nil {
		characters := uint64(0)
		for i := range text {
			if characters++; characters > *s.MaxLength+1 {
				return text[:i]
			}
		}
	}
	return text
}

// enter and next go to the next element of an object or an array, and past its end when there is none.
func (d *decoder) enter(end byte) bool {
	d.at++
	d.space()
	return !d.over(end)
}

func (d *decoder) next(end byte) bool {
	d.space()
	if d.over(end) {
		return false
	}
	d.at++ // the comma
	d.space()
	return true
}

func (d *decoder) over(end byte) bool {
	if d.json[d.at] != end {
		return false
	}
	d.at++
	return true
}

func (d *decoder) space() {
	for d.at < len(d.json) && (d.json[d.at] == ' ' || d.json[d.at] == '\n' || d.json[d.at] == '\t' || d.json[d.at] == '\r') {
		d.at++
	}
}

// skip returns the next value, or the name of a field, as it is written.
func (d *decoder) skip() []byte {
	d.space()
	start, depth := d.at, 0
	for ; d.at < len(d.json); d.at++ {
		switch d.json[d.at] {
		case '"':
			for d.at++; d.json[d.at] != '"'; d.at++ {
				if d.json[d.at] == '\\' {
					d.at++
				}
			}
			if depth == 0 {
				d.at++
				return d.json[start:d.at]
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the end of what holds the value
				return d.json[start:d.at]
			}
			if depth--; depth == 0 {
				d.at++
				return d.json[start:d.at]
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return d.json[start:d.at]
			}
		}
	}
	return d.json[start:]
}

func unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var text string
	_ = json.Unmarshal(raw, &text)
	return text
}

// loneSurrogate reports whether a string is written with half of a surrogate pair, which Go reads as U+FFFD: RFC 8259, section 8.2.
func loneSurrogate(raw []byte) bool {
	for high := false; ; {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || raw[i+1] != 'u' {
			if high {
				return true
			}
			if i < 0 {
				return false
			}
			raw = raw[i+2:]
			continue
		}
		unit, _ := strconv.ParseUint(string(raw[i+2:i+6]), 16, 16)
		low := 0xdc00 <= unit && unit <= 0xdfff
		if low != high || high && i > 0 {
			return true
		}
		high = 0xd800 <= unit && unit <= 0xdbff
		raw = raw[i+6:]
	}
}

// mustBeBounded panics when the schema of a body does not say how much the body may hold: a decoder relies on it.
func mustBeBounded(where string, s *openapi3.Schema) {
	unbounded := func(why string) { panic(fmt.Sprintf("the document does not bound %s: %s", where, why)) }
	switch {
	case len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) > 0:
		unbounded("it is composed of several schemas")
	case len(s.Type.Slice()) != 1:
		unbounded("it has no type, or several")
	case s.Type.Is(openapi3.TypeObject):
		if s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has {
			unbounded("no additionalProperties: false")
		}
		for name, property := range s.Properties {
			mustBeBounded(where+"/"+name, property.Value)
		}
	case s.Type.Is(openapi3.TypeArray):
		if s.MaxItems == nil || s.Items == nil {
			unbounded("no maxItems, or no items")
		}
		mustBeBounded(where+"/*", s.Items.Value)
	case s.Type.Is(openapi3.TypeString) && s.MaxLength == nil && s.Enum == nil:
		unbounded("no maxLength")
	}
}

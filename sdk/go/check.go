package b2b

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"example.com/b2b/v2/openapi/contract"
)

const jsonType = "application/json"

// check returns nil when the answer is a success of the operation. Otherwise the error says why the answer is
// not a success.
func (op operation) check(res *http.Response, body []byte) error {
	isSuccess, found := op.ok[res.StatusCode]
	switch {
	case !found && res.StatusCode/100 != 2:
		return errors.New("it has no code of an error")
	case !found && op.files == nil:
		return errors.New("the operation has no such status")
	case !found || mediaType(res) != jsonType:
		return fmt.Errorf("the content type is %q", res.Header.Get("Content-Type"))
	}
	return isSuccess(body)
}

func mediaType(res *http.Response) string {
	name, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	return name
}

// success checks that body is JSON of type T, and that the field success is true.
func success[T any](body []byte) error {
	if _, err := decode[T](body); err != nil {
		return err
	}
	var envelope struct {
		Success bool `json:"success"`
	}
	if err := contract.Unmarshal(body, &envelope); err != nil || !envelope.Success {
		return errors.New("/success is not true")
	}
	return nil
}

// decode decodes text into a T. It fails for malformed JSON, for a value of another type, and for a required
// field that is absent or null. The decoder of encoding/json would leave such a field at its zero value.
func decode[T any](text []byte) (decoded T, err error) {
	var content any
	if err = contract.Unmarshal(text, &content); err == nil {
		err = complete(reflect.TypeFor[T](), content, "")
	}
	if err == nil {
		err = contract.Unmarshal(text, &decoded)
	}
	return decoded, err
}

// complete checks that content has all required fields of the generated type t. In a generated type, an
// optional field has omitempty, and a field that may be null is a pointer. The parameter content is decoded
// JSON, and pointer is the JSON pointer to it, for the error.
func complete(t reflect.Type, content any, pointer string) error {
	if t.Kind() == reflect.Pointer {
		if content == nil {
			return nil
		}
		t = t.Elem()
	}
	switch content := content.(type) {
	case nil:
		return fmt.Errorf("%s is null", pointer)
	case []any:
		for i, item := range content {
			if t.Kind() != reflect.Slice {
				break // decode reports the wrong type afterwards
			}
			if err := complete(t.Elem(), item, fmt.Sprintf("%s/%d", pointer, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			break
		}
		for _, field := range reflect.VisibleFields(t) {
			name, options, isField := strings.Cut(field.Tag.Get("json"), ",")
			if name == "" {
				continue // an embedded struct: VisibleFields also lists the fields inside
			}
			value, found := content[name]
			if isOptional := isField && strings.Contains(options, "omit"); isOptional && value == nil {
				continue
			}
			if !found {
				return fmt.Errorf("%s/%s is missing", pointer, name)
			}
			if err := complete(field.Type, value, pointer+"/"+name); err != nil {
				return err
			}
		}
	}
	return nil
}

// text returns the string in raw JSON, and "" for any other JSON value.
func text(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s)
	return s
}

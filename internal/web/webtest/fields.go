package webtest

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// EveryField returns a body with every property that a request schema of the contract has, each with the document's example.
func EveryField(t testing.TB, spec *openapi3.T, schema string) map[string]any {
	t.Helper()
	return example(t, schema, spec.Components.Schemas[schema].Value).(map[string]any)
}

func example(t testing.TB, name string, s *openapi3.Schema) any {
	t.Helper()
	switch {
	case s.Type.Is("object"):
		body := map[string]any{}
		for property, of := range s.Properties {
			body[property] = example(t, name+"."+property, of.Value)
		}
		return body
	case s.Type.Is("array"):
		return []any{example(t, name, s.Items.Value)}
	case s.Example == nil:
		t.Errorf("%s has no example", name)
	}
	return s.Example
}

// ComesBack fails for every field of what was sent that the answer does not have, under the same name and with the same value: it
// was forgotten on the way to the database or back.
func ComesBack(t testing.TB, name string, sent, answered any) {
	t.Helper()
	switch sent := sent.(type) {
	case map[string]any:
		got, _ := answered.(map[string]any)
		for field, value := range sent {
			if back, there := got[field]; there {
				ComesBack(t, name+"."+field, value, back)
			} else {
				t.Errorf("%s.%s does not come back", name, field)
			}
		}
	case []any:
		got, _ := answered.([]any)
		if len(got) != len(sent) {
			t.Errorf("%s has %d elements, want %d", name, len(got), len(sent))
			return
		}
		for i := range sent {
			ComesBack(t, name, sent[i], got[i])
		}
	default:
		if !reflect.DeepEqual(plain(sent), plain(answered)) {
			t.Errorf("%s is %v, want %v", name, answered, sent)
		}
	}
}

// NeverShown fails for every property of a response schema that is null or absent in all of the answers: its column, or the code
// that shows it, was forgotten.
func NeverShown(t testing.TB, spec *openapi3.T, schema string, answers ...map[string]any) {
	t.Helper()
	for property := range spec.Components.Schemas[schema].Value.Properties {
		if !slices.ContainsFunc(answers, func(a map[string]any) bool { return a[property] != nil }) {
			t.Errorf("%s.%s is never shown", schema, property)
		}
	}
}

// Data sends a body as JSON, nil for none, and returns the data of the answer, which must be a success.
func Data(t testing.TB, method, url string, body any, headers ...string) map[string]any {
	t.Helper()
	var encoded []byte
	if body != nil {
		encoded, _ = json.Marshal(body)
	}
	status, answer, _ := Do(t, method, url, string(encoded), append(headers, "Content-Type", "application/json")...)
	var decoded struct{ Data map[string]any }
	if err := json.Unmarshal(answer, &decoded); err != nil || status >= 300 {
		t.Fatalf("%s %s: %d %s", method, url, status, answer)
	}
	return decoded.Data
}

func plain(v any) (p any) {
	encoded, _ := json.Marshal(v)
	_ = json.Unmarshal(encoded, &p)
	return p
}

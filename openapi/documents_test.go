// Package openapi_test checks properties of the OpenAPI documents on which clients and generators rely.
package openapi_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/apperr"
)

// texts returns the served document of every service, by the name of the service.
func texts(t *testing.T) map[string][]byte {
	files, err := filepath.Glob("*api/openapi.gen.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v %v", files, err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Dir(file), "api")] = text
	}
	return all
}

func documents(t *testing.T) map[string]map[string]any {
	all := map[string]map[string]any{}
	for name, text := range texts(t) {
		var document map[string]any
		if err := yaml.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		all[name] = document
	}
	return all
}

// each calls visit for every mapping in the node, with the path to the mapping.
func each(path string, node any, visit func(path string, m map[string]any)) {
	switch node := node.(type) {
	case map[string]any:
		visit(path, node)
		for key, value := range node {
			each(path+"/"+key, value, visit)
		}
	case []any:
		for _, value := range node {
			each(path+"/-", value, visit)
		}
	}
}

// TestNamesMeanOneThing checks that a component is the same in all documents that have its name. Otherwise
// the documents could not be joined.
func TestNamesMeanOneThing(t *testing.T) {
	type meaning struct {
		document string
		value    any
	}
	seen := map[string]meaning{}
	for name, document := range documents(t) {
		for kind, components := range document["components"].(map[string]any) {
			for component, value := range components.(map[string]any) {
				key := kind + " " + component
				if first, found := seen[key]; found && !reflect.DeepEqual(first.value, value) {
					t.Errorf("%s is one thing in %s and another in %s", key, first.document, name)
				}
				seen[key] = meaning{name, value}
			}
		}
	}
}

// TestForGenerators checks that the documents have only features that the generators of partners support.
// test/generators/run runs these generators.
func TestForGenerators(t *testing.T) {
	for name, document := range documents(t) {
		each(name, document, func(path string, m map[string]any) {
			for key := range m {
				if strings.HasPrefix(key, "x-go") || key == "x-order" {
					t.Errorf("%s says %s, which is for our own generator", path, key)
				}
			}
			if m["format"] == "date-time" && (m["pattern"] != nil || m["minLength"] != nil || m["maxLength"] != nil) {
				t.Errorf("%s bounds the text of a time, which clients have parsed by then", path)
			}
			if _, isEnum := m["enum"].([]any); isEnum && m["nullable"] == true {
				t.Errorf("%s is an enum that may be null", path)
			}
			if properties, isObject := m["properties"].(map[string]any); isObject &&
				m["additionalProperties"] == nil {
				t.Errorf("%s with %d fields does not say whether there may be others", path, len(properties))
			}
			for _, required := range requiredOf(m) {
				if properties, _ := m["properties"].(map[string]any); properties[required] == nil {
					t.Errorf("%s requires %s, which it does not have", path, required)
				}
			}
		})
		info := document["info"].(map[string]any)
		if info["contact"] == nil || info["license"].(map[string]any)["url"] != nil {
			t.Errorf("%s: contact %v, license %v", name, info["contact"], info["license"])
		}
		// Error is a type of some languages. Other documents have an Order and a Customer with a different
		// meaning.
		for _, schema := range []string{"Error", "Order", "Customer"} {
			if schema != "Error" && name != "orchestrator" {
				continue
			}
			if document["components"].(map[string]any)["schemas"].(map[string]any)[schema] != nil {
				t.Errorf("%s calls a schema %s", name, schema)
			}
		}
	}
}

// TestNamesForGenerators checks that no schema has a name that a generator makes for something else: a class
// of its own, or a class for an operation or for another schema. A client with the same name twice would not
// compile or not load.
func TestNamesForGenerators(t *testing.T) {
	runtime := []string{
		"ApiClient", "ApiError", "ApiException", "ApiResponse", "CancelablePromise", "CancelError", "Client",
		"Configuration", "Error", "Exception", "HttpError", "ModelInterface", "ObjectSerializer", "OpenAPI",
		"OpenAPIConfig", "Request", "RequestOptions", "Response", "ValidationError",
	}
	for name, document := range documents(t) {
		schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
		derived := map[string]string{} // what a generator makes the name for, by the name in lower case
		for _, class := range runtime {
			derived[strings.ToLower(class)] = "a class of generators"
		}
		for schema, s := range schemas {
			m := s.(map[string]any)
			if m["properties"] != nil || m["allOf"] != nil || m["enum"] != nil {
				derived["new"+strings.ToLower(schema)] = "the constructor of " + schema
				derived["nullable"+strings.ToLower(schema)] = "the nullable " + schema
			}
		}
		each("", document["paths"], func(_ string, m map[string]any) {
			if id, isOperation := m["operationId"].(string); isOperation {
				for _, part := range []string{"Request", "Response", "Params", "Body", "Data", "Error", "Result"} {
					derived[strings.ToLower(id+part)] = "the " + part + " of " + id
				}
			}
		})
		for kind, components := range document["components"].(map[string]any) {
			for component := range components.(map[string]any) {
				if kind != "schemas" && kind != "headers" { // generators make no type for a header
					derived[strings.ToLower(component)] = "in " + kind
				}
			}
		}
		constants := map[string]string{}
		for schema, s := range schemas {
			if origin, found := derived[strings.ToLower(schema)]; found {
				t.Errorf("%s: %s is also %s", name, schema, origin)
			}
			values, _ := s.(map[string]any)["enum"].([]any)
			names, isNamed := s.(map[string]any)["x-enum-varnames"].([]any)
			if isNamed && len(names) != len(values) {
				t.Errorf("%s: %d names for %d values of %s", name, len(names), len(values), schema)
			} else if isNamed {
				values = names
			}
			for _, value := range values {
				constant := strings.Trim(strings.ToUpper(value.(string)), "-+_")
				if first, found := constants[constant]; found {
					t.Errorf("%s: the constant %s is in %s and in %s", name, constant, first, schema)
				}
				constants[constant] = schema
			}
		}
	}
}

func requiredOf(m map[string]any) (names []string) {
	list, _ := m["required"].([]any)
	for _, name := range list {
		names = append(names, name.(string))
	}
	return names
}

// TestCodesOfTheCatalogue checks that each document lists the codes of the catalogue, and that error
// responses have examples only of these codes. Each operation, except those of /health and /ready, must
// declare 429, and each operation with a parameter in its path must declare 404.
func TestCodesOfTheCatalogue(t *testing.T) {
	var names []string
	statuses := map[string][]string{}
	for _, c := range apperr.Catalogue() {
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
		statuses[c.Name] = append(statuses[c.Name], strings.TrimSpace(c.When))
	}
	for name, document := range documents(t) {
		components := document["components"].(map[string]any)
		var listed []string
		schemas := components["schemas"].(map[string]any)
		for _, code := range schemas["ErrorCode"].(map[string]any)["x-extensible-enum"].([]any) {
			listed = append(listed, code.(string))
		}
		if !slices.Equal(listed, names) {
			t.Errorf("%s lists the codes %v, want %v", name, listed, names)
		}
		for path, item := range document["paths"].(map[string]any) {
			for method, operation := range item.(map[string]any) {
				operation, ok := operation.(map[string]any)
				if !ok {
					continue
				}
				responses := operation["responses"].(map[string]any)
				if responses["429"] == nil && path != "/health" && path != "/ready" {
					t.Errorf("%s: %s %s does not declare 429", name, method, path)
				}
				if strings.Contains(path, "{") && responses["404"] == nil {
					t.Errorf(
						"%s: %s %s names a thing, and declares no 404: the catalogue says which code", name,
						method, path,
					)
				}
				for status, response := range responses {
					ref, _ := response.(map[string]any)["$ref"].(string)
					if status < "400" {
						continue
					}
					id := strings.TrimPrefix(ref, "#/components/responses/")
					answer := components["responses"].(map[string]any)[id].(map[string]any)
					media := answer["content"].(map[string]any)["application/json"].(map[string]any)
					for code := range media["examples"].(map[string]any) {
						if statuses[code] == nil {
							t.Errorf(
								"%s: %s %s answers %s %s, which the catalogue does not have", name, method,
								path, status, code,
							)
						}
					}
				}
			}
		}
	}
}

package tests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/eventsapi"
	"example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/ordersapi"
	b2b "example.com/b2b/v2/sdk/go"
)

// TestEveryOperation calls each operation of the OpenAPI documents several times. An answer that is the
// example of the document must be a success. Each other answer must become an Error with the status, the
// idempotency key and the correlation id.
func TestEveryOperation(t *testing.T) {
	var status int
	var mediaType, body, key string
	options := b2b.Options{Customers: nowhere, Orders: nowhere, Events: nowhere, Orchestrator: nowhere}
	options.HTTPClient = &http.Client{
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			key = r.Header.Get("X-Idempotency-Key")
			if r.Body != nil {
				var sent struct {
					Key string `json:"idempotency_key"`
				}
				content := must(io.ReadAll(r.Body))(t)
				_ = json.Unmarshal(content, &sent) // fails for an import, because a file is not JSON
				key += sent.Key
			}
			header := http.Header{"Content-Type": {mediaType}, "X-Correlation-Id": {"of-the-answer"}}
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
		}),
	}
	client := must(b2b.New(options))(t)
	calls := 0
	for _, service := range []struct {
		client   any
		document []byte
	}{
		{client.Customers, customersapi.Document}, {client.Orders, ordersapi.Document},
		{client.Orchestrator, orchestratorapi.Document}, {client.Events, eventsapi.Document},
	} {
		var document struct {
			Paths map[string]map[string]yaml.Node
		}
		must(0, yaml.Unmarshal(service.document, &document))(t)
		for path, methods := range document.Paths {
			for method, node := range methods {
				var op struct {
					ID        string `yaml:"operationId"`
					Tags      []string
					Responses map[string]struct {
						Content map[string]struct{ Example any }
					}
				}
				if method == "parameters" {
					continue
				}
				must(0, node.Decode(&op))(t)
				if slices.Contains(op.Tags, "Operations") || slices.Contains(op.Tags, "Internal") {
					continue
				}
				calls++
				t.Run(op.ID, func(t *testing.T) {
					due, example := "200", ""
					if _, found := op.Responses["201"]; found {
						due = "201"
					}
					status, _ = strconv.Atoi(due)
					_, isJSON := op.Responses[due].Content["application/json"]
					if mediaType = "application/x-ndjson"; isJSON {
						mediaType = "application/json"
						content, err := json.Marshal(op.Responses[due].Content[mediaType].Example)
						example = string(must(content, err)(t))
					}
					body = example
					if err := call(t, service.client, op.ID); err != nil {
						t.Fatalf("the example of %s %s: %v", method, path, err)
					}
					odd := [][2]string{{"", example}, {"text/html", example}, {"text/html", "<html>"}}
					if isJSON {
						odd = append(odd, [][2]string{
							{mediaType, ""}, {mediaType, example[:len(example)/2]}, {mediaType, "null"},
							{mediaType, `{"success":true}`}, {mediaType, `{"success":true,"data":null}`},
							{mediaType, strings.Replace(example, `"success":true`, `"success":false`, 1)},
							{mediaType, strings.Replace(example, `"data":`, `"data":7,"novel":`, 1)},
						}...)
					}
					for _, answer := range odd {
						// Replace has changed nothing in an example without data.
						if answer == [2]string{"application/json", example} {
							continue
						}
						mediaType, body = answer[0], answer[1]
						err := call(t, service.client, op.ID)
						var failed *b2b.Error
						if !errors.As(err, &failed) || failed.Code != b2b.UnexpectedAnswer ||
							failed.Status != status || failed.IdempotencyKey != key ||
							failed.CorrelationID != "of-the-answer" || failed.Operation != op.ID {
							t.Errorf("%q: %+v, with the key %q", answer, err, key)
						}
					}
				})
			}
		}
	}
	if calls < 25 {
		t.Errorf("only %d calls", calls)
	}
}

// call calls an operation of a generated client with simple arguments, which are valid in the path. After a
// success it checks that the response has the decoded JSON.
func call(t *testing.T, client any, operationID string) error {
	t.Helper()
	name := strings.ToUpper(operationID[:1]) + operationID[1:]
	method := reflect.ValueOf(client).MethodByName(name + "WithResponse")
	if !method.IsValid() {
		method = reflect.ValueOf(client).MethodByName(name + "WithBodyWithResponse")
	}
	arguments := []reflect.Value{reflect.ValueOf(t.Context())}
	for i := 1; i < method.Type().NumIn()-1; i++ {
		argument := reflect.New(method.Type().In(i)).Elem()
		switch argument.Kind() {
		case reflect.Int64:
			argument.SetInt(1)
		case reflect.String:
			argument.SetString("a")
		case reflect.Interface:
			argument.Set(reflect.ValueOf(bytes.NewReader(nil)))
		}
		arguments = append(arguments, argument)
	}
	results := method.Call(arguments)
	if err, failed := results[1].Interface().(error); failed {
		return err
	}
	answer := results[0].Elem()
	for _, field := range []string{"JSON200", "JSON201"} {
		if f := answer.FieldByName(field); f.IsValid() && !f.IsNil() {
			return nil
		}
	}
	if strings.HasPrefix(operationID, "import") || strings.HasPrefix(operationID, "export") {
		return nil
	}
	return fmt.Errorf("%s has neither an error nor an answer", operationID)
}

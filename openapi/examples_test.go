package openapi_test

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/openapi/customersapi"
	"example.com/b2b/openapi/orchestratorapi"
	"example.com/b2b/openapi/ordersapi"
)

// TestExamples holds every example in the documents to its schema, and the documents to OpenAPI.
func TestExamples(t *testing.T) {
	for _, document := range [][]byte{customersapi.Document, ordersapi.Document, orchestratorapi.Document} {
		doc, err := openapi3.NewLoader().LoadFromData(document)
		if err != nil {
			t.Fatal(err)
		}
		err = doc.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaDefaultsValidation(), openapi3.EnableMultiError())
		if err != nil {
			t.Errorf("%s: %v", doc.Info.Title, err)
		}
	}
}

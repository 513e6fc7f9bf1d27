package openapi_test

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestExamples validates every example in the documents against its schema, and the documents against
// OpenAPI.
func TestExamples(t *testing.T) {
	for _, document := range texts(t) {
		doc, err := openapi3.NewLoader().LoadFromData(document)
		if err != nil {
			t.Fatal(err)
		}
		err = doc.Validate(
			t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaDefaultsValidation(),
			openapi3.EnableMultiError(),
		)
		if err != nil {
			t.Errorf("%s: %v", doc.Info.Title, err)
		}
	}
}

package customers

import (
	"testing"

	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/customersapi"
)

// TestKeyedOperations checks that keyedOperations has the operations that take a key in the OpenAPI document.
func TestKeyedOperations(t *testing.T) {
	spec := webtest.Spec(t, api.Document)
	for path, item := range spec.Paths.Map() {
		for _, operation := range item.Operations() {
			_, known := keyedOperations.Find(operation.OperationID)
			takes := operation.Parameters.GetByInAndName("header", "X-Idempotency-Key") != nil
			if takes != known {
				t.Errorf("%s of %s takes a key: %v; it is one of keyedOperations: %v",
					operation.OperationID, path, takes, known)
			}
		}
	}
	name := spec.Components.Schemas["CustomerKeyedOperation"].Value.Properties["operation"].Value
	listed := name.Extensions["x-extensible-enum"].([]any)
	if len(listed) != len(keyedOperations) {
		t.Errorf("the document knows %v, the code %v", listed, keyedOperations)
	}
	for _, name := range listed {
		if _, known := keyedOperations.Find(name.(string)); !known {
			t.Errorf("the document knows %s, the code does not", name)
		}
	}
}

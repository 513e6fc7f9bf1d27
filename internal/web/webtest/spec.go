package webtest

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Spec reads a contract.
func Spec(t testing.TB, document []byte) *openapi3.T {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

package webtest

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestCheckCode(t *testing.T) {
	answer := func(examples openapi3.Examples) *openapi3.ResponseRef {
		return &openapi3.ResponseRef{
			Value: &openapi3.Response{
				Content: openapi3.Content{"application/json": &openapi3.MediaType{Examples: examples}},
			},
		}
	}
	named := openapi3.Examples{"order_not_found": &openapi3.ExampleRef{}}
	for body, fails := range map[string]bool{
		`{"code":"order_not_found"}`: false,
		`{"code":"internal"}`:        true,
		`{"success":true}`:           false,
	} {
		if err := checkCode(answer(named), []byte(body)); (err != nil) != fails {
			t.Errorf("%s: %v", body, err)
		}
		if err := checkCode(answer(nil), []byte(body)); err != nil {
			t.Errorf("%s, without examples: %v", body, err)
		}
	}
}

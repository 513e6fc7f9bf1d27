package main

import (
	"encoding/json"
	"fmt"
	"regexp"

	"example.com/b2b/v2/openapi/ordersapi"
)

// answers has the types of bodies in sdk/odd-answers.json.
var answers = map[string]any{
	"order": new(ordersapi.OrderResponse), "product": new(ordersapi.ProductResponse),
	"page": new(ordersapi.ProductListResponse),
}

var answer = regexp.MustCompile(`(?m)^    "(\w+)": (".*"),$`)

// complete gives the bodies of sdk/odd-answers.json the fields that the documents require and the bodies
// lack: null, or the zero value of a type without null. The tests of every SDK read the file.
func complete(file []byte) ([]byte, error) {
	var failed error
	completed := answer.ReplaceAllFunc(file, func(line []byte) []byte {
		parts := answer.FindSubmatch(line)
		name := string(parts[1])
		typed, known := answers[name]
		if !known {
			return line
		}
		var text string
		err := json.Unmarshal(parts[2], &text)
		if err == nil {
			err = json.Unmarshal([]byte(text), typed)
		}
		if err != nil {
			failed = fmt.Errorf("sdk/odd-answers.json: %s: %w", name, err)
			return line
		}
		body, _ := json.Marshal(typed) // the generated types have no values that JSON lacks
		quoted, _ := json.Marshal(string(body))
		return fmt.Appendf(nil, "    %q: %s,", name, quoted)
	})
	return completed, failed
}

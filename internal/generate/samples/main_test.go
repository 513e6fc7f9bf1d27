package main

import (
	"strings"
	"testing"
)

// onText calls the function change with a text.
func onText(change func([]byte) ([]byte, error), text string) (string, error) {
	changed, err := change([]byte(text))
	return string(changed), err
}

// TestOddAnswers completes an answer. The rest of the file must stay as it is.
func TestOddAnswers(t *testing.T) {
	const before = `{
    "product": "{\"success\":true,\"data\":{\"id\":2}}",
    "other": "{}",
}`
	after, err := onText(oddAnswers, before)
	if err != nil || !strings.Contains(after, `\"data\":{\"id\":2,\"sku\":\"\",`) ||
		!strings.HasSuffix(after, "}}\",\n    \"other\": \"{}\",\n}") {
		t.Errorf("%v %s", err, after)
	}
	if again, err := onText(oddAnswers, after); err != nil || again != after {
		t.Errorf("%v %s", err, again)
	}
	if _, err := onText(oddAnswers, `    "order": "[]",`); err == nil || !strings.Contains(err.Error(), "[]") {
		t.Errorf("a body of another type: %v", err)
	}
}

// TestSeed completes an order. The times that the statement fills in, and the rest of the file, must stay.
func TestSeed(t *testing.T) {
	const head, tail = "SELECT 'order',\n    REPLACE('", "',\n      '@', created_at)\n"
	const own = `{"id":2,"external_ref":"<G>","created_at":"@","updated_at":"@","items":[]}`
	after, err := onText(seed, head+own+tail)
	if err != nil ||
		!strings.HasPrefix(after, head+`{"id":2,"customer_id":0,"external_ref":"<G>","metadata":null,`) ||
		!strings.Contains(after, `"created_at":"@"`) || !strings.HasSuffix(after, `"items":[]}`+tail) {
		t.Errorf("%v %s", err, after)
	}
	if again, err := onText(seed, after); err != nil || again != after {
		t.Errorf("%v %s", err, again)
	}
	_, err = onText(seed, `'{"id":2,"novel":1,"items":[]}'`)
	if err == nil || !strings.Contains(err.Error(), "novel") {
		t.Errorf("an unknown field: %v", err)
	}
}

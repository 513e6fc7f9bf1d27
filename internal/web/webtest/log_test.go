package webtest

import "testing"

func TestLeak(t *testing.T) {
	remember([]byte(`{"name":"Jane Roe","items":[{"reason":"Cliente enojado"}],"phone":"+1-555-0100","sku":"SKU-1"}`))
	Forbid("a secret of a process")
	for line, leak := range map[string]string{
		`{"path":"/orders/1","correlation_id":"a@example.com","idempotency_key":"Jane Roe"}`: "",
		`{"error":"/email must be an email address, such as name@example.com."}`:             "",
		`{"error":"SKU-1 is taken"}`:                              "",
		`{"error":"\u004aane Roe is no name"}`:                    "Jane Roe",
		`{"error":["no","Cliente enojado"]}`:                      "Cliente enojado",
		`{"a":{"b":"call +1-555-0100"}}`:                          "+1-555-0100",
		`{"error":"Duplicate entry 'jane@roe.example' for key"}`:  "jane@roe.example",
		`{"path":"/` + Token + `"}`:                               Token,
		`{"idempotency_key":"Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"}`: "eyJhbGciOiJIUzI1NiJ9",
		`panic: a secret of a process`:                            "a secret of a process",
	} {
		if got := Leak([]byte(line)); got != leak {
			t.Errorf("%s shows %q, want %q", line, got, leak)
		}
	}
}

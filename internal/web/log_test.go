package web_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/correlation"
	"example.com/b2b/internal/web"
	"example.com/b2b/internal/web/webtest"
)

// TestMisplacedToken sends a token wherever it does not belong. The log names such a call, and shows no part
// of the token.
func TestMisplacedToken(t *testing.T) {
	var log bytes.Buffer
	o := webtest.Options()
	o.Log = webtest.Log(&log)
	base := serveThings(t, o, succeed)
	token, err := o.Tokens.Issue(auth.Principal{Subject: "a"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for place, send := range map[string]func(){
		"path":             func() { webtest.Do(t, "GET", base+"/"+token, "") },
		"path of a key":    func() { webtest.Do(t, "GET", base+"/things/"+token, "") },
		"name of a filter": func() { webtest.Do(t, "GET", base+"/things?"+token+"=1", "") },
		"key":              func() { webtest.Do(t, "GET", base+"/things", "", web.IdempotencyHeader, "Bearer "+token) },
		"correlation id":   func() { webtest.Do(t, "GET", base+"/things", "", correlation.Header, token[:100]) },
		"field":            func() { webtest.Do(t, "POST", base+"/things", `{"`+token+`":1}`, "Content-Type", "application/json") },
	} {
		log.Reset()
		if send(); !strings.Contains(log.String(), "[token]") || strings.Contains(log.String(), token[:12]) {
			t.Errorf("%s: %s", place, &log)
		}
	}
}

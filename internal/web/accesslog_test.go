package web_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
)

// TestMisplacedToken sends a token in a path, a query, a body or another header. The log line of the request
// must have [token], and no part of the token.
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

// TestLogLine expects the operation and the caller in the log lines of requests. A line has no caller when
// the token is invalid, or when the operation needs no token. The line for a page has no operation and no
// caller.
func TestLogLine(t *testing.T) {
	var log bytes.Buffer
	o := webtest.Options()
	o.Log = webtest.Log(&log)
	base := serveThings(t, o, succeed)
	scoped := func(subject, scope string) string {
		text, err := o.Tokens.Issue(auth.Principal{Subject: subject, Scope: scope}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + text
	}
	bearer := func(subject string) string { return scoped(subject, auth.Admin) }
	long := strings.Repeat("\u00e9", 255)
	for _, c := range []struct{ path, authorization, operation, caller string }{
		{"/scoped", bearer("partner-7"), "getScoped", "partner-7"},
		{"/scoped?nobody_knows=1", bearer("partner-7"), "getScoped", "partner-7"},
		// The next request is refused, but its caller is known.
		{"/scoped", scoped("partner-8", auth.Scopes[0]), "getScoped", "partner-8"},
		{"/either", "", "getEither", "anonymous"},
		{"/old", "Bearer " + webtest.Token, "getOld", "service"},
		{"/scoped", "Bearer made-up", "getScoped", ""},
		{"/things", "", "listThings", ""}, // needs no caller
		{"/docs", bearer("partner-7"), "", ""},
		{"/things/file", bearer("partner-7"), "", ""}, // 405: the document has only POST there
		{"/scoped?" + strings.Repeat("x", 9999), bearer(long), "getScoped", strings.Repeat("\u00e9", 33) + "…"},
	} {
		log.Reset()
		webtest.Do(t, "GET", base+c.path, "", "Authorization", c.authorization)
		var line struct {
			Operation, Route, Caller, Client, Code string
			Status                                 int
			Out                                    *int   `json:"bytes_out"`
			Agent                                  string `json:"user_agent"`
		}
		err := json.Unmarshal(log.Bytes(), &line)
		if (line.Route == "") != (line.Operation == "") || (line.Code == "") != (line.Status < 400) ||
			line.Client != "127.0.0.1" || line.Out == nil || line.Agent != "Go-http-client/1.1" {
			t.Errorf("%s: %s", c.path, &log)
		}
		if err != nil || line.Operation != c.operation || line.Caller != c.caller || log.Len() > 4096 {
			t.Errorf("%s as %.20q: %v %s", c.path, c.authorization, err, &log)
		}
	}
}

// TestSlowLine expects the mark slow in the log line of a request that takes a second, and in no other line.
func TestSlowLine(t *testing.T) {
	var log bytes.Buffer
	o := webtest.Options()
	o.Log = webtest.Log(&log)
	base := serveThings(t, o, func(c *gin.Context) {
		if c.FullPath() == "/old" {
			time.Sleep(time.Second)
		}
		succeed(c)
	})
	for path, slow := range map[string]bool{"/old": true, "/either": false} {
		log.Reset()
		webtest.Do(t, "GET", base+path, "", "Authorization", "Bearer "+webtest.Token)
		if strings.Contains(log.String(), `"slow":true`) != slow {
			t.Errorf("%s: %s", path, &log)
		}
	}
}

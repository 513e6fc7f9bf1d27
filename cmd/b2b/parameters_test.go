package main

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/bulk"
	"example.com/b2b/internal/config"
	"example.com/b2b/internal/web/webtest"
)

var inPath = regexp.MustCompile(`\{\w+\}`)

// TestParametersEverywhere asks every operation of every document with a parameter that it does not know, and
// with numbers and booleans that JSON would write in another way.
func TestParametersEverywhere(t *testing.T) {
	everyOperation(
		t,
		config.Open,
		func(t *testing.T, _ auth.Tokens, base, method, path string, item *openapi3.PathItem, described *openapi3.Operation) {
			media := "application/json"
			if described.RequestBody != nil && described.RequestBody.Value.Content.Get(media) == nil {
				media = bulk.CSV
			}
			refused := func(path, field string) {
				t.Helper()
				status, body, _ := webtest.Do(
					t, method, base+inPath.ReplaceAllString(path, "1"), "{}", "Content-Type", media,
					"Authorization", "Bearer "+webtest.Token,
				)
				if status != http.StatusBadRequest || !strings.Contains(string(body), `"validation_failed"`) ||
					!strings.Contains(string(body), `"field":"`+field+`"`) {
					t.Errorf("%s: %d %s", path, status, body)
				}
			}
			refused(path+"?nobody_knows=1", "/query/nobody_knows")
			for _, p := range slices.Concat(item.Parameters, described.Parameters) {
				odd := []string{"%2B1", "01", "-01", "1.0", "1e0", "0x1", "%201", "1_0"}
				if p.Value.Schema.Value.Type.Is(openapi3.TypeBoolean) {
					odd = []string{"1", "0", "t", "F", "TRUE", "True", "yes", "%22true%22"}
				} else if !p.Value.Schema.Value.Type.Is(openapi3.TypeInteger) {
					continue
				}
				for _, value := range odd {
					switch p.Value.In {
					case openapi3.ParameterInPath:
						refused(strings.Replace(path, "{"+p.Value.Name+"}", value, 1), "/path/"+p.Value.Name)
					case openapi3.ParameterInQuery:
						refused(path+"?"+p.Value.Name+"="+value, "/query/"+p.Value.Name)
					}
				}
			}
		},
	)
}

// TestConcernsAllCustomers refuses a token that acts for one customer whatever changes products, and all that
// the document says is not for one customer, whatever scopes it has.
func TestConcernsAllCustomers(t *testing.T) {
	n := 0
	everyOperation(
		t,
		config.OnlyJWT,
		func(t *testing.T, tokens auth.Tokens, base, method, path string, _ *openapi3.PathItem, described *openapi3.Operation) {
			ofAll := described.Extensions["x-concerns-all-customers"] == true
			for _, needed := range *described.Security {
				ofAll = ofAll || slices.Contains(needed["bearerAuth"], "products:write")
			}
			if !ofAll {
				return
			}
			n++
			for _, p := range []auth.Principal{{Subject: "partner", Customer: 1, Scope: auth.Admin}, {Subject: "partner", Customer: 1, Scope: strings.Join(auth.Scopes, " ")}, {Subject: "clerk", Scope: auth.Admin}} {
				token, err := tokens.Issue(p, time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				for _, headers := range [][]string{{"Authorization", "Bearer " + token}, {"Authorization", "Bearer " + webtest.Token, auth.ActingForHeader, p.ActingFor()}} {
					status, body, _ := webtest.Do(
						t,
						method,
						base+inPath.ReplaceAllString(path, "1"),
						"{}",
						append(headers, "Content-Type", "application/json")...)
					if p.Customer == 0 {
						if status == http.StatusForbidden {
							t.Errorf("bound to no customer: %d %s", status, body)
						}
						continue
					}
					webtest.WantError(t, status, body, 403, "forbidden", "/header/Authorization")
				}
			}
		},
	)
	if n < 6 {
		t.Errorf("only %d operations", n)
	}
}

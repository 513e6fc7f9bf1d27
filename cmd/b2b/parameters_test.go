package main

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/web/webtest"
)

var inPath = regexp.MustCompile(`\{\w+\}`)

// TestParametersEverywhere calls every operation of every document with an unknown parameter, and with
// numbers and booleans that are not in the notation of JSON. Each call must be refused with 400
// validation_failed.
func TestParametersEverywhere(t *testing.T) {
	everyOperation(t, config.Open, func(t *testing.T, o operation) {
		media := "application/json"
		if o.RequestBody != nil && o.RequestBody.Value.Content.Get(media) == nil {
			media = bulk.CSV
		}
		wantRefused := func(path, field string) {
			t.Helper()
			url := o.base + inPath.ReplaceAllString(path, "1")
			headers := []string{"Content-Type", media, "Authorization", "Bearer " + webtest.Token}
			status, body, _ := webtest.Do(t, o.method, url, "{}", headers...)
			if status != http.StatusBadRequest || !strings.Contains(string(body), `"validation_failed"`) ||
				!strings.Contains(string(body), `"field":"`+field+`"`) {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		wantRefused(o.path+"?nobody_knows=1", "/query/nobody_knows")
		for _, p := range slices.Concat(o.item.Parameters, o.Parameters) {
			odd := []string{"%2B1", "01", "-01", "1.0", "1e0", "0x1", "%201", "1_0"}
			if p.Value.Schema.Value.Type.Is(openapi3.TypeBoolean) {
				odd = []string{"1", "0", "t", "F", "TRUE", "True", "yes", "%22true%22"}
			} else if !p.Value.Schema.Value.Type.Is(openapi3.TypeInteger) {
				continue
			}
			for _, value := range odd {
				switch p.Value.In {
				case openapi3.ParameterInPath:
					wantRefused(strings.Replace(o.path, "{"+p.Value.Name+"}", value, 1), "/path/"+p.Value.Name)
				case openapi3.ParameterInQuery:
					wantRefused(o.path+"?"+p.Value.Name+"="+value, "/query/"+p.Value.Name)
				}
			}
		}
	})
}

// TestConcernsAllCustomers checks that a token for one customer can neither change products nor call the
// operations that the document marks with x-concerns-all-customers, even with all scopes.
func TestConcernsAllCustomers(t *testing.T) {
	operations := 0
	everyOperation(t, config.OnlyJWT, func(t *testing.T, o operation) {
		concernsAll := o.Extensions["x-concerns-all-customers"] == true
		for _, requirement := range *o.Security {
			concernsAll = concernsAll || slices.Contains(requirement["bearerAuth"], "products:write")
		}
		if !concernsAll {
			return
		}
		operations++
		for _, p := range []auth.Principal{
			{Subject: "partner", Customer: 1, Scope: auth.Admin},
			{Subject: "partner", Customer: 1, Scope: strings.Join(auth.Scopes, " ")},
			{Subject: "clerk", Scope: auth.Admin},
		} {
			token, err := o.Issue(p, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			for _, headers := range [][]string{
				{"Authorization", "Bearer " + token},
				{"Authorization", "Bearer " + webtest.Token, auth.ActingForHeader, p.ActingFor()},
			} {
				headers = append(headers, "Content-Type", "application/json")
				status, body, _ := webtest.Do(t, o.method, o.url(), "{}", headers...)
				if p.Customer == 0 {
					if status == http.StatusForbidden {
						t.Errorf("bound to no customer: %d %s", status, body)
					}
					continue
				}
				webtest.WantError(t, status, body, 403, "forbidden", "/header/Authorization")
			}
		}
	})
	if operations < 6 {
		t.Errorf("only %d operations", operations)
	}
}

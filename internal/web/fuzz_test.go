package web_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/formats"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/ordersapi"
)

// bodies lists operations with a body, and their documents.
var bodies = []struct {
	document []byte
	path     string
}{
	{ordersapi.Document, "/orders"},
	{ordersapi.Document, "/products"},
	{ordersapi.Document, "/products/{id}/stock-adjustments"},
	{ordersapi.Document, "/orders/{id}/cancel"},
	{customersapi.Document, "/customers"},
}

// FuzzBody sends bodies. The engine must refuse a body, or pass the body unchanged to the handler. A body
// that reaches the handler must be valid by the document.
func FuzzBody(f *testing.F) {
	var got any // the body that the handler received last
	type target struct {
		engine   web.Engine
		schema   *openapi3.Schema
		breaks   webtest.Breaks
		optional bool // the body may be left out
	}
	var targets []target
	for i, b := range bodies {
		o, spec := webtest.Options(), webtest.Spec(f, b.document)
		o.Document = b.document
		e := web.New(o)
		e.POST(strings.ReplaceAll(b.path, "{id}", ":id"), func(c *gin.Context) {
			if body, ok := c.Request.Body.(interface{ ValidatedValue() any }); ok {
				got = body.ValidatedValue()
			}
			c.Data(599, "application/json", []byte("{}")) // the engine itself never answers 599
		})
		body := spec.Paths.Value(b.path).Post.RequestBody.Value
		media := body.Content.Get("application/json")
		targets = append(targets, target{e, media.Schema.Value, webtest.Contract(f, spec), !body.Required})
		example, _ := json.Marshal(media.Example)
		f.Add(byte(i), "application/json", example)
		withSpaces := bytes.ReplaceAll(example, []byte(`":`), []byte("\" :\n"))
		f.Add(byte(i), "application/json; charset=utf-8", withSpaces)
	}
	for _, hostile := range []string{
		``, `{`, `null`, `[]`, `{}{}`, `"a"`, `{"qty":1,"qty":1000}`, `{"customer_id":1e0,"items":[]}`,
		`{"customer_id":9007199254740993,"items":[{"product_id":-0,"qty":1}]}`,
		`{"customer_id":1,"items":[{"product_id":1,"qty":1},{"product_id":1,"qty":1,"qty":2}],"\u0069tems":[]}`,
		`{"name":"\ud800","email":"a@b.c"}`,
		`{"name":"\\ud800\ud83d\ude00","email":" A@b.c\n","phone":null}`,
		`{"name":"` + strings.Repeat("é", 300) + `"}`, strings.Repeat(`[`, 3000), strings.Repeat(`{"a":`, 3000),
		`{"customer_id":1,"items":[{"product_id":null,"sku":"a","qty":1}],"metadata":null,"correlation_id":null}`,
		`{"":0,"~/":0}`, "\ufeff{}", "{\"name\":\"a\x00\"}", "\xff",
	} {
		for i := range targets {
			f.Add(byte(i), "application/json", []byte(hostile))
		}
	}
	f.Add(byte(0), "text/plain", []byte(`{}`))
	f.Add(byte(0), "application/json;;", []byte(`{}`))
	f.Fuzz(func(t *testing.T, which byte, contentType string, sent []byte) {
		n := int(which) % len(targets)
		r := httptest.NewRequest("POST", strings.ReplaceAll(bodies[n].path, "{id}", "1"), bytes.NewReader(sent))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set(web.IdempotencyHeader, "key")
		rec := httptest.NewRecorder()
		got = nil
		targets[n].engine.ServeHTTP(rec, r)
		if rec.Code != 599 {
			if err := targets[n].breaks(r, rec); err != nil || rec.Code < 400 || rec.Code >= 500 {
				t.Errorf("%q answered %d against the contract: %v\n%s", sent, rec.Code, err, rec.Body)
			}
			return
		}
		text := string(bytes.Trim(sent, " \t\r\n"))
		if got == nil && targets[n].optional && (len(sent) == 0 || text == "null") {
			return // the operation allows a missing body
		}
		var want any
		d := json.NewDecoder(bytes.NewReader(sent))
		d.UseNumber()
		err := d.Decode(&want)
		if want = withoutAbsent(want, targets[n].schema); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q was handed on as %v, want %v (%v)", sent, got, want, err)
		}
		err = targets[n].schema.VisitJSON(got, openapi3.VisitAsRequest(), openapi3.MultiErrors())
		if err != nil && !isEmail(err) {
			t.Errorf("%q was handed on: %v", sent, err)
		}
	})
}

// withoutAbsent removes each field with the value null that is optional and not nullable, as the engine does.
func withoutAbsent(value any, schema *openapi3.Schema) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = withoutAbsent(value[i], schema.Items.Value)
		}
	case map[string]any:
		for name, property := range schema.Properties {
			field, given := value[name]
			if given && field == nil && !property.Value.Nullable && !slices.Contains(schema.Required, name) {
				delete(value, name)
			} else if given {
				value[name] = withoutAbsent(field, property.Value)
			}
		}
	}
	return value
}

// isEmail reports whether email addresses are the only values that break the schema. The engine accepts
// spaces around an email address, because the services trim it.
func isEmail(err error) bool {
	all, ok := err.(openapi3.MultiError)
	return ok && !slices.ContainsFunc(all, func(err error) bool {
		e, ok := err.(*openapi3.SchemaError)
		return !ok || e.Schema.Format != "email"
	})
}

// FuzzListParameters sends queries of a list. The handler must receive only known parameters with valid
// values.
func FuzzListParameters(f *testing.F) {
	for _, query := range []string{
		"", "limit=0", "limit=101", "limit=1e1", "limit=%201", "limit=+1", "limit=0x1",
		"status=CREATED&customer_id=1&from=2024-01-01&to=2024-12-31T23:59:59%2B01:00&limit=10&cursor=5",
		"cursor=9007199254740992", "cursor=-1", "cursor=5;limit=1", "limit=1&limit=2", "limit=&cursor=", "limit[]=1",
		"from=2024-02-30", "from=2024-01-01T00:00:00 01:00", "status=created",
		"sort=-created_at&updated_since=2024-01-01", "sort=id", "customer=1", "ids=1,2&cancel_reason=requested", "ids=1,,2", "ids=01", "cancel_reason=x", "%zz", "a=%ff", "&&=&",
	} {
		f.Add(query)
	}
	o, spec := webtest.Options(), webtest.Spec(f, ordersapi.Document)
	o.Document = ordersapi.Document
	e, breaks := web.New(o), webtest.Contract(f, spec)
	var got url.Values
	e.GET("/orders", func(c *gin.Context) {
		got = c.Request.URL.Query()
		c.Data(599, "application/json", []byte("{}"))
	})
	whole := func(least, most int64) func(string) bool {
		return func(s string) bool {
			n, err := strconv.ParseInt(s, 10, 64)
			return err == nil && n >= least && n <= most
		}
	}
	oneOf := func(values ...string) func(string) bool {
		return func(s string) bool { return slices.Contains(values, s) }
	}
	date := formats.All["date-or-date-time"].Valid
	valid := map[string]func(string) bool{
		"limit":          whole(1, 100),
		"cursor":         whole(0, 1<<53-1),
		"customer_id":    whole(1, 1<<53-1),
		"from":           date,
		"to":             date,
		"confirmed_from": date,
		"confirmed_to":   date,
		"updated_since":  date,
		"sort":           oneOf("created_at", "-created_at"),
		"status":         oneOf("CREATED", "CONFIRMED", "CANCELED"),
		"cancel_reason":  oneOf("requested", "reservation_expired", "compensation"),
		"ids":            formats.All["ids"].Valid,
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/orders", nil)
		r.URL.RawQuery = query
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, r)
		if rec.Code != 599 {
			if err := breaks(r, rec); err != nil || rec.Code < 400 || rec.Code >= 500 {
				t.Errorf("%q answered %d against the contract: %v\n%s", query, rec.Code, err, rec.Body)
			}
			return
		}
		for name, values := range got {
			if valid[name] == nil || len(values) != 1 || !valid[name](values[0]) {
				t.Errorf("%q was handed on with %s=%q", query, name, values)
			}
		}
	})
}

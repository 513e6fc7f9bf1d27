package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/formats"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
)

const mebibyte = 1 << 20

// fill returns a body of at most 1 MiB: head, as many parts as fit, separated by commas, and tail. A %d in
// part becomes the number of the part.
func fill(head, part, tail string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 0; ; i++ {
		next := part
		if strings.Contains(part, "%d") {
			next = fmt.Sprintf(part, i)
		}
		if b.Len()+len(next)+len(tail)+1 > mebibyte {
			return b.String() + tail
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(next)
	}
}

// long returns a body of about 1 MiB: head, part as often as it fits, and tail.
func long(head, part, tail string) string {
	return head + strings.Repeat(part, (mebibyte-len(head)-len(tail))/len(part)) + tail
}

var hostile = map[string]struct {
	body   string
	status int
}{
	"zeros as items":        {fill(`{"customer_id":1,"items":[`, `0`, `]}`), 400},
	"objects as items":      {fill(`{"customer_id":1,"items":[`, `{"x":0}`, `]}`), 400},
	"valid items, too many": {fill(`{"customer_id":1,"items":[`, `{"product_id":1,"qty":1}`, `]}`), 400},
	"large items": {
		`{"items":[` + strings.Repeat(`{`+numbered(`"field%d":0,`, 700)+`"x":0},`, 99) + `{}]}`, 400,
	},
	"unknown fields":             {fill(`{`, `"f%d":0`, `}`), 400},
	"unknown fields, escaped":    {fill(`{`, `"\u0066":0`, `}`), 400},
	"repeated fields":            {fill(`{`, `"note":"x"`, `}`), 400},
	"repeated arrays":            {fill(`{`, `"items":[0]`, `}`), 400},
	"deep arrays":                {long(``, `[`, ``), 400},
	"deep arrays, unknown field": {`{"x":` + strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000) + `}`, 400},
	"deep objects": {
		`{"note":` + strings.Repeat(`{"a":`, 9000) + `0` + strings.Repeat(`}`, 9000) + `}`, 400,
	},
	"long string":             {long(`{"name":"`, `x`, `"}`), 400},
	"long string, escaped":    {long(`{"name":"`, `\u0041`, `"}`), 400},
	"long string, surrogates": {long(`{"name":"`, `\ud800`, `"}`), 400},
	"long string, quotes":     {long(`{"name":"`, `\"`, `"}`), 400},
	"long blank":              {long(`{"name":"`, "\u00a0", `"}`), 400},
	"long email":              {long(`{"email":"`, `(`, `@example.com"}`), 400},
	"long email, words":       {long(`{"email":"`, `a `, `<a@example.com>"}`), 400},
	"long string as number":   {long(`{"customer_id":"`, `1`, `"}`), 400},
	"long string, enum":       {long(`{"color":"`, `r`, `"}`), 400},
	"long enum, surrogates":   {long(`{"color":"`, `\ud800`, `"}`), 400},
	"pairs as items":          {fill(`{"items":[`, `"\ud83d\ude00"`, `]}`), 400},
	"deep items":              {`{"items":[` + strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000) + `]}`, 400},
	"huge number":             {long(`{"customer_id":`, `9`, `}`), 400},
	"huge fraction":           {long(`{"customer_id":0.`, `1`, `}`), 400},
	"huge exponent":           {long(`{"customer_id":1e`, `9`, `}`), 400},
	"long name of a field":    {long(`{"`, `x`, `":0}`), 400},
	"long name, quotes":       {long(`{"`, `\"`, `":0}`), 400},
	"not JSON":                {long(`{"name":"`, `x`, ``), 400},
	"not UTF-8":               {long(`{"name":"`, "\xff", `"}`), 400},
	"zeros at the top":        {fill(`[`, `0`, `]`), 400},
	"names of texts":          {fill(`{"texts":{`, `"%d":"x"`, `}}`), 400},
	"texts that are objects":  {fill(`{"texts":{"a":{`, `"%d":"x"`, `}}}`), 400},
	"long name of a text":     {long(`{"texts":{"`, `x`, `":"x"}}`), 400},
	"long name, surrogates":   {long(`{"texts":{"`, `\ud800`, `":"x"}}`), 400},
	"long text":               {long(`{"texts":{"a":"`, `x`, `"}}`), 400},
	"repeated texts":          {fill(`{"texts":{`, `"a":"x"`, `}}`), 400},
	"white space":             {long(`{"name":"x"`, " ", `}`), 200},
	"white space, lines":      {long(`{`, "\n", `"name":"x"}`), 200},
	"white space, largest order": {
		long(`{"items":[`+strings.Repeat(`{"product_id":1,"qty":1},`, 99)+`{"product_id":1,"qty":1}]`, ` `, `}`),
		200,
	},
}

func post(e http.Handler, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

// bind decodes the body as the generated handlers do.
func bind(c *gin.Context) {
	var value any
	if err := c.ShouldBindJSON(&value); err != nil {
		web.FailBinding(c, err)
		return
	}
	succeed(c)
}

// TestHostileBody sends hostile bodies of 1 MiB. The allocations, the answer and the log line must stay
// within bounds.
func TestHostileBody(t *testing.T) {
	for name, c := range hostile {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			o := webtest.Options()
			o.Log = webtest.Log(&log)
			e := things(t, o, bind)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w := post(e, "/things", c.body)
			runtime.ReadMemStats(&after)
			// About 100,000 of the shortest fields fit into a body. Each of them may cost three allocations.
			if n := after.Mallocs - before.Mallocs; n > 300_000 {
				t.Errorf("%d allocations", n)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 32*mebibyte {
				t.Errorf("%d bytes allocated", n)
			}
			if w.Code != c.status || w.Body.Len() > 64<<10 {
				t.Errorf("%d with %d bytes: %.300s", w.Code, w.Body.Len(), w.Body)
			}
			if log.Len() > 4096 || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("a log line of %d bytes", log.Len())
			}
			if details := detailsOf(t, w.Body.Bytes()); len(details) > 21 {
				t.Errorf("%d details", len(details))
			}
		})
	}
}

// BenchmarkHostileBody measures each hostile body. ns/op is CPU time, because nothing waits.
func BenchmarkHostileBody(b *testing.B) {
	for name, c := range hostile {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			e := things(b, webtest.Options(), bind)
			for b.Loop() {
				if w := post(e, "/things", c.body); w.Code != c.status {
					b.Fatalf("%d %.300s", w.Code, w.Body)
				}
			}
		})
	}
}

func detailsOf(t testing.TB, body []byte) []apperr.Detail {
	t.Helper()
	var e struct{ Details []apperr.Detail }
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return e.Details
}

func TestManyFindings(t *testing.T) {
	base := serveThings(t, webtest.Options(), succeed)
	for name, c := range map[string]struct {
		body string
		want int
		last string
	}{
		"20":             {`{` + strings.TrimSuffix(numbered(`"f%02d":0,`, 20), ",") + `}`, 20, "is not a known field"},
		"21":             {`{` + strings.TrimSuffix(numbered(`"f%02d":0,`, 21), ",") + `}`, 21, "and 1 more"},
		"1000":           {`{` + strings.TrimSuffix(numbered(`"f%02d":0,`, 1000), ",") + `}`, 21, "and 980 more"},
		"of both kinds":  {`{"customer_id":0,"name":"",` + strings.TrimSuffix(numbered(`"f%02d":0,`, 30), ",") + `}`, 21, "and 12 more"},
		"of the schema":  {`{"items":[` + strings.TrimSuffix(strings.Repeat(`{},`, 50), ",") + `]}`, 21, "and 80 more"},
		"too many items": {`{"items":[` + strings.TrimSuffix(strings.Repeat(`{"qty":0.5,"x":1},`, 101), ",") + `]}`, 1, "must have at most 100 items"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, _ := webtest.Do(t, "POST", base+"/things", c.body, "Content-Type", "application/json")
			details := detailsOf(t, body)
			if status != 400 || len(details) != c.want || details[len(details)-1].Message != c.last {
				t.Fatalf("%d with %d details: %s", status, len(details), body)
			}
			if strings.HasPrefix(c.last, "and ") && details[c.want-1].Field != "/body" {
				t.Errorf("the last detail is on %s", details[c.want-1].Field)
			}
		})
	}
}

// TestParams expects the details of an error to have params: the broken rule and its values, for programs.
func TestParams(t *testing.T) {
	base := serveThings(t, webtest.Options(), succeed)
	for body, want := range map[string]apperr.Params{
		`{"customer_id":0}`:                              {"rule": "minimum", "limit": 1},
		`{"customer_id":9007199254740992}`:               {"rule": "maximum", "limit": 9007199254740991},
		`{"customer_id":"x"}`:                            {"rule": "type", "type": "integer"},
		`{"customer_id":1.0}`:                            {"rule": "whole_number"},
		`{"items":[{"product_id":null,"qty":1}]}`:        {"rule": "not_null"},
		`{"customer_id":null}`:                           {"rule": "min_properties", "limit": 1},
		`{"customer_id":1,"customer_id":2}`:              {"rule": "repeated"},
		`{"name":""}`:                                    {"rule": "min_length", "limit": 1},
		`{"note":"` + strings.Repeat("x", 256) + `"}`:    {"rule": "max_length", "limit": 255},
		`{"email":"x"}`:                                  {"rule": "format", "format": "email"},
		`{"color":"green"}`:                              {"rule": "enum", "values": "red blue"},
		`{"delta":0}`:                                    {"rule": "not", "values": "0"},
		`{"items":[]}`:                                   {"rule": "min_items", "limit": 1},
		`{"items":[` + strings.Repeat("0,", 100) + `0]}`: {"rule": "max_items", "limit": 100},
		`{"items":[{"product_id":1}]}`:                   {"rule": "required"},
		`{"colour":"red"}`:                               {"rule": "unknown_field"},
		`{"part":{}}`:                                    {"rule": "required"},
		`{"part":{"id":1,"code":"x"}}`:                   {"rule": "exactly_one_of", "values": "id code"},
		`{"texts":{"a":"","b":"","c":"","d":""}}`:        {"rule": "max_properties", "limit": 3},
		`{"name":"\ud800"}`:                              {"rule": "surrogate_pair"},
		`{}`:                                             {"rule": "min_properties", "limit": 1},
		``:                                               {"rule": "required"},
	} {
		status, answer, _ := webtest.Do(t, "POST", base+"/things", body, "Content-Type", "application/json")
		encoded, _ := json.Marshal(want)
		if !strings.Contains(string(answer), `"params":`+string(encoded)) || status != 400 {
			t.Errorf("%s: %d %s, want %s", body, status, answer, encoded)
		}
	}
	for query, want := range map[string]string{
		"limit=x": `{"rule":"type","type":"integer"}`, "limit=0": `{"limit":1,"rule":"minimum"}`, "x=1": `{"rule":"unknown_parameter"}`,
		"limit=1&limit=1": `{"rule":"repeated"}`, "%zz": `{"rule":"query_string"}`, "search=%ff": `{"rule":"utf8"}`,
	} {
		status, answer, _ := webtest.Do(t, "GET", base+"/things?"+query, "")
		if !strings.Contains(string(answer), `"params":`+want) || status != 400 {
			t.Errorf("%s: %d %s, want %s", query, status, answer, want)
		}
	}
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestBody(t *testing.T) {
	base := serveThings(t, webtest.Options(), succeed)
	for body, want := range map[string][]apperr.Detail{
		`{"name":"x","customer_id":1,"delta":-1,"sure":true,"color":"red","note":null,"items":[{"product_id":1,"qty":2}]}`:             nil,
		" \r\n\t{ \"name\" : \"x\" , \"items\" : [ { \"product_id\" : 1 , \"qty\" : 2 } , { \"qty\" : 1 , \"product_id\" : 2 } ] } \n": nil,
		`{"name":"\ud83d\ude00 \\ud800 \"}{][\u00e9"}`: nil,
		`{"items":[{"product_id":1,"qty":1},{"product_id":2,"qty":1.0},{"product_id":1e2,"qty":1}]}`: {
			{Field: "/items/1/qty", Message: "must be written as a whole number, without fraction or exponent"},
			{Field: "/items/2/product_id", Message: "must be written as a whole number, without fraction or exponent"}},
		`{"delta":0}`:             {{Field: "/delta", Message: "must not be 0"}},
		`{"color":"green"}`:       {{Field: "/color", Message: `must be one of "red" "blue"`}},
		`{"name":"x","name":"y"}`: {{Field: "/name", Message: "was given more than once"}},
		`{"items":[{"product_id":1,"qty":1,"qty":1000}]}`:                               {{Field: "/items/0/qty", Message: "was given more than once"}},
		`{"items":[{"product_id":1,"qty":1},{"product_id":1,"qty":1,"\u0071ty":1000}]}`: {{Field: "/items/1/qty", Message: "was given more than once"}},
		`{"items":[{"product_id":1,"qty":1}],"items":[{"product_id":1,"qty":1000}]}`:    {{Field: "/items", Message: "was given more than once"}},
		`{"colour":"red"}`:                           {{Field: "/colour", Message: "is not a known field"}},
		`{"a\"~/\u0062":{"name":[1,"}",{}]},"n":[]}`: {{Field: `/a"~0~1b`, Message: "is not a known field"}, {Field: "/n", Message: "is not a known field"}},
		`{}`:  {{Field: "/body", Message: "must have at least 1 field"}},
		`[]`:  {{Field: "/body", Message: "must be an object"}},
		`"x"`: {{Field: "/body", Message: "must be an object"}},
		`{"items":{},"customer_id":[1],"name":{"x":1},"sure":0}`: {{Field: "/customer_id", Message: "must be an integer"},
			{Field: "/items", Message: "must be an array"}, {Field: "/name", Message: "must be a string"}, {Field: "/sure", Message: "must be a boolean"}},
		`{"items":[[],null,1]}`: {{Field: "/items/0", Message: "must be an object"}, {Field: "/items/1", Message: "must not be null"},
			{Field: "/items/2", Message: "must be an object"}},
		`{"name":"\ud800"}`:                              {{Field: "/name", Message: `must not have half of a surrogate pair, such as \ud800 alone`}},
		`{"name":"a\uDC00"}`:                             {{Field: "/name", Message: `must not have half of a surrogate pair, such as \ud800 alone`}},
		`{"name":"\ud83dx\ude00"}`:                       {{Field: "/name", Message: `must not have half of a surrogate pair, such as \ud800 alone`}},
		`{"name":"\ud83d\n\ude00"}`:                      {{Field: "/name", Message: `must not have half of a surrogate pair, such as \ud800 alone`}},
		`{"name":"\ud83d\ud83d"}`:                        {{Field: "/name", Message: `must not have half of a surrogate pair, such as \ud800 alone`}},
		`{"customer_id":1e400}`:                          {{Field: "/customer_id", Message: "must be written as a whole number, without fraction or exponent"}},
		`{"customer_id":1` + "0e-1}":                     {{Field: "/customer_id", Message: "must be written as a whole number, without fraction or exponent"}},
		`{"customer_id":99999999999}`:                    nil,
		`{"part":{"id":1}}`:                              nil,
		`{"part":{"code":"x"}}`:                          nil,
		`{"part":{}}`:                                    {{Field: "/part/id", Message: `is required: one of "id" "code"`}},
		`{"part":{"code":"x","id":1}}`:                   {{Field: "/part/code", Message: "must not be given beside id"}},
		`{"texts":{}}`:                                   nil,
		`{"texts":{"a":"x","\u0062":"\u00e9","c d":""}}`: nil,
		`{"texts":{"a":"x","b":"x","c":"x","d":"x"}}`:    {{Field: "/texts", Message: "must have at most 3 fields"}},
		`{"texts":{"a":"x","\u0061":"y"}}`:               {{Field: "/texts/a", Message: "was given more than once"}},
		`{"texts":{"abcdef":"x"," ":"12345678901"}}`: {{Field: "/texts/ ", Message: "must begin with a visible character, must not end with a space, and must have no control characters"},
			{Field: "/texts/abcdef", Message: "must have at most 5 characters"}},
		`{"texts":{"a":1,"b":null,"c":"12345678901"}}`: {{Field: "/texts/a", Message: "must be a string"}, {Field: "/texts/b", Message: "must not be null"}, {Field: "/texts/c", Message: "must have at most 10 characters"}},
		`{"texts":["a"]}`:          {{Field: "/texts", Message: "must be an object"}},
		`{"texts":{"\ud800":"x"}}`: {{Field: "/texts/\ufffd", Message: `must not have half of a surrogate pair, such as \ud800 alone`}},
	} {
		status, answer, _ := webtest.Do(t, "POST", base+"/things", body, "Content-Type", "application/json")
		got := detailsOf(t, answer)
		for i := range got { // check only that there are params; TestParams checks their values
			if len(got[i].Params) == 0 {
				t.Errorf("%s: no params for %s", body, got[i].Field)
			}
			got[i].Params = nil
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || (status == 200) != (want == nil) {
			t.Errorf("%s: %d %s, want %v", body, status, answer, want)
		}
	}
}

// TestNullIsAbsent sends null in several fields. The handler must get the body without the fields that are
// optional and not nullable.
func TestNullIsAbsent(t *testing.T) {
	var got any
	e := things(t, webtest.Options(), func(c *gin.Context) {
		got = c.Request.Body.(interface{ ValidatedValue() any }).ValidatedValue()
		succeed(c)
	})
	for body, want := range map[string]string{
		`{"name":"x","customer_id":null,"items":null,"sure":null,"color":null,"texts":null,"part":null}`: `map[name:x]`,
		`{"name":"x","note":null}`:         `map[name:x note:<nil>]`, // the field note is nullable
		`{"part":{"id":null,"code":"x"}}`:  `map[part:map[code:x]]`,
		`{"part":{"id":null}}`:             "",
		`{"name":null}`:                    "",
		`{"name":"x","texts":{"a":null}}`:  "",
		`{"name":"x","colour":null}`:       "",
		`{"sku":"x","name":null,"name":1}`: "",
	} {
		got = nil
		w := post(e, "/things", body)
		if want == "" && w.Code != 400 || want != "" && (w.Code != 200 || fmt.Sprint(got) != want) {
			t.Errorf("%s: %d %v %s", body, w.Code, got, w.Body)
		}
	}
}

// TestBodyReachesHandler compares the body in the handler with the sent body.
func TestBodyReachesHandler(t *testing.T) {
	// The body begins with white space, and has a null, escapes and the largest id.
	const body = ` {"customer_id":9007199254740991,"note":null,"name":"\u00e9\ud83d\ude00\"",` +
		`"items":[{"product_id":1,"qty":2}],"sure":false}`
	var validated, bound any
	e := things(t, webtest.Options(), func(c *gin.Context) {
		validated = c.Request.Body.(interface{ ValidatedValue() any }).ValidatedValue()
		bind(c)
	})
	if w := post(e, "/things", body); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&bound); err != nil || fmt.Sprint(validated) != fmt.Sprint(bound) {
		t.Errorf("validated %v, sent %v, %v", validated, bound, err)
	}
}

// TestPathParameter sends keys in a path, with and without escapes. The handler must get the key itself.
func TestPathParameter(t *testing.T) {
	var got string
	s := httptest.NewServer(things(t, webtest.Options(), func(c *gin.Context) {
		got = c.Param("key")
		succeed(c)
	}))
	defer s.Close()
	for _, key := range []string{"a+b", "a+b/c", "a%2Bb", "100%", "%2e", "..x$QuM,+E;g", `"?#[]\^`, "a//b"} {
		if status, body, _ := webtest.Do(t, "GET", s.URL+"/things/"+url.PathEscape(key), ""); status != 200 ||
			got != key {
			t.Errorf("%s arrives as %s: %d %s", key, got, status, body)
		}
	}
	if webtest.Do(t, "GET", s.URL+"/things/..x%24QuM%2C+E%3Bg", ""); got != "..x$QuM,+E;g" {
		t.Errorf("a plus arrives as %s", got)
	}
}

func TestParameters(t *testing.T) {
	base := serveThings(t, webtest.Options(), succeed)
	for _, c := range []struct {
		path    string
		headers []string
		fields  []string
	}{
		{"/things?search=%25&limit=&from=2024-01-31", nil, nil},
		{"/things?search=a%00b", nil, []string{"/query/search"}},
		{"/things?search=a%0Ab", nil, []string{"/query/search"}},
		{"/things?search=%E2%80%A8", nil, []string{"/query/search"}},
		{"/things?limit=1.0", nil, []string{"/query/limit"}},
		{"/things?limit=1e1", nil, []string{"/query/limit"}},
		{"/things?limit=101&search=a%00b&from=0000-01-01", nil, []string{"/query/from", "/query/limit", "/query/search"}},
		{"/things?from=9999-12-31", nil, nil},
		{"/things?from=2024-01-31T12:00:00%2B24:00", nil, []string{"/query/from"}},
		{"/things", []string{"X-Idempotency-Key", "a"}, nil},
		{"/things", []string{"X-Idempotency-Key", "."}, []string{"/header/X-Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", ".."}, []string{"/header/X-Idempotency-Key"}},
		{"/things", []string{"X-Idempotency-Key", "a", "Idempotency-Key", "b"}, []string{"/header/X-Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `"a"`, "X-Idempotency-Key", "a", "Idempotency-Key", "a"}, nil},
		// In X-Idempotency-Key, quotes are part of the key.
		{"/things", []string{"Idempotency-Key", `"a"`, "X-Idempotency-Key", `"a"`}, []string{"/header/X-Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `"a\"\\b"`, "X-Idempotency-Key", `a"\b`}, nil},
		{"/things", []string{"Idempotency-Key", `a"b`, "X-Idempotency-Key", `a"b`}, nil},
		{"/things", []string{"Idempotency-Key", `"` + strings.Repeat(`\"`, 255) + `"`}, nil},
		{"/things", []string{"Idempotency-Key", `"` + strings.Repeat("a", 256) + `"`}, []string{"/header/X-Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `""`}, []string{"/header/X-Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `"a b"`}, []string{"/header/X-Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `"`}, []string{"/header/Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `"a`}, []string{"/header/Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `"a"b"`}, []string{"/header/Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `"a", "a"`}, []string{"/header/Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `"a";p=1`}, []string{"/header/Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `"a\"`}, []string{"/header/Idempotency-Key"}},
		{"/things", []string{"Idempotency-Key", `"a\x"`}, []string{"/header/Idempotency-Key"}},
		{"/things?nobody=1&knows=2&limit=1", nil, []string{"/query/nobody", "/query/knows"}},
		{"/things?Limit=1", nil, []string{"/query/Limit"}},
		{"/things/a?x", nil, []string{"/query/x"}},
		{"/things?limit=%2B1", nil, []string{"/query/limit"}},
		{"/things?limit=01", nil, []string{"/query/limit"}},
		{"/things?limit=1%20", nil, []string{"/query/limit"}},
		{"/things?limit=0x1", nil, []string{"/query/limit"}},
		{"/things", []string{"X-Other", "a", "X-Other", "b"}, []string{"/header/X-Other"}},
		{"/things", []string{"If-Match", `"a,*,b"`}, nil},
		{"/things", []string{"If-Match", `"a"`, "If-Match", `W/"b"`}, nil},
		{"/things", []string{"If-Match", strings.Repeat("a", 1001)}, []string{"/header/If-Match"}},
		{"/things/...", nil, nil},
		{"/things/%2E", nil, []string{"/path/key"}},
		{"/things/%2e%2E", nil, []string{"/path/key"}},
		{"/things/a%20b", nil, []string{"/path/key"}},
	} {
		status, body, _ := webtest.Do(t, "GET", base+c.path, "", c.headers...)
		if c.fields == nil {
			if status != 200 {
				t.Errorf("%s %q: %d %s", c.path, c.headers, status, body)
			}
			continue
		}
		webtest.WantError(t, status, body, 400, "validation_failed", c.fields...)
	}
}

// TestWhoCalls sends requests with different tokens. The engine must refuse a request before it reads the
// body. When the engine accepts a request, the handler must get the caller.
func TestWhoCalls(t *testing.T) {
	tokens := webtest.Options().Tokens
	partner := auth.Principal{Subject: "acme", Customer: 7, Scope: "things:read events:read"}
	reader := auth.Principal{Subject: "reader", Scope: "things:read"}
	forPartner, forNobody, direct := partner, auth.Anonymous, auth.Anonymous
	forPartner.ByService, forNobody.ByService, direct.Network = true, true, "192.0.2.1"
	bearer := func(p auth.Principal) string {
		token, err := tokens.Issue(p, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + token
	}
	service := "Bearer " + webtest.Token
	nobody := auth.Principal{}
	for _, c := range []struct {
		method, path, authorization, actingFor string
		open                                   bool
		status                                 int
		caller                                 auth.Principal
		challenge                              string
	}{
		{"GET", "/things", "", "", false, 200, auth.Anonymous, ""}, // a public operation ignores tokens
		{"GET", "/things", "Bearer wrong", "", false, 200, auth.Anonymous, ""},
		{"GET", "/either", "", "", false, 200, direct, ""},
		{"GET", "/either", service, "", false, 200, auth.Service, ""},
		{"GET", "/either", "Bearer wrong", "", false, 401, nobody, `Bearer error="invalid_token"`},
		{"POST", "/secrets", "b" + service[1:], "", false, 200, auth.Service, ""},
		{"POST", "/secrets", service, partner.ActingFor(), false, 200, forPartner, ""},
		{"POST", "/secrets", service, auth.Anonymous.ActingFor(), false, 200, forNobody, ""},
		{"POST", "/secrets", "", "", true, 401, nobody, "Bearer"},
		{"POST", "/secrets", "Bearer wrong", "", false, 401, nobody, `Bearer error="invalid_token"`},
		{"POST", "/secrets", "Bearer", "", false, 401, nobody, `Bearer error="invalid_token"`},
		{"POST", "/secrets", "Basic " + webtest.Token, "", false, 401, nobody, `Bearer error="invalid_token"`},
		{"POST", "/secrets", bearer(auth.Principal{Subject: "root", Scope: auth.Admin}), "", false, 403, nobody, ""},
		{"GET", "/scoped", "", "", false, 401, nobody, "Bearer"},
		{"GET", "/scoped", "", "", true, 200, direct, ""},
		{"GET", "/scoped", "Bearer wrong", "", true, 401, nobody, `Bearer error="invalid_token"`},
		{"GET", "/scoped", bearer(partner), "", false, 200, partner, ""},
		{"GET", "/scoped", bearer(reader), "", true, 403, nobody, `Bearer error="insufficient_scope", scope="things:read events:read"`},
		{"GET", "/scoped", service, "", false, 200, auth.Service, ""},
		{"GET", "/scoped", service, partner.ActingFor(), false, 200, forPartner, ""},
		{"GET", "/scoped", service, reader.ActingFor(), false, 403, nobody, `Bearer error="insufficient_scope", scope="things:read events:read"`},
		{"GET", "/scoped", service, auth.Anonymous.ActingFor(), true, 200, forNobody, ""},
		{"GET", "/scoped", service, auth.Anonymous.ActingFor(), false, 401, nobody, `Bearer error="invalid_token"`},
		{"GET", "/scoped", service, "???", false, 403, nobody, ""},
		{"GET", "/scoped", bearer(partner), reader.ActingFor(), false, 403, nobody, ""},
		{"GET", "/scoped", "", reader.ActingFor(), true, 403, nobody, ""},
	} {
		name := fmt.Sprint(c.method, c.path, " ", c.authorization, " ", c.actingFor, " ", c.open)
		t.Run(name, func(t *testing.T) {
			var caller auth.Principal
			called := false
			o := webtest.Options()
			o.Open = c.open
			e := things(t, o, func(c *gin.Context) {
				called, caller = true, auth.From(context.Context(c))
				succeed(c)
			})
			body := &watched{Reader: strings.NewReader(`{"name":"x"}`)}
			r := httptest.NewRequest(c.method, c.path, body)
			r.Header.Set("Content-Type", "application/json")
			headers := map[string]string{"Authorization": c.authorization, auth.ActingForHeader: c.actingFor}
			for name, value := range headers {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			if w.Code != c.status || caller != c.caller || called != (c.status == 200) ||
				body.read && c.status != 200 {
				t.Errorf("%d, %+v calls, body read: %v: %s", w.Code, caller, body.read, w.Body)
			}
			if got := w.Header().Get("WWW-Authenticate"); got != c.challenge {
				t.Errorf("WWW-Authenticate: %s, want %s", got, c.challenge)
			}
		})
	}
	t.Run("no token is configured", func(t *testing.T) {
		o := webtest.Options()
		o.Tokens = auth.Tokens{}
		r := httptest.NewRequest("POST", "/secrets", strings.NewReader(`{"name":"x"}`))
		r.Header.Set("Authorization", "Bearer ")
		w := httptest.NewRecorder()
		things(t, o, succeed).ServeHTTP(w, r)
		if w.Code != 401 {
			t.Errorf("%d", w.Code)
		}
	})
}

type watched struct {
	*strings.Reader
	read bool
}

func (w *watched) Read(b []byte) (int, error) { w.read = true; return w.Reader.Read(b) }
func (w *watched) Close() error               { return nil }

// unusable lists the parts of a document that package web cannot enforce:
//   - unknown formats
//   - bodies without bounds, because the engine relies on bounds when it reads a body
//   - parameters of an operation that override parameters of the operation's path
//   - deprecated operations without the dates x-deprecated-since and x-sunset
func unusable(t *testing.T, spec *openapi3.T) []string {
	t.Helper()
	var document any
	b, err := spec.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &document); err != nil {
		t.Fatal(err)
	}
	faults := unknownFormats(document)
	for _, item := range spec.Paths.Map() {
		for _, operation := range item.Operations() {
			for _, p := range item.Parameters {
				if operation.Parameters.GetByInAndName(p.Value.In, p.Value.Name) != nil {
					fault := fmt.Sprintf("%s overrides %s of its path", operation.OperationID, p.Value.Name)
					faults = append(faults, fault)
				}
			}
			since, _ := operation.Extensions["x-deprecated-since"].(string)
			sunset, _ := operation.Extensions["x-sunset"].(string)
			if operation.Deprecated && !(isDate(since) && isDate(sunset) && since < sunset) {
				fault := fmt.Sprintf("%s is deprecated since %q until %q", operation.OperationID, since, sunset)
				faults = append(faults, fault)
			}
			if operation.RequestBody != nil {
				for media, body := range operation.RequestBody.Value.Content {
					schema := body.Schema.Value
					if media != "application/json" {
						schema = bulk.RowSchema(spec, body)
					}
					faults = append(faults, unbounded(operation.OperationID, schema)...)
				}
			}
		}
	}
	return faults
}

func unknownFormats(node any) (faults []string) {
	switch node := node.(type) {
	case []any:
		for _, v := range node {
			faults = append(faults, unknownFormats(v)...)
		}
	case map[string]any:
		format, named := node["format"].(string)
		if _, isSchema := node["type"].(string); named && isSchema && formats.All[format].Sentence == "" {
			faults = append(faults, fmt.Sprintf("the format %q has no entry in package formats", format))
		}
		if pattern, _ := node["pattern"].(string); pattern != "" && pattern != formats.All[format].Pattern {
			faults = append(faults, fmt.Sprintf("the pattern %s is not that of the format %q", pattern, format))
		}
		for _, v := range node {
			faults = append(faults, unknownFormats(v)...)
		}
	}
	return faults
}

func unbounded(where string, s *openapi3.Schema) (faults []string) {
	fault := func(why string) { faults = append(faults, fmt.Sprintf("%s: %s", where, why)) }
	switch {
	case len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) > 0:
		fault("it is composed of several schemas")
	case len(s.Type.Slice()) != 1:
		fault("it has no type, or several")
	case s.Type.Is(openapi3.TypeObject) && s.AdditionalProperties.Schema != nil:
		names, _ := s.Extensions["x-property-names"].(map[string]any)
		if s.MaxProps == nil || names["maxLength"] == nil || len(s.Properties) > 0 {
			fault("no maxProperties, no x-property-names with a maxLength, or properties of its own")
		}
		faults = append(faults, unbounded(where+"/*", s.AdditionalProperties.Schema.Value)...)
	case s.Type.Is(openapi3.TypeObject):
		if s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has {
			fault("no additionalProperties: false")
		}
		if s.Extensions["x-exactly-one-of"] != nil &&
			(s.MinProps != uint64(len(s.Required))+1 || s.MaxProps == nil || *s.MaxProps != s.MinProps) {
			fault("minProperties and maxProperties do not say what x-exactly-one-of says")
		}
		for name, property := range s.Properties {
			faults = append(faults, unbounded(where+"/"+name, property.Value)...)
		}
	case s.Type.Is(openapi3.TypeArray) && (s.MaxItems == nil || s.Items == nil):
		fault("no maxItems, or no items")
	case s.Type.Is(openapi3.TypeArray):
		faults = unbounded(where+"/*", s.Items.Value)
	case s.Type.Is(openapi3.TypeString) && s.MaxLength == nil && s.Enum == nil:
		fault("no maxLength")
	}
	return faults
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// TestUsableDocuments checks that package web can enforce the services' documents.
func TestUsableDocuments(t *testing.T) {
	for name, document := range documents {
		for _, fault := range unusable(t, webtest.Spec(t, document)) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// TestUnusableDocument makes faults in the constant document. The function unusable must report each fault.
func TestUnusableDocument(t *testing.T) {
	if faults := unusable(t, load(t, document)); len(faults) > 0 {
		t.Fatal(faults)
	}
	for name, c := range map[string]struct{ old, new, says string }{
		"unknown format":      {"format: trimmed", "format: trimed", `"trimed"`},
		"unknown, in a query": {"format: text", "format: serach", `"serach"`},
		"no maxItems":         {"maxItems: 100\n", "\n", "/items"},
		"no maxLength":        {"minLength: 1, maxLength: 100,", "minLength: 1,", "/sku"},
		"open object":         {"additionalProperties: false\n      minProperties", "minProperties", "createThing"},
		"no maxProperties":    {"maxProperties: 3, ", "", "/texts"},
		"long names":          {"minLength: 1, maxLength: 5,", "minLength: 1,", "/texts"},
		"long texts":          {"maxLength: 10, format: text", "format: text", "/texts/*"},
		"no type":             {"delta: { type: integer,", "delta: {", "/delta"},
		"override": {"  /things/{key}:\n", "  /things/{key}:\n    parameters: [{ name: key, in: path, required: true, schema: { type: string } }]\n",
			"getThing overrides key"},
		"never deprecated": {"x-deprecated-since: 2026-01-31\n", "\n", "getOld"},
		"no sunset":        {"x-sunset: 2027-07-31\n", "\n", "getOld"},
		"sunset is a word": {"x-sunset: 2027-07-31\n", "x-sunset: soon\n", "getOld"},
		"sunset first":     {"x-sunset: 2027-07-31\n", "x-sunset: 2025-07-31\n", "getOld"},
		"composed":         {"sure: { type: boolean }", "sure: { type: boolean, allOf: [{ type: boolean }] }", "/sure"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(document, c.old, c.new, 1)
			if changed == document {
				t.Fatal("the document has no " + c.old)
			}
			faults := strings.Join(unusable(t, webtest.Spec(t, []byte(changed))), "\n")
			if !strings.Contains(faults, c.says) {
				t.Errorf("no fault names %s: %s", c.says, faults)
			}
		})
	}
}

// TestLiteralPath calls /things/file, a path without a parameter, with methods that the document does not
// have there. The answer must be 405 method_not_allowed, although gin matches GET /things/file to
// /things/{key}.
func TestLiteralPath(t *testing.T) {
	base := serveThings(t, webtest.Options(), succeed)
	for _, method := range []string{"GET", "DELETE"} {
		status, body, header := webtest.Do(t, method, base+"/things/file", "")
		webtest.WantError(t, status, body, 405, "method_not_allowed")
		if header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow is %q", method, header.Get("Allow"))
		}
	}
}

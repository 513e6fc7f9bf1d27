// Package webtest serves an engine to a test and validates every answer against the service's OpenAPI
// document.
package webtest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/web"
)

// Token is the service token of Options.
const Token = "token-of-the-test"

// Secret signs the JWTs that Options accept.
const Secret = "secret-of-the-test"

// OddKeys are idempotency keys with characters that have a special meaning in a path or a query.
var OddKeys = []string{"50%", "a%2Fb", "a/b", "/a", "a+b", "%41", "a?b#c", "a&key=b", `k/1?x#%2F"`, "a;b", "%zz", "..."}

// Options returns options for an engine under test.
func Options() web.Options {
	return web.Options{
		Tokens:  auth.Tokens{Service: []string{Token}, Secrets: []string{Secret}, Verified: auth.NewVerified()},
		Open:    true,
		Log:     Log(io.Discard),
		Timeout: 30 * time.Second,
	}
}

// Logged runs fn with options for an engine, and returns the log of the engine. fn must wait for all answers:
// the engine writes the log line of a request before the end of its answer.
func Logged(t testing.TB, fn func(o web.Options)) string {
	t.Helper()
	var b bytes.Buffer
	o := Options()
	o.Log = Log(&b)
	fn(o)
	return b.String()
}

// Spec parses an OpenAPI document. All tests share the result.
func Spec(t testing.TB, document []byte) *openapi3.T {
	t.Helper()
	if spec, ok := specs.Load(string(document)); ok {
		return spec.(*openapi3.T)
	}
	spec, err := openapi3.NewLoader().LoadFromData(document)
	must(t, err)
	specs.Store(string(document), spec)
	return spec
}

var specs sync.Map // parsed documents, by their text

// Serve serves h until the test ends, and returns the address. The test fails when an answer breaks the
// document: see Contract.
func Serve(t testing.TB, h http.Handler, spec *openapi3.T) string {
	t.Helper()
	breaks := Contract(t, spec)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		remember(body)
		h.ServeHTTP(rec, r)
		if !pages.MatchString(r.URL.Path) { // a page may show names of parameters, which are no personal data
			remember(rec.Body.Bytes())
		}
		// A caller who has closed the connection gets no answer to check.
		if err := breaks(r, rec); err != nil && r.Context().Err() == nil {
			t.Errorf("%s %s answered %d against the contract: %v\n%s",
				r.Method, r.URL, rec.Code, err, rec.Body)
		}
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// Breaks returns an error when an answer breaks the OpenAPI document. The error may be an undeclared status,
// a body that breaks its schema, an error code that no example of the status has, or a missing header.
type Breaks func(*http.Request, *httptest.ResponseRecorder) error

// Contract returns the Breaks of a document.
func Contract(t testing.TB, spec *openapi3.T) Breaks {
	t.Helper()
	router, err := legacy.NewRouter(spec)
	must(t, err)
	return func(r *http.Request, rec *httptest.ResponseRecorder) error { return check(spec, router, r, rec) }
}

// pages matches the paths that are served, but are not in the OpenAPI document.
var pages = regexp.MustCompile(`^/($|(docs|start|postman)(/|$)|openapi[./])`)

func check(spec *openapi3.T, router routers.Router, r *http.Request, rec *httptest.ResponseRecorder) error {
	if rec.Header().Get(correlation.Header) == "" {
		return errors.New("no header " + correlation.Header)
	}
	if rec.Code >= 400 && !strings.HasSuffix(rec.Header().Get("Link"), `>; rel="help"`) {
		return errors.New("no link to what explains the code")
	}
	if pages.MatchString(r.URL.Path) {
		return nil
	}
	asked := r
	if r.Method == http.MethodHead { // HEAD is answered like GET, without the body
		asked = r.Clone(r.Context())
		asked.Method = http.MethodGet
	}
	route, params, err := router.FindRoute(asked)
	// The answer for an unknown path or method is not in the document: only its envelope of errors is
	// checked. gin takes a path with an empty parameter for unknown, and the router here does not.
	if err != nil || rec.Code == http.StatusMethodNotAllowed || strings.HasSuffix(r.URL.Path, "/") ||
		slices.Contains(slices.Collect(maps.Values(params)), "") {
		if r.Method == http.MethodHead {
			return nil
		}
		var body any
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
			return err
		}
		return errorSchema(spec).VisitJSON(body)
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: asked, Route: route, PathParams: params,
		},
		Status:  rec.Code,
		Header:  rec.Header(),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	in.SetBodyBytes(rec.Body.Bytes())
	var file *openapi3.MediaType
	if declared := route.Operation.Responses.Status(rec.Code); declared != nil {
		file = declared.Value.Content.Get(rec.Header().Get("Content-Type"))
	}
	isFile := file != nil && file.Extensions["x-row"] != nil
	in.Options.ExcludeResponseBody = isFile || r.Method == http.MethodHead
	if err := openapi3filter.ValidateResponse(r.Context(), in); err != nil || r.Method == http.MethodHead {
		return err
	}
	if isFile {
		if r.URL.Query().Get("lines") == "true" {
			file = &openapi3.MediaType{Extensions: map[string]any{"x-row": file.Extensions["x-line"]}}
		}
		schema := bulk.RowSchema(spec, file)
		if rec.Header().Get("Content-Type") == bulk.CSV {
			return checkColumns(schema, r.URL.Query().Get("delimiter"), rec.Body.Bytes())
		}
		return checkRows(schema, rec.Body.Bytes())
	}
	return checkCode(route.Operation.Responses.Status(rec.Code), rec.Body.Bytes())
}

// checkColumns compares the columns of CSV with the fields of a row. The parameter delimiter is the value of
// the query parameter with the same name.
func checkColumns(schema *openapi3.Schema, delimiter string, file []byte) error {
	table := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\uFEFF"))))
	table.Comma = map[string]rune{"": ',', "comma": ',', "semicolon": ';', "tab": '\t'}[delimiter]
	rows, err := table.ReadAll()
	if err != nil || len(rows) == 0 {
		return fmt.Errorf("%d rows: %w", len(rows), err)
	}
	fields := slices.Collect(maps.Keys(schema.Properties))
	for _, part := range schema.AllOf {
		fields = append(fields, slices.Collect(maps.Keys(part.Value.Properties))...)
	}
	slices.Sort(fields)
	if columns := slices.Sorted(slices.Values(rows[0])); !slices.Equal(columns, fields) {
		return fmt.Errorf("the columns are %q, the fields %q", columns, fields)
	}
	return nil
}

// checkRows validates each row of NDJSON against the schema of a row.
func checkRows(schema *openapi3.Schema, file []byte) error {
	for line := range bytes.Lines(file) {
		var row any
		if err := json.Unmarshal(line, &row); err != nil {
			return err
		}
		if err := schema.VisitJSON(row, openapi3.VisitAsResponse()); err != nil {
			return err
		}
	}
	return nil
}

// errorSchema returns the schema of the envelope of errors, which each operation declares for status 500.
func errorSchema(spec *openapi3.T) *openapi3.Schema {
	for _, item := range spec.Paths.Map() {
		for _, operation := range item.Operations() {
			failure := operation.Responses.Status(http.StatusInternalServerError).Value
			return failure.Content.Get("application/json").Schema.Value
		}
	}
	panic("the document has no operation")
}

// checkCode checks that the examples for the status of an error include the error's code. It accepts any code
// for a status without examples.
func checkCode(declared *openapi3.ResponseRef, body []byte) error {
	media := declared.Value.Content.Get("application/json")
	if media == nil || len(media.Examples) == 0 {
		return nil
	}
	var envelope struct{ Code string }
	_ = json.Unmarshal(body, &envelope) // ValidateResponse has checked the body already
	if envelope.Code != "" && media.Examples[envelope.Code] == nil {
		return fmt.Errorf("the code %s is not among the examples of this status", envelope.Code)
	}
	return nil
}

// Do sends a request and returns the answer. The parameters headers alternate between a name and a value of a
// header; an empty value leaves the header out.
func Do(
	t testing.TB, method, url, body string, headers ...string,
) (status int, answer []byte, header http.Header) {
	t.Helper()
	remember([]byte(body))
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	must(t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] != "" {
			req.Header.Add(headers[i], headers[i+1])
		}
	}
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, answer, res.Header
}

// WantError fails unless the answer is an error with the status wantStatus and the code wantCode. Its details
// must be for exactly the named fields, and each detail must have a message, a rule and parameters.
func WantError(t testing.TB, status int, body []byte, wantStatus int, wantCode string, fields ...string) {
	t.Helper()
	var e struct {
		Success     bool
		Error, Code string
		Details     []struct {
			Field, Message string
			Params         map[string]any
		}
	}
	if err := json.Unmarshal(body, &e); err != nil {
		t.Errorf("%d %s: %v", status, body, err)
	}
	var got []string
	for _, d := range e.Details {
		got = append(got, d.Field)
		if d.Message == "" {
			t.Errorf("no message for %s", d.Field)
		}
		if len(d.Params) == 0 {
			t.Errorf("no params for %s", d.Field)
		}
		for name, value := range d.Params {
			switch value.(type) {
			case string, float64, bool:
			default:
				t.Errorf("%s of %s is %v", name, d.Field, value)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(fields)
	isRefusal := !e.Success && e.Error != ""
	if status != wantStatus || e.Code != wantCode || !isRefusal || !slices.Equal(got, fields) {
		t.Errorf("%d %s, want %d %s on %q", status, body, wantStatus, wantCode, fields)
	}
}

// EveryField returns a body with each property of a request schema, with the example of the document.
func EveryField(t testing.TB, spec *openapi3.T, schema string) map[string]any {
	t.Helper()
	return example(t, schema, spec.Components.Schemas[schema].Value).(map[string]any)
}

func example(t testing.TB, name string, s *openapi3.Schema) any {
	t.Helper()
	switch {
	case s.Type.Is("object") && s.Properties != nil:
		body := map[string]any{}
		for property, of := range s.Properties {
			body[property] = example(t, name+"."+property, of.Value)
		}
		return body
	case s.Type.Is("array"):
		return []any{example(t, name, s.Items.Value)}
	case s.Example == nil:
		t.Errorf("%s has no example", name)
	}
	return s.Example
}

// ComesBack fails for each sent field that the answer lacks or has with another value: then the code has not
// stored the field, or does not read it.
func ComesBack(t testing.TB, name string, sent, answered any) {
	t.Helper()
	switch sent := sent.(type) {
	case map[string]any:
		got, _ := answered.(map[string]any)
		for field, value := range sent {
			if back, there := got[field]; there {
				ComesBack(t, name+"."+field, value, back)
			} else {
				t.Errorf("%s.%s does not come back", name, field)
			}
		}
	case []any:
		got, _ := answered.([]any)
		if len(got) != len(sent) {
			t.Errorf("%s has %d elements, want %d", name, len(got), len(sent))
			return
		}
		for i := range sent {
			ComesBack(t, name, sent[i], got[i])
		}
	default:
		want, _ := json.Marshal(sent)
		if got, _ := json.Marshal(answered); !bytes.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, answered, sent)
		}
	}
}

// NeverShown fails for each property of a response schema that is null or absent in all answers: then the
// database or the code lacks the property.
func NeverShown(t testing.TB, spec *openapi3.T, schema string, answers ...map[string]any) {
	t.Helper()
	for property := range spec.Components.Schemas[schema].Value.Properties {
		if !slices.ContainsFunc(answers, func(a map[string]any) bool { return a[property] != nil }) {
			t.Errorf("%s.%s is never shown", schema, property)
		}
	}
}

// Data sends a body as JSON, or no body for nil, and returns the data of the answer. The test fails unless
// the answer is a success.
func Data(t testing.TB, method, url string, body any, headers ...string) map[string]any {
	t.Helper()
	var encoded []byte
	if body != nil {
		encoded, _ = json.Marshal(body)
	}
	if !slices.Contains(headers, "Content-Type") {
		headers = append(headers, "Content-Type", "application/json")
	}
	status, answer, _ := Do(t, method, url, string(encoded), headers...)
	var decoded struct{ Data map[string]any }
	if err := json.Unmarshal(answer, &decoded); err != nil || status >= 300 {
		t.Fatalf("%s %s: %d %s", method, url, status, answer)
	}
	return decoded.Data
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

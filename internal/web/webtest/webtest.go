// Package webtest serves an engine to a test and holds every answer that it gives to the service's OpenAPI document.
package webtest

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"example.com/b2b/internal/web"
)

// Token is the service token of Options.
const Token = "token-of-the-test"

// Options are the options of an engine under test.
func Options() web.Options {
	return web.Options{ServiceToken: Token, Log: slog.New(slog.DiscardHandler), Timeout: 30 * time.Second}
}

// Serve serves h until the test ends. The test fails when an answer breaks the document: a status that the operation does not
// declare, a body that its schema refuses, a missing header. It returns the address.
func Serve(t testing.TB, h http.Handler, spec *openapi3.T) string {
	router, err := legacy.NewRouter(spec)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if err := check(spec, router, r, rec); err != nil {
			t.Errorf("%s %s answered %d against the contract: %v\n%s", r.Method, r.URL, rec.Code, err, rec.Body)
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func check(spec *openapi3.T, router routers.Router, r *http.Request, rec *httptest.ResponseRecorder) error {
	if id := rec.Header().Get(web.CorrelationHeader); id == "" {
		return errMissing(web.CorrelationHeader)
	}
	if strings.HasPrefix(r.URL.Path, "/docs") || strings.HasPrefix(r.URL.Path, "/openapi.") || r.URL.Path == "/" {
		return nil
	}
	route, params, err := router.FindRoute(r)
	if err != nil { // an unknown path or method: the envelope is all that the document says
		var body any
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
			return err
		}
		return spec.Components.Schemas["Error"].Value.VisitJSON(body)
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: params},
		Status:                 rec.Code,
		Header:                 rec.Header(),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	in.SetBodyBytes(rec.Body.Bytes())
	return openapi3filter.ValidateResponse(r.Context(), in)
}

type errMissing string

func (e errMissing) Error() string { return "no header " + string(e) }

package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/buildinfo"
	"example.com/b2b/v2/internal/docs"
	"example.com/b2b/v2/internal/etag"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/ordersapi"
)

// TestLongAnswers sends long texts, and answers with long texts. Each text in an answer, and the log line,
// must keep its bound.
func TestLongAnswers(t *testing.T) {
	var log bytes.Buffer
	o := webtest.Options()
	o.Log = webtest.Log(&log)
	many := apperr.ValidationFailed.New()
	many.Message = strings.Repeat("é", 5000)
	many.Cause = fmt.Errorf("%s", strings.Repeat("\x01", 5000))
	for range 1001 {
		many.With(strings.Repeat("/é", 500), nil, "%s", strings.Repeat("é", 2000))
	}
	base := serveThings(t, o, func(c *gin.Context) {
		if c.Param("key") == "panic" {
			panic(strings.Repeat("\"", 10_000))
		}
		web.Fail(c, many)
	})
	for name, c := range map[string]struct {
		method, path, body string
		status             int
	}{
		"long path":              {"GET", "/" + strings.Repeat("%C3%A9%01", 2000), "", 404},
		"long name of a field":   {"POST", "/things", `{"` + strings.Repeat("é~", 5000) + `":0}`, 400},
		"long parameter":         {"GET", "/things?" + strings.Repeat("é", 5000) + "=1", "", 400},
		"long method":            {strings.Repeat("X", 5000), "/things", "", 405},
		"long refusal":           {"POST", "/things", `{"name":"x"}`, 400},
		"long refusal, with key": {"GET", "/things/" + strings.Repeat("x", 255), "", 400},
		"long panic":             {"GET", "/things/panic", "", 500},
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			status, body, _ := webtest.Do(t, c.method, base+c.path, c.body, "Content-Type", "application/json",
				web.IdempotencyHeader, strings.Repeat(`"`, 255))
			if status != c.status {
				t.Errorf("%d %.300s", status, body)
			}
			if log.Len() > 4096 || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("a log line of %d bytes: %.300s", log.Len(), &log)
			}
		})
	}
}

// TestDocumentsAllowAnswers checks that the services' documents declare the bounds that package web keeps in
// its answers.
func TestDocumentsAllowAnswers(t *testing.T) {
	for name, document := range documents {
		for path, item := range webtest.Spec(t, document).Paths.Map() {
			for method, operation := range item.Operations() {
				for status, response := range operation.Responses.Map() {
					media := response.Value.Content.Get("application/json")
					if status < "400" || media == nil {
						continue
					}
					fields := media.Schema.Value.Properties
					detail := fields["details"].Value.Items.Value.Properties
					if *fields["error"].Value.MaxLength != 2000 || *fields["details"].Value.MaxItems != 1000 ||
						*detail["field"].Value.MaxLength != 500 || *detail["message"].Value.MaxLength != 1000 {
						t.Errorf("%s %s %s %s bounds an error in another way", name, method, path, status)
					}
				}
			}
		}
	}
}

var documents = map[string][]byte{
	"customers":    customersapi.Document,
	"orders":       ordersapi.Document,
	"orchestrator": orchestratorapi.Document,
}

// TestHead compares the answers to HEAD and GET, for data, pages and documents.
func TestHead(t *testing.T) {
	base := serveThings(t, webtest.Options(), succeed)
	_, _, seen := webtest.Do(t, "GET", base+"/things/a", "")
	for _, c := range []struct {
		path    string
		headers []string
		status  int
	}{
		{"/things?limit=3", nil, 200},
		{"/things?limit=0", nil, 400},
		{"/things/a", nil, 200},
		{"/things/a", []string{"If-None-Match", seen.Get("ETag")}, 304},
		{"/either", nil, 200},
		{"/openapi.json", nil, 200},
		{"/openapi.yaml", nil, 200},
		{"/docs", nil, 200},
		{"/docs/swagger-ui.css", []string{"Accept-Encoding", "identity"}, 200},
		{"/nowhere", nil, 404},
	} {
		status, body, got := webtest.Do(t, "HEAD", base+c.path, "", c.headers...)
		wantStatus, wantBody, want := webtest.Do(t, "GET", base+c.path, "", c.headers...)
		if status != c.status || wantStatus != c.status || len(body) != 0 {
			t.Errorf("%s: HEAD is %d, GET is %d, %d bytes", c.path, status, wantStatus, len(body))
		}
		for _, name := range []string{"Content-Type", "ETag", "Cache-Control"} {
			if got.Get(name) != want.Get(name) {
				t.Errorf("%s: %s is %q for HEAD, %q for GET", c.path, name, got.Get(name), want.Get(name))
			}
		}
		if length := got.Get("Content-Length"); len(wantBody) > 0 && !strings.HasPrefix(c.path, "/docs/") &&
			length != fmt.Sprint(len(wantBody)) {
			t.Errorf("%s: Content-Length %q, the body has %d", c.path, length, len(wantBody))
		}
	}
	status, _, header := webtest.Do(t, "HEAD", base+"/secrets", "")
	if status != 405 || header.Get("Allow") != "POST" {
		t.Errorf("HEAD of a path without GET: %d, Allow %q", status, header.Get("Allow"))
	}
	if _, _, header := webtest.Do(t, "DELETE", base+"/either", ""); header.Get("Allow") != "HEAD, GET" &&
		header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow %q", header.Get("Allow"))
	}
	// The engine itself must write no body for HEAD. net/http would drop a body, but AWS Lambda would send
	// it, and so does this recorder.
	w := httptest.NewRecorder()
	things(t, webtest.Options(), succeed).ServeHTTP(w, httptest.NewRequest("HEAD", "/things", nil))
	if w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("without a server: %d with %d bytes", w.Code, w.Body.Len())
	}
}

// TestHalfClosed sends a request, and then closes the caller's half of the connection. Some clients do so,
// and still wait for the answer. The caller must get the answer. Only when the work goes on for too long, it
// must be stopped, because the caller may have left.
func TestHalfClosed(t *testing.T) {
	const get = "GET /things HTTP/1.1\r\nHost: x\r\n\r\n"
	const post = "POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
		"Content-Length: 12\r\n\r\n{\"name\":\"x\"}"
	for name, c := range map[string]struct {
		request string
		handle  gin.HandlerFunc
		status  int
		code    string
		logged  string
	}{
		"a change":              {post, func(c *gin.Context) { succeed(c) }, 200, "", `"status":200`},
		"a read":                {get, func(c *gin.Context) { succeed(c) }, 200, "", `"status":200`},
		"a refusal":             {post, func(c *gin.Context) { web.Fail(c, apperr.SKUTaken.New()) }, 409, "sku_taken", `"status":409`},
		"a defect":              {post, func(c *gin.Context) { web.Fail(c, errors.New("boom")) }, 500, "internal", `"level":"ERROR"`},
		"a read for too long":   {get, untilEnded, 503, "unavailable", `"status":499`},
		"a change for too long": {post, untilEnded, 503, "unavailable", `"status":499`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			o := webtest.Options()
			o.Log = webtest.Log(&log)
			ended := make(chan struct{}) // closed when net/http has seen the end of the caller's half
			e := things(t, o, func(g *gin.Context) {
				<-ended
				if err := g.Request.Context().Err(); err != nil {
					t.Errorf("the work has ended with the caller's half: %v", err)
				}
				c.handle(g)
			})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				context.AfterFunc(r.Context(), func() { close(ended) })
				e.ServeHTTP(w, r)
			}))
			defer s.Close()
			conn := dial(t, s)
			fmt.Fprint(conn, c.request)
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if c.code != "" {
				webtest.WantError(t, res.StatusCode, body, c.status, c.code)
			} else if res.StatusCode != c.status {
				t.Errorf("%d %s", res.StatusCode, body)
			}
			s.Close() // returns after the log line is written
			if !strings.Contains(log.String(), c.logged) ||
				c.status != 500 && !strings.Contains(log.String(), `"level":"INFO"`) {
				t.Errorf("the log has %s", &log)
			}
		})
	}
}

func untilEnded(c *gin.Context) {
	<-c.Request.Context().Done()
	web.Fail(c, c.Request.Context().Err())
}

func dial(t *testing.T, s *httptest.Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// TestCallerHasLeft sends requests whose context has already ended. The answer must be 503, and the handler
// must not be called.
func TestCallerHasLeft(t *testing.T) {
	called := false
	e := things(t, webtest.Options(), func(*gin.Context) { called = true })
	ctx, leave := context.WithCancel(t.Context())
	leave()
	for _, call := range [][2]string{{"GET", "/either"}, {"POST", "/secrets"}} {
		r := httptest.NewRequestWithContext(ctx, call[0], call[1], strings.NewReader(`{"name":"x"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+webtest.Token)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if called || w.Code != 503 {
			t.Errorf("%s: %d, called: %v", call, w.Code, called)
		}
	}
}

// TestSlowBody sends a body that stops halfway. The answer must be 408 request_timeout, and the connection
// must close.
func TestSlowBody(t *testing.T) {
	o := webtest.Options()
	o.BodyTimeout = 20 * time.Millisecond
	s := httptest.NewServer(things(t, o, succeed))
	defer s.Close()
	conn := dial(t, s)
	fmt.Fprint(conn, "POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Content-Length: 12\r\n\r\n{\"name")
	answers := bufio.NewReader(conn)
	res, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	webtest.WantError(t, res.StatusCode, body, 408, "request_timeout")
	if !res.Close || res.Header.Get("Retry-After") == "" {
		t.Errorf("Connection: close is %v, Retry-After %q", res.Close, res.Header.Get("Retry-After"))
	}
	if _, err := answers.ReadByte(); err != io.EOF {
		t.Errorf("the connection is not closed: %v", err)
	}
}

// deadlines records each read deadline of a connection.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.set = append(d.set, t); return nil }

// TestBodyDeadlineEnds expects that the read deadline is removed when the body has been read. Otherwise
// net/http would cancel the request at the deadline.
func TestBodyDeadlineEnds(t *testing.T) {
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest("POST", "/things", strings.NewReader(`{"name":"x"}`))
	r.Header.Set("Content-Type", "application/json")
	before := time.Now()
	things(t, webtest.Options(), succeed).ServeHTTP(w, r)
	if w.Code != 200 || len(w.set) != 2 || !w.set[1].IsZero() {
		t.Fatalf("%d, deadlines %v", w.Code, w.set)
	}
	if in := w.set[0].Sub(before); in < 10*time.Second || in > 11*time.Second {
		t.Errorf("the body has %v", in)
	}
}

// TestClockStartsAfterBody expects the handler's timeout to begin after the body was read.
func TestClockStartsAfterBody(t *testing.T) {
	var deadline time.Time
	o := webtest.Options()
	e := things(t, o, func(c *gin.Context) {
		deadline, _ = c.Request.Context().Deadline()
		succeed(c)
	})
	body := &late{Reader: strings.NewReader(`{"name":"x"}`)}
	r := httptest.NewRequest("POST", "/things", body)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != 200 || deadline.Before(body.read.Add(o.Timeout)) {
		t.Errorf("%d, the body came at %v, the deadline is %v", w.Code, body.read, deadline)
	}
}

// late is a body that records the time of the last Read.
type late struct {
	*strings.Reader
	read time.Time
}

func (l *late) Read(b []byte) (int, error) { l.read = time.Now(); return l.Reader.Read(b) }

func TestDocs(t *testing.T) {
	o := webtest.Options()
	o.Open = false // an open service would add a note to its document
	o.Others = []docs.Linked{
		{Title: "Others", Base: "http://others:3009"},
		{Title: "Far", Base: "https://far.example/api"},
	}
	base := serveThings(t, o, succeed)
	for _, path := range []string{"/docs", "/docs/"} {
		status, page, _ := webtest.Do(t, "GET", base+path, "")
		const viewport = `<meta name="viewport" content="width=device-width, initial-scale=1">`
		if status != 200 || !bytes.Contains(page, []byte(viewport)) {
			t.Errorf("%s: %d, without a viewport for phones", path, status)
		}
	}
	_, page, _ := webtest.Do(t, "GET", base+"/docs", "")
	for _, want := range []string{`"http://127.0.0.1:3009/docs"`, `"https://far.example/api/docs"`, `"./docs/errors"`} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("/docs does not link to %s: %s", want, page)
		}
	}
	if bytes.Contains(page, []byte("openapi.yaml&#34;},")) || bytes.Contains(page, []byte("<script>")) {
		t.Errorf("/docs shows the documents of others, or has an inline script: %s", page)
	}
	for path, want := range map[string][]string{
		"/docs/docs.js":    {"text/javascript", "SwaggerUIBundle("},
		"/docs/docs.css":   {"text/css", "prefers-color-scheme: dark"},
		"/docs/errors.css": {"text/css", ":target"},
	} {
		if status, body, header := webtest.Do(t, "GET", base+path, ""); status != 200 ||
			!strings.HasPrefix(header.Get("Content-Type"), want[0]) ||
			!bytes.Contains(body, []byte(want[1])) {
			t.Errorf("%s: %d %s %.200s", path, status, header.Get("Content-Type"), body)
		}
	}
	_, codes, _ := webtest.Do(t, "GET", base+"/docs/errors", "")
	for _, c := range apperr.Catalogue() {
		if n := bytes.Count(codes, []byte(`id="`+c.Name+`"`)); n != 1 {
			t.Errorf("/docs/errors has %d places named %s", n, c.Name)
		}
	}
	if bytes.Contains(codes, []byte("`")) {
		t.Errorf("/docs/errors shows Markdown: %s", codes)
	}
	for _, path := range []string{
		"/docs/index.html", "/docs/errors.html", "/docs/.", "/docs/..", "/docs/./", "/docs/%2e", "/docs/nothing",
		"/docs/a/b", "/docs//", "/docs/../openapi.json",
	} {
		status, body, header := webtest.Do(t, "GET", base+path, "")
		webtest.WantError(t, status, body, 404, "not_found")
		if header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s", path, header.Get("Content-Type"))
		}
	}
	_, yaml, _ := webtest.Do(t, "GET", base+"/openapi.yaml", "")
	want := strings.Replace(document, "version: 0.0.1", "version: "+strconv.Quote(buildinfo.Version()), 1)
	if string(yaml) != want {
		t.Errorf("the document is served as %.200s", yaml)
	}
	_, served, _ := webtest.Do(t, "GET", base+"/openapi.json", "")
	var described struct{ Info struct{ Version string } }
	if err := json.Unmarshal(served, &described); err != nil || described.Info.Version != buildinfo.Version() {
		t.Errorf("info.version is %q, %v", described.Info.Version, err)
	}
}

// TestVersionOfServices expects the version of the build as info.version of each service's document.
func TestVersionOfServices(t *testing.T) {
	for name, document := range documents {
		o := webtest.Options()
		o.Document = document
		w := httptest.NewRecorder()
		web.New(o).ServeHTTP(w, httptest.NewRequest("GET", "/openapi.yaml", nil))
		if served, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes()); err != nil ||
			served.Info.Version != buildinfo.Version() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDeprecated expects the headers Deprecation and Sunset in all answers of a deprecated operation,
// refusals included.
func TestDeprecated(t *testing.T) {
	base := serveThings(t, webtest.Options(), succeed)
	for _, c := range []struct {
		path, token         string
		status              int
		deprecation, sunset string
	}{
		{"/old", webtest.Token, 200, "@1769817600", "Sat, 31 Jul 2027 00:00:00 GMT"},
		{"/old", "", 401, "@1769817600", "Sat, 31 Jul 2027 00:00:00 GMT"},
		{"/things", webtest.Token, 200, "", ""},
		{"/docs", "", 200, "", ""},
	} {
		status, _, header := webtest.Do(t, "GET", base+c.path, "", "Authorization", "Bearer "+c.token)
		if got := header.Get("Deprecation"); status != c.status || got != c.deprecation ||
			header.Get("Sunset") != c.sunset {
			t.Errorf("%s: %d, Deprecation %q, Sunset %q", c.path, status, got, header.Get("Sunset"))
		}
	}
}

func TestPrecondition(t *testing.T) {
	current := map[string]any{"success": true}
	base := serveThings(t, webtest.Options(), succeed)
	_, _, header := webtest.Do(t, "GET", base+"/things/a", "")
	tag := header.Get("ETag")
	for list, holds := range map[string]bool{
		"*": true, " * ": true, tag: true, `"x", ` + tag: true, `"x",` + tag + `,W/"y"`: true, `"a,b",` + tag: true,
		`"a,*,b"`: false, `"*"`: false, "W/" + tag: true, `"x"`: false, `"x,` + strings.Trim(tag, `"`) + `,y"`: false,
	} {
		if err := etag.Precondition(&list, current); (err == nil) != holds {
			t.Errorf("%s: %v", list, err)
		}
	}
	for list, status := range map[string]int{
		"*": 304, tag: 304, "W/" + tag: 304, `"x",` + tag: 304,
		strings.TrimSuffix(tag, `"`) + `-gzip"`: 304,
		`"a,*,b"`:                               200, `"W/x"`: 200, "x": 200,
	} {
		if got, _, _ := webtest.Do(t, "GET", base+"/things/a", "", "If-None-Match", list); got != status {
			t.Errorf("If-None-Match: %s is %d", list, got)
		}
	}
	got, _, _ := webtest.Do(t, "GET", base+"/things/a", "", "If-None-Match", `"x"`, "If-None-Match", tag)
	if got != 304 {
		t.Errorf("If-None-Match in two lines is %d", got)
	}
}

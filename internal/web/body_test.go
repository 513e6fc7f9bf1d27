package web_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/server"
	"example.com/b2b/v2/internal/web/webtest"
)

// TestRefusedBeforeContinue sends headers that must be refused, and waits for 100 Continue before it sends
// the body. The refusal must come without the body.
func TestRefusedBeforeContinue(t *testing.T) {
	at := webtest.Run(t, server.Server{Handler: things(t, webtest.Options(), succeed)})
	for name, c := range map[string]struct {
		headers, code string
		status        int
	}{
		"too large":                       {"Content-Type: application/json\r\nContent-Length: 1048577", "payload_too_large", 413},
		"far too large":                   {"Content-Type: application/json\r\nContent-Length: 9223372036854775807", "payload_too_large", 413},
		"no type":                         {"Content-Length: 12", "unsupported_media_type", 415},
		"another type":                    {"Content-Type: text/plain\r\nContent-Length: 12", "unsupported_media_type", 415},
		"another type, of unknown length": {"Content-Type: text/plain\r\nTransfer-Encoding: chunked", "unsupported_media_type", 415},
		"compressed":                      {"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 12", "unsupported_media_type", 415},
		"not a valid token":               {"Authorization: Bearer x\r\nContent-Type: application/json\r\nContent-Length: 12", "unauthorized", 401},
	} {
		t.Run(name, func(t *testing.T) {
			path := "/things"
			if c.status == 401 {
				path = "/secrets"
			}
			request := "POST " + path + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" + c.headers + "\r\n\r\n"
			conn := webtest.Connect(t, "127.0.0.1", at, request)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != c.status || !bytes.Contains(body, []byte(c.code)) {
				t.Errorf("%d %s", res.StatusCode, body)
			}
		})
	}
	const accepted = "POST /things HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" +
		"Content-Type: application/json\r\nContent-Length: 12\r\n\r\n"
	conn := webtest.Connect(t, "127.0.0.1", at, accepted)
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q %v", line, err)
	}
}

// TestBodyOfUnknownLength sends bodies whose length no header says. A body of 1 MiB must be accepted, and the
// answer to a body with one byte more must be 413 payload_too_large.
func TestBodyOfUnknownLength(t *testing.T) {
	e := things(t, webtest.Options(), succeed)
	for length, want := range map[int]int{1 << 20: 200, 1<<20 + 1: 413} {
		const body = `{"name":"x"}`
		padding := strings.Repeat(" ", length-len(body))
		r := httptest.NewRequest("POST", "/things", strings.NewReader(body+padding))
		r.ContentLength = -1
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != want || want == 413 && !strings.Contains(w.Body.String(), `"payload_too_large"`) {
			t.Errorf("%d bytes: %d %s", length, w.Code, w.Body)
		}
	}
}

// TestContentType sends bodies with several Content-Types and Content-Encodings. Only a single Content-Type
// of JSON in UTF-8, without a Content-Encoding, must be accepted.
func TestContentType(t *testing.T) {
	e := things(t, webtest.Options(), succeed)
	for _, c := range []struct {
		status  int
		headers http.Header
	}{
		{200, http.Header{"Content-Type": {"application/json"}}},
		{200, http.Header{"Content-Type": {"Application/JSON; charset=UTF-8"}}},
		{415, nil},
		{415, http.Header{"Content-Type": {"text/plain"}}},
		{415, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}},
		{200, http.Header{"Content-Type": {`application/json;charset="UTF8"`}}},
		{415, http.Header{"Content-Type": {"application/json; charset=utf-16"}}},
		{415, http.Header{"Content-Type": {"application/json", "application/json"}}},
		{415, http.Header{"Content-Type": {"application/json", "text/plain"}}},
		{415, http.Header{"Content-Type": {"application/json, text/plain"}}},
		{415, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}},
		{415, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"identity"}}},
	} {
		for _, length := range []int64{12, -1} {
			r := httptest.NewRequest("POST", "/things", strings.NewReader(`{"name":"x"}`))
			r.ContentLength = length
			for name, lines := range c.headers {
				r.Header[name] = lines
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			if w.Code != c.status ||
				w.Code == 415 && !strings.Contains(w.Body.String(), `"unsupported_media_type"`) {
				t.Errorf("%v, length %d: %d %s", c.headers, length, w.Code, w.Body)
			}
		}
	}
}

// TestCharset sends bodies with a wrong charset or media type. The details of a 415 must name the header
// Content-Type only when the media type is right, and the charset is wrong.
func TestCharset(t *testing.T) {
	base := serveThings(t, webtest.Options(), succeed)
	for media, fields := range map[string][]string{
		"application/json; charset=utf-16":     {"/header/Content-Type"},
		"application/json; charset=iso-8859-1": {"/header/Content-Type"},
		"application/json; utf-8":              {"/header/Content-Type"}, // as in many examples in Java
		"application/json; charset=":           {"/header/Content-Type"},
		"text/plain; utf-8":                    nil,
		"text/plain; charset=utf-16":           nil,
	} {
		status, body, _ := webtest.Do(t, "POST", base+"/things", `{"name":"x"}`, "Content-Type", media)
		webtest.WantError(t, status, body, 415, "unsupported_media_type", fields...)
	}
	status, body, _ := webtest.Do(t, "POST", base+"/things/file", "name\nx\n",
		"Content-Type", "text/csv; charset=utf-7")
	webtest.WantError(t, status, body, 415, "unsupported_media_type", "/header/Content-Type")
}
